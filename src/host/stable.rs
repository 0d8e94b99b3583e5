//! Names that can change between boots, and what to do about it.

use super::facts::{Facts, Policy};
use super::name::{Says, Series};
use super::spot::Spot;
use super::verdict::Verdict;

/// What there is to say about a name that may not last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Why it can change.
    pub why: String,
    /// The name to use instead; `None` if the scheme has none for this device.
    pub name: Option<String>,
    /// A `.link` file of udev's that gives the device that name.
    pub link: Option<LinkFile>,
}

/// A file for `/etc/systemd/network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFile {
    /// Its path.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// How sure names of this device's are that come from the order in which devices are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// It is the only NIC of its kind.
    Alone,
    /// There are others, that may be found first.
    Others,
}

/// The kernel's word for a name that somebody gave.
const RENAMED: u8 = 4;

impl Facts {
    /// Has udev been told to give it this name, in a `.link` file of this host's?
    fn is_pinned(&self) -> bool {
        let own = |file: &String| !file.starts_with("/usr/") && !file.starts_with("/lib/");
        self.udev.get("ID_NET_LINK_FILE").is_some_and(own)
            && self.udev.get("ID_NET_NAME").is_some_and(|name| *name == self.name)
    }
}

/// What is to say about a name that can change; `None` if it can't, as far as can be seen.
pub fn advice(says: &Says, facts: &Facts, verdict: &Verdict, company: Company) -> Option<Advice> {
    if !facts.is_physical() || facts.is_pinned() {
        return None;
    }
    let why = why(says, facts, verdict, company)?;
    let name = facts.lasting_names().into_iter().find(|(_, name)| *name != facts.name);
    let link = link(facts, name.as_ref());
    Some(Advice { why, name: name.map(|(_, name)| name), link })
}

fn why(says: &Says, facts: &Facts, verdict: &Verdict, company: Company) -> Option<String> {
    match says {
        Says::Kernel(..) if facts.name_origin == Some(RENAMED) => None,
        Says::Kernel(Series::Eth | Series::Ib | Series::Sl, _) if company == Company::Alone => None,
        Says::Kernel(Series::Eth | Series::Ib | Series::Sl, _) => Some(
            "the kernel counts NICs in the order in which it finds them, and there is more than one".into(),
        ),
        Says::Kernel(..) => Some(
            "the kernel counts such devices in the order in which it finds them, and they come and go".into(),
        ),
        Says::Scheme(name) if matches!(name.spot, Spot::Mac(_)) && facts.has_random_mac() => {
            Some("its MAC address is made up at each start, and the name is made of that".into())
        }
        Says::Scheme(_) => match verdict {
            Verdict::No(instead) => {
                Some(format!("the name isn't true any more ({instead}): udev would give another"))
            }
            _ => None,
        },
        _ => None,
    }
}

fn link(facts: &Facts, name: Option<&(Policy, String)>) -> Option<LinkFile> {
    let (policy, name) = name?;
    let by_path = || Some(format!("Path={}", facts.id_path()?));
    let by_mac = || Some(format!("PermanentMACAddress={}", facts.own_mac()?));
    // A name of its place belongs to what is plugged in there; but bus numbers shift, and the address doesn't.
    let found = match policy {
        Policy::Mac => by_mac(),
        _ => by_mac().or_else(by_path),
    };
    let text = format!("[Match]\n{}\n\n[Link]\nName={name}\n", found?);
    Some(LinkFile { path: format!("/etc/systemd/network/10-{name}.link"), text })
}

impl Facts {
    /// What udev calls its place: `pci-0000:04:00.0`.
    fn id_path(&self) -> Option<String> {
        if let Some(path) = self.udev.get("ID_PATH") {
            return Some(path.clone());
        }
        let place = self.place.as_ref()?;
        let pci = format!("pci-{}", place.address()?);
        let Some(usb) = &place.usb else { return Some(pci) };
        let ports: Vec<String> = usb.ports.iter().map(ToString::to_string).collect();
        Some(format!("{pci}-usb-0:{}:{}.{}", ports.join("."), usb.config, usb.interface))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::{Kind, Place, check};

    const PCI: &str = "devices/pci0000:00/0000:00:1c.0/0000:04:00.0/net/x";
    const USB: &str = "devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/net/x";

    fn nic(name: &str, path: &str, origin: u8) -> Facts {
        Facts {
            name: name.into(),
            kind: if name.starts_with('w') { Kind::Wifi } else { Kind::Ethernet },
            place: Some(Place::read(path)),
            mac: "52:54:00:00:00:01".parse().ok(),
            mac_origin: Some(origin),
            name_origin: Some(1),
            ..Facts::default()
        }
    }

    fn instead(facts: &Facts, company: Company) -> Option<Option<String>> {
        let says = Says::read(&facts.name);
        advice(&says, facts, &check(&says, facts), company).map(|advice| advice.name)
    }

    #[test]
    fn names_that_can_change() {
        let name = |name: &str| Some(Some(name.to_string()));
        assert_eq!(instead(&nic("eth0", PCI, 0), Company::Alone), None);
        assert_eq!(instead(&nic("eth0", PCI, 0), Company::Others), name("enp4s0"));
        assert_eq!(instead(&nic("wlan0", PCI, 0), Company::Alone), name("wlp4s0"));
        assert_eq!(instead(&nic("enx525400000001", USB, RANDOM_MAC), Company::Alone), name("enp0s20u2"));
        assert_eq!(instead(&nic("enx525400000001", USB, 0), Company::Alone), None);
        assert_eq!(instead(&nic("enp4s0", PCI, 0), Company::Others), None);
        assert_eq!(instead(&nic("enp5s0", PCI, 0), Company::Alone), name("enp4s0"));
        assert_eq!(instead(&nic("office", PCI, 0), Company::Others), None);
        assert_eq!(instead(&nic("eth0", "devices/virtual/net/eth0", 0), Company::Others), None);
        // A board without PCI and with an address made up at each start: no name lasts.
        assert_eq!(
            instead(&nic("eth0", "devices/platform/soc/net/x", RANDOM_MAC), Company::Others),
            Some(None)
        );
        assert_eq!(
            instead(&nic("eth0", "devices/platform/soc/net/x", 0), Company::Others),
            name("enx525400000001")
        );
    }

    const RANDOM_MAC: u8 = 1;

    #[test]
    fn names_that_somebody_fixed() {
        let renamed = Facts { name_origin: Some(RENAMED), ..nic("eth0", PCI, 0) };
        assert_eq!(instead(&renamed, Company::Others), None);
        let udev = |file: &str| {
            let pairs =
                [("ID_NET_LINK_FILE", file), ("ID_NET_NAME", "enp9s0"), ("ID_NET_NAME_PATH", "enp4s0")];
            let udev = pairs.map(|(key, value)| (key.to_string(), value.to_string())).into();
            Facts { udev, ..nic("enp9s0", PCI, 0) }
        };
        assert_eq!(instead(&udev("/etc/systemd/network/10-lan.link"), Company::Others), None);
        assert_eq!(
            instead(&udev("/usr/lib/systemd/network/99-default.link"), Company::Others),
            Some(Some("enp4s0".into()))
        );
    }

    #[test]
    fn the_file_that_makes_it_stick() {
        let file = |facts: &Facts| {
            let says = Says::read(&facts.name);
            advice(&says, facts, &check(&says, facts), Company::Others).unwrap().link.unwrap()
        };
        let link = file(&nic("eth0", PCI, 0));
        assert_eq!(link.path, "/etc/systemd/network/10-enp4s0.link");
        assert_eq!(link.text, "[Match]\nPermanentMACAddress=52:54:00:00:00:01\n\n[Link]\nName=enp4s0\n");
        let link = file(&nic("enx525400000001", USB, RANDOM_MAC));
        assert_eq!(link.text, "[Match]\nPath=pci-0000:00:14.0-usb-0:2:1.0\n\n[Link]\nName=enp0s20u2\n");
    }
}
