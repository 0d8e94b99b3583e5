//! DHCP hosts that take something from each other.

use std::collections::HashMap;

use roxmltree::Node;

use super::mac;
use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::read_address;

pub(super) static RULE: Rule = Rule {
    code: "KN126",
    name: "dhcp-host-twice",
    severity: Severity::Warning,
    summary: "two DHCP hosts have the same address, or the same MAC address or DUID",
    why: "\
dnsmasq, which serves DHCP for libvirt, reads the hosts one after the other. Of two with one address it drops the \
second; of two with one MAC address or DUID, the last one counts. libvirt refuses such a pair in 'virsh net-update', \
but not in a definition.",
    fixable: false,
    bad: &[example!("KN126-dhcp-host-twice", "bad.xml")],
    good: &[example!("KN126-dhcp-host-twice", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let text = network.doc.text();
    for subnet in subnets(network) {
        let name = if subnet.is_four() { "mac" } else { "id" };
        let (mut addresses, mut known) = (HashMap::new(), HashMap::new());
        for host in subnet.hosts() {
            let ip = host.attribute("ip").and_then(read_address);
            let first = [
                ip.map(|ip| ("ip", *addresses.entry(ip).or_insert(host))),
                known_by(host, name).map(|who| (name, *known.entry(who).or_insert(host))),
            ];
            // Twice the same says nothing else than once.
            let is_other = |other: &Node<'_, '_>| text[other.range()] != text[host.range()];
            for (name, other) in first.into_iter().flatten().filter(|(_, other)| is_other(other)) {
                let (what, label) = match name {
                    "ip" => ("two hosts are to get this address", "dropped"),
                    "mac" => ("two hosts have this MAC address", "this one counts"),
                    _ => ("two hosts have this DUID", "this one counts"),
                };
                report
                    .at(value(network.doc, host, name), what)
                    .label(label)
                    .also(tag(network.doc, other), "the other host")
                    .help("give each guest one host of its own");
            }
        }
    }
}

/// A MAC address or DUID, comparable.
fn known_by(host: Node<'_, '_>, name: &str) -> Option<Vec<u8>> {
    let written = host.attribute(name)?;
    match name {
        "mac" => mac::read(written).map(Vec::from),
        _ => Some(written.to_ascii_lowercase().into_bytes()),
    }
}
