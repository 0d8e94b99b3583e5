//! DHCP in a large subnet of IPv6.

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN120",
    name: "dhcp6-prefix",
    severity: Severity::Error,
    summary: "a network has DHCP in a subnet of IPv6 that is larger than a /64",
    why: "\
dnsmasq, which serves DHCP for libvirt, does so for IPv6 in subnets of /64 and smaller only. With a shorter prefix the \
network doesn't start.",
    fixable: false,
    bad: &[example!("KN120-dhcp6-prefix", "bad.xml")],
    good: &[example!("KN120-dhcp6-prefix", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network).filter(|s| network.is_virtual() && !s.is_four() && s.has_dhcp()) {
        let length = subnet.net.prefix_len();
        if length < 64 {
            report
                .at(
                    value(network.doc, subnet.node, "prefix"),
                    format!("there is no DHCP in a /{length} of IPv6"),
                )
                .help("write prefix='64', or remove <dhcp>");
        }
    }
}
