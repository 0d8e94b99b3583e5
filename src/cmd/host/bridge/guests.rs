//! The guests on a bridge, as libvirt's own files tell it: who changes the host's network needs no libvirtd that runs.

use roxmltree::Node;

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
        .filter_map(|text| {
            user(&text, &|source| {
                source.attribute("bridge") == Some(bridge) || is_on_network(source, &networks)
            })
        })
        .collect();
    guests.sort();
    guests.dedup();
    OnBridge { guests, networks }
}

/// Guests and networks, by what they are to a NIC.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OnNic {
    /// Guests with a macvtap on it, by themselves or by a network that shares it out.
    pub(super) guests: Vec<String>,
    /// The virtual networks that let traffic out through it only.
    pub(super) networks: Vec<String>,
}

/// Who uses a NIC without a bridge.
pub(super) fn on_nic(tree: &Tree, nic: &str) -> OnNic {
    let networks: Vec<Network> =
        texts(tree, NETWORKS).filter_map(|text| Network::read(&Doc::parse(&text).ok()?).ok()).collect();
    let shares = |network: &&Network| {
        let is_it = |device: &String| device == nic;
        network.pool.iter().any(is_it) || (network.has_pool && network.forward_dev.as_deref() == Some(nic))
    };
    let pools: Vec<String> = networks.iter().filter(shares).map(|network| network.name.clone()).collect();
    let leaves =
        |network: &&Network| network.mode.is_virtual() && network.forward_dev.as_deref() == Some(nic);
    let mut guests: Vec<String> = [DEFINED, RUNNING]
        .into_iter()
        .flat_map(|folder| texts(tree, folder).collect::<Vec<_>>())
        .filter_map(|text| {
            user(&text, &|source| source.attribute("dev") == Some(nic) || is_on_network(source, &pools))
        })
        .collect();
    guests.sort();
    guests.dedup();
    OnNic { guests, networks: networks.iter().filter(leaves).map(|network| network.name.clone()).collect() }
}

fn is_on_network(source: Node<'_, '_>, networks: &[String]) -> bool {
    source.attribute("network").is_some_and(|name| networks.iter().any(|network| network == name))
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

/// The name of the guest, if the `<source>` of one of its NICs is such a one.
fn user(text: &str, is: &dyn Fn(Node<'_, '_>) -> bool) -> Option<String> {
    let name_of = |text: &str| {
        let doc = Doc::parse(text).ok()?;
        let name = xml::child(doc.root(), "name")?.text()?.to_string();
        let mut interfaces = nics(&doc).into_iter().filter_map(|nic| doc.node(nic.node));
        let uses = interfaces.any(|interface| xml::child(interface, "source").is_some_and(is));
        Some((name, uses))
    };
    // What libvirt knows of a running guest stands around the guest's own XML.
    let inner = text.find("<domain ").filter(|_| text.contains("<domstatus")).and_then(|from| {
        let to = text.rfind("</domain>")? + "</domain>".len();
        text.get(from..to)
    });
    name_of(inner.unwrap_or(text)).filter(|(_, uses)| *uses).map(|(name, _)| name)
}

/// What guests and networks lose when a NIC becomes a port, and how they get it again.
pub(super) fn losses(tree: &Tree, nic: &str, bridge: &str) -> Vec<String> {
    let OnNic { guests, networks } = on_nic(tree, nic);
    let quoted = |name: &String| crate::cmd::walk::quoted(name);
    let mut out = Vec::new();
    if let Some(first) = guests.first() {
        out.push(format!(
            "with a NIC on {nic} itself (macvtap), which a port can't have, these don't start any more: {}; 'kvmnet convert {} \
             --nic POSITION --to-bridge {bridge}' moves one",
            guests.join(", "),
            quoted(first)
        ));
    }
    for network in &networks {
        out.push(format!(
            "network {network} lets traffic out by {nic} only, where none will go: 'kvmnet net set-mode {} --mode MODE --dev \
             {bridge}' mends it",
            quoted(network)
        ));
    }
    out
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
