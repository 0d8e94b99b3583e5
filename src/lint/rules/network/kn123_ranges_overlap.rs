//! Two DHCP ranges with addresses in common.

use super::places::{ends, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN123",
    name: "ranges-overlap",
    severity: Severity::Warning,
    summary: "two DHCP ranges of a subnet overlap",
    why: "\
dnsmasq, which serves DHCP for libvirt, takes ranges that overlap, and gives each address once. There are fewer \
addresses than the two say, and which one's lease time counts for those in both isn't said. Mostly a number is wrong.",
    fixable: false,
    bad: &[example!("KN123-ranges-overlap", "bad.xml")],
    good: &[example!("KN123-ranges-overlap", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        let all: Vec<_> = subnet.ranges().filter_map(|range| Some((range, ends(range)?))).collect();
        for (at, (range, (start, end))) in all.iter().enumerate() {
            let meets = |(_, (first, last)): &&(_, (_, _))| first <= end && start <= last;
            if let Some((other, _)) = all[..at].iter().find(meets) {
                report
                    .at(tag(network.doc, *range), "this range overlaps another one")
                    .also(tag(network.doc, *other), "the other one")
                    .help("write ranges that have no address in common");
            }
        }
    }
}
