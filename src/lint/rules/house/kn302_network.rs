//! A network that the policy doesn't allow.

use super::allowed;
use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN302",
    name: "house-network",
    severity: Severity::Error,
    summary: "a NIC is on a network that the policy doesn't allow",
    why: "\
A rule of the house: 'networks' below [house] in kvmnet.toml lists the networks of libvirt's that guests may be on, by name or \
pattern. It is about NICs of type network; 'bridges' is about those of type bridge. An empty list allows no network at all.",
    fixable: false,
    bad: &[example!("KN302-house-network", "bad/kvmnet.toml"), example!("KN302-house-network", "bad/web1.xml")],
    good: &[
        example!("KN302-house-network", "good/kvmnet.toml"),
        example!("KN302-house-network", "good/web1.xml"),
    ],
    check: Check::House(check),
};

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let (Some(words), "network", Some(source)) = (&house.networks, nic.kind, nic.child("source")) else {
        return;
    };
    let Some(network) = source.attribute("network").filter(|network| !words.mean(network)) else { return };
    let what = format!("guests may not be on network '{}' here", network.escape_debug());
    report.at(value(nic.doc, source, "network"), what).help(allowed(house, words, "network"));
}
