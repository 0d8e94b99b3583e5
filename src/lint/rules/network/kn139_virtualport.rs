//! A port profile that a network can't give.

use super::places::{Pool, givers, pool};
use super::virtualport;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::ForwardMode;
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN139",
    name: "network-virtualport",
    severity: Severity::Error,
    summary: "a network or portgroup has a <virtualport> that its guests can't have, or one that doesn't fit",
    why: "\
A <virtualport> says how a guest is plugged into a switch that knows more than a Linux bridge does. That of a network \
must say its type. Networks on a bridge of the host's have type openvswitch; those that share out NICs, 802.1Qbg and \
802.1Qbh; those whose bridge libvirt makes have none at all. libvirt defines and starts networks with another one, and \
then starts no guest on them. Those of a network and of its portgroups are merged, and so they are of one type.",
    fixable: false,
    bad: &[
        example!("KN139-network-virtualport", "bad/no-type.xml"),
        example!("KN139-network-virtualport", "bad/unknown.xml"),
        example!("KN139-network-virtualport", "bad/extra.xml"),
        example!("KN139-network-virtualport", "bad/nat.xml"),
        example!("KN139-network-virtualport", "bad/bridge.xml"),
        example!("KN139-network-virtualport", "bad/pool.xml"),
    ],
    good: &[
        example!("KN139-network-virtualport", "good/switch.xml"),
        example!("KN139-network-virtualport", "good/pool.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let doc = network.doc;
    let own = network.child("virtualport").and_then(|port| port.attribute("type"));
    for giver in givers(network) {
        let Some(port) = child(giver, "virtualport") else { continue };
        let is_own = giver == network.root;
        let Some(word) = port.attribute("type") else {
            if is_own {
                report
                    .at(tag(doc, port), "a network's <virtualport> must say its type")
                    .help("write type='openvswitch', if the bridge is one of Open vSwitch");
            } else {
                virtualport::values(doc, port, report);
            }
            continue;
        };
        let Some(kind) = virtualport::kind(doc, port, word, report) else { continue };
        virtualport::extras(doc, port, kind, report);
        virtualport::values(doc, port, report);
        // Where there is nothing to be plugged into, that is what is said.
        let has_any = pool(network) != Pool::None || network.attr("bridge", "name").is_some();
        let Some(mode) = network.mode.filter(|mode| mode.is_virtual() || has_any) else { continue };
        let is_bridge = mode == ForwardMode::Bridge && network.attr("bridge", "name").is_some();
        let is_macvtap = kind.name.starts_with("802.1");
        let what = if mode.is_virtual() {
            "the bridge of this network is libvirt's own, and has no such ports: no guest on it starts"
                .to_string()
        } else if is_bridge && kind.name != "openvswitch" {
            format!("a bridge has no ports of type {}: no guest on it starts", kind.name)
        } else if !is_bridge && !is_macvtap {
            format!("a NIC that is shared out has no ports of type {}: no guest on it starts", kind.name)
        } else if own.is_some_and(|own| own != kind.name) {
            format!(
                "the network's own <virtualport> is of type {}: no guest in this portgroup starts",
                own.unwrap_or_default().escape_debug()
            )
        } else {
            continue;
        };
        report
            .at(value(doc, port, "type"), what)
            .help("remove the <virtualport>, or change the network's mode");
    }
}
