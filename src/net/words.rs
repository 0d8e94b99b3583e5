//! Names of hosts and domains.

/// The longest label of a name, and the longest name (RFC 1035).
const LABEL: usize = 63;
const NAME: usize = 253;

/// Why `name` can't be a guest's: `None` if it can. libvirt wants a letter first ("Cannot use host name '%s' in network
/// '%s'"), the rest is what dnsmasq takes.
pub(super) fn host_name(name: &str) -> Option<String> {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some(format!("the name '{}' begins with no letter", name.escape_debug()));
    }
    domain(name)
}

/// Why `name` can't be one of the DNS: letters, digits and `-` in labels (the schema's `dnsName` and RFC 1035).
pub(super) fn domain(name: &str) -> Option<String> {
    let shown = name.escape_debug();
    if name.is_empty() {
        return Some("the name is empty".into());
    }
    if name.len() > NAME {
        return Some(format!("the name has {} bytes; {NAME} is the limit", name.len()));
    }
    if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')) {
        return Some(format!("the name '{shown}' holds '{}', which none in the DNS does", c.escape_debug()));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Some(format!("the name '{shown}' has a dot with nothing before or behind it"));
        }
        if label.len() > LABEL {
            return Some(format!("the name '{shown}' has a label of more than {LABEL} bytes"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some(format!("the label '{label}' begins or ends with '-'"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(64);
        for good in ["a", "lab.example", "x-1.y", "9a.de"] {
            assert_eq!(domain(good), None, "{good}");
        }
        for bad in ["", ".", "a.", "a..b", "-a", "a-", "a_b", "a b", "ä", long.as_str()] {
            assert!(domain(bad).is_some(), "{bad}");
        }
        assert!(domain(&"a.".repeat(130)).is_some());
        assert!(host_name("9a").is_some() && host_name("a9").is_none());
    }
}
