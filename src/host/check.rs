//! Is what a name says true of the device?

use super::facts::{Facts, is_at};
use super::kind::Kind;
use super::name::{Bios, Says, Series};
use super::place::{PciAddress, Place};
use super::spot::{Pci, Port, SchemeName, Spot, Usb, Virtual};
use super::verdict::Verdict;
use crate::model::MacAddr;

fn open(why: &str) -> Verdict {
    Verdict::Open(why.into())
}

/// Compares a name with what the device is.
pub fn check(says: &Says, facts: &Facts) -> Verdict {
    match says {
        Says::Scheme(name) => by_udev(scheme(name, facts), facts),
        Says::Bios(name) => bios(*name, facts),
        Says::Kernel(series, _) => kernel(*series, facts),
        Says::Vlan(parent, id) => vlan(parent, *id, facts),
        Says::Familiar(known) if known.kinds.is_empty() => open("a name only, nothing to compare"),
        Says::Familiar(known) if known.kinds.contains(&facts.kind) => {
            Verdict::Yes(format!("it is {}", facts.kind.in_words()))
        }
        Says::Familiar(_) => Verdict::No(format!("it is {}", facts.kind.in_words())),
        Says::Nothing => open("it says nothing that could be compared"),
    }
}

/// udev knows rules of more firmwares and hypervisors than are known here: a name that it derived itself is right.
fn by_udev(verdict: Verdict, facts: &Facts) -> Verdict {
    let derived = !facts.udev.is_empty() && facts.names().iter().any(|(_, name)| *name == facts.name);
    match verdict {
        Verdict::Yes(_) => verdict,
        _ if derived => Verdict::Yes("udev derives this name from the device".into()),
        _ => verdict,
    }
}

fn scheme(name: &SchemeName, facts: &Facts) -> Verdict {
    let Some(place) = &facts.place else { return open("where it is can't be seen here") };
    if place.is_virtual {
        return Verdict::No(format!("it is {}, made by software", facts.kind.in_words()));
    }
    if facts.prefix().is_some_and(|prefix| prefix != name.prefix) {
        return Verdict::No(format!("it is {}", facts.kind.in_words()));
    }
    match &name.spot {
        Spot::Pci(pci) => pci_spot(pci, place, facts),
        Spot::Onboard { index, port, .. } => match (facts.onboard, place.address()) {
            (Some(real), _) if real != *index => Verdict::No(format!("the firmware's index is {real}")),
            (Some(real), _) => wrong_port(port.as_ref(), facts)
                .unwrap_or(Verdict::Yes(format!("the firmware's index is {real}"))),
            (None, Some(at)) => Verdict::No(format!("at {at}, to which the firmware gives no index")),
            (None, None) => open("the firmware's index can't be seen here"),
        },
        Spot::Mac(mac) => mac_spot(*mac, facts),
        Spot::Usb(usb) => match (&place.usb, place.address()) {
            (Some(real), _) if real == usb => Verdict::Yes("that is its way on the USB".into()),
            (real, at) => Verdict::No(format!("at {}", whereabouts(real.as_ref(), at, place))),
        },
        Spot::DeviceTree(_) => open("the device tree's aliases aren't compared"),
        spot => match facts.elsewhere(place) {
            Some(real) if real == *spot => Verdict::Yes(place.others.join("/")),
            _ => Verdict::No(format!("at {}", whereabouts(place.usb.as_ref(), place.address(), place))),
        },
    }
}

fn whereabouts(usb: Option<&Usb>, at: Option<PciAddress>, place: &Place) -> String {
    let pci = at.map(|at| at.to_string());
    let usb = usb.map(|usb| {
        let ports: Vec<String> = usb.ports.iter().map(ToString::to_string).collect();
        format!("USB port {}, interface {}.{}", ports.join("."), usb.config, usb.interface)
    });
    let parts: Vec<String> = pci.into_iter().chain(usb).collect();
    if parts.is_empty() { place.others.join("/") } else { parts.join(", ") }
}

fn pci_spot(pci: &Pci, place: &Place, facts: &Facts) -> Verdict {
    let Some(own) = place.address() else {
        return Verdict::No(format!(
            "it isn't on the PCI, but at {}",
            whereabouts(place.usb.as_ref(), None, place)
        ));
    };
    // The names of SR-IOV's virtual functions are made of their card's place.
    let (at, real_virt) = match (pci.virt, facts.virtual_function) {
        (Some(Virtual::Function(_)), Some((card, number))) => (card, Some(Virtual::Function(number))),
        (Some(Virtual::Function(n)), None) => {
            return Verdict::No(format!("at {own}, which is no virtual function (let alone number {n})"));
        }
        (virt, _) => (own, virt),
    };
    let found = Verdict::No(format!("at {}", whereabouts(place.usb.as_ref(), Some(own), place)));
    // Cards with more than eight functions count on into the slots.
    let function = pci.function.unwrap_or(0);
    let is_function = function == at.function || function == at.slot * 8 + at.function;
    if real_virt != pci.virt || pci.domain != at.domain || !is_function {
        return found;
    }
    if pci.usb != place.usb {
        return found;
    }
    let mut evidence = whereabouts(place.usb.as_ref(), Some(own), place);
    match pci.bus {
        Some(bus) if (bus, pci.slot) != (at.bus, at.slot) => return found,
        Some(_) => {}
        None if facts.slots.is_empty() => return open("the firmware names no slots to compare with"),
        None => match facts.slots.iter().find(|(name, _)| *name == pci.slot.to_string()) {
            None => return Verdict::No(format!("at {own}, and the firmware names no slot {}", pci.slot)),
            Some((_, address)) if place.pci.iter().chain([&at]).any(|a| is_at(*a, address)) => {
                evidence = format!("{evidence}, which the firmware calls slot {}", pci.slot);
            }
            Some((slot, address)) => return Verdict::No(format!("at {own}, and slot {slot} is {address}")),
        },
    }
    wrong_port(pci.port.as_ref(), facts).unwrap_or(Verdict::Yes(evidence))
}

/// The port that the driver tells, if it is another one.
fn wrong_port(port: Option<&Port>, facts: &Facts) -> Option<Verdict> {
    let real = match port? {
        Port::Name(name) => facts.port_name.as_ref().filter(|real| *real != name).cloned(),
        Port::Number(n) => facts.dev_port.filter(|real| real != n).map(|real| real.to_string()),
    };
    Some(Verdict::No(format!("it is port {}", real?)))
}

fn mac_spot(mac: MacAddr, facts: &Facts) -> Verdict {
    let origin = if facts.has_random_mac() { ", made up at this start" } else { "" };
    match (facts.mac, facts.permanent_mac) {
        (_, Some(own)) if own == mac => Verdict::Yes(format!("it was made with {own}")),
        (Some(now), _) if now == mac => Verdict::Yes(format!("its address is {now}{origin}")),
        (Some(now), _) => Verdict::No(format!("its address is {now}{origin}")),
        (None, _) => open("its address can't be seen here"),
    }
}

fn kernel(series: Series, facts: &Facts) -> Verdict {
    let fits = match series {
        Series::Eth | Series::Usb => Kind::Ethernet,
        Series::Wlan => Kind::Wifi,
        Series::Wwan => Kind::Wwan,
        Series::Ib => Kind::Infiniband,
        Series::Sl => Kind::Other,
    };
    // Containers get a veth or macvlan of that name.
    let is_virtual = !facts.is_physical();
    if facts.kind == fits || (series == Series::Eth && is_virtual) {
        open("a number in a row, nothing to compare")
    } else {
        Verdict::No(format!("it is {}", facts.kind.in_words()))
    }
}

fn bios(name: Bios, facts: &Facts) -> Verdict {
    let Some(place) = facts.place.as_ref().filter(|place| !place.is_virtual) else {
        return match facts.place {
            Some(_) => Verdict::No(format!("it is {}, made by software", facts.kind.in_words())),
            None => open("where it is can't be seen here"),
        };
    };
    let Some(slot) = name.slot else {
        return match facts.onboard {
            Some(index) => Verdict::Yes(format!("the firmware's index is {index}")),
            None => open("the firmware gives no index to compare with"),
        };
    };
    match facts.slots.iter().find(|(known, _)| *known == slot.to_string()) {
        Some((_, address)) if place.pci.iter().any(|a| is_at(*a, address)) => {
            Verdict::Yes(format!("slot {slot} is {address}"))
        }
        Some((_, address)) => Verdict::No(format!(
            "at {}, and slot {slot} is {address}",
            whereabouts(None, place.address(), place)
        )),
        None => open("the firmware names no such slot to compare with"),
    }
}

fn vlan(parent: &str, id: u16, facts: &Facts) -> Verdict {
    if facts.kind != Kind::Vlan {
        return Verdict::No(format!("it is {}", facts.kind.in_words()));
    }
    match &facts.below {
        None => open("what it is on can't be seen here"),
        Some((below, Some(real))) if below == parent && *real == id => {
            Verdict::Yes(format!("VLAN {real} on {below}"))
        }
        Some((below, None)) if below == parent => {
            Verdict::Open(format!("it is on {below}; its number can't be seen here"))
        }
        Some((below, real)) => {
            let number = real.map(|n| format!(" {n}")).unwrap_or_default();
            Verdict::No(format!("VLAN{number} on {below}"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A NIC of that name at that place.
    fn nic(name: &str, path: &str) -> Facts {
        Facts {
            name: name.into(),
            kind: Kind::Ethernet,
            place: Some(Place::read(path)),
            mac: "52:54:00:00:00:01".parse().ok(),
            mac_origin: Some(0),
            dev_port: Some(0),
            ..Facts::default()
        }
    }

    fn verdict(facts: &Facts) -> Verdict {
        check(&Says::read(&facts.name), facts)
    }

    const BUS_65: &str = "devices/pci0000:40/0000:40:01.1/0000:41:00.1/net/x";
    const USB: &str = "devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2.1/2-2.1:1.0/net/x";

    #[test]
    fn names_against_places() {
        for (name, path, agrees) in [
            ("enp65s0f1", BUS_65, Some(true)),
            ("enp65s0f1np0", BUS_65, Some(true)),
            ("enp65s0f0", BUS_65, Some(false)),
            ("enp64s0f1", BUS_65, Some(false)),
            ("enP1p65s0f1", BUS_65, Some(false)),
            ("enp65s0f1d1", BUS_65, Some(false)),
            ("wlp65s0f1", BUS_65, Some(false)),
            ("enp65s0f1u1", BUS_65, Some(false)),
            ("enp0s20u2u1", USB, Some(true)),
            ("enp0s20u2", USB, Some(false)),
            ("enp0s20", USB, Some(false)),
            ("enu2u1", USB, Some(true)),
            ("ens3f1", BUS_65, None),
            ("eno1", BUS_65, Some(false)),
            ("enx525400000001", BUS_65, Some(true)),
            ("enx525400000002", BUS_65, Some(false)),
            ("env2", "devices/vio/30000002/net/x", Some(true)),
            ("env3", "devices/vio/30000002/net/x", Some(false)),
            ("enX1", "devices/vif-1/net/x", Some(true)),
            ("enc1000", "devices/qeth/0.0.1000/net/x", Some(true)),
            ("enahisic2i0", "devices/platform/HISI00C2:00/net/x", Some(true)),
            ("enp4s0", "devices/virtual/net/x", Some(false)),
            ("enp4s0", "devices/platform/soc/1234.eth/net/x", Some(false)),
            ("eth0", BUS_65, None),
            ("wlan0", BUS_65, Some(false)),
            ("eth0", "devices/virtual/net/x", None),
            ("em1", BUS_65, None),
            ("p3p1", BUS_65, None),
            ("virbr0", BUS_65, Some(false)),
            ("enp65s0f1.7", BUS_65, Some(false)),
            ("office", BUS_65, None),
        ] {
            let verdict = verdict(&nic(name, path));
            assert_eq!(verdict.agrees(), agrees, "{name} at {path}: {verdict:?}");
        }
        let nowhere = Facts { place: None, ..nic("enp4s0", "") };
        assert_eq!(verdict(&nowhere).agrees(), None);
    }

    #[test]
    fn slots_and_indexes() {
        let slots = vec![("3".to_string(), "0000:41:00".to_string()), ("4".into(), "0000:42:00".into())];
        let at = |name: &str| Facts { slots: slots.clone(), onboard: Some(2), ..nic(name, BUS_65) };
        for (name, agrees) in [
            ("ens3f1", true),
            ("ens4f1", false),
            ("ens5f1", false),
            ("p3p2", true),
            ("p4p1", false),
            ("eno2", true),
            ("eno1", false),
            ("em2", true),
        ] {
            assert_eq!(verdict(&at(name)).agrees(), Some(agrees), "{name}");
        }
        // The slot of a bridge above it.
        let above = vec![("7".to_string(), "0000:40:01".to_string())];
        assert_eq!(verdict(&Facts { slots: above, ..nic("ens7f1", BUS_65) }).agrees(), Some(true));
        // udev knows more firmwares.
        let udev = [("ID_NET_NAME_SLOT".to_string(), "ens9f1".to_string())].into();
        assert_eq!(verdict(&Facts { slots, udev, ..nic("ens9f1", BUS_65) }).agrees(), Some(true));
    }

    #[test]
    fn ports_and_virtual_functions() {
        let ports = |name: &str| Facts { port_name: Some("p1".into()), ..nic(name, BUS_65) };
        assert_eq!(verdict(&ports("enp65s0f1np1")).agrees(), Some(true));
        assert_eq!(verdict(&ports("enp65s0f1np0")).agrees(), Some(false));
        assert_eq!(verdict(&ports("enp65s0f1")).agrees(), Some(true), "older schemes had no ports");
        let card = "0000:41:00.0".parse().unwrap();
        let path = "devices/pci0000:40/0000:40:01.1/0000:41:02.3/net/x";
        let part = |name: &str| Facts { virtual_function: Some((card, 3)), ..nic(name, path) };
        assert_eq!(verdict(&part("enp65s0f0v3")).agrees(), Some(true));
        assert_eq!(verdict(&part("enp65s0f0v2")).agrees(), Some(false));
        assert_eq!(verdict(&part("enp65s2f3")).agrees(), Some(true), "as schemes before 239 had it");
        assert_eq!(verdict(&nic("enp65s0f1v0", BUS_65)).agrees(), Some(false));
        // More than eight functions: slot 2, function 3 is number 19.
        assert_eq!(verdict(&nic("enp65s2f19", path)).agrees(), Some(true));
    }

    #[test]
    fn vlans() {
        let on = |below: &str, id| Facts {
            kind: Kind::Vlan,
            below: Some((below.into(), id)),
            ..nic("enp4s0.100", "devices/virtual/net/enp4s0.100")
        };
        assert_eq!(verdict(&on("enp4s0", Some(100))).agrees(), Some(true));
        assert_eq!(verdict(&on("enp4s0", Some(10))).agrees(), Some(false));
        assert_eq!(verdict(&on("enp5s0", Some(100))).agrees(), Some(false));
        assert_eq!(verdict(&on("enp4s0", None)).agrees(), None);
    }
}
