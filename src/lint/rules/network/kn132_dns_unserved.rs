//! DNS entries that nobody serves.

use std::collections::HashSet;
use std::net::IpAddr;

use super::places::{can_serve, of_dns, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::read_address;
use crate::xml::namespace;

pub(super) static RULE: Rule = Rule {
    code: "KN132",
    name: "dns-unserved",
    severity: Severity::Warning,
    summary: "a network has DNS entries or options for dnsmasq, but no address at which they could be served",
    why: "\
libvirt starts a network's DNS server, dnsmasq, on the host's addresses in it. Without an <ip> there is none, and what \
stands in <dns> and <dnsmasq:options> is never used. A forwarder that is the network's own address is no server \
either: dnsmasq leaves it out.",
    fixable: false,
    bad: &[
        example!("KN132-dns-unserved", "bad/no-address.xml"),
        example!("KN132-dns-unserved", "bad/itself.xml"),
    ],
    good: &[example!("KN132-dns-unserved", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(mode) = network.mode else { return };
    if !can_serve(network) {
        // The other modes refuse the rest.
        let names: &[_] =
            if mode.is_virtual() { &["forwarder", "host", "srv", "txt"] } else { &["forwarder"] };
        let entry = names.iter().find_map(|name| of_dns(network, name).next());
        let is_option = |node: &roxmltree::Node<'_, '_>| {
            node.tag_name().name() == "options"
                && namespace(*node) == Some(super::kn145_dnsmasq_options::NAMESPACE)
        };
        let options = network.root.children().find(is_option);
        for node in entry.into_iter().chain(options) {
            report
                .at(tag(network.doc, node), "libvirt runs no DNS server in a network without an address")
                .label("never used")
                .help("write an <ip>, or remove it");
        }
        return;
    }
    let own: HashSet<IpAddr> = subnets(network).map(|subnet| subnet.net.addr()).collect();
    for forwarder in of_dns(network, "forwarder") {
        let Some(server) = forwarder.attribute("addr").and_then(read_address) else { continue };
        if own.contains(&server) {
            report
                .at(
                    value(network.doc, forwarder, "addr"),
                    format!("{server} is the network's own DNS server"),
                )
                .label("dnsmasq leaves it out")
                .help("name another server; without a forwarder it asks those of the host");
        }
    }
}
