//! One address twice.

use std::collections::HashMap;

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN118",
    name: "address-twice",
    severity: Severity::Error,
    summary: "the host has one address twice in a network",
    why: "\
libvirt gives the addresses of all <ip> to the bridge that it makes. The kernel takes each once only, and the network \
doesn't start.",
    fixable: false,
    bad: &[example!("KN118-address-twice", "bad/four.xml"), example!("KN118-address-twice", "bad/six.xml")],
    good: &[example!("KN118-address-twice", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let mut seen = HashMap::new();
    for subnet in subnets(network).filter(|_| network.is_virtual()) {
        // To IPv6 it is the same address with another prefix, too.
        let length = if subnet.is_four() { subnet.net.prefix_len() } else { 0 };
        let first = *seen.entry((subnet.net.addr(), length)).or_insert(subnet.node);
        if first != subnet.node {
            report
                .at(
                    value(network.doc, subnet.node, "address"),
                    "the host has this address in the network already",
                )
                .also(value(network.doc, first, "address"), "here")
                .help("remove one of them");
        }
    }
}
