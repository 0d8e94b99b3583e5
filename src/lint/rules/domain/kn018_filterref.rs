//! A filter that vanishes.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN018",
    name: "filterref-lost",
    severity: Severity::Warning,
    summary: "a NIC has a <filterref> that libvirt drops",
    why: "\
Only NICs of type network, bridge and ethernet have a filter. On any other type libvirt drops <filterref> without a word, \
also with --validate: the file shows protection against spoofing that nobody has. It mostly happens when a NIC moves to \
macvtap (type direct). Filter elsewhere, or take the NIC back to a bridge; then remove the element, so that the file says \
what is. A <filterref> that names no filter is dropped as well.",
    fixable: false,
    bad: &[example!("KN018-filterref-lost", "bad.xml")],
    good: &[example!("KN018-filterref-lost", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("filterref") else { return };
    let span = || tag(nic.doc, node);
    if !nic.is_any(&["network", "bridge", "ethernet"]) {
        let what = format!("libvirt drops the filter of a NIC of type {}", nic.kind.escape_debug());
        report.at(span(), what).label("no protection").help("filter elsewhere, and remove the element");
    } else if node.attribute("filter").is_none() {
        report
            .at(span(), "it names no filter, and so there is none")
            .help("write <filterref filter='clean-traffic'/>, or remove it");
    }
}
