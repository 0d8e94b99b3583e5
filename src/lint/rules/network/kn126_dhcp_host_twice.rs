//! DHCP hosts that take something from each other.

use std::net::IpAddr;

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
    for subnet in subnets(network) {
        let hosts: Vec<_> = subnet.hosts().collect();
        for (at, host) in hosts.iter().enumerate() {
            let text = network.doc.text();
            // Twice the same says nothing else than once.
            let others = || hosts[..at].iter().filter(|other| text[other.range()] != text[host.range()]);
            let ip = address(*host).and_then(|ip| others().find(|other| address(**other) == Some(ip)));
            let name = if subnet.is_four() { "mac" } else { "id" };
            let who = known_by(*host, name)
                .and_then(|who| others().find(|o| known_by(**o, name).as_ref() == Some(&who)));
            let mut twice = |name: &str, other: Node<'_, '_>, what: &str, label: &str| {
                report
                    .at(value(network.doc, *host, name), what)
                    .label(label)
                    .also(tag(network.doc, other), "the other host")
                    .help("give each guest one host of its own");
            };
            if let Some(other) = ip {
                twice("ip", *other, "two hosts are to get this address", "dropped");
            }
            if let Some(other) = who {
                let what = if name == "mac" {
                    "two hosts have this MAC address"
                } else {
                    "two hosts have this DUID"
                };
                twice(name, *other, what, "this one counts");
            }
        }
    }
}

fn address(host: Node<'_, '_>) -> Option<IpAddr> {
    read_address(host.attribute("ip")?)
}

/// A MAC address or DUID, comparable.
fn known_by(host: Node<'_, '_>, name: &str) -> Option<Vec<u8>> {
    let written = host.attribute(name)?;
    match name {
        "mac" => mac::read(written).map(Vec::from),
        _ => Some(written.to_ascii_lowercase().into_bytes()),
    }
}
