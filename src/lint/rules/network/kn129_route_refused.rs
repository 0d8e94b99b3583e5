//! A route that libvirt refuses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use super::number;
use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::read_address;
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN129",
    name: "route-refused",
    severity: Severity::Error,
    summary: "a network has a route that libvirt refuses",
    why: "\
A <route> names a whole network, 'address' with 'prefix' or 'netmask', and the guest that leads there, 'gateway'. The \
address has no bits set behind its prefix; without one, only 0.0.0.0 has none. The gateway is in one of the network's \
own subnets: another one the host wouldn't reach.",
    fixable: false,
    bad: &[
        example!("KN129-route-refused", "bad/unreachable.xml"),
        example!("KN129-route-refused", "bad/host-bits.xml"),
        example!("KN129-route-refused", "bad/no-prefix.xml"),
        example!("KN129-route-refused", "bad/metric.xml"),
        example!("KN129-route-refused", "bad/both.xml"),
        example!("KN129-route-refused", "bad/no-gateway.xml"),
    ],
    good: &[example!("KN129-route-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    // Where there are no addresses at all, that is what is said.
    let has_none = network.mode.is_some_and(|mode| !mode.is_virtual());
    let own: BTreeSet<IpNet> = subnets(network).map(|subnet| subnet.net.trunc()).collect();
    for route in children(network.root, "route").filter(|_| !has_none) {
        judge(network, &own, route, report);
    }
}

fn judge(network: &Network<'_>, own: &BTreeSet<IpNet>, route: Node<'_, '_>, report: &mut Report) {
    let doc = network.doc;
    if let Some(missing) = ["address", "gateway"].iter().find(|name| !route.has_attribute(**name)) {
        report
            .at(tag(doc, route), format!("the route has no '{missing}'"))
            .help(format!("write {missing}='…'"));
        return;
    }
    let metric = route.attribute("metric");
    if let Some(written) = metric.filter(|written| number::read(written).is_none_or(|metric| metric == 0 || metric > u32::MAX.into())) {
        let what = format!("'{}' is no metric of a route", written.escape_debug());
        report.at(value(doc, route, "metric"), what).help("it is a number from 1");
    }
    let read = |name| read_address(route.attribute(name)?);
    let (Some(address), Some(gateway)) = (read("address"), read("gateway")) else { return };
    let (prefix, netmask) = (route.attribute("prefix"), route.attribute("netmask"));
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = prefix.and_then(number::read).and_then(|length| u8::try_from(length).ok());
    if let Some(written) = prefix.filter(|_| length.is_none_or(|length| length > most)) {
        let what = format!("'{}' is no length of a prefix", written.escape_debug());
        report.at(value(doc, route, "prefix"), what).help(format!("it is a number from 0 to {most}"));
        return;
    }
    let mut length = length.unwrap_or(0);
    if netmask.is_some() && address.is_ipv6() {
        report
            .at(value(doc, route, "netmask"), "a route of IPv6 has no netmask")
            .help("write prefix='…' instead");
        return;
    }
    if prefix.is_some() && netmask.is_some() {
        let found = report.at(value(doc, route, "netmask"), "a route has a prefix or a netmask, not both");
        found.help("leave one of them");
        return;
    }
    if let Some(IpAddr::V4(mask)) = netmask.and_then(read_address) {
        // With holes in it, the route is lost later: another rule's.
        let Ok(bits) = ipnet::ipv4_mask_to_prefix(mask) else { return };
        length = bits;
    }
    if let Ok(net) = IpNet::new(address, length)
        && net.trunc().addr() != address
    {
        let has_size = prefix.is_some() || netmask.is_some();
        let what = match has_size {
            true => format!("{address} isn't the address of a network of that size"),
            false => format!("without a prefix, the route to {address} leads to no network"),
        };
        let found = report.at(value(doc, route, "address"), what);
        match has_size {
            true => found.help(format!("write {}, or a longer prefix", net.trunc().addr())),
            false => found.help("write prefix='…'"),
        };
    }
    if gateway.is_ipv4() != address.is_ipv4() {
        report
            .at(value(doc, route, "gateway"), "the route's gateway is of the other family of addresses")
            .help("write one of the address's family");
    } else if !is_in(gateway, own) {
        let what = format!("the gateway {gateway} isn't in a subnet of the network's");
        let help = match own.iter().find(|net| net.addr().is_ipv4() == gateway.is_ipv4()) {
            None => "the network has no subnet of that family: write an <ip> for it".to_string(),
            Some(own) => format!("write the address of a guest in {own}"),
        };
        report.at(value(doc, route, "gateway"), what).help(help);
    }
}

/// Is the address in one of the subnets?
fn is_in(address: IpAddr, subnets: &BTreeSet<IpNet>) -> bool {
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let mut around = (0..=longest).filter_map(|length| IpNet::new(address, length).ok());
    around.any(|net| subnets.contains(&net.trunc()))
}
