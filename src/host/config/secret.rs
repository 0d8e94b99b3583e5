//! Secrets in the files that configure a host's network: Wi-Fi keys, 802.1X passwords.

/// What a key must hold for its value to be a secret: of NetworkManager's keyfiles, of ifupdown's `wpa-*`, of netplan.
const SECRET: &[&str] =
    &["password", "psk", "secret", "wep-key", "wep_key", "private-key-", "pin", "passphrase"];

/// What stands for a secret.
const MASK: &str = "***";

/// A text as it is shown: without secrets. The lines stay, so that a diff of two such texts is one of the files but for
/// them.
pub fn masked(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let content = line.trim_end_matches(['\n', '\r']);
    let end = &line[content.len()..];
    let start = content.len() - content.trim_start().len();
    // `key=value`, `key: value`, `key value`
    let Some(at) = content[start..].find(['=', ':', ' ', '\t']).map(|at| start + at) else {
        return line.into();
    };
    let (key, value) = content.split_at(at);
    let key = key.to_ascii_lowercase();
    let rest = value.trim_start_matches(['=', ':', ' ', '\t']);
    if rest.is_empty() || !SECRET.iter().any(|word| key.contains(word)) || is_flags(&key) {
        return line.into();
    }
    let until_value = content.len() - rest.len();
    format!("{}{MASK}{end}", &content[..until_value])
}

/// NetworkManager's `psk-flags` say where a secret is kept, not what it is.
fn is_flags(key: &str) -> bool {
    key.ends_with("-flags")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let text = "[wifi-security]\npsk=hunter2\r\npsk-flags=0\n  wpa-psk  hunter2\n    password: \"hunter2\"\n\
                    private-key-password=hunter2\naddress1=192.0.2.4/24\n# password of the office\niface br0 inet dhcp";
        let shown = masked(text);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("psk=***\r\n")
                && shown.contains("psk-flags=0")
                && shown.contains("  wpa-psk  ***\n")
        );
        assert!(
            shown.ends_with("address1=192.0.2.4/24\n# password of the office\niface br0 inet dhcp"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC{0,20}[=: ]?\\PC{0,10}\r?\n?){0,5}") {
            prop_assert_eq!(masked(&text).lines().count(), text.lines().count());
        }
    }
}
