//! `/etc/network/interfaces` of ifupdown and ifupdown2.

use super::glob;

/// What a file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// Devices with an `iface` of their own, and ports of a bridge or bond that has one.
    pub devices: Vec<String>,
    /// Patterns of devices that get a stanza of another name: by a `mapping`, or by `auto enp4s0=office`.
    pub patterns: Vec<String>,
    /// Other files, in order.
    pub sources: Vec<Source>,
}

/// Other files that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// All that fit a pattern.
    Files(String),
    /// A folder: those of its files whose names are fit for that ([`is_sourced`]).
    Folder(String),
}

/// Options of an `iface` that list its ports.
const PORTS: &[&str] = &[
    "bridge_ports",
    "bridge-ports",
    "bond-slaves",
    "bond_slaves",
    "slaves",
    "bond-ports",
    "ovs_ports",
    "ovs_bonds",
];

impl Interfaces {
    /// Does the file configure this device?
    pub fn is_about(&self, device: &str) -> bool {
        self.devices.iter().any(|own| own == device)
            || self.patterns.iter().any(|pattern| glob(pattern, device))
    }
}

/// Reads such a file.
pub fn read(text: &str) -> Interfaces {
    let mut out = Interfaces::default();
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        match first {
            "iface" => out.devices.extend(words.next().and_then(device)),
            "mapping" => out.patterns.extend(words.map(str::to_string)),
            _ if first == "auto" || first.starts_with("allow-") => {
                let mapped = words.filter_map(|word| word.split_once('='));
                out.patterns.extend(mapped.map(|(device, _)| device.trim_start_matches('/').to_string()));
            }
            "source" => out.sources.extend(words.map(|word| Source::Files(word.into()))),
            "source-directory" => out.sources.extend(words.map(|word| Source::Folder(word.into()))),
            _ if PORTS.contains(&first) => {
                let ports = words.filter(|word| !["none", "all", "glob", "regex"].contains(word));
                out.devices.extend(ports.filter(|word| !word.contains(['*', '('])).filter_map(device));
            }
            _ => {}
        }
    }
    out
}

/// The device of a word such as `eth0`, `eth0:1`, `eth0=home`.
fn device(word: &str) -> Option<String> {
    let name = word.split([':', '=']).next()?;
    (!name.is_empty()).then(|| name.to_string())
}

/// Does `source-directory` take a file of this name?
pub fn is_sourced(name: &str) -> bool {
    glob("?*", name) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_interfaces_names() {
        let text = "# iface eth9 inet dhcp\nsource /etc/network/interfaces.d/*\nsource-directory more\n\n\
                    auto lo\niface lo inet loopback\n\nauto br0\niface br0 inet static\n  address 192.0.2.2/24\n  \
                    bridge_ports enp4s0 \\\n    enp5s0\n  bridge_stp off\niface eth0:1 inet static\niface eth1 inet dhcp\n\
                    iface br1 inet manual\n  bridge-ports none\n";
        let read = read(text);
        assert_eq!(read.devices, ["lo", "br0", "enp4s0", "enp5s0", "eth0", "eth1", "br1"]);
        assert!(read.is_about("enp4s0") && !read.is_about("enp6s0"));
        assert_eq!(
            read.sources,
            [Source::Files("/etc/network/interfaces.d/*".into()), Source::Folder("more".into())]
        );
        let mapped =
            super::read("auto enp2s0 /wl*=home\nallow-hotplug enp6s0=lan\nmapping enp4s0 eth?\n  script x\n");
        for (name, is) in
            [("enp2s0", false), ("wlp3s0", true), ("enp6s0", true), ("enp4s0", true), ("eth1", true)]
        {
            assert_eq!(mapped.is_about(name), is, "{name}");
        }
        assert!(is_sourced("50-cloud_init") && !is_sourced("a.bak") && !is_sourced("eth0~"));
    }
}
