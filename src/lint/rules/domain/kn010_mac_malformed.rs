//! A MAC address that is none.

use super::mac;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead, value};

pub(super) static RULE: Rule = Rule {
    code: "KN010",
    name: "mac-malformed",
    severity: Severity::Error,
    summary: "a NIC's MAC address is none",
    why: "\
libvirt takes six numbers of one or two hexadecimal digits with colons between them, and refuses everything else: hyphens, \
missing colons, a seventh number.",
    fixable: true,
    bad: &[example!("KN010-mac-malformed", "bad.xml")],
    good: &[example!("KN010-mac-malformed", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("mac") else { return };
    let Some(written) = node.attribute("address") else { return };
    if mac::read(written).is_some() {
        return;
    }
    let span = value(nic.doc, node, "address");
    let found = report.at(span.clone(), format!("'{}' is no MAC address to libvirt", written.escape_debug()));
    match mac::with_colons(written) {
        Some(meant) => found.help(format!("write {meant}")).fix(instead(span, &meant)),
        None => found.help("write it as in 52:54:00:12:34:56"),
    };
}
