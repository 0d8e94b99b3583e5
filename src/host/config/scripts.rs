//! `ifcfg-*` files, as Red Hat had them before keyfiles; NetworkManager reads them too, where it has a plugin for that.

use super::{Ini, ini};

/// Where they are.
pub const SCRIPTS: &str = "/etc/sysconfig/network-scripts";

/// Such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script(Ini);

impl Script {
    /// Reads one, if its name says that it is one.
    pub fn read(path: &str, text: &str) -> Option<Script> {
        let name = path.strip_prefix(SCRIPTS)?.strip_prefix("/ifcfg-")?;
        let is_one = !["~", ".bak", ".orig", ".rej", ".rpmnew", ".rpmsave", ".rpmorig"]
            .iter()
            .any(|e| name.ends_with(e));
        is_one.then(|| Script(ini(text)))
    }

    /// The value of a variable of the shell's.
    pub fn get(&self, key: &'static str) -> Option<&str> {
        self.0.get("", key).map(|value| value.trim_matches(['"', '\''])).filter(|value| !value.is_empty())
    }

    /// Is it about the device of that name, or with that MAC address?
    pub fn is_about(&self, name: &str, mac: Option<&str>) -> bool {
        match (self.get("DEVICE"), self.get("HWADDR")) {
            (Some(device), _) => device == name,
            (None, Some(own)) => mac.is_some_and(|mac| mac.eq_ignore_ascii_case(own)),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whom_they_are_about() {
        let path = format!("{SCRIPTS}/ifcfg-lan");
        let read = |text: &str| Script::read(&path, text).unwrap();
        let named = read("TYPE=Ethernet\nDEVICE=\"enp2s0\"\nHWADDR=52:54:00:AA:00:04\nUUID=u\n");
        assert!(named.is_about("enp2s0", None) && !named.is_about("enp3s0", Some("52:54:00:aa:00:04")));
        assert!(read("HWADDR='52:54:00:AA:00:04'\n").is_about("enp3s0", Some("52:54:00:aa:00:04")));
        assert!(!read("ONBOOT=yes\n").is_about("enp2s0", None));
        assert!(
            Script::read(&format!("{path}.rpmsave"), "").is_none()
                && Script::read("/etc/ifcfg-lan", "").is_none()
        );
    }
}
