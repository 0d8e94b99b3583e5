//! A subnet whose size libvirt guesses.

use ipnet::IpNet;

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN114",
    name: "prefix-missing",
    severity: Severity::Warning,
    summary: "a subnet has neither prefix nor netmask, and libvirt takes a far larger one than is usual",
    why: "\
Without 'prefix' and 'netmask' libvirt takes the size that addresses had in the days of classes: 10.1.2.1 is in \
10.0.0.0/8 then, and 172.16.1.1 in 172.16.0.0/16. The host sends everything in there to the guests, other networks of \
these addresses along with it. prefix='0' is none, too.",
    fixable: false,
    bad: &[example!("KN114-prefix-missing", "bad.xml")],
    good: &[example!("KN114-prefix-missing", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        let has = |name: &str, none: &str| {
            subnet.node.attribute(name).is_some_and(|v| !v.is_empty() && v.trim() != none)
        };
        // 192.168.1.1 is in a /24, as most people would have it.
        let is_large = matches!(subnet.net, IpNet::V4(net) if net.prefix_len() < 24);
        if !is_large || has("prefix", "0") || has("netmask", "") {
            continue;
        }
        let what = format!("without a prefix, libvirt takes {}", subnet.net.trunc());
        report.at(tag(network.doc, subnet.node), what).help("write prefix='24', or what is meant");
    }
}
