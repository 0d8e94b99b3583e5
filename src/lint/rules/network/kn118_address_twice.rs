//! One address twice.

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
    let all: Vec<_> = subnets(network).filter(|_| network.is_virtual()).collect();
    for (at, subnet) in all.iter().enumerate() {
        // To IPv6 it is the same address with another prefix, too.
        let same = |other: &&super::places::Subnet<'_>| {
            other.net == subnet.net || (!subnet.is_four() && other.net.addr() == subnet.net.addr())
        };
        if let Some(other) = all[..at].iter().find(same) {
            report
                .at(
                    value(network.doc, subnet.node, "address"),
                    "the host has this address in the network already",
                )
                .also(value(network.doc, other.node, "address"), "here")
                .help("remove one of them");
        }
    }
}
