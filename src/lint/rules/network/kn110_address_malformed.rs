//! An address that is none.

use std::net::IpAddr;

use super::places::addresses;
use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, tag, value};
use crate::model::read_address;

pub(super) static RULE: Rule = Rule {
    code: "KN110",
    name: "address-malformed",
    severity: Severity::Error,
    summary: "a network has an address that libvirt can't read",
    why: "\
Addresses in a network are numbers: 192.168.122.1, fd00::1. libvirt looks up no names, and takes no port, no blank and \
no prefix length behind a slash: that stands in 'prefix'. The addresses that connections of mode nat leave from are \
those of IPv4.",
    fixable: true,
    bad: &[
        example!("KN110-address-malformed", "bad/prefix.xml"),
        example!("KN110-address-malformed", "bad/missing.xml"),
        example!("KN110-address-malformed", "bad/blank.xml"),
        example!("KN110-address-malformed", "bad/forwarder.xml"),
        example!("KN110-address-malformed", "bad/boot.xml"),
        example!("KN110-address-malformed", "bad/range.xml"),
        example!("KN110-address-malformed", "bad/nat.xml"),
    ],
    good: &[
        example!("KN110-address-malformed", "good/prefix.xml"),
        example!("KN110-address-malformed", "good/forwarder.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for ip in network.ips().filter(|ip| !ip.has_attribute("address")) {
        report.at(tag(network.doc, ip), "<ip> has no address").help("write address='…'");
    }
    for (node, name) in addresses(network) {
        let written = node.attribute(name).unwrap_or_default();
        let is_nat = matches!((node.tag_name().name(), name), ("address", "start" | "end"));
        let read = read_address(written);
        // One with a zone is an address where there is such a device.
        let is_fine = match read {
            Some(address) => address.is_ipv4() || !is_nat,
            None => written.contains('%') && !is_nat,
        };
        // A netmask that is a length, and one of IPv6, have a rule of their own.
        if is_fine || name == "netmask" && written.parse::<IpAddr>().is_ok() {
            continue;
        }
        let span = value(network.doc, node, name);
        let shown = written.escape_debug();
        let what = match read {
            Some(_) => format!("'{shown}' is no address of IPv4, and others aren't translated to"),
            None => format!("'{shown}' is no address to libvirt"),
        };
        let found = report.at(span.clone(), what);
        let alone = written.trim();
        match alone.split_once('/') {
            Some((address, length)) if read_address(address).is_some() && length.parse::<u8>().is_ok() => {
                found.help(format!("write {address} here, and {length} in prefix='…'"));
                let has = |name| node.has_attribute(name) || mistyped::has_near(node, name);
                let is_free = !has("prefix") && !has("netmask");
                if is_free && name == "address" && matches!(node.tag_name().name(), "ip" | "route") {
                    // Splitting the value makes two attributes of one, in the quotes that are there.
                    let quote = network.doc.text()[..span.start].chars().next_back().unwrap_or('\'');
                    found.fix(instead(span, &format!("{address}{quote} prefix={quote}{length}")));
                }
            }
            _ if alone != written && read_address(alone).is_some() => {
                found.help("without the blanks it is one").fix(instead(span, alone));
            }
            _ => {
                found.help("it is a number, as in 192.168.122.1 or fd00::1");
            }
        }
    }
}
