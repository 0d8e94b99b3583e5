//! cloud-init's own files, as far as they say whether it writes the network's configuration.

use super::netplan::leaves;

/// Does cloud-init leave the network alone, as its files say, the weakest (`cloud.cfg`) first? It puts them together key by
/// key, and of the same key what the last one says counts.
pub fn cloud_is_off<'a>(texts: impl DoubleEndedIterator<Item = &'a str>) -> bool {
    texts.rev().find_map(of_network).is_some_and(|config| config == "disabled")
}

fn of_network(text: &str) -> Option<String> {
    let mut found = leaves(text).into_iter().filter(|(path, _)| path.iter().eq(["network", "config"]));
    found.next().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_one_says_counts() {
        let is_off = |texts: &[&str]| cloud_is_off(texts.iter().copied());
        assert!(is_off(&["network: {config: disabled}"]));
        assert!(is_off(&["users: [default]\nnetwork:\n  config: 'disabled' # by hand\n"]));
        assert!(is_off(&["network: {config: disabled}", "network: {version: 2}", "users: []"]));
        assert!(!is_off(&["network: {config: disabled}", "network: {config: [{type: physical}]}"]));
        assert!(!is_off(&["# network: {config: disabled}", "other: {network: {config: disabled}}"]));
        assert!(!is_off(&[]));
    }
}
