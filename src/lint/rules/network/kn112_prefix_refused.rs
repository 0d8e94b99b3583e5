//! A prefix or netmask that is none.

use std::net::IpAddr;

use roxmltree::Node;

use super::number;
use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value, without_attribute};
use crate::model::read_address;
use crate::xml::{Edits, StartTag};

pub(super) static RULE: Rule = Rule {
    code: "KN112",
    name: "prefix-refused",
    severity: Severity::Error,
    summary: "a subnet has a prefix or netmask that libvirt refuses",
    why: "\
A subnet's size stands in 'prefix', as a number (24), or in 'netmask', as an address (255.255.255.0), not in both. \
IPv6 has prefixes only. A netmask is ones, then zeros: with any other one, libvirt defines the network and doesn't \
start it.",
    fixable: true,
    bad: &[
        example!("KN112-prefix-refused", "bad/both.xml"),
        example!("KN112-prefix-refused", "bad/long.xml"),
        example!("KN112-prefix-refused", "bad/hole.xml"),
        example!("KN112-prefix-refused", "bad/length.xml"),
        example!("KN112-prefix-refused", "bad/mask.xml"),
        example!("KN112-prefix-refused", "bad/six.xml"),
    ],
    good: &[
        example!("KN112-prefix-refused", "good/both.xml"),
        example!("KN112-prefix-refused", "good/mask.xml"),
        example!("KN112-prefix-refused", "good/six.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for ip in network.ips() {
        let is_six = ip.attribute("address").is_some_and(|address| address.contains(':'));
        let (prefix, netmask) =
            (ip.attribute("prefix"), ip.attribute("netmask").filter(|mask| !mask.is_empty()));
        let length = prefix.and_then(number::read);
        let most = if is_six { 128 } else { 32 };
        if let Some(written) = prefix.filter(|_| length.is_none_or(|length| length > most)) {
            let span = value(network.doc, ip, "prefix");
            let found = report.at(span, format!("'{}' is no length of a prefix", written.escape_debug()));
            found.help(format!("it is a number from 1 to {most}"));
            let is_free = netmask.is_none() && !mistyped::has_near(ip, "netmask");
            if bits(written).is_some() && is_free && !is_six {
                found.help("a netmask stands in netmask='…'").fix(renamed(network, ip, "prefix", "netmask"));
            }
            continue;
        }
        let Some(written) = netmask else { continue };
        let span = value(network.doc, ip, "netmask");
        if is_six {
            report.at(span, "a subnet of IPv6 has no netmask").help("write prefix='64' instead");
        } else if prefix.is_some() && length != Some(0) {
            let found = report.at(span, "a subnet has a prefix or a netmask, not both");
            found.also(value(network.doc, ip, "prefix"), "the prefix").help("leave one of them");
            if bits(written).map(u64::from) == length {
                found.fix(without_attribute(network.doc, ip, "netmask"));
            }
        } else if read_address(written).is_some() && bits(written).is_none() {
            let what = format!("'{}' is no netmask", written.escape_debug());
            let found = report.at(span, what);
            let is_free = prefix.is_none() && !mistyped::has_near(ip, "prefix");
            if written.parse::<u8>().is_ok_and(|length| (1..=32).contains(&length)) && is_free {
                let help = "the length of a prefix stands in prefix='…'";
                found.help(help).fix(renamed(network, ip, "netmask", "prefix"));
            } else {
                found.help("it is ones, then zeros, as in 255.255.255.0");
            }
        }
    }
}

/// The length of a netmask.
fn bits(netmask: &str) -> Option<u8> {
    match read_address(netmask)? {
        IpAddr::V4(mask) => ipnet::ipv4_mask_to_prefix(mask).ok(),
        IpAddr::V6(_) => None,
    }
}

/// The splice that calls an attribute by another name.
fn renamed(network: &Network<'_>, node: Node<'_, '_>, from: &str, to: &str) -> Edits {
    let text = network.doc.text();
    let mut fix = Edits::default();
    let start = StartTag::read(text, node.range().start);
    if let Some(written) = start.as_ref().and_then(|start| start.attr(text, from)) {
        fix.push(written.name.clone(), to);
    }
    fix
}
