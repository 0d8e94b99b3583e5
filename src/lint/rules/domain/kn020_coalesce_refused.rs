//! Interrupt coalescing where there can be none.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, without};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN020",
    name: "coalesce-refused",
    severity: Severity::Error,
    summary: "a NIC coalesces frames, but isn't of type network or bridge",
    why: "\
<coalesce> is about the tap device between guest and bridge. libvirt refuses it on NICs of any other type than network and \
bridge.",
    fixable: true,
    bad: &[example!("KN020-coalesce-refused", "bad.xml")],
    good: &[example!("KN020-coalesce-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("coalesce").filter(|_| nic.is_qemu) else { return };
    let frames = child(node, "rx").and_then(|rx| child(rx, "frames"));
    let says_something = frames.and_then(|f| f.attribute("max")).is_some_and(|max| !max.is_empty());
    if says_something && !nic.is_any(&["network", "bridge"]) {
        let what = format!("libvirt refuses <coalesce> on a NIC of type {}", nic.kind.escape_debug());
        report.at(tag(nic.doc, node), what).help("remove it").fix(without(nic.doc, node));
    }
}
