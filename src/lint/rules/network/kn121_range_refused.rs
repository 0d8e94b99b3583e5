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
            if let Some(Refusal { place, what, help }) = refusal(&subnet, range) {
                report
                    .at(value(network.doc, range, place), what)
                    .also(tag(network.doc, subnet.node), format!("in {}", subnet.net.trunc()))
                    .help(help);
            }
        }
    }
}

/// Why libvirt refuses a range.
struct Refusal {
    /// The attribute that is wrong.
    place: &'static str,
    what: String,
    help: String,
}

fn refusal(subnet: &Subnet<'_>, range: Node<'_, '_>) -> Option<Refusal> {
    let refused = |place, what, help: String| Some(Refusal { place, what, help });
    let (start, end) = ends(range)?;
    let whole = subnet.net.trunc();
    for (place, address) in [("start", start), ("end", end)] {
        if !whole.contains(&address) {
            let help = format!("write an address of {whole}");
            return refused(place, format!("{address} isn't in the subnet {whole}"), help);
        }
    }
    if let IpNet::V4(net) = subnet.net {
        if start == IpAddr::V4(net.network()) {
            let what = format!("the range begins with the subnet's own address {start}");
            return refused("start", what, "let it begin one address later, or more".into());
        }
        if end == IpAddr::V4(net.broadcast()) {
            let what = format!("the range ends with the subnet's broadcast address {end}");
            return refused("end", what, "let it end one address earlier, or more".into());
        }
    }
    if start > end {
        let help = format!("write start='{end}' end='{start}'");
        return refused("start", format!("the range is reversed: {start} comes after {end}"), help);
    }
    match (start, end) {
        (IpAddr::V4(start), IpAddr::V4(end)) if end.to_bits() - start.to_bits() >= MOST => {
            let help = "let it end earlier; the subnet may have several ranges".into();
            refused("end", format!("the range is too large: {MOST} addresses are the most"), help)
        }
        (IpAddr::V6(start), IpAddr::V6(end)) if start.to_bits() >> 16 != end.to_bits() >> 16 => {
            let help = "write an end that differs from the start in its last four digits only".into();
            refused("end", "the ends of the range differ in more than their last 16 bits".into(), help)
        }
        _ => None,
    }
}
