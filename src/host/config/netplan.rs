//! netplan's YAML, as far as it names devices. No more of YAML is known here than netplan's files use: blocks by
//! indentation, lists and maps in brackets on one line, quotes, comments.

use super::{Device, glob};

/// One device of netplan's, by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// The id: the device's name, unless `match` or `set-name` say otherwise.
    pub id: String,
    names: Vec<String>,
    mac: Option<String>,
    drivers: Vec<String>,
    has_match: bool,
    set_name: Option<String>,
}

/// The kinds of devices; below each stand ids.
const KINDS: &[&str] = &[
    "ethernets",
    "wifis",
    "modems",
    "bridges",
    "bonds",
    "vlans",
    "vrfs",
    "tunnels",
    "dummy-devices",
    "virtual-ethernets",
    "nm-devices",
    "openvswitch",
];

/// Reads such a file.
pub fn read(text: &str) -> Vec<Definition> {
    let mut all: Vec<Definition> = Vec::new();
    for (path, value) in leaves(text) {
        let [network, kind, id, rest @ ..] = path.as_slice() else { continue };
        if network != "network" || !KINDS.contains(&kind.as_str()) {
            continue;
        }
        let at = all.iter().position(|d| d.id == *id).unwrap_or_else(|| {
            all.push(Definition { id: id.clone(), ..Definition::default() });
            all.len() - 1
        });
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let one = &mut all[at];
        one.has_match |= rest.first() == Some(&"match");
        match rest.as_slice() {
            ["match", "name", ..] => one.names.push(value),
            ["match", "driver", ..] => one.drivers.push(value),
            ["match", "macaddress"] => one.mac = Some(value.to_ascii_lowercase()),
            ["set-name"] => one.set_name = Some(value),
            _ => {}
        }
    }
    all
}

impl Definition {
    /// Is it about this device?
    pub fn is_about(&self, device: &Device<'_>) -> bool {
        if !self.has_match {
            return self.id == device.name;
        }
        let fits = |patterns: &[String], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|p| glob(p, text)))
        };
        let has_mac = |mac: &String| [device.mac, device.permanent_mac].contains(&Some(mac));
        let is_set = self.set_name.as_deref() == Some(device.name);
        // What was renamed has lost the name that it was matched by.
        let fits_name = fits(&self.names, Some(device.name)) || is_set;
        let says_something =
            !self.names.is_empty() || self.mac.is_some() || !self.drivers.is_empty() || is_set;
        // Of VLANs and bridges with a NIC's address, none is meant.
        let is_hardware = self.mac.is_none() || device.driver.is_some();
        says_something
            && is_hardware
            && fits_name
            && fits(&self.drivers, device.driver)
            && self.mac.as_ref().is_none_or(has_mac)
    }
}

/// Every scalar, with the keys that lead to it; a key with nothing below it counts as one.
pub(super) fn leaves(text: &str) -> Vec<(Vec<String>, String)> {
    let mut out = Vec::new();
    let mut stack: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let line = without_comment(line);
        let content = line.trim_start();
        if content.is_empty() || content.starts_with("---") || content.starts_with('%') {
            continue;
        }
        let mut indent = line.len() - content.len();
        let mut content = content;
        let is_item = content == "-" || content.starts_with("- ");
        while let Some(rest) = content.strip_prefix("- ") {
            indent += 2;
            content = rest.trim_start();
        }
        // A list may stand as far left as the key that it belongs to.
        stack.retain(|(at, _)| *at < indent);
        let path = |stack: &[(usize, String)]| stack.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>();
        match key(content) {
            Some((key, value)) => {
                stack.push((indent, key));
                flow(value, &path(&stack), &mut out, 0);
            }
            None if is_item || content.starts_with('{') => flow(content, &path(&stack), &mut out, 0),
            None => {}
        }
    }
    out
}

/// `key: value`, `key:`
fn key(content: &str) -> Option<(String, &str)> {
    let quote = content.chars().next().filter(|c| ['"', '\''].contains(c));
    if let Some(quote) = quote {
        let (key, rest) = content[1..].split_once(quote)?;
        return Some((key.to_string(), rest.trim_start().strip_prefix(':')?.trim()));
    }
    if content.starts_with(['{', '[']) {
        return None;
    }
    let at = content.match_indices(':').map(|(at, _)| at).find(|at| {
        let after = &content[at + 1..];
        after.is_empty() || after.starts_with([' ', '\t'])
    })?;
    Some((content[..at].trim().to_string(), content[at + 1..].trim()))
}

/// A scalar, or a map or list in brackets.
fn flow(value: &str, path: &[String], out: &mut Vec<(Vec<String>, String)>, depth: usize) {
    let inside = |open, close| value.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    let is_map = value.starts_with('{');
    match inside('{', '}').or_else(|| inside('[', ']')).filter(|_| depth < 16) {
        None => {
            let bare = value.trim_matches(['"', '\'']);
            out.push((path.to_vec(), bare.to_string()));
        }
        Some(inside) => {
            out.push((path.to_vec(), String::new()));
            for part in parts(inside) {
                match key(part).or_else(|| part.split_once(':').map(|(k, v)| (k.trim().into(), v.trim()))) {
                    Some((key, value)) if is_map => {
                        let path: Vec<String> = path.iter().cloned().chain([key]).collect();
                        flow(value, &path, out, depth + 1);
                    }
                    _ => flow(part, path, out, depth + 1),
                }
            }
        }
    }
}

/// The parts between commas that stand in no further brackets or quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut quote) = (0_i32, 0, None);
    let mut out = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                out.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text[start..].trim());
    out.retain(|part| !part.is_empty());
    out
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if before.is_whitespace() => return line[..at].trim_end(),
            _ => {}
        }
        before = c;
    }
    line.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nic<'a>(name: &'a str, mac: &'a str) -> Device<'a> {
        Device { name, mac: Some(mac), driver: Some("igc"), ..Device::default() }
    }

    #[test]
    fn what_netplan_names() {
        let text = "# by cloud-init\nnetwork:\n  version: 2\n  renderer: networkd # or not\n  ethernets:\n    enp4s0:\n      \
                    dhcp4: true\n    lan:\n      match:\n        macaddress: \"52:54:00:AA:BB:01\"\n      set-name: lan0\n    \
                    all: {match: {name: 'ens*', driver: [igc, e1000e]}, dhcp4: yes}\n    enp9s0: {}\n  bridges:\n    br0:\n      \
                    interfaces:\n      - enp4s0\n      - \"enp5s0\"\n      addresses: [192.0.2.2/24]\n";
        let all = read(text);
        assert_eq!(
            all.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(),
            ["enp4s0", "lan", "all", "enp9s0", "br0"]
        );
        let about = |device: Device<'_>| {
            all.iter().filter(|d| d.is_about(&device)).map(|d| d.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(about(nic("enp4s0", "52:54:00:00:00:01")), ["enp4s0"]);
        assert_eq!(about(nic("lan0", "52:54:00:aa:bb:01")), ["lan"]);
        assert_eq!(about(nic("ens3", "52:54:00:00:00:01")), ["all"]);
        assert_eq!(about(Device { driver: Some("tg3"), ..nic("ens3", "52:54:00:00:00:01") }), [""; 0]);
        assert_eq!(about(nic("lan", "52:54:00:00:00:01")), [""; 0], "an id with a match is no name");
        assert_eq!(about(nic("br0", "52:54:00:00:00:01")), ["br0"]);
        assert_eq!(about(nic("dhcp4", "52:54:00:00:00:01")), [""; 0]);
        assert!(read("").is_empty() && read("network: {version: 2}").is_empty());
        let flow = read("{network: {ethernets: {eth0: {dhcp4: true}}}}");
        assert!(flow.iter().any(|d| d.is_about(&nic("eth0", "")) && d.id == "eth0"), "{flow:?}");
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,80}", yaml in "(( {0,6}|- )[a-z\"'{}\\[\\]#:, -]{0,20}\n){0,8}") {
            let _ = (read(&text), read(&yaml), read(&format!("network:\n  ethernets:\n{yaml}")));
        }
    }
}
