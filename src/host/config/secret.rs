//! Secrets in the files that configure a host's network: Wi-Fi keys, 802.1X passwords.

/// What a key must hold for its value to be a secret: of NetworkManager's keyfiles, of ifupdown's `wpa-*`, of netplan.
const SECRET: &[&str] =
    &["password", "psk", "secret", "wep-key", "wep_key", "private-key-", "passphrase", "mka-cak"];

/// What a word of a command must hold, before its value: `DB_PASSWORD=…`, `--api-token …`.
const SECRET_WORD: &[&str] =
    &["password", "passwd", "passphrase", "secret", "token", "api-key", "api_key", "apikey"];

/// Options of which the next word is `user:password`, as far as it has a colon.
const USERS: &[&str] = &["-u", "-U", "--user", "--proxy-user"];

/// ifupdown's commands.
const HOOKS: &[&str] = &["pre-up", "up", "post-up", "pre-down", "down", "post-down"];

/// What stands for a secret.
pub const MASK: &str = "***";

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
    if HOOKS.contains(&key.trim_start()) {
        return format!("{key}{}{end}", command(value));
    }
    let rest = value.trim_start_matches(['=', ':', ' ', '\t']);
    if rest.is_empty() || !is_secret(key.trim_start()) {
        return line.into();
    }
    let until_value = content.len() - rest.len();
    format!("{}{MASK}{end}", &content[..until_value])
}

/// Is the value of this key a secret?
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // NetworkManager's `psk-flags` say where a secret is kept, not what it is.
    (key == "pin" || SECRET.iter().any(|word| key.contains(word))) && !key.ends_with("-flags")
}

/// A command of the shell's, without what surely is a secret in it.
fn command(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // What the word before makes of the next one.
    let mut next = Next::Plain;
    for (word, blank) in words(text) {
        let bare = word.trim_matches(['"', '\'']);
        let key = bare.split_once('=').map_or(bare, |(key, _)| key);
        let is_user = USERS.contains(&key);
        let is_secret = SECRET_WORD.iter().any(|secret| key.to_ascii_lowercase().contains(secret));
        let value = word.split_once('=').map(|(_, value)| value);
        // What ends the command after the word isn't a part of it.
        let rest = &word[word.trim_end_matches([';', ')', '&', '|']).len()..];
        let hidden = match (&next, value) {
            (Next::Secret, _) => Some(format!("{MASK}{rest}")),
            (Next::User, _) if word.contains(':') => Some(format!("{MASK}{rest}")),
            (_, Some(value)) if (is_secret || (is_user && value.contains(':'))) && is_name(key) => {
                Some(format!("{}{MASK}{rest}", &word[..word.len() - value.len()]))
            }
            _ => of_url(word).or_else(|| of_header(word)),
        };
        next = match value {
            None if is_user => Next::User,
            None if is_secret && key.starts_with("--") => Next::Secret,
            _ => Next::Plain,
        };
        out.push_str(hidden.as_deref().unwrap_or(word));
        out.push_str(blank);
    }
    out
}

/// What the next word of a command is.
enum Next {
    Plain,
    /// `user:password`.
    User,
    Secret,
}

fn is_name(key: &str) -> bool {
    key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The words of a command, each with the blanks behind it; what stands in quotes is one.
fn words(text: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut quote = None;
        let ends = |c: char| match (quote, c) {
            (Some(open), c) => {
                if open == c {
                    quote = None;
                }
                false
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                false
            }
            (None, c) => c.is_whitespace(),
        };
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let blank = after.len() - after.trim_start().len();
        out.push((word, &after[..blank]));
        rest = &after[blank..];
    }
    out
}

/// `https://user:password@host/`
fn of_url(word: &str) -> Option<String> {
    let (before, rest) = word.split_once("://")?;
    let (login, host) = rest.split_at(rest[..rest.find('/').unwrap_or(rest.len())].rfind('@')?);
    let (user, _) = login.split_once(':')?;
    Some(format!("{before}://{user}:{MASK}{host}"))
}

/// `'Authorization: Bearer …'`
fn of_header(word: &str) -> Option<String> {
    let (name, _) = word.split_once(':')?;
    let bare = name.trim_start_matches(['"', '\'']).to_ascii_lowercase();
    let is_secret = ["authorization", "proxy-authorization", "cookie"].contains(&bare.as_str())
        || SECRET_WORD.iter().any(|secret| bare.contains(secret));
    let quote = &word[word.trim_end_matches(['"', '\'']).len()..];
    (is_secret && is_name(&bare)).then(|| format!("{name}: {MASK}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let text = "[wifi-security]\npsk=hunter2\r\npsk-flags=0\n  wpa-psk  hunter2\n    password: \"hunter2\"\n\
                    private-key-password=hunter2\naddress1=192.0.2.4/24\nmapping enp4s0\n# password of the office\niface br0 inet dhcp";
        let shown = masked(text);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("psk=***\r\n")
                && shown.contains("psk-flags=0")
                && shown.contains("  wpa-psk  ***\n")
        );
        assert!(
            shown.ends_with(
                "address1=192.0.2.4/24\nmapping enp4s0\n# password of the office\niface br0 inet dhcp"
            ),
            "{shown}"
        );
    }

    #[test]
    fn keys_of_macsec_and_words_of_commands_are_masked() {
        let text = "[macsec]\nmka-cak=hunter2\nmka-ckn=0102\n  post-up curl -u admin:hunter2 https://a.example/\n\tup curl \
                    --user=admin:hunter2 -k --proxy-user 'a b:hunter2' x\npre-up A=1 DB_PASSWORD=hunter2 api_token=\"hunter2\" run \
                    -v\n    up wget ftp://admin:hunter2@b.example/f; TOKEN=hunter2; go\n  up mount -u root -o user:x\n  up curl -H \
                    'Authorization: Bearer hunter2' y\n  post-up tool --password hunter2 --secret=hunter2 z\n";
        let shown = masked(text);
        assert!(!shown.contains("hunter2"), "{shown}");
        for kept in [
            "mka-ckn=0102\n",
            "  post-up curl -u *** https://a.example/\n",
            "\tup curl --user=*** -k --proxy-user *** x\n",
            "pre-up A=1 DB_PASSWORD=*** api_token=*** run -v\n",
            "    up wget ftp://admin:***@b.example/f; TOKEN=***; go\n",
            "  up mount -u root -o user:x\n",
            "  post-up tool --password *** --secret=*** z\n",
        ] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC{0,20}[=: ]?\\PC{0,10}\r?\n?){0,5}") {
            prop_assert_eq!(masked(&text).lines().count(), text.lines().count());
        }
    }
}
