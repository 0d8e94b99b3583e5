//! Two subnets of a network, one inside the other.

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::net::overlap;

pub(super) static RULE: Rule = Rule {
    code: "KN117",
    name: "subnets-overlap",
    severity: Severity::Warning,
    summary: "two subnets of a network overlap",
    why: "\
A network may have several subnets, and several addresses of the host in one of them. Where a smaller subnet is inside \
a larger one, guests of the larger one take those of the smaller for their neighbours, while these send their answers \
through the host: firewalls on the way see half of each connection. Mostly a prefix is wrong.",
    fixable: false,
    bad: &[example!("KN117-subnets-overlap", "bad.xml")],
    good: &[example!("KN117-subnets-overlap", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let all: Vec<_> = subnets(network).filter(|_| network.is_virtual()).collect();
    for (at, subnet) in all.iter().enumerate() {
        let differs = |other: &&super::places::Subnet<'_>| {
            overlap(other.net, subnet.net)
                && other.net.prefix_len() != subnet.net.prefix_len()
                && other.net.addr() != subnet.net.addr()
        };
        if let Some(other) = all[..at].iter().find(differs) {
            let what = format!("{} overlaps {}", subnet.net.trunc(), other.net.trunc());
            report
                .at(tag(network.doc, subnet.node), what)
                .also(tag(network.doc, other.node), "the other subnet")
                .help("give each the prefix that is meant");
        }
    }
}
