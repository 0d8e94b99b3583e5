//! The guests on a bridge, as libvirt's own files tell it: who changes the host's network needs no libvirtd that runs.

use crate::convert::nics;
use crate::model::Network;
use crate::sys::tree::Tree;
use crate::xml::{self, Doc};

/// Where libvirt keeps the definitions of guests, and what it knows of those that run.
const DEFINED: &str = "/etc/libvirt/qemu";
const RUNNING: &str = "/run/libvirt/qemu";
const NETWORKS: &str = "/etc/libvirt/qemu/networks";

/// Guests, by what they are to a bridge.
#[derive(Debug, Default)]
pub(super) struct OnBridge {
    /// Those that are on it.
    pub(super) guests: Vec<String>,
    /// The libvirt networks of mode bridge that lead to it.
    pub(super) networks: Vec<String>,
}

/// Who uses the bridge: guests, running or not, whose NICs are on it, and on networks that lead to it.
pub(super) fn on(tree: &Tree, bridge: &str) -> OnBridge {
    let networks: Vec<String> = texts(tree, NETWORKS)
        .filter_map(|text| Network::read(&Doc::parse(&text).ok()?).ok())
        .filter(|network| !network.mode.is_virtual() && network.bridge.as_deref() == Some(bridge))
        .map(|network| network.name)
        .collect();
    let mut guests: Vec<String> = [DEFINED, RUNNING]
        .into_iter()
        .flat_map(|folder| texts(tree, folder).collect::<Vec<_>>())
        .filter_map(|text| user(&text, bridge, &networks))
        .collect();
    guests.sort();
    guests.dedup();
    OnBridge { guests, networks }
}

/// The libvirt network that has a bridge of its own of that name.
pub(super) fn network_of(tree: &Tree, bridge: &str) -> Option<String> {
    let mut networks = texts(tree, NETWORKS).filter_map(|text| Network::read(&Doc::parse(&text).ok()?).ok());
    let own = networks.find(|network| network.mode.is_virtual() && network.bridge.as_deref() == Some(bridge));
    own.map(|network| network.name)
}

fn texts<'t>(tree: &'t Tree, folder: &'static str) -> impl Iterator<Item = String> + 't {
    let names = tree.names(folder).unwrap_or_default();
    let names = names.into_iter().filter(|name| name.ends_with(".xml"));
    names.filter_map(move |name| tree.text(&format!("{folder}/{name}")).ok().flatten())
}

/// The name of the guest, if a NIC of its is on the bridge or on one of the networks.
fn user(text: &str, bridge: &str, networks: &[String]) -> Option<String> {
    let name_of = |text: &str| {
        let doc = Doc::parse(text).ok()?;
        let name = xml::child(doc.root(), "name")?.text()?.to_string();
        let uses = nics(&doc).iter().filter_map(|nic| doc.node(nic.node)).any(|interface| {
            let source = xml::child(interface, "source");
            let is = |key: &str, test: &dyn Fn(&str) -> bool| {
                source.and_then(|source| source.attribute(key)).is_some_and(test)
            };
            is("bridge", &|name| name == bridge) || is("network", &|name| networks.iter().any(|n| n == name))
        });
        Some((name, uses))
    };
    // What libvirt knows of a running guest stands around the guest's own XML.
    let inner = text.find("<domain ").filter(|_| text.contains("<domstatus")).and_then(|from| {
        let to = text.rfind("</domain>")? + "</domain>".len();
        text.get(from..to)
    });
    name_of(inner.unwrap_or(text)).filter(|(_, uses)| *uses).map(|(name, _)| name)
}

/// What moves this host's guests to the bridge, for the networks that it has.
pub(super) fn next_step(tree: &Tree, bridge: &str) -> Vec<String> {
    let networks = texts(tree, NETWORKS)
        .filter_map(|text| Network::read(&Doc::parse(&text).ok()?).ok())
        .filter(|network| network.mode.is_virtual())
        .map(|network| network.name);
    let all: Vec<String> = networks.collect();
    let names = if all.is_empty() { vec!["default".to_string()] } else { all };
    let quoted = |name: &String| crate::cmd::walk::quoted(name);
    names
        .iter()
        .map(|name| format!("kvmnet convert --on-network {} --to-bridge {bridge}", quoted(name)))
        .collect()
}
