//! An address that the host can't have in a network.

use std::net::IpAddr;

use ipnet::IpNet;

use super::places::{Subnet, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN115",
    name: "host-address",
    severity: Severity::Error,
    summary: "the host's address in a network is one that nobody can have",
    why: "\
'address' in <ip> is the host's own address in the network, which guests use as their gateway. The last address of an \
IPv4 subnet is its broadcast address, which guests never send to as to a host. Addresses of the loopback network, of \
groups, and 0.0.0.0 and :: are no host's either. libvirt starts most such networks.",
    fixable: false,
    bad: &[
        example!("KN115-host-address", "bad/broadcast.xml"),
        example!("KN115-host-address", "bad/loopback.xml"),
        example!("KN115-host-address", "bad/group.xml"),
    ],
    good: &[example!("KN115-host-address", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    if !network.is_virtual() {
        return;
    }
    for subnet in subnets(network) {
        if let Some(what) = unusable(&subnet) {
            report
                .at(value(network.doc, subnet.node, "address"), format!("{} {what}", subnet.net.addr()))
                .help("write the address that the host is to have, mostly the first one of the subnet");
        }
    }
}

fn unusable(subnet: &Subnet<'_>) -> Option<&'static str> {
    let address = subnet.net.addr();
    match subnet.net {
        IpNet::V4(net) if net.prefix_len() < 31 && net.addr() == net.broadcast() => {
            Some("is the broadcast address of the subnet: guests don't reach the host there")
        }
        _ if address.is_loopback() => Some("is a loopback address: guests don't reach the host there"),
        _ if address.is_multicast() => Some("is a group's address, which no host can have"),
        _ if matches!(address, IpAddr::V4(_) | IpAddr::V6(_)) && address.is_unspecified() => {
            Some("means no address at all")
        }
        _ => None,
    }
}
