//! Secrets in netplan's files: passwords of Wi-Fi, 802.1X and modems, keys of tunnels.

use super::yaml::{Node, What, read};
use crate::host::config::{self, MASK, is_secret};

/// Such a file as it is shown: without secrets, however they are written. The lines stay. What can't be read is gone through
/// line by line.
pub(in super::super) fn masked(text: &str) -> String {
    let Ok(root) = read(text) else { return config::masked(text) };
    let mut found = Vec::new();
    collect(&root, false, &mut found);
    let mut out = text.to_string();
    for (start, end) in found.into_iter().rev() {
        let lines = text[start..end].split_inclusive('\n').map(|line| {
            let eol = &line[line.trim_end_matches(['\r', '\n']).len()..];
            let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            format!("{indent}{MASK}{eol}")
        });
        out.replace_range(start..end, &lines.collect::<String>());
    }
    out.split_inclusive('\n').map(without_noted).collect()
}

/// A line without the secret that was commented out in it.
fn without_noted(line: &str) -> String {
    let noted = line.trim_start().strip_prefix('#').and_then(|comment| comment.split_once(':'));
    match noted {
        Some((key, value))
            if !value.trim().is_empty() && is_key(key.trim_start_matches(['#', ' ', '-']).trim_end()) =>
        {
            let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
            let until = line.len() - value.len();
            format!("{} {MASK}{end}", &line[..until])
        }
        _ => line.to_string(),
    }
}

/// Is what such a key has a secret, or full of them? A tunnel has a `key` and `keys`.
fn is_key(key: &str) -> bool {
    matches!(key, "key" | "keys" | "private" | "shared") || is_secret(key)
}

/// The places of all secrets below, in their order.
fn collect(node: &Node, is_hidden: bool, found: &mut Vec<(usize, usize)>) {
    match &node.what {
        What::Scalar(_) if is_hidden && node.start < node.end => found.push((node.start, node.end)),
        What::Scalar(_) => {}
        What::Seq(items) => items.iter().for_each(|item| collect(item, is_hidden, found)),
        What::Map(entries) => {
            for (key, value) in entries {
                // Of a peer's, one is public.
                let is_hidden = (is_hidden && key.word() != "public") || is_key(key.word());
                collect(value, is_hidden, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_every_form() {
        let text = "network:\n  ethernets:\n    enp4s0:\n      auth: {key-management: 802.1x, password: \"hunter2\"} # so\n      \
                    dhcp4: yes\n  wifis:\n    wlp3s0:\n      access-points:\n        office:\n          password:\n            hunter2\n        \
                    home:\n          password: >\r\n            hunter2\r\n            hunter2\r\n          mode: ap\n  tunnels:\n    wg0:\n      \
                    {mode: wireguard, key: hunter2}\n    wg1:\n      keys: {private: hunter2, input: 7}\n      peers:\n      - keys:\n          \
                    public: abc=\n          shared: hunter2\n  modems: {c0: {pin: 4711, number: '*99#'}}\n";
        let shown = masked(text);
        assert!(
            !shown.contains("hunter2") && !shown.contains("4711") && !shown.contains("input: 7"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), text.lines().count());
        for kept in [
            "key-management: 802.1x, password: ***} # so",
            "mode: ap",
            "mode: wireguard",
            "public: abc=",
            "'*99#'",
        ] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
        let noted = "a: 1\n  # password: hunter2\r\n#psk: \"hunter2\"\n# the password of: nobody\n# keys\n";
        let shown = masked(noted);
        assert!(!shown.contains("hunter2") && shown.contains("  # password: ***\r\n#psk: ***\n"), "{shown}");
        assert!(shown.ends_with("# keys\n"), "{shown}");
        assert_eq!(masked("a: &x 1\npassword: hunter2\n"), "a: &x 1\npassword: ***\n");
    }
}
