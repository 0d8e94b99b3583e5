//! DHCP in two subnets of one family.

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN119",
    name: "dhcp-twice",
    severity: Severity::Error,
    summary: "a network has DHCP in two subnets of the same family",
    why: "\
libvirt runs one DHCP server for a network, in one subnet of IPv4 and in one of IPv6. Ranges and hosts in a second one \
are refused.",
    fixable: false,
    bad: &[example!("KN119-dhcp-twice", "bad.xml")],
    good: &[example!("KN119-dhcp-twice", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for family in [true, false] {
        let mut with = subnets(network).filter(|subnet| subnet.is_four() == family && subnet.has_dhcp());
        let (Some(first), Some(second)) = (with.next(), with.next()) else { continue };
        let place = |subnet: super::places::Subnet<'_>| {
            child(subnet.node, "dhcp").map_or(tag(network.doc, subnet.node), |dhcp| tag(network.doc, dhcp))
        };
        let family = if family { "IPv4" } else { "IPv6" };
        report
            .at(place(second), format!("a network has DHCP in one subnet of {family} only"))
            .also(place(first), "the first one")
            .help("leave it in one subnet, or make a second network");
    }
}
