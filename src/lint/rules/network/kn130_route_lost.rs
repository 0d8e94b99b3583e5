//! A route that the host doesn't get, or that leads nowhere.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

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
    let routes: Vec<_> = children(network.root, "route").collect();
    for (at, node) in routes.iter().enumerate() {
        let mask = node.attribute("netmask").and_then(read_address);
        if matches!(mask, Some(IpAddr::V4(mask)) if ipnet::ipv4_mask_to_prefix(mask).is_err()) {
            let what = "this is no netmask, and the host doesn't get the route";
            report
                .at(value(network.doc, *node, "netmask"), what)
                .help("it is ones, then zeros, as in 255.255.255.0");
            continue;
        }
        let Some(route) = Route::read(*node) else { continue };
        if let Some(what) = all.iter().find_map(|subnet| no_gateway(subnet, route.gateway)) {
            report
                .at(value(network.doc, *node, "gateway"), what)
                .help("write the address of the guest that leads there");
        } else if let Some(own) = all.iter().find(|subnet| subnet.net.trunc() == route.net) {
            let what = format!("{} is the network's own subnet", route.net);
            report
                .at(value(network.doc, *node, "address"), what)
                .also(tag(network.doc, own.node), "here")
                .help("the host has a route there by itself: remove it, or name another network");
        } else if let Some(other) = routes[..at].iter().find(|other| same(**other, *node)) {
            report
                .at(
                    tag(network.doc, *node),
                    "the host doesn't get this route: it has one to that network already",
                )
                .also(tag(network.doc, *other), "this one")
                .help("remove one, or give them different metrics");
        }
    }
}

/// Why nothing gets further at that address.
fn no_gateway(subnet: &Subnet<'_>, gateway: IpAddr) -> Option<String> {
    if gateway == subnet.net.addr() {
        return Some(format!("the gateway {gateway} is the host itself: the route leads nowhere"));
    }
    match subnet.net {
        IpNet::V4(net) if net.prefix_len() < 31 && gateway == IpAddr::V4(net.broadcast()) => {
            Some(format!("the gateway {gateway} is a broadcast address, and the host doesn't get the route"))
        }
        _ => None,
    }
}

/// Are the two one route to the kernel? libvirt's metric is 1 where none is given.
fn same(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let key = |node: Node<'_, '_>| {
        let metric = node.attribute("metric").map_or(Some(1), number::read)?;
        Some((Route::read(node)?.net, metric))
    };
    // IPv6 takes several, and uses them in turn.
    key(one).is_some_and(|(net, _)| net.addr().is_ipv4()) && key(one) == key(other)
}
