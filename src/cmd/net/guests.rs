//! Which guests are on which network.
//!
//! Most NICs name the network. One that names the bridge which libvirt makes for it (`<source bridge='virbr0'/>`) is on
//! it as well, as far as its life is concerned: without the network there is no such bridge.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use super::network;
use crate::cmd::walk::quoted;
use crate::convert::nics;
use crate::model::{MacAddr, Nic};
use crate::plan::taps::own_bridge;
use crate::sys::hypervisor::{Guest, Hypervisor, Reach};
use crate::sys::kernel::Kernel;
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, child};

/// A guest that refers to a network.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    /// The guest.
    pub(super) guest: Guest,
    /// The running guest's NICs that are on it.
    pub(super) running: Vec<Plug>,
    /// Those of its definition.
    pub(super) defined: Vec<Plug>,
    /// The running guest's NICs that aren't, though its definition says so.
    pub(super) elsewhere: Vec<Plug>,
}

impl Attached {
    /// Is a NIC of the running guest on it?
    pub(super) fn runs_on_it(&self) -> bool {
        !self.running.is_empty()
    }

    /// The taps of those NICs.
    pub(super) fn taps(&self) -> impl Iterator<Item = &String> {
        self.running.iter().filter_map(|plug| plug.tap.as_ref())
    }

    /// The bridges that its NICs name instead of the network, which makes them.
    pub(super) fn bridges(&self) -> BTreeSet<&str> {
        self.running.iter().chain(&self.defined).filter_map(|plug| plug.bridge.as_deref()).collect()
    }
}

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// At what runs, and at the definitions of guests that don't run.
    Now,
    /// At what runs, and at all definitions.
    Both,
}

/// A guest and its NICs.
#[derive(Debug)]
pub(super) struct Wired {
    pub(super) guest: Guest,
    /// Those of the running guest.
    pub(super) running: Vec<Plug>,
    /// Those of its definition.
    pub(super) defined: Vec<Plug>,
}

impl Wired {
    /// The networks that it is on, running or else by its definition, each once.
    pub(super) fn networks(&self) -> BTreeSet<&str> {
        self.running.iter().chain(&self.defined).filter_map(|plug| plug.network.as_deref()).collect()
    }

    /// Is a NIC of the running guest on that network?
    pub(super) fn runs_on(&self, network: &str) -> bool {
        self.running.iter().any(|plug| plug.is_on(network))
    }

    /// The taps of the running guest on a network.
    pub(super) fn taps<'a>(&'a self, network: &'a str) -> impl Iterator<Item = &'a String> {
        self.running.iter().filter(move |plug| plug.is_on(network)).filter_map(|plug| plug.tap.as_ref())
    }
}

/// What a NIC is plugged into.
#[derive(Debug, Clone)]
pub(super) struct Plug {
    /// The NIC's MAC address.
    pub(super) mac: Option<MacAddr>,
    /// Is it one that libvirt can move to another bridge while the guest runs?
    pub(super) moves: bool,
    /// The network that it names, or that makes the bridge which it names.
    network: Option<String>,
    /// The bridge that it names, if it names no network.
    pub(super) bridge: Option<String>,
    /// The running guest's tap.
    tap: Option<String>,
}

impl Plug {
    /// Is it on that network?
    pub(super) fn is_on(&self, network: &str) -> bool {
        self.network.as_deref() == Some(network)
    }
}

/// All guests, by name. Of NICs that name a bridge it isn't said yet whose that is: [`find_owners`].
pub(super) fn on_networks(host: &dyn Hypervisor, look: Look) -> Result<Vec<Wired>> {
    let guests = host.guests()?;
    guests
        .into_par_iter()
        .map(|guest| {
            let what = || format!("guest '{}'", guest.name);
            let (mut running, mut defined) = (None, None);
            if guest.is_active {
                // It may end while it is looked at.
                running = host.running(&guest.uuid).ok();
            }
            if !guest.is_active || look == Look::Both {
                defined = host.definition(&guest.uuid).with_context(what)?;
            }
            let plugs = |xml: Option<String>| xml.map_or_else(Vec::new, |xml| plugs_in(&xml));
            Ok(Wired { running: plugs(running), defined: plugs(defined), guest })
        })
        .collect()
}

/// Finds the networks that make the bridges which NICs name.
pub(super) fn find_owners(host: &dyn Hypervisor, states: &[NetworkState], guests: &mut [Wired]) {
    let plugs = guests.iter_mut().flat_map(|wired| wired.running.iter_mut().chain(&mut wired.defined));
    let mut by_bridge = plugs.filter(|plug| plug.bridge.is_some()).peekable();
    if by_bridge.peek().is_none() {
        return;
    }
    let kernel = visible(host);
    let own = |state: &NetworkState| {
        Some((own_bridge(&network(&state.xml).ok()?, state.is_active, kernel.as_ref())?, state.name.clone()))
    };
    let owners: Vec<(String, String)> = states.iter().filter_map(own).collect();
    for plug in by_bridge {
        let owner = owners.iter().find(|(bridge, _)| plug.bridge.as_ref() == Some(bridge));
        plug.network = owner.map(|(_, name)| name.clone());
    }
}

/// The host's devices, where they can be seen.
fn visible(host: &dyn Hypervisor) -> Option<Kernel> {
    (Reach::of_uri(host.uri()) != Reach::Remote).then(Kernel::default)
}

/// The guests on one network, running there or defined to.
pub(super) fn on(host: &dyn Hypervisor, name: &str) -> Result<Vec<Attached>> {
    let mut all = on_networks(host, Look::Both)?;
    let mut states: Vec<NetworkState> = host.network(name)?.into_iter().collect();
    // What runs may have another bridge than its definition; a guest may name either.
    let definition = states.first().filter(|state| state.is_active && state.is_persistent);
    if let (Some(state), Some(xml)) = (definition, host.network_definition(name)?) {
        states.push(NetworkState { xml, is_active: false, ..state.clone() });
    }
    find_owners(host, &states, &mut all);
    let on_it = |Wired { guest, running, mut defined }: Wired| {
        defined.retain(|plug| plug.is_on(name));
        let (running, mut elsewhere): (Vec<_>, Vec<_>) =
            running.into_iter().partition(|plug| plug.is_on(name));
        elsewhere.retain(|plug| plug.mac.is_some() && defined.iter().any(|on_it| on_it.mac == plug.mac));
        Attached { guest, running, defined, elsewhere }
    };
    let all = all.into_iter().map(on_it);
    Ok(all.filter(|attached| !(attached.running.is_empty() && attached.defined.is_empty())).collect())
}

/// The NICs of a domain; a running one on a network of mode bridge is of type bridge, and names the network too.
fn plugs_in(xml: &str) -> Vec<Plug> {
    let Ok(doc) = Doc::parse(xml) else { return Vec::new() };
    let plug = |nic: Nic| {
        let source = doc.node(nic.node).and_then(|node| child(node, "source"));
        let said = |attribute: &str| source?.attribute(attribute).map(String::from);
        let network = said("network");
        let bridge = said("bridge").filter(|_| network.is_none() && nic.source.kind == "bridge");
        // macvtap devices are nobody's ports.
        let tap = nic.target.filter(|_| nic.source.kind != "direct");
        let moves = matches!(nic.source.kind.as_str(), "network" | "bridge");
        Plug { mac: nic.mac.and_then(|mac| mac.parse().ok()), moves, network, bridge, tap }
    };
    nics(&doc).into_iter().map(plug).collect()
}

/// `guest 'a'`, or `guests 'a', 'b'`.
pub(super) fn named<'a>(guests: impl IntoIterator<Item = &'a Attached>) -> String {
    let names: Vec<String> = guests.into_iter().map(|a| format!("'{}'", a.guest.name)).collect();
    format!("guest{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
}

/// `guest 'a' refers to it`, and which by another name than its own.
pub(super) fn referring(guests: &[Attached]) -> String {
    let by_bridge: Vec<String> = guests
        .iter()
        .flat_map(|a| a.bridges().into_iter().map(|bridge| format!("'{}' as bridge {bridge}", a.guest.name)))
        .collect();
    let by_bridge = if by_bridge.is_empty() { String::new() } else { format!(" ({})", by_bridge.join(", ")) };
    format!("{} refer{} to it{by_bridge}", named(guests), if guests.len() == 1 { "s" } else { "" })
}

/// The start of a command that moves these guests, which are all on one network.
pub(super) fn converting<'a>(
    network: &str,
    guests: impl IntoIterator<Item = &'a Attached> + Clone,
) -> String {
    // A NIC that names a bridge isn't on a network to convert, which looks at what the NIC says.
    if guests.clone().into_iter().all(|attached| attached.bridges().is_empty()) {
        return format!("kvmnet convert --on-network {}", quoted(network));
    }
    let names: Vec<String> = guests.into_iter().map(|attached| quoted(&attached.guest.name)).collect();
    format!("kvmnet convert {}", names.join(" "))
}
