//! What a NIC silently had from its network or portgroup (reference §1.4), and what becomes of it.

use roxmltree::Node;

use super::request::{Facts, Landing, Target};
use super::rewrite::Editor;
use super::rules::{Column, Fate, Place, RULES};
use crate::model::{Code, MacAddr, Network, Setting, Warning};
use crate::xml::{Doc, child};

/// What to write into the NIC.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Elements, in libvirt's order.
    pub(super) elements: Vec<String>,
    /// `trustGuestRxFilters`.
    pub(super) trust: Option<String>,
}

/// Works out what the NIC loses with its network; warns of what can't be kept.
pub(super) fn inherit(
    editor: &mut Editor<'_, '_>,
    column: Column,
    place: &Place<'_>,
    facts: &Facts<'_>,
) -> Added {
    let mut added = Added::default();
    let source = &editor.nic.source;
    if source.kind != "network" {
        return added;
    }
    let Some(network) = facts.networks.get(&source.name) else {
        let name = &source.name;
        let what = if facts.online || facts.networks.is_complete {
            format!("libvirt has no network '{name}', so nothing that it gave the guest can be carried over")
        } else {
            format!(
                "what network '{name}' gives its guests (VLAN, bandwidth, isolation) isn't known here and isn't carried \
                 over; name its definition with --network-xml"
            )
        };
        editor.warn(Warning::note(Code::NetworkUnknown, what));
        return added;
    };
    let portgroup = source.detail.as_deref();
    if let Some(name) = portgroup.filter(|_| network.portgroup(portgroup).is_none()) {
        let what = format!("network '{}' has no portgroup '{name}'; libvirt ignored it", network.name);
        editor.warn(Warning::note(Code::PortgroupUnknown, what));
    }
    // The network that the NIC goes to: its own settings come before those of the old one.
    let target = match editor.target {
        Target::Network { name, portgroup } => facts.networks.get(name).map(|n| (n, portgroup.as_deref())),
        _ => None,
    };
    for (setting, part) in [
        (Setting::Vlan, "vlan"),
        (Setting::Virtualport, "virtualport"),
        (Setting::Bandwidth, "bandwidth"),
        (Setting::Port, "port"),
    ] {
        let Some(text) = network.inherited(portgroup, setting) else { continue };
        let given_there = target.is_some_and(|(n, group)| n.inherited(group, setting).is_some());
        if child(editor.interface, part).is_some() || given_there {
            continue;
        }
        let Ok(doc) = Doc::parse(text) else { continue };
        element(editor, column, place, (part, doc.root()), &network.name, &mut added);
    }
    if let Some(trust) = network.inherited(portgroup, Setting::TrustRxFilters)
        && !editor.interface.has_attribute("trustGuestRxFilters")
    {
        added.trust = Some(trust.to_string());
    }
    left_behind(editor, network, place.landing);
    added
}

fn element(
    editor: &mut Editor<'_, '_>,
    column: Column,
    place: &Place<'_>,
    (part, node): (&str, Node<'_, '_>),
    network: &str,
    added: &mut Added,
) {
    let fate = RULES.iter().find(|r| r.part == part).map_or(Fate::Keep, |r| r.fate(column, place, node));
    let from = format!("(from network '{network}')");
    match fate {
        Fate::Drop | Fate::When(_) => {}
        Fate::Lose(code, why) | Fate::Refuse(code, why) => {
            editor.warn(Warning::note(code, format!("{why} {from}")));
        }
        Fate::Keep => added.elements.push(editor.style.render(node)),
        Fate::Warn(code, why) => {
            editor.warn(Warning::note(code, format!("{why} {from}")));
            added.elements.push(editor.style.render(node));
        }
    }
}

/// What no XML can carry over.
fn left_behind(editor: &mut Editor<'_, '_>, network: &Network, landing: &Landing) {
    let mac = editor.nic.mac.as_deref().and_then(|m| m.parse::<MacAddr>().ok());
    let reserved = (network.reservations.iter())
        .find(|(host, _)| mac.is_some() && host.parse::<MacAddr>().ok() == mac)
        .map(|(_, ip)| ip.clone());
    if let Some(ip) = reserved {
        let what = format!(
            "network '{}' reserves {ip} for it; the guest won't have that address any more",
            network.name
        );
        editor.warn(Warning::note(Code::ReservationLost, what));
    }
    if network.manages_macs {
        let what = format!(
            "network '{}' lets libvirt keep the bridge's MAC table; the new place doesn't",
            network.name
        );
        editor.warn(Warning::note(Code::MacTableLost, what));
    }
    if let (Some(old), Landing::LinuxBridge { mtu: Some(new), .. }) = (network.mtu, landing)
        && old != *new
    {
        let what = format!("network '{}' has an MTU of {old}, the bridge one of {new}", network.name);
        editor.warn(Warning::note(Code::MtuDiffers, what));
    }
}
