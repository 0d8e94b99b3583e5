//! `kvmnet net list`

use anyhow::Result;
use serde_json::json;
use std::collections::BTreeMap;

use super::cut_off::Fault;
use super::guests::{Look, find_owners, on_networks};
use super::{cut_off, network, own_libvirt};
use crate::cmd::walk::{print, print_json};
use crate::cmd::{Context, connect};
use crate::model::Network;
use crate::report::columns;
use crate::sys::dnsmasq;
use crate::sys::hypervisor::Reach;
use crate::sys::networks::NetworkState;

/// Lists the networks.
pub(super) fn run(context: &mut Context) -> Result<u8> {
    let host = connect::to_look(context)?;
    let host = host.as_ref();
    let (states, guests) = rayon::join(|| host.networks(), || on_networks(host, Look::Now));
    let (states, mut guests) = (states?, guests?);
    find_owners(host, &states, &mut guests);
    let mut on: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for wired in &guests {
        for name in wired.networks() {
            on.entry(name).or_default().push(&wired.guest.name);
        }
    }
    let is_local = Reach::of_uri(host.uri()) != Reach::Remote;
    let served = states.iter().find(|state| state.is_active && is_local).and_then(|_| dnsmasq::served());
    let rows: Vec<Row<'_>> = states
        .iter()
        .map(|state| {
            let network = network(&state.xml).ok();
            Row {
                state,
                guests: on.get(state.name.as_str()).cloned().unwrap_or_default(),
                cut_off: cut_off::of_listing(host, state, network.as_ref(), &guests),
                is_unserved: network
                    .as_ref()
                    .is_some_and(|network| cut_off::is_unserved(network, state.is_active, served.as_ref())),
                harmful: is_local.then(|| cut_off::harmful(host, state)).flatten(),
                network,
            }
        })
        .collect();
    if context.is_json() {
        print_json(&json!({ "networks": rows.iter().map(Row::json).collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    let header = ["NAME", "MODE", "STATE", "AUTOSTART", "BRIDGE", "SUBNETS", "GUESTS"].map(String::from);
    let table: Vec<Vec<String>> =
        std::iter::once(header.to_vec()).chain(rows.iter().map(Row::cells)).collect();
    print(&columns(&table), "the networks")?;
    for row in rows.iter().filter(|row| !row.cut_off.is_empty()) {
        context.screen.say(&cut_off::hint(row.state, &row.cut_off));
    }
    for name in rows.iter().filter(|row| row.is_unserved).map(|row| &row.state.name) {
        let what = "doesn't run: nobody gives out addresses or answers to names";
        context
            .screen
            .say(&format!("kvmnet: the dnsmasq of network '{name}' {what}: kvmnet net restart {name}"));
    }
    for (fault, state) in rows.iter().filter_map(|row| Some((row.harmful.as_ref()?, row.state))) {
        context.screen.say(&fault.of_network(&state.name));
    }
    if rows.is_empty() {
        context.screen.say(&match own_libvirt(host) {
            Some(what) => format!("kvmnet: there is no network; {what}"),
            None => "kvmnet: there is no network; 'kvmnet net create --mode nat' makes one".into(),
        });
    }
    Ok(0)
}

struct Row<'a> {
    state: &'a NetworkState,
    network: Option<Network>,
    guests: Vec<&'a str>,
    /// The running ones that aren't plugged in.
    cut_off: Vec<&'a str>,
    /// Should a dnsmasq run for it, and doesn't?
    is_unserved: bool,
    /// Is it to start with libvirt, and would do harm?
    harmful: Option<Fault>,
}

impl Row<'_> {
    fn mode(&self) -> Option<&'static str> {
        self.network.as_ref().map(|n| n.mode.as_str())
    }

    fn bridge(&self) -> Option<&str> {
        self.network.as_ref()?.bridge.as_deref()
    }

    fn subnets(&self) -> Vec<String> {
        let addresses = self.network.iter().flat_map(|n| &n.addresses);
        addresses.map(|a| a.ip.trunc().to_string()).collect()
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.state.name,
            "uuid": self.state.uuid,
            "mode": self.mode(),
            "state": if self.state.is_active { "active" } else { "inactive" },
            "persistent": self.state.is_persistent,
            "autostart": self.state.autostarts,
            "bridge": self.bridge(),
            "subnets": self.subnets(),
            "guests": self.guests,
            "cut_off": self.cut_off,
            "unserved": self.is_unserved,
            "harmful": self.harmful.as_ref().map(Fault::what),
        })
    }

    fn cells(&self) -> Vec<String> {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_string();
        let subnets = self.subnets();
        vec![
            self.state.name.clone(),
            or_dash(self.mode()),
            if self.state.is_active { "active" } else { "inactive" }.into(),
            if self.state.autostarts { "yes" } else { "no" }.into(),
            or_dash(self.bridge()),
            if subnets.is_empty() { "-".into() } else { subnets.join(", ") },
            self.guests.len().to_string(),
        ]
    }
}
