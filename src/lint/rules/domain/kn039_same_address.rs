//! Two devices in one place.

use std::collections::HashMap;
use std::hash::Hash;

use roxmltree::Node;

use super::pci;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN039",
    name: "same-address",
    severity: Severity::Error,
    summary: "a NIC has the PCI address, the alias or the host's device of another device",
    why: "\
Every device has a place of its own on the guest's PCI bus, and an alias of its own: libvirt refuses two that share one, and two that pass the same \
device of the host through. It \
happens when a NIC is copied with its <address>. Leave the address of the new one out: libvirt finds a free one, and the \
NICs that were there keep their names in the guest.",
    fixable: false,
    bad: &[example!("KN039-same-address", "bad.xml")],
    good: &[example!("KN039-same-address", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let doc = domain.doc;
    if domain.nics.is_empty() {
        return;
    }
    let (places, aliases) = (First::of(domain, guests_place), First::of(domain, alias));
    let has_any = domain.nics.iter().any(|nic| nic.kind == "hostdev");
    let passed = has_any.then(|| First::of(domain, host_device));
    for nic in &domain.nics {
        if let Some(other) = places.other(nic.node, guests_place)
            && let (Some(mine), Some(theirs)) = (nic.child("address"), child(other, "address"))
        {
            report
                .at(tag(doc, mine), "another device has this PCI address")
                .also(tag(doc, theirs), format!("here, of a device <{}>", other.tag_name().name()))
                .help("remove it from the device that came later: libvirt finds a free one");
        }
        if let Some(other) = passed.as_ref().and_then(|passed| passed.other(nic.node, host_device))
            && let (Some(mine), Some(theirs)) = (host_address(nic.node), host_address(other))
        {
            report
                .at(tag(doc, mine), "the host's device is passed through to this guest twice")
                .also(tag(doc, theirs), format!("here, as <{}>", other.tag_name().name()))
                .help("give each the address of a device of its own");
        }
        if let Some(other) = aliases.other(nic.node, alias).filter(|_| domain.is_qemu())
            && let (Some(mine), Some(theirs)) = (nic.child("alias"), child(other, "alias"))
        {
            report
                .at(value(doc, mine, "name"), "another device has this alias")
                .also(value(doc, theirs, "name"), format!("here, of a device <{}>", other.tag_name().name()))
                .help("give each device an alias of its own, or none");
        }
    }
}

/// The first device of each kind of place, if any place is taken twice.
struct First<'d, T>(HashMap<T, Node<'d, 'd>>, HashMap<T, Node<'d, 'd>>);

impl<'d, T: Copy + Ord + Hash> First<'d, T> {
    fn of(domain: &Domain<'d>, place: fn(Node<'d, 'd>) -> Option<T>) -> First<'d, T> {
        let (mut all, mut no_nics) = (HashMap::new(), HashMap::new());
        let taken: Vec<(T, Node<'d, 'd>)> =
            domain.devices().filter_map(|device| Some((place(device)?, device))).collect();
        // Mostly none is: to see that takes no table.
        let mut places: Vec<T> = taken.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        if places.windows(2).all(|pair| pair[0] != pair[1]) {
            return First(all, no_nics);
        }
        for (place, device) in taken {
            if device.tag_name().name() != "interface" {
                no_nics.entry(place).or_insert(device);
            }
            all.entry(place).or_insert(device);
        }
        First(all, no_nics)
    }

    /// The device whose place a NIC takes. Of two NICs, the later one is wrong; of a NIC and another device, the NIC.
    fn other(&self, nic: Node<'d, 'd>, place: fn(Node<'d, 'd>) -> Option<T>) -> Option<Node<'d, 'd>> {
        let place = place(nic)?;
        self.0.get(&place).filter(|first| **first != nic).or_else(|| self.1.get(&place)).copied()
    }
}

/// Aliases that libvirt keeps.
fn alias<'d>(device: Node<'d, 'd>) -> Option<&'d str> {
    child(device, "alias")?.attribute("name").filter(|name| name.starts_with("ua-"))
}

/// The element with the PCI address of the host's device, of a NIC or another device that is passed through.
fn host_address<'d>(device: Node<'d, 'd>) -> Option<Node<'d, 'd>> {
    let address = child(child(device, "source")?, "address")?;
    let is_pci = match device.tag_name().name() {
        "interface" => device.attribute("type") == Some("hostdev") && address.attribute("type") == Some("pci"),
        "hostdev" => device.attribute("type") == Some("pci") && device.attribute("mode") == Some("subsystem"),
        _ => false,
    };
    is_pci.then_some(address)
}

/// Domain, bus, slot and function of the host's device.
fn host_device<'d>(device: Node<'d, 'd>) -> Option<[u32; 4]> {
    pci::numbers(host_address(device)?)
}

/// Domain, bus, slot and function; `None` where libvirt chooses the place itself, which an address of zeros also says.
fn guests_place<'d>(device: Node<'d, 'd>) -> Option<[u32; 4]> {
    // A device that isn't there stands nowhere.
    if child(device, "model").is_some_and(|model| model.attribute("type") == Some("none"))
        || device.attribute("model") == Some("none")
    {
        return None;
    }
    let address = child(device, "address").filter(|address| address.attribute("type") == Some("pci"))?;
    address.attribute("slot")?;
    pci::numbers(address).filter(|place| *place != [0; 4])
}
