//! A VLAN that a network can't give.

use roxmltree::Node;

use super::places::{Pool, givers, is_default, pool};
use super::vlan;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::model::ForwardMode as M;
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN138",
    name: "network-vlan-refused",
    severity: Severity::Error,
    summary: "a network or portgroup has a VLAN that its guests can't be put into, or one that is none",
    why: "\
A network puts its guests into a VLAN where they are plugged into a bridge of the host's (from libvirt 11.0 on also \
one that isn't Open vSwitch's, if it filters VLANs), or get a device of their own, in mode passthrough and hostdev. \
All other networks libvirt refuses with a <vlan>; or, where they share a NIC in mode bridge, starts no guest on them. \
In mode passthrough and hostdev it can be one VLAN only.",
    fixable: false,
    bad: &[
        example!("KN138-network-vlan-refused", "bad/nat.xml"),
        example!("KN138-network-vlan-refused", "bad/group.xml"),
        example!("KN138-network-vlan-refused", "bad/vepa.xml"),
        example!("KN138-network-vlan-refused", "bad/number.xml"),
        example!("KN138-network-vlan-refused", "bad/none.xml"),
        example!("KN138-network-vlan-refused", "bad/pool.xml"),
    ],
    good: &[
        example!("KN138-network-vlan-refused", "good/bridge.xml"),
        example!("KN138-network-vlan-refused", "good/switch.xml"),
        example!("KN138-network-vlan-refused", "good/passthrough.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let vlans = || givers(network).filter_map(|giver| child(giver, "vlan"));
    // Each says what is missing in it.
    let is_whole = vlans().filter(|vlan| !vlan::is_whole(network.doc, *vlan, report)).count() == 0;
    let Some(mode) = network.mode.filter(|_| is_whole) else { return };
    let (own, port) = (network.child("vlan"), kind(network.root));
    let is_allowed = match mode {
        M::Passthrough | M::Hostdev => true,
        M::Bridge => port.is_none_or(|port| port == Some("openvswitch")),
        _ => false,
    };
    let mut refuse = |node: Node<'_, '_>, what: String| {
        report
            .at(tag(network.doc, node), what)
            .help("remove it, or put the guests on a bridge of the host's that has VLANs");
    };
    let no_vlans = || match mode {
        M::Isolated => "an isolated network has no VLANs".to_string(),
        M::Bridge => {
            "only ports of type openvswitch have VLANs, and those without a <virtualport>".to_string()
        }
        _ => format!("a network of mode {} has no VLANs", mode.as_str()),
    };
    // In this order libvirt asks, too (`networkValidate`).
    let groups = || children(network.root, "portgroup");
    for group in groups() {
        let (vlan, group_port) = (child(group, "vlan"), child(group, "virtualport"));
        match (vlan, group_port) {
            (None, _) if own.is_none() => {}
            (vlan, Some(node)) if mode != M::Bridge || node.attribute("type") != Some("openvswitch") => {
                let what =
                    "a portgroup with a <virtualport> has VLANs only in mode bridge, with type='openvswitch'";
                refuse(vlan.unwrap_or(node), what.to_string());
            }
            (Some(vlan), None) if !is_allowed => refuse(vlan, no_vlans()),
            _ => {}
        }
    }
    let is_used = groups().all(|group| !is_default(group))
        || groups().any(|group| child(group, "virtualport").is_none());
    if let Some(own) = own.filter(|_| !is_allowed && is_used) {
        refuse(own, no_vlans());
    }
    for vlan in vlans().filter(|_| is_allowed) {
        if mode == M::Bridge && pool(network) != Pool::None {
            refuse(vlan, "a NIC that is shared in mode bridge has no VLANs: no guest there starts".into());
        } else if mode != M::Bridge && is_trunk(vlan) {
            refuse(vlan, "a device of the host can be in one VLAN only: no guest there starts".into());
        }
    }
}

/// The type of an element's `<virtualport>`, if it has one.
fn kind<'d>(node: Node<'d, 'd>) -> Option<Option<&'d str>> {
    child(node, "virtualport").map(|port| port.attribute("type"))
}

/// Several VLANs?
fn is_trunk(vlan: Node<'_, '_>) -> bool {
    vlan.attribute("trunk").is_some_and(|word| word.eq_ignore_ascii_case("yes"))
        || children(vlan, "tag").nth(1).is_some()
}
