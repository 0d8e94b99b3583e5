//! What a move means for the guest, in words.

use super::request::{Facts, Target};
use super::{Conversion, Move};
use crate::model::{ForwardMode, Network};

/// What the moves of `conversion` mean, a sentence each.
pub fn meaning(conversion: &Conversion, target: &Target, facts: &Facts<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for Move { nic, .. } in &conversion.moves {
        let source = &nic.source;
        let network = (source.kind == "network").then(|| facts.networks.get(&source.name)).flatten();
        let stays = |n: &&Network| matches!(target, Target::Bridge(bridge) if owns(n, bridge.as_str()));
        if let Some(network) = network.filter(|n| n.mode.is_virtual() && !stays(n)) {
            let mode = network.mode.as_str();
            out.push(format!(
                "{nic} leaves network '{}' ({mode}): its DHCP, its names{} no longer reach the guest",
                network.name,
                if network.mode == ForwardMode::Nat { ", its address translation" } else { "" },
            ));
        }
        if let (Some(network), Target::Direct { dev, .. }) = (network.filter(|n| n.is_macvtap()), target) {
            out.push(format!(
                "{nic} leaves network '{}', which picks one of its devices at every start: from now on it is always '{dev}'",
                network.name
            ));
        }
    }
    out.dedup();
    if !conversion.moves.is_empty() {
        out.push(arrival(target, facts));
    }
    out
}

fn arrival(target: &Target, facts: &Facts<'_>) -> String {
    match target {
        Target::Bridge(bridge) => {
            let virtual_network = facts.networks.iter().find(|n| owns(n, bridge.as_str()));
            match virtual_network {
                Some(network) => format!(
                    "it joins the virtual bridge of network '{}', behind libvirt's back",
                    network.name
                ),
                None => format!(
                    "it becomes a host of the LAN behind bridge '{bridge}': its address comes from that LAN (DHCP there, or \
                     set in the guest), and every host there can reach it"
                ),
            }
        }
        Target::Direct { dev, mode } => format!(
            "it becomes a host of the LAN behind device '{dev}' (macvtap, mode {}): its address comes from that LAN, and \
             every other host there can reach it",
            mode.as_str()
        ),
        Target::Network { name, .. } => match facts.networks.get(name).map(|n| n.mode) {
            Some(ForwardMode::Isolated) => {
                format!("on network '{name}' (isolated) it reaches the other guests there, no LAN")
            }
            Some(ForwardMode::Nat) => {
                format!(
                    "on network '{name}' (nat) it reaches out through the host's address; nobody outside reaches it"
                )
            }
            Some(mode @ (ForwardMode::Route | ForwardMode::Open)) => {
                format!(
                    "on network '{name}' ({}) the host routes for it; the LAN needs a route back",
                    mode.as_str()
                )
            }
            Some(ForwardMode::Bridge) => {
                format!("through network '{name}' (bridge) it becomes a host of the LAN")
            }
            Some(mode) => {
                format!("through network '{name}' ({}) it becomes a host of the LAN", mode.as_str())
            }
            None => format!("it joins network '{name}', whatever that is where the guest runs"),
        },
    }
}

/// Is `bridge` the virtual bridge of `network`?
pub(super) fn owns(network: &Network, bridge: &str) -> bool {
    network.mode.is_virtual() && network.bridge.as_deref() == Some(bridge)
}
