//! Policy rules, neighbours and settings of the kernel: what goes with a device, or with a restart of what configures it,
//! and what nothing brings back.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sys::exec;
use crate::sys::routes::ip;

/// A policy rule, in the words that `ip rule` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `-4`, `-6`.
    pub family: String,
    /// All of it, its priority first.
    pub words: Vec<String>,
}

impl Rule {
    /// What stands behind a word of it.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == key)?;
        self.words.get(at + 1).map(String::as_str)
    }

    /// Did somebody else than what configures the network set it? networkd and NetworkManager sign theirs.
    pub fn is_by_hand(&self) -> bool {
        self.get("proto") != Some("static")
    }
}

/// A neighbour's MAC address that was set for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its address.
    pub address: String,
    /// Its MAC address.
    pub mac: String,
    /// The device that it is behind.
    pub dev: String,
}

/// All rules but the kernel's own; none where the kernel has none.
pub(super) fn rules() -> Vec<Rule> {
    let shown = |family: &str| {
        let argv = ["ip", "-d", family, "rule", "show"].map(String::from);
        exec::run(&argv, Duration::from_secs(10)).unwrap_or_default()
    };
    let parse =
        |family: &str| shown(family).lines().filter_map(|line| rule(family, line)).collect::<Vec<_>>();
    ["-4", "-6"].into_iter().flat_map(parse).collect()
}

/// `32765: from 198.18.0.4 lookup 77 proto boot`
fn rule(family: &str, line: &str) -> Option<Rule> {
    let (priority, rest) = line.split_once(':')?;
    let mut words = vec!["priority".to_string(), priority.trim().into()];
    for word in rest.split_whitespace() {
        match word {
            // Of a device, or another rule, that isn't there.
            "[detached]" | "[unresolved]" => {}
            "[l3mdev-table]" => {
                words.pop();
                words.push("l3mdev".into());
            }
            word => words.push(word.into()),
        }
    }
    let rule = Rule { family: family.into(), words };
    (rule.get("proto") != Some("kernel")).then_some(rule)
}

/// The neighbours of the devices that are wanted.
pub(super) fn neighbours(is_wanted: &dyn Fn(&str) -> bool) -> Vec<Neighbour> {
    let all = ip::<Value>(&["neigh", "show", "nud", "permanent"]).unwrap_or_default();
    let neighbour = |raw: &Value| {
        let word = |key: &str| raw[key].as_str().map(String::from);
        Some(Neighbour { address: word("dst")?, mac: word("lladdr")?, dev: word("dev")? })
    };
    all.iter().filter_map(neighbour).filter(|neighbour| is_wanted(&neighbour.dev)).collect()
}

/// Those that what configures a network sets of a device, or that are set by hand.
const SETTINGS: [(&str, &[&str]); 2] = [
    (
        "ipv4",
        &["accept_local", "arp_announce", "arp_filter", "arp_ignore", "forwarding", "proxy_arp", "rp_filter"],
    ),
    ("ipv6", &["accept_ra", "autoconf", "disable_ipv6", "forwarding", "proxy_ndp", "use_tempaddr"]),
];

/// A device's settings, by what stands behind `/proc/sys/net/`.
pub(super) fn settings(dev: &str) -> BTreeMap<String, String> {
    let paths = SETTINGS
        .into_iter()
        .flat_map(|(family, keys)| keys.iter().map(move |key| format!("{family}/conf/{dev}/{key}")));
    paths
        .filter_map(|path| {
            let value = fs::read_to_string(setting(&path)).ok()?.trim().to_string();
            Some((path, value))
        })
        .collect()
}

/// Where a setting stands.
pub(super) fn setting(path: &str) -> PathBuf {
    PathBuf::from("/proc/sys/net").join(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_as_ip_says_them() {
        let said = |line: &str| rule("-4", line).map(|rule| rule.words.join(" "));
        assert_eq!(said("0:\tfrom all lookup local proto kernel"), None);
        assert_eq!(
            said("32765:\tfrom 198.18.0.4 lookup 77 proto boot").unwrap(),
            "priority 32765 from 198.18.0.4 lookup 77 proto boot"
        );
        assert_eq!(
            said("9:\tnot from all fwmark 0x1/0xff iif br9 [detached] lookup [l3mdev-table]").unwrap(),
            "priority 9 not from all fwmark 0x1/0xff iif br9 l3mdev"
        );
        let of_networkd = rule("-4", "9:\tfrom 192.0.2.0/24 lookup 7 proto static").unwrap();
        assert!(!of_networkd.is_by_hand() && rule("-4", "9:\tfrom all lookup 7").unwrap().is_by_hand());
    }

    #[test]
    fn the_loopback_has_settings() {
        assert!(settings("lo").contains_key("ipv4/conf/lo/forwarding"));
    }
}
