//! A route that the host doesn't get, or that leads nowhere.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::number;
use super::places::{Subnet, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::{Route, read_address};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN130",
    name: "route-lost",
    severity: Severity::Warning,
    summary: "a network has a route that the host doesn't get, or doesn't use",
    why: "\
libvirt gives the host a network's routes when it starts the network, and starts it also where the kernel refuses one: \
over a gateway that is the subnet's broadcast address, over a netmask with holes, over a second route with the same \
destination and metric. A gateway that is the host's own address leads nowhere. A route to the network's own subnet is \
never used in IPv4; in IPv6 the host then sends everything for its guests to that one guest.",
    fixable: false,
    bad: &[example!("KN130-route-lost", "bad.xml")],
    good: &[example!("KN130-route-lost", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    if !network.is_virtual() {
        return;
    }
    let all: Vec<Subnet<'_>> = subnets(network).collect();
    let own: HashMap<IpNet, Subnet<'_>> = all.iter().map(|subnet| (subnet.net.trunc(), *subnet)).collect();
    let hosts: HashSet<IpAddr> = all.iter().map(|subnet| subnet.net.addr()).collect();
    let broadcasts: HashSet<IpAddr> = all.iter().filter_map(broadcast).collect();
    let mut seen = HashMap::new();
    for node in children(network.root, "route") {
        let mask = node.attribute("netmask").and_then(read_address);
        if matches!(mask, Some(IpAddr::V4(mask)) if ipnet::ipv4_mask_to_prefix(mask).is_err()) {
            let what = "this is no netmask, and the host doesn't get the route";
            let help = "it is ones, then zeros, as in 255.255.255.0";
            report.at(value(network.doc, node, "netmask"), what).help(help);
            continue;
        }
        let Some(Route { net, gateway }) = Route::read(node) else { continue };
        let metric = node.attribute("metric").map_or(Some(1), number::read);
        let first = *seen.entry((net, metric)).or_insert(node);
        let at_gateway = if hosts.contains(&gateway) {
            Some(format!("the gateway {gateway} is the host itself: the route leads nowhere"))
        } else if broadcasts.contains(&gateway) {
            Some(format!("the gateway {gateway} is a broadcast address, and the host doesn't get the route"))
        } else {
            None
        };
        if let Some(what) = at_gateway {
            report
                .at(value(network.doc, node, "gateway"), what)
                .help("write the address of the guest that leads there");
        } else if let Some(own) = own.get(&net) {
            report
                .at(value(network.doc, node, "address"), format!("{net} is the network's own subnet"))
                .also(tag(network.doc, own.node), "here")
                .help("the host has a route there by itself: remove it, or name another network");
        } else if first != node && net.addr().is_ipv4() {
            // IPv6 takes several, and uses them in turn.
            let what = "the host doesn't get this route: it has one to that network already";
            report
                .at(tag(network.doc, node), what)
                .also(tag(network.doc, first), "this one")
                .help("remove one, or give them different metrics");
        }
    }
}

/// The address that means all of a subnet.
fn broadcast(subnet: &Subnet<'_>) -> Option<IpAddr> {
    match subnet.net {
        IpNet::V4(net) if net.prefix_len() < 31 => Some(IpAddr::V4(net.broadcast())),
        _ => None,
    }
}
