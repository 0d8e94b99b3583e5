//! A network that brings guests to a bridge that the policy doesn't allow.

use super::allowed;
use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};
use crate::model::ForwardMode;

pub(super) static RULE: Rule = Rule {
    code: "KN307",
    name: "house-network-bridge",
    severity: Severity::Error,
    summary: "a network puts guests on a bridge that the policy doesn't allow",
    why: "\
A rule of the house: 'bridges' below [house] in kvmnet.toml lists the bridges of the host that guests may be on, by name or \
pattern. A network of mode bridge puts all its guests on its bridge, which is therefore to be one of them. The bridges that \
libvirt makes for networks of other modes are none of the host's.",
    fixable: false,
    bad: &[
        example!("KN307-house-network-bridge", "bad/kvmnet.toml"),
        example!("KN307-house-network-bridge", "bad/lan.xml"),
    ],
    good: &[
        example!("KN307-house-network-bridge", "good/kvmnet.toml"),
        example!("KN307-house-network-bridge", "good/lan.xml"),
        example!("KN307-house-network-bridge", "good/lab.xml"),
    ],
    check: Check::HouseNetwork(check),
};

fn check(network: &Network<'_>, house: &House, report: &mut Report) {
    let Some(words) = house.bridges.as_ref().filter(|_| network.mode == Some(ForwardMode::Bridge)) else {
        return;
    };
    let Some(node) = network.child("bridge") else { return };
    let Some(bridge) = network.attr("bridge", "name").filter(|bridge| !words.mean(bridge)) else { return };
    let what = format!("guests may not be on bridge '{}' here", bridge.escape_debug());
    report.at(value(network.doc, node, "name"), what).help(allowed(house, words, "bridge"));
}
