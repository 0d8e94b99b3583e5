//! Addresses or ports to translate to that can't be.

use roxmltree::Node;

use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::{ForwardMode, read_address};
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN141",
    name: "nat-range",
    severity: Severity::Error,
    summary: "the range of addresses or ports that connections are translated to can't be",
    why: "\
<nat> has one <address> at most, and one <port>, each with 'start' and 'end', the lower one first. The addresses are \
those of IPv4, 65536 at most; the ports end with 65535.",
    fixable: false,
    bad: &[
        example!("KN141-nat-range", "bad/reversed.xml"),
        example!("KN141-nat-range", "bad/ports.xml"),
        example!("KN141-nat-range", "bad/open.xml"),
        example!("KN141-nat-range", "bad/two.xml"),
    ],
    good: &[example!("KN141-nat-range", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(forward) = network.child("forward").filter(|_| network.mode == Some(ForwardMode::Nat)) else {
        return;
    };
    let doc = network.doc;
    let mut nats = children(forward, "nat");
    let (Some(nat), second) = (nats.next(), nats.next()) else { return };
    if let Some(second) = second {
        report
            .at(tag(doc, second), "there can be one <nat> only")
            .also(tag(doc, nat), "the first one")
            .help("remove one");
    }
    for name in ["address", "port"] {
        if let Some(second) = children(nat, name).nth(1) {
            report
                .at(tag(doc, second), format!("there can be one <{name}> in <nat> only"))
                .help("remove one");
            continue;
        }
        let Some(range) = child(nat, name) else { continue };
        if let Some(missing) = ["start", "end"].iter().find(|name| !range.has_attribute(**name)) {
            report
                .at(tag(doc, range), format!("the range has no '{missing}'"))
                .help(format!("write {missing}='…'"));
        } else if name == "address" {
            addresses(network, range, report);
        } else {
            ports(network, range, report);
        }
    }
}

fn addresses(network: &Network<'_>, range: Node<'_, '_>, report: &mut Report) {
    let read = |name| match read_address(range.attribute(name)?)? {
        std::net::IpAddr::V4(address) => Some(address),
        std::net::IpAddr::V6(_) => None,
    };
    let (Some(start), Some(end)) = (read("start"), read("end")) else { return };
    if start > end {
        report
            .at(
                value(network.doc, range, "start"),
                format!("the range is reversed: {start} comes after {end}"),
            )
            .help("write the lower address first");
    } else if end.to_bits() - start.to_bits() > 65535 {
        report
            .at(value(network.doc, range, "end"), "the range is too large: 65536 addresses are the most")
            .help("write a smaller one");
    }
}

fn ports(network: &Network<'_>, range: Node<'_, '_>, report: &mut Report) {
    let mut ends = [0, 0];
    for (end, name) in ends.iter_mut().zip(["start", "end"]) {
        let written = range.attribute(name).unwrap_or_default();
        let Some(port) = number::read(written).filter(|port| *port <= 65535) else {
            let what = format!("'{}' is no port", written.escape_debug());
            report.at(value(network.doc, range, name), what).help("it is a number from 1 to 65535");
            return;
        };
        *end = port;
    }
    if ends[0] > ends[1] {
        report
            .at(value(network.doc, range, "start"), "the range is reversed")
            .help("write the lower port first");
    }
}
