//! Which guests are on which network.

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use crate::convert::nics;
use crate::sys::hypervisor::{Guest, Hypervisor};
use crate::xml::Doc;

/// A guest that refers to a network.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    /// The guest.
    pub(super) guest: Guest,
    /// Is a NIC of the running guest on it?
    pub(super) runs_on_it: bool,
    /// The taps of those NICs.
    pub(super) taps: Vec<String>,
}

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// At what runs, and at the definitions of guests that don't run.
    Now,
    /// At what runs, and at all definitions.
    Both,
}

/// A guest and the networks that its NICs are on.
#[derive(Debug)]
pub(super) struct Wired {
    pub(super) guest: Guest,
    /// Those of the running guest.
    pub(super) running: Vec<String>,
    /// Those of its definition.
    pub(super) defined: Vec<String>,
    /// The taps of the running guest, each with the network that it is on.
    pub(super) taps: Vec<(String, String)>,
}

/// All guests, by name.
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
            let (running, taps) = running.map_or_else(Default::default, |xml| networks_in(&xml));
            let (defined, _) = defined.map_or_else(Default::default, |xml| networks_in(&xml));
            Ok(Wired { guest, running, defined, taps })
        })
        .collect()
}

/// The guests on one network, running there or defined to.
pub(super) fn on(host: &dyn Hypervisor, network: &str) -> Result<Vec<Attached>> {
    let all = on_networks(host, Look::Both)?;
    let has = |names: &[String]| names.iter().any(|name| name == network);
    let attached = all.into_iter().filter(|wired| has(&wired.running) || has(&wired.defined));
    let on_it = |wired: Wired| Attached {
        runs_on_it: has(&wired.running),
        guest: wired.guest,
        taps: wired.taps.into_iter().filter(|(name, _)| name == network).map(|(_, tap)| tap).collect(),
    };
    Ok(attached.map(on_it).collect())
}

/// The networks that a domain's NICs name, and those NICs' taps; a running NIC on a network of mode bridge is of type bridge,
/// and names it too.
fn networks_in(xml: &str) -> (Vec<String>, Vec<(String, String)>) {
    let Ok(doc) = Doc::parse(xml) else { return Default::default() };
    let (mut names, mut taps) = (Vec::new(), Vec::new());
    for nic in nics(&doc) {
        let source = doc.node(nic.node).and_then(|interface| crate::xml::child(interface, "source"));
        let Some(name) = source.and_then(|source| source.attribute("network")) else { continue };
        names.push(name.to_string());
        // macvtap devices are nobody's ports.
        let is_direct = nic.source.kind == "direct";
        taps.extend(nic.target.filter(|_| !is_direct).map(|tap| (name.to_string(), tap)));
    }
    names.sort();
    names.dedup();
    (names, taps)
}

/// `guest 'a'`, or `guests 'a', 'b'`.
pub(super) fn named<'a>(guests: impl IntoIterator<Item = &'a Attached>) -> String {
    let names: Vec<String> = guests.into_iter().map(|a| format!("'{}'", a.guest.name)).collect();
    format!("guest{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
}

/// `guest 'a' refers to it`
pub(super) fn referring(guests: &[Attached]) -> String {
    format!("{} refer{} to it", named(guests), if guests.len() == 1 { "s" } else { "" })
}
