//! A word where libvirt knows only certain ones.

use super::places::givers;
use super::word::{self, YES_NO};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Network;
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN142",
    name: "network-bad-value",
    severity: Severity::Error,
    summary: "an attribute of a network has a value that libvirt refuses",
    why: "\
Many attributes take yes or no, or one of a few other words; others take a number, without a unit. libvirt refuses the \
network over any other value; also over 'true', 'enabled', and words in another case.",
    fixable: true,
    bad: &[
        example!("KN142-network-bad-value", "bad/yes.xml"),
        example!("KN142-network-bad-value", "bad/number.xml"),
        example!("KN142-network-bad-value", "bad/negative.xml"),
        example!("KN142-network-bad-value", "bad/table.xml"),
        example!("KN142-network-bad-value", "bad/isolated.xml"),
    ],
    good: &[
        example!("KN142-network-bad-value", "good/yes.xml"),
        example!("KN142-network-bad-value", "good/number.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let doc = network.doc;
    // Where libvirt asks for the text of an attribute, an empty one is none.
    if network.root.attribute("ipv6") != Some("") {
        word::check(doc, network.root, "ipv6", YES_NO, report);
    }
    for giver in givers(network) {
        word::check(doc, giver, "trustGuestRxFilters", YES_NO, report);
    }
    if let Some(domain) = network.child("domain") {
        word::check(doc, domain, "localOnly", YES_NO, report);
        word::check(doc, domain, "register", YES_NO, report);
    }
    if let Some(dns) = network.child("dns") {
        word::check(doc, dns, "enable", YES_NO, report);
        word::check(doc, dns, "forwardPlainNames", YES_NO, report);
    }
    if let Some(port) = network.child("port") {
        word::check(doc, port, "isolated", YES_NO, report);
    }
    network.ips().for_each(|ip| word::check(doc, ip, "localPtr", YES_NO, report));
    let nat = network.child("forward").into_iter().flat_map(|forward| children(forward, "nat"));
    nat.for_each(|nat| word::check(doc, nat, "ipv6", YES_NO, report));
    if let Some(bridge) = network.child("bridge") {
        if network.attr("bridge", "macTableManager").is_some() {
            word::check(doc, bridge, "macTableManager", &["kernel", "libvirt"], report);
        }
        if network.attr("bridge", "delay").is_some() {
            // libvirt writes it down as a signed one.
            word::count(doc, Some(bridge), "delay", i64::MAX as u64, report);
        }
    }
    for limits in givers(network).filter_map(|giver| child(giver, "bandwidth")) {
        for name in ["average", "peak", "burst", "floor"] {
            word::count(doc, child(limits, "inbound"), name, u64::MAX, report);
            word::count(doc, child(limits, "outbound"), name, u64::MAX, report);
        }
    }
}
