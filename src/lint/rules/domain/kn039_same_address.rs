//! Two devices in one place.

use roxmltree::Node;

use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN039",
    name: "same-address",
    severity: Severity::Error,
    summary: "a NIC has the PCI address or the alias of another device",
    why: "\
Every device has a place of its own on the guest's PCI bus, and an alias of its own: libvirt refuses two that share one. It \
happens when a NIC is copied with its <address>. Leave the address of the new one out: libvirt finds a free one, and the \
NICs that were there keep their names in the guest.",
    fixable: false,
    bad: &[example!("KN039-same-address", "bad.xml")],
    good: &[example!("KN039-same-address", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let doc = domain.doc;
    for nic in &domain.nics {
        // Of two NICs, the later one is wrong; of a NIC and another device, the NIC.
        let others = || {
            let is_nic = |device: &Node<'_, '_>| device.tag_name().name() == "interface";
            domain.devices().filter(move |d| *d != nic.node && (!is_nic(d) || d.range().start < nic.node.range().start))
        };
        if let Some(place) = pci(nic.node)
            && let Some(other) = others().find(|other| pci(*other) == Some(place))
            && let (Some(mine), Some(theirs)) = (nic.child("address"), child(other, "address"))
        {
            report
                .at(tag(doc, mine), "another device has this PCI address")
                .also(tag(doc, theirs), format!("here, of a device <{}>", other.tag_name().name()))
                .help("remove it from the device that came later: libvirt finds a free one");
        }
        if let Some(alias) = alias(nic.node).filter(|_| domain.is_qemu())
            && let Some(other) = others().find(|other| self::alias(*other) == Some(alias))
            && let (Some(mine), Some(theirs)) = (nic.child("alias"), child(other, "alias"))
        {
            report
                .at(value(doc, mine, "name"), "another device has this alias")
                .also(value(doc, theirs, "name"), format!("here, of a device <{}>", other.tag_name().name()))
                .help("give each device an alias of its own, or none");
        }
    }
}

/// Aliases that libvirt keeps.
fn alias<'d>(device: Node<'d, 'd>) -> Option<&'d str> {
    child(device, "alias")?.attribute("name").filter(|name| name.starts_with("ua-"))
}

/// Domain, bus, slot and function; `None` where libvirt chooses the place itself, which an address of zeros also says.
fn pci(device: Node<'_, '_>) -> Option<[u32; 4]> {
    // A device that isn't there stands nowhere.
    if child(device, "model").is_some_and(|model| model.attribute("type") == Some("none"))
        || device.attribute("model") == Some("none")
    {
        return None;
    }
    let address = child(device, "address").filter(|address| address.attribute("type") == Some("pci"))?;
    let part = |name: &str| match address.attribute(name) {
        None => Some(0),
        Some(written) => number::c_like(written),
    };
    address.attribute("slot")?;
    let place = [part("domain")?, part("bus")?, part("slot")?, part("function")?];
    Some(place).filter(|place| *place != [0; 4])
}
