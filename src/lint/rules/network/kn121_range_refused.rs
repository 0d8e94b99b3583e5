//! A DHCP range that can't be.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use super::places::{Subnet, ends, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};

pub(super) static RULE: Rule = Rule {
    code: "KN121",
    name: "range-refused",
    severity: Severity::Error,
    summary: "a DHCP range isn't one of its subnet's",
    why: "\
A range of DHCP begins and ends in the subnet of its <ip>, the lower address first. In a subnet of IPv4 it can't begin \
with the subnet's own address, nor end with the broadcast address; it has 65536 addresses at most, and in IPv6 its two \
ends are the same up to the last 16 bits.",
    fixable: false,
    bad: &[
        example!("KN121-range-refused", "bad/outside.xml"),
        example!("KN121-range-refused", "bad/reversed.xml"),
        example!("KN121-range-refused", "bad/from-0.xml"),
        example!("KN121-range-refused", "bad/to-255.xml"),
        example!("KN121-range-refused", "bad/large.xml"),
        example!("KN121-range-refused", "bad/large6.xml"),
        example!("KN121-range-refused", "bad/open.xml"),
    ],
    good: &[
        example!("KN121-range-refused", "good/four.xml"),
        example!("KN121-range-refused", "good/six.xml"),
    ],
    check: Check::Network(check),
};

/// The most addresses in one range (`virSocketAddrGetRange`).
const MOST: u32 = 65536;

fn check(network: &Network<'_>, report: &mut Report) {
    for ip in network.ips() {
        for range in super::places::of_dhcp(ip, "range") {
            if let Some(missing) = ["start", "end"].iter().find(|name| !range.has_attribute(**name)) {
                report
                    .at(tag(network.doc, range), format!("the range has no '{missing}'"))
                    .help(format!("write {missing}='…'"));
            }
        }
    }
    for subnet in subnets(network) {
        for range in subnet.ranges() {
            if let Some((place, what)) = refusal(&subnet, range) {
                let found = report.at(value(network.doc, range, place), what);
                found.also(tag(network.doc, subnet.node), format!("in {}", subnet.net.trunc()));
                found.help("a range is inside its subnet, the lower address first");
            }
        }
    }
}

fn refusal(subnet: &Subnet<'_>, range: Node<'_, '_>) -> Option<(&'static str, String)> {
    let (start, end) = ends(range)?;
    let whole = subnet.net.trunc();
    for (name, address) in [("start", start), ("end", end)] {
        if !whole.contains(&address) {
            return Some((name, format!("{address} isn't in the subnet {whole}")));
        }
    }
    if let IpNet::V4(net) = subnet.net {
        if start == IpAddr::V4(net.network()) {
            return Some(("start", format!("the range begins with the subnet's own address {start}")));
        }
        if end == IpAddr::V4(net.broadcast()) {
            return Some(("end", format!("the range ends with the subnet's broadcast address {end}")));
        }
    }
    let is_large = match (start, end) {
        (IpAddr::V4(start), IpAddr::V4(end)) => end.to_bits().saturating_sub(start.to_bits()) >= MOST,
        (IpAddr::V6(start), IpAddr::V6(end)) => start.to_bits() >> 16 != end.to_bits() >> 16,
        _ => false,
    };
    if start > end {
        Some(("start", format!("the range is reversed: {start} comes after {end}")))
    } else if is_large {
        Some(("end", format!("the range is too large: {MOST} addresses are the most")))
    } else {
        None
    }
}
