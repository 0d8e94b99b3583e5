//! The MAC address that libvirt takes for none.

use super::mac;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value, without, without_attribute};

pub(super) static RULE: Rule = Rule {
    code: "KN012",
    name: "mac-reserved",
    severity: Severity::Warning,
    summary: "a NIC's MAC address is all zeros, which libvirt takes for none",
    why: "\
libvirt makes a random MAC address for a NIC whose address is all zeros, and another one each time when the same file is \
defined as a new guest. The guest then sees a NIC that it doesn't know, and reservations of DHCP servers don't find it. Write the \
address that the guest shall have; or none, where a random one is what is wanted.",
    fixable: true,
    bad: &[example!("KN012-mac-reserved", "bad.xml")],
    good: &[example!("KN012-mac-reserved", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("mac") else { return };
    let Some(written) = node.attribute("address").filter(|_| nic.is_qemu) else { return };
    if mac::read(written).is_some_and(mac::is_zero) {
        // The rest only says something about the address.
        let is_all = node.attributes().all(|a| matches!(a.name(), "address" | "type" | "check")) && !node.has_children();
        let fix = if is_all { without(nic.doc, node) } else { without_attribute(nic.doc, node, "address") };
        report
            .at(value(nic.doc, node, "address"), "libvirt takes this for no address, and makes a random one")
            .help("write the NIC's address, or leave it out")
            .fix(fix);
    }
}
