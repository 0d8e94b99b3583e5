//! A MAC address that is none.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};
use crate::model::MacAddr;

pub(super) static RULE: Rule = Rule {
    code: "KN010",
    name: "mac-malformed",
    severity: Severity::Error,
    summary: "a NIC's MAC address is none",
    why: "\
libvirt takes six numbers of one or two hexadecimal digits with colons between them, and refuses everything else: hyphens, \
missing colons, a seventh number.",
    fixable: false,
    bad: &[example!("KN010-mac-malformed", "bad.xml")],
    good: &[example!("KN010-mac-malformed", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(mac) = nic.child("mac") else { return };
    let Some(written) = mac.attribute("address") else { return };
    // On a command line kvmnet takes hyphens too.
    if written.contains('-') || written.parse::<MacAddr>().is_err() {
        let what = format!("'{}' is no MAC address to libvirt", written.escape_debug());
        report.at(value(nic.doc, mac, "address"), what).help("write it as in 52:54:00:12:34:56");
    }
}
