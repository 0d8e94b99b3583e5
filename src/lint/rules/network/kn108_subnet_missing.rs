//! A network of mode nat or route without a subnet.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::model::ForwardMode;

pub(super) static RULE: Rule = Rule {
    code: "KN108",
    name: "subnet-missing",
    severity: Severity::Error,
    summary: "a network of mode nat or route has no <ip>",
    why: "\
In mode nat and route the host forwards what guests send to it, and so it must have an address in their subnet. \
libvirt refuses such a network without <ip>. Without <forward>, and in mode open, a network may do without.",
    fixable: false,
    bad: &[example!("KN108-subnet-missing", "bad.xml")],
    good: &[example!("KN108-subnet-missing", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(mode), Some(forward)) = (network.mode, network.child("forward")) else { return };
    if matches!(mode, ForwardMode::Nat | ForwardMode::Route) && network.ips().next().is_none() {
        report
            .at(tag(network.doc, forward), format!("a network of mode {} needs an address", mode.as_str()))
            .help("write <ip address='…' prefix='…'/> beside it");
    }
}
