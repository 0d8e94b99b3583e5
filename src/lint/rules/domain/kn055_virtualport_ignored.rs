//! A port of Open vSwitch on macvtap.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value, without};

pub(super) static RULE: Rule = Rule {
    code: "KN055",
    name: "virtualport-ignored",
    severity: Severity::Warning,
    summary: "a NIC of type direct has a <virtualport> for a switch that it isn't plugged into",
    why: "\
A NIC of type direct is macvtap on a device of the host, and plugged into no switch. libvirt takes a <virtualport> of type \
openvswitch or midonet there, keeps it, and does nothing with it: the guest is on the device's own network. For Open \
vSwitch write type='bridge' and <source bridge='…'/>.",
    fixable: true,
    bad: &[example!("KN055-virtualport-ignored", "bad.xml")],
    good: &[example!("KN055-virtualport-ignored", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(port) = nic.child("virtualport").filter(|_| nic.kind == "direct" && nic.is_qemu) else { return };
    let Some(kind) = port.attribute("type").filter(|kind| matches!(*kind, "openvswitch" | "midonet")) else {
        return;
    };
    report
        .at(value(nic.doc, port, "type"), format!("libvirt does nothing with {kind} on a NIC of type direct"))
        .help("remove the <virtualport>; for a bridge of Open vSwitch, write type='bridge'")
        .fix(without(nic.doc, port));
}
