//! A bandwidth that libvirt refuses.

use super::bandwidth;
use super::places::givers;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value, without_attribute};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN140",
    name: "network-bandwidth",
    severity: Severity::Error,
    summary: "a network's or portgroup's bandwidth lacks what it needs, or asks for what it can't have",
    why: "\
<inbound> and <outbound> need an average; peak and burst belong to one. A floor, the share that a guest gets at least, \
stands in the guest's own <interface>, and never in a network. A classID is libvirt's own note.",
    fixable: true,
    bad: &[
        example!("KN140-network-bandwidth", "bad/nothing.xml"),
        example!("KN140-network-bandwidth", "bad/floor.xml"),
        example!("KN140-network-bandwidth", "bad/class.xml"),
    ],
    good: &[example!("KN140-network-bandwidth", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for node in givers(network).filter_map(|giver| child(giver, "bandwidth")) {
        if node.has_attribute("classID") {
            report
                .at(value(network.doc, node, "classID"), "libvirt refuses a classID in a network")
                .help("it is libvirt's own note about a port: remove it")
                .fix(without_attribute(network.doc, node, "classID"));
        }
        for rate in ["inbound", "outbound"].iter().filter_map(|name| child(node, name)) {
            bandwidth::check(network.doc, rate, Some("a network has no floor".into()), report);
        }
    }
}
