//! Parts of a network that its mode doesn't have.

use roxmltree::Node;

use super::places::of_dns;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::ForwardMode;
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN105",
    name: "refused-in-mode",
    severity: Severity::Error,
    summary: "a network has a part that libvirt refuses in its forward mode",
    why: "\
Only networks without <forward>, and those of mode nat, route and open, have a bridge that libvirt makes, and with it \
a MAC address, an MTU, addresses, DHCP, DNS entries, a domain, routes, and settings of the bridge. In the other modes \
there is a bridge or a NIC of the host's, and libvirt refuses all of that. A limit on the whole network's bandwidth \
needs a bridge; <nat> needs mode nat; an open network can't be tied to a device.",
    fixable: false,
    bad: &[
        example!("KN105-refused-in-mode", "bad/bridge.xml"),
        example!("KN105-refused-in-mode", "bad/mac.xml"),
        example!("KN105-refused-in-mode", "bad/mtu.xml"),
        example!("KN105-refused-in-mode", "bad/domain.xml"),
        example!("KN105-refused-in-mode", "bad/dns.xml"),
        example!("KN105-refused-in-mode", "bad/zone.xml"),
        example!("KN105-refused-in-mode", "bad/delay.xml"),
        example!("KN105-refused-in-mode", "bad/vepa.xml"),
        example!("KN105-refused-in-mode", "bad/table.xml"),
        example!("KN105-refused-in-mode", "bad/bandwidth.xml"),
        example!("KN105-refused-in-mode", "bad/portgroup.xml"),
        example!("KN105-refused-in-mode", "bad/nat.xml"),
        example!("KN105-refused-in-mode", "bad/open.xml"),
    ],
    good: &[
        example!("KN105-refused-in-mode", "good/bridge.xml"),
        example!("KN105-refused-in-mode", "good/vepa.xml"),
        example!("KN105-refused-in-mode", "good/table.xml"),
        example!("KN105-refused-in-mode", "good/nat.xml"),
        example!("KN105-refused-in-mode", "good/open.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(mode) = network.mode else { return };
    let word = mode.as_str();
    let doc = network.doc;
    if let Some(forward) = network.child("forward") {
        if let Some(nat) = child(forward, "nat").filter(|_| mode != ForwardMode::Nat) {
            report
                .at(tag(doc, nat), format!("a network of mode {word} has no <nat>"))
                .help("write mode='nat', or remove it");
        }
        if mode == ForwardMode::Open && network.attr("forward", "dev").is_some() {
            report
                .at(value(doc, forward, "dev"), "an open network can't be tied to a device")
                .help("remove 'dev'; the host's own firewall says where its guests get");
        }
    }
    if mode.is_virtual() {
        return;
    }
    let mut refuse = |node: Node<'_, '_>, what: &str| {
        let what = format!("a network of mode {word} has no {what}");
        report
            .at(tag(doc, node), what)
            .help("remove it; only networks with a bridge of libvirt's own have it");
    };
    let given = |name: &'static str, attribute: &str| {
        network.child(name).filter(|_| network.attr(name, attribute).is_some())
    };
    if let Some(mac) = given("mac", "address") {
        refuse(mac, "MAC address");
    }
    network.ips().for_each(|ip| refuse(ip, "addresses"));
    children(network.root, "route").for_each(|route| refuse(route, "routes"));
    for name in ["txt", "host", "srv"] {
        of_dns(network, name).for_each(|entry| refuse(entry, "DNS entries"));
    }
    if let Some(domain) = network.child("domain").filter(|domain| domain.has_attribute("name")) {
        refuse(domain, "domain");
    }
    if let Some(mtu) = given("mtu", "size").filter(|mtu| mtu.attribute("size") != Some("0")) {
        refuse(mtu, "MTU: a bridge or NIC of the host's has its own");
    }
    of_bridge(network, mode, report);
    bandwidth(network, mode, report);
}

/// Settings of a bridge that isn't libvirt's.
fn of_bridge(network: &Network<'_>, mode: ForwardMode, report: &mut Report) {
    let Some(bridge) = network.child("bridge") else { return };
    let has_bridge = mode == ForwardMode::Bridge;
    for name in ["name", "stp", "delay", "zone", "macTableManager"] {
        let Some(written) = network.attr("bridge", name) else { continue };
        let is_refused = match name {
            "name" | "macTableManager" => !has_bridge,
            "delay" => written != "0",
            _ => true,
        };
        if is_refused {
            let what = match name {
                "name" => format!("a network of mode {} has no bridge", mode.as_str()),
                _ => format!(
                    "'{name}' is for a bridge that libvirt makes, which mode {} doesn't",
                    mode.as_str()
                ),
            };
            report.at(value(network.doc, bridge, name), what).help("remove it");
        }
    }
}

/// Limits where there is no bridge to put them on.
fn bandwidth(network: &Network<'_>, mode: ForwardMode, report: &mut Report) {
    if mode == ForwardMode::Bridge && network.attr("bridge", "name").is_some() {
        return;
    }
    for giver in super::places::givers(network) {
        let limited = child(giver, "bandwidth")
            .filter(|limits| child(*limits, "inbound").or_else(|| child(*limits, "outbound")).is_some());
        if let Some(limits) = limited {
            let what = format!("a network of mode {} without a bridge has no bandwidth", mode.as_str());
            report.at(tag(network.doc, limits), what).help("limit it in each guest's <interface>");
        }
    }
}
