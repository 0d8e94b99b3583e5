//! A subnet's own address, given to the host.

use ipnet::IpNet;

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN116",
    name: "subnet-as-address",
    severity: Severity::Warning,
    summary: "the host's address in a network is the subnet's own",
    why: "\
'address' in <ip> is the host's own address in the network, which guests use as their gateway: 192.168.122.1. With the \
subnet's own address there, 192.168.122.0, libvirt starts the network; but that address was for broadcasts once, and \
only newer Linux guests send to it as to a host.",
    fixable: false,
    bad: &[example!("KN116-subnet-as-address", "bad.xml")],
    good: &[example!("KN116-subnet-as-address", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network).filter(|_| network.is_virtual()) {
        let IpNet::V4(net) = subnet.net else { continue };
        if net.prefix_len() < 31 && net.addr() == net.network() && !net.addr().is_unspecified() {
            report
                .at(
                    value(network.doc, subnet.node, "address"),
                    format!("{} is the subnet's own address, not a host's", net.addr()),
                )
                .help("write the address that the host is to have, mostly the one after it");
        }
    }
}
