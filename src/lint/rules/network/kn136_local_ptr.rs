//! Names for addresses where no domain fits the subnet.

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN136",
    name: "local-ptr",
    severity: Severity::Error,
    summary: "a subnet has localPtr='yes', and a prefix that no domain of the DNS fits",
    why: "\
With localPtr='yes' the network's DNS server alone answers who has an address of the subnet. The domains that these \
questions are about end with whole numbers: a prefix of IPv4 has to be 8, 16 or 24, one of IPv6 a multiple of 4. With \
any other one, the network doesn't start.",
    fixable: false,
    bad: &[example!("KN136-local-ptr", "bad.xml")],
    good: &[example!("KN136-local-ptr", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let has_dns = network.child("dns").is_none_or(|dns| dns.attribute("enable") != Some("no"));
    if !has_dns || !network.is_virtual() {
        return;
    }
    for subnet in subnets(network).filter(|subnet| subnet.node.attribute("localPtr") == Some("yes")) {
        let length = subnet.net.prefix_len();
        let (step, most) = if subnet.is_four() { (8, 32) } else { (4, 128) };
        if length % step != 0 || length >= most {
            report
                .at(
                    value(network.doc, subnet.node, "localPtr"),
                    format!("no domain fits a subnet of /{length}"),
                )
                .help("remove it, or take another prefix");
        }
    }
}
