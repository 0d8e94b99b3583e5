//! An MTU where there can be none.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, without};

pub(super) static RULE: Rule = Rule {
    code: "KN019",
    name: "mtu-refused",
    severity: Severity::Error,
    summary: "a NIC has an MTU, but not a type that takes one",
    why: "\
libvirt sets the MTU of NICs of type network, bridge, ethernet and vhostuser, and of type user with passt behind it. It \
refuses it on any other: the MTU of macvtap (type direct) is that of its parent device on the host, and the guest sees \
that one.",
    fixable: true,
    bad: &[example!("KN019-mtu-refused", "bad.xml")],
    good: &[example!("KN019-mtu-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("mtu").filter(|_| nic.is_qemu) else { return };
    let takes_one = nic.is_any(&["network", "bridge", "ethernet", "vhostuser"])
        || (nic.kind == "user" && nic.has_passt());
    let has_size = node.attribute("size").is_some_and(|size| size.trim().parse::<u32>().is_ok_and(|s| s > 0));
    if takes_one || !has_size {
        return;
    }
    let what = format!("libvirt refuses an MTU on a NIC of type {}", nic.kind.escape_debug());
    let help = match nic.kind {
        "direct" => "remove it: the MTU is that of the device on the host",
        "user" => "remove it, or add <backend type='passt'/>",
        _ => "remove it",
    };
    report.at(tag(nic.doc, node), what).help(help).fix(without(nic.doc, node));
}
