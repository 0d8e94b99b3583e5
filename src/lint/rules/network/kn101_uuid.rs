//! A network's UUID that is none.

use super::uuid;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Network;

pub(super) static RULE: Rule = Rule {
    code: "KN101",
    name: "network-uuid",
    severity: Severity::Error,
    summary: "a network's UUID is none",
    why: "\
A UUID has 32 hexadecimal digits, mostly with hyphens after the 8th, 12th, 16th and 20th of them. libvirt refuses \
anything else. Where the network is new, leave <uuid> out: libvirt makes one.",
    fixable: false,
    bad: &[example!("KN101-network-uuid", "bad.xml")],
    good: &[example!("KN101-network-uuid", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    uuid::check(network.doc, network.root, report);
}
