//! Two subnets of a network, one inside the other.

use super::places::{Subnet, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN117",
    name: "subnets-nested",
    severity: Severity::Warning,
    summary: "a subnet of a network is inside another one",
    why: "\
A network may have several subnets, and several addresses of the host in one of them. Where a smaller subnet is inside \
a larger one, guests of the larger one take those of the smaller for their neighbours, while these send their answers \
through the host: firewalls on the way see half of each connection. Mostly a prefix is wrong.",
    fixable: false,
    bad: &[example!("KN117-subnets-nested", "bad.xml")],
    good: &[example!("KN117-subnets-nested", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let mut all: Vec<Subnet<'_>> = subnets(network).filter(|_| network.is_virtual()).collect();
    // Each subnet comes behind those that it is in.
    all.sort_by_key(|subnet| (subnet.net.network(), subnet.net.prefix_len()));
    let mut around: Vec<Subnet<'_>> = Vec::new();
    for subnet in all {
        while around.pop_if(|outer| !outer.net.trunc().contains(&subnet.net.network())).is_some() {}
        let larger = around.iter().rev().find(|outer| outer.net.prefix_len() < subnet.net.prefix_len());
        // Of the host's one address it is another finding, or none.
        if let Some(outer) = larger.filter(|outer| outer.net.addr() != subnet.net.addr()) {
            let (first, second) = match outer.node.range().start < subnet.node.range().start {
                true => (outer, &subnet),
                false => (&subnet, outer),
            };
            let what = format!("{} and {} overlap", second.net.trunc(), first.net.trunc());
            report
                .at(tag(network.doc, second.node), what)
                .also(tag(network.doc, first.node), "the other subnet")
                .help("give each the prefix that is meant");
        }
        around.push(subnet);
    }
}
