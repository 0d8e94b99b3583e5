//! Ports that nobody forwards.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN033",
    name: "port-forward-refused",
    severity: Severity::Error,
    summary: "a NIC forwards ports, but isn't passt's",
    why: "\
<portForward> is what passt does, the program that libvirt runs behind a NIC of type user (or vhostuser) with \
<backend type='passt'/>. libvirt refuses it on any other NIC. Guests on a libvirt network with NAT get forwarded ports from \
the host's firewall; those on a bridge need none.",
    fixable: false,
    bad: &[example!("KN033-port-forward-refused", "bad.xml")],
    good: &[example!("KN033-port-forward-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(first) = nic.child("portForward") else { return };
    if !nic.is_any(&["user", "vhostuser"]) {
        let what = format!("a NIC of type {} forwards no ports", nic.kind.escape_debug());
        report.at(tag(nic.doc, first), what).help("remove it, or write type='user' and <backend type='passt'/>");
        return;
    }
    if !nic.has_passt() {
        report
            .at(tag(nic.doc, first), "only passt forwards ports")
            .help("write <backend type='passt'/> beside it");
        return;
    }
    for forward in children(nic.node, "portForward") {
        for range in children(forward, "range") {
            let is_open = ["end", "to", "exclude"].iter().any(|name| range.has_attribute(*name));
            if is_open && !range.has_attribute("start") {
                report.at(tag(nic.doc, range), "a range of ports needs a start").help("write start='…'");
            }
        }
    }
}
