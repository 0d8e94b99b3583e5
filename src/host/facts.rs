//! What a device really is, and the names that follow from that.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::place::{PciAddress, Place};
use super::spot::{Pci, Port, Prefix, SchemeName, Spot, Virtual};
use crate::model::MacAddr;

/// What the kernel and udev show of a device, as far as names are concerned.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is; `None` if `/sys` doesn't show it.
    pub place: Option<Place>,
    /// The slots of the machine, as the firmware names them: name and address (`0000:04:00`).
    pub slots: Vec<(String, String)>,
    /// Has the card several functions?
    pub is_multifunction: bool,
    /// The firmware's index of what is on the mainboard.
    pub onboard: Option<u32>,
    /// The port, as the driver counts it.
    pub dev_port: Option<u32>,
    /// The port, as the driver calls it.
    pub port_name: Option<String>,
    /// SR-IOV: the card, and the number of the virtual function that this is.
    pub virtual_function: Option<(PciAddress, u32)>,
    /// The MAC address.
    pub mac: Option<MacAddr>,
    /// The one that it was made with, where that is another.
    pub permanent_mac: Option<MacAddr>,
    /// Where the MAC address comes from: `addr_assign_type` of the kernel.
    pub mac_origin: Option<u8>,
    /// Where the name comes from: `name_assign_type` of the kernel.
    pub name_origin: Option<u8>,
    /// The device below it, and its number if it is a VLAN.
    pub below: Option<(String, Option<u16>)>,
    /// What udev knows of it.
    pub udev: BTreeMap<String, String>,
}

/// The kernel's word for an address that it made up.
const RANDOM: u8 = 1;

/// Which of a device's properties a name is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "udev's own words")]
pub enum Policy {
    Onboard,
    Slot,
    Path,
    Mac,
}

impl Policy {
    /// In the order in which udev takes them.
    pub const ALL: [Policy; 4] = [Policy::Onboard, Policy::Slot, Policy::Path, Policy::Mac];

    /// udev's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Onboard => "onboard",
            Policy::Slot => "slot",
            Policy::Path => "path",
            Policy::Mac => "mac",
        }
    }

    fn property(self) -> &'static str {
        match self {
            Policy::Onboard => "ID_NET_NAME_ONBOARD",
            Policy::Slot => "ID_NET_NAME_SLOT",
            Policy::Path => "ID_NET_NAME_PATH",
            Policy::Mac => "ID_NET_NAME_MAC",
        }
    }
}

/// The longest name that the kernel takes.
const LONGEST: usize = 15;

impl Facts {
    /// Is there hardware behind it (or what a hypervisor shows as such)?
    pub fn is_physical(&self) -> bool {
        self.place.as_ref().is_some_and(|place| !place.is_virtual)
    }

    /// Is its MAC address made up anew at each start?
    pub fn has_random_mac(&self) -> bool {
        self.mac_origin == Some(RANDOM)
    }

    /// The MAC address that it was made with.
    pub fn own_mac(&self) -> Option<MacAddr> {
        self.permanent_mac.or_else(|| self.mac.filter(|_| self.mac_origin == Some(0)))
    }

    /// The names that the scheme has for it: what udev says if it knows the device, else what follows from its place.
    pub fn names(&self) -> Vec<(Policy, String)> {
        let given = Policy::ALL
            .into_iter()
            .filter_map(|policy| Some((policy, self.udev.get(policy.property())?.clone())));
        let given: Vec<_> = given.collect();
        if !given.is_empty() {
            return given;
        }
        let Some(prefix) = self.prefix().filter(|_| self.is_physical()) else { return Vec::new() };
        let computed = Policy::ALL.into_iter().filter_map(|policy| {
            let name = SchemeName { prefix, spot: self.spot(policy)? }.to_string();
            (name.len() <= LONGEST).then_some((policy, name))
        });
        computed.collect()
    }

    /// The same, but for those that are made of an address of this start only.
    pub(super) fn lasting_names(&self) -> Vec<(Policy, String)> {
        let mut names = self.names();
        names.retain(|(policy, _)| *policy != Policy::Mac || !self.has_random_mac());
        names
    }

    /// The prefix of its kind.
    pub fn prefix(&self) -> Option<Prefix> {
        match self.kind {
            Kind::Ethernet => Some(Prefix::En),
            Kind::Wifi => Some(Prefix::Wl),
            Kind::Wwan => Some(Prefix::Ww),
            Kind::Infiniband => Some(Prefix::Ib),
            _ => None,
        }
    }

    fn spot(&self, policy: Policy) -> Option<Spot> {
        let place = self.place.as_ref()?;
        let own = place.address();
        let (card, virt) = match self.virtual_function {
            Some((card, number)) => (Some(card), Some(Virtual::Function(number))),
            None => (own, None),
        };
        match policy {
            Policy::Onboard => {
                let index = self.onboard.filter(|_| place.usb.is_none())?;
                Some(Spot::Onboard { index, port: self.port(), virt })
            }
            Policy::Slot => {
                let card = card?;
                let slot = self.slots.iter().find(|(_, address)| is_at(card, address))?.0.parse().ok()?;
                Some(Spot::Pci(Pci { bus: None, slot, ..self.pci(card, virt) }))
            }
            Policy::Path => match card {
                Some(card) => Some(Spot::Pci(self.pci(card, virt))),
                None => place.usb.clone().map(Spot::Usb).or_else(|| self.elsewhere(place)),
            },
            Policy::Mac => self.own_mac().map(Spot::Mac),
        }
    }

    fn pci(&self, card: PciAddress, virt: Option<Virtual>) -> Pci {
        let usb = self.place.as_ref().and_then(|place| place.usb.clone());
        Pci {
            domain: card.domain,
            bus: Some(card.bus),
            slot: card.slot,
            function: (card.function > 0 || self.is_multifunction).then_some(card.function),
            port: self.port(),
            core: None,
            usb,
            virt,
        }
    }

    fn port(&self) -> Option<Port> {
        let name = self.port_name.clone().filter(|name| !name.is_empty()).map(Port::Name);
        name.or_else(|| self.dev_port.filter(|n| *n > 0).map(Port::Number))
    }

    /// Names of devices on no PCI and no USB.
    pub(super) fn elsewhere(&self, place: &Place) -> Option<Spot> {
        let bus = place.others.iter().map(String::as_str).collect::<Vec<_>>();
        let last = *bus.last()?;
        if bus.first() == Some(&"vio") {
            return u32::from_str_radix(last.get(4..8)?, 16).ok().map(Spot::Vio);
        }
        if let Some(n) = last.strip_prefix("vif-") {
            return n.parse().ok().map(Spot::Xen);
        }
        if let Some(n) = last.strip_prefix("netdevsim") {
            return Some(Spot::Simulated(n.parse().ok()?, self.port_name.clone()?));
        }
        if bus.iter().any(|step| *step == "qeth" || step.starts_with("css")) {
            return Some(Spot::Ccw(last.trim_start_matches(['0', '.']).to_string()));
        }
        let (id, instance) = last.split_once(':')?;
        let at = id.len().checked_sub(4).filter(|at| (3..=4).contains(at) && id.is_char_boundary(*at))?;
        let (vendor, model) = id.split_at(at);
        let model = u32::from_str_radix(model, 16).ok()?;
        let what = format!("{}{model:x}", vendor.to_ascii_lowercase());
        Some(Spot::Acpi(what, u32::from_str_radix(instance, 16).ok()?))
    }
}

/// Is the address (`0000:04:00`, or with a function) that of the card?
pub(super) fn is_at(card: PciAddress, address: &str) -> bool {
    let card = card.to_string();
    card == address || card.split('.').next() == Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(facts: &Facts) -> Vec<String> {
        facts.names().into_iter().map(|(policy, name)| format!("{}={name}", policy.as_str())).collect()
    }

    fn nic(path: &str) -> Facts {
        let place = Some(Place::read(&format!("devices/{path}/net/x")));
        Facts { kind: Kind::Ethernet, place, ..Facts::default() }
    }

    #[test]
    fn names_that_follow() {
        let card = || nic("pci0000:40/0000:40:01.1/0000:41:00.0");
        assert_eq!(names(&card()), ["path=enp65s0"]);
        let all = Facts {
            onboard: Some(1),
            slots: vec![("2".into(), "0000:41:00".into())],
            is_multifunction: true,
            port_name: Some("p0".into()),
            mac: "52:54:00:00:00:01".parse().ok(),
            mac_origin: Some(0),
            ..card()
        };
        assert_eq!(
            names(&all),
            ["onboard=eno1np0", "slot=ens2f0np0", "path=enp65s0f0np0", "mac=enx525400000001"]
        );
        assert_eq!(names(&Facts { dev_port: Some(1), ..card() }), ["path=enp65s0d1"]);
        let part = Facts {
            virtual_function: Some(("0000:41:00.0".parse().unwrap_or_default(), 3)),
            ..nic("pci0000:40/0000:40:01.1/0000:41:02.3")
        };
        assert_eq!(names(&part), ["path=enp65s0v3"]);
        assert_eq!(names(&Facts { kind: Kind::Wifi, ..card() }), ["path=wlp65s0"]);
        assert_eq!(names(&nic("pci0001:00/0001:00:00.0")), ["path=enP1p0s0"]);
        assert_eq!(names(&nic("pci0000:00/0000:00:03.0/virtio0")), ["path=enp0s3"]);
        assert_eq!(names(&nic("pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.6")), ["path=enp0s20u2i6"]);
        assert_eq!(names(&nic("platform/soc/usb1/1-2/1-2:1.0")), ["path=enu2"]);
        // Longer than the kernel takes.
        assert_eq!(names(&nic("pci0000:00/0000:00:14.0/usb1/1-2/1-2.11.12/1-2.11.12:1.1")), [""; 0]);
        assert_eq!(names(&nic("vio/30000002")), ["path=env2"]);
        assert_eq!(names(&nic("vif-0")), ["path=enX0"]);
        assert_eq!(names(&nic("platform/HISI00C2:00")), ["path=enahisic2i0"]);
        assert_eq!(names(&nic("virtual")), [""; 0]);
        // What udev says goes before what follows.
        let udev = [("ID_NET_NAME_PATH".to_string(), "enp65s0f0".to_string())].into();
        assert_eq!(names(&Facts { udev, ..card() }), ["path=enp65s0f0"]);
    }
}
