//! A DHCP range with the host's own address in it.

use super::places::{ends, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN122",
    name: "range-holds-host",
    severity: Severity::Warning,
    summary: "a DHCP range holds the host's own address",
    why: "\
The range says that all its addresses are for guests. The host's own isn't: dnsmasq, which serves DHCP for libvirt, \
gives that one to nobody, so that there are fewer addresses than it reads, or none at all.",
    fixable: false,
    bad: &[example!("KN122-range-holds-host", "bad.xml")],
    good: &[example!("KN122-range-holds-host", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        for range in subnet.ranges() {
            let Some((start, end)) = ends(range) else { continue };
            let own = subnet.net.addr();
            if start.is_ipv4() != end.is_ipv4() || !(start..=end).contains(&own) {
                continue;
            }
            let what = format!("the range holds the host's own address {own}, which no guest gets");
            let place = if own == end { "end" } else { "start" };
            let found = report.at(value(network.doc, range, place), what);
            found.also(value(network.doc, subnet.node, "address"), "the host's address");
            match start == end {
                true => found.help("write a range of the guests': there is no other address in this one"),
                false => found.help("begin the range after it, or end it before"),
            };
        }
    }
}
