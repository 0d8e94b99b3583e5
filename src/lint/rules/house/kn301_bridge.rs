//! A bridge that the policy doesn't allow.

use super::allowed;
use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN301",
    name: "house-bridge",
    severity: Severity::Error,
    summary: "a NIC is on a bridge that the policy doesn't allow",
    why: "\
A rule of the house: 'bridges' below [house] in kvmnet.toml lists the bridges of the host that guests may be on, by name or \
pattern. It is about NICs of type bridge. Which bridge a NIC of type network comes to, the network decides: 'networks' and KN307 \
are about those. An empty list allows no bridge at all.",
    fixable: false,
    bad: &[example!("KN301-house-bridge", "bad/kvmnet.toml"), example!("KN301-house-bridge", "bad/web1.xml")],
    good: &[example!("KN301-house-bridge", "good/kvmnet.toml"), example!("KN301-house-bridge", "good/web1.xml")],
    check: Check::House(check),
};

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let (Some(words), "bridge", Some(source)) = (&house.bridges, nic.kind, nic.child("source")) else { return };
    let Some(bridge) = source.attribute("bridge").filter(|bridge| !words.mean(bridge)) else { return };
    let what = format!("guests may not be on bridge '{}' here", bridge.escape_debug());
    report.at(value(nic.doc, source, "bridge"), what).help(allowed(house, words, "bridge"));
}
