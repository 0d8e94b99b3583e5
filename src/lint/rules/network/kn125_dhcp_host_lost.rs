//! An address kept for a guest that can't have it.

use std::net::IpAddr;

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::read_address;
use crate::net::unusable;

pub(super) static RULE: Rule = Rule {
    code: "KN125",
    name: "dhcp-host-lost",
    severity: Severity::Warning,
    summary: "a DHCP host is to get an address that it doesn't get, or can't use",
    why: "\
libvirt doesn't look where the address of a <host> is. dnsmasq, which serves DHCP for libvirt, leaves out one that \
isn't in the subnet, and the host's own: the guest gets another one, or none. The subnet's own address and its \
broadcast address it gives away, and the guest can't work with them.",
    fixable: false,
    bad: &[example!("KN125-dhcp-host-lost", "bad.xml")],
    good: &[example!("KN125-dhcp-host-lost", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        for host in subnet.hosts() {
            let Some(address) = host.attribute("ip").and_then(read_address) else { continue };
            // In one of two addresses, nobody is the subnet; in IPv6, a guest can have the first address.
            let is_small = subnet.is_four() && subnet.net.prefix_len() > 30 && subnet.net.contains(&address);
            let is_first = matches!(address, IpAddr::V6(_)) && address == subnet.net.network();
            let is_own = address == subnet.net.addr();
            let Some(why) = unusable(subnet.net, address).filter(|_| is_own || !is_small && !is_first) else {
                continue;
            };
            report
                .at(value(network.doc, host, "ip"), format!("{address} {why}"))
                .also(tag(network.doc, subnet.node), "the subnet")
                .help("write an address of the subnet's that nobody else has");
        }
    }
}
