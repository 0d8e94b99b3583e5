//! A group's MAC address.

use super::mac;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN011",
    name: "mac-multicast",
    severity: Severity::Error,
    summary: "a NIC's MAC address is that of a group",
    why: "\
The lowest bit of a MAC address's first number says whether it is one NIC's or a group's: 01:…, 33:…, ff:…, and every other \
odd first number are groups, and no NIC can be one. libvirt refuses it. Addresses of one's own begin with 02, 06, 0a or 0e; \
those of QEMU guests with 52:54:00.",
    fixable: false,
    bad: &[example!("KN011-mac-multicast", "bad.xml")],
    good: &[example!("KN011-mac-multicast", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("mac") else { return };
    let Some(written) = node.attribute("address") else { return };
    if mac::read(written).is_some_and(|mac| mac[0] & 1 == 1) {
        let what = format!("'{}' is a group's MAC address, which no NIC can have", written.escape_debug());
        report
            .at(value(nic.doc, node, "address"), what)
            .label("its first number is odd")
            .help("give the NIC an address that begins with 52:54:00");
    }
}
