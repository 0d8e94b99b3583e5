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
        let ranges = subnet.ranges().filter_map(|range| Some((ends(range)?, range)));
        let mut all: Vec<_> = ranges.filter(|((start, end), _)| start <= end).collect();
        all.sort_by_key(|((start, _), range)| (*start, range.range().start));
        let mut last = None;
        for ((start, end), range) in all {
            // The one that reaches furthest of those before.
            let (furthest, other) = *last.get_or_insert((end, range));
            if other != range && start <= furthest {
                let (first, second) =
                    if other.range().start < range.range().start { (other, range) } else { (range, other) };
                report
                    .at(tag(network.doc, second), "this range overlaps another one")
                    .also(tag(network.doc, first), "the other one")
                    .help("write ranges that have no address in common");
            }
            if end > furthest {
                last = Some((end, range));
            }
        }
    }
}
