//! A PCI address that there can't be.

use super::pci;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Nic;
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN054",
    name: "pci-address-refused",
    severity: Severity::Error,
    summary: "a NIC's PCI address is none that there can be",
    why: "\
A PCI bus has a number up to 0xff, a slot on it one up to 0x1f, a function in a slot one up to 7. libvirt refuses any \
other, in the <address> of a NIC and in that of the host's device in its <source>. Numbers are read as in C: 0x10 and 020 are \
16. Without <address> libvirt finds a free place.",
    fixable: false,
    bad: &[
        example!("KN054-pci-address-refused", "bad/slot.xml"),
        example!("KN054-pci-address-refused", "bad/function.xml"),
        example!("KN054-pci-address-refused", "bad/word.xml"),
        example!("KN054-pci-address-refused", "bad/source.xml"),
    ],
    good: &[example!("KN054-pci-address-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let source = nic.child("source").filter(|_| nic.kind == "hostdev");
    let of_host = source.and_then(|source| child(source, "address"));
    for address in nic.child("address").into_iter().chain(of_host) {
        pci::check(nic.doc, address, report);
    }
}
