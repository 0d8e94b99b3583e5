//! VirtualBox's kind of network on QEMU.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN041",
    name: "internal-is-user",
    severity: Severity::Warning,
    summary: "a QEMU guest's NIC is of type internal, which is VirtualBox's",
    why: "\
An internal network, which guests of one host share by its name, is VirtualBox's. libvirt takes the type for a QEMU guest too, \
and then gives it a NIC of type user: alone behind QEMU's own little NAT, with a way out and no other guest in sight. A \
libvirt network without <forward> is what is meant: <network><name>…</name><bridge/></network> and a NIC of type \
network.",
    fixable: false,
    bad: &[example!("KN041-internal-is-user", "bad.xml")],
    good: &[example!("KN041-internal-is-user", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    if nic.is_qemu && nic.kind == "internal" {
        report
            .at(value(nic.doc, nic.node, "type"), "QEMU has no internal networks: this NIC is of type user")
            .help("define an isolated libvirt network, and write type='network'");
    }
}
