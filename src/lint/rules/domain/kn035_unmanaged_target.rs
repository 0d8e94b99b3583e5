//! A tap of somebody else's where libvirt makes its own.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value, without_attribute};

pub(super) static RULE: Rule = Rule {
    code: "KN035",
    name: "unmanaged-target",
    severity: Severity::Error,
    summary: "a NIC uses a tap that somebody else made, but isn't of type ethernet",
    why: "\
<target managed='no'/> says that the tap is there already and that libvirt shall neither make it nor set it up. That is \
possible on a NIC of type ethernet; on any other, libvirt makes the tap and connects it, and refuses managed='no'.",
    fixable: true,
    bad: &[example!("KN035-unmanaged-target", "bad.xml")],
    good: &[example!("KN035-unmanaged-target", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(target) = nic.child("target").filter(|_| nic.kind != "ethernet") else { return };
    if target.attribute("managed") == Some("no") {
        let what = format!("on a NIC of type {}, libvirt makes the tap itself", nic.kind.escape_debug());
        report
            .at(value(nic.doc, target, "managed"), what)
            .help("remove it, or write type='ethernet'")
            .fix(without_attribute(nic.doc, target, "managed"));
    }
}
