//! A script that nobody runs.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN032",
    name: "script-refused",
    severity: Severity::Error,
    summary: "a NIC has a script, but isn't of type ethernet",
    why: "\
libvirt defines a QEMU guest with a <script> on any NIC, and then starts it only if that NIC is of type ethernet. What a script \
does on other NICs is libvirt's own work (a bridge's port, a filter), or that of its hooks in /etc/libvirt/hooks.",
    fixable: false,
    bad: &[example!("KN032-script-refused", "bad.xml")],
    good: &[example!("KN032-script-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(script) = nic.child("script").filter(|_| nic.is_qemu) else { return };
    let is_named = script.attribute("path").is_some_and(|path| !path.is_empty());
    if is_named && !nic.is_any(&["ethernet", "hostdev"]) {
        let what = format!("a NIC of type {} runs no script: the guest doesn't start", nic.kind.escape_debug());
        report.at(value(nic.doc, script, "path"), what).help("remove it, or write type='ethernet'");
    }
}
