//! Another mode for a definition that is there, by splices: only what must change does.

mod editor;
mod lost;
mod rules;
mod services;
mod subnets;

use roxmltree::Node;

use super::around::Surroundings;
use super::ask::{Ask, Mode};
use super::element::Element;
use super::fault::Fault;
use super::modes::{self, Kind};
use super::resolve::devices;
use super::satisfy::satisfies;
use super::{limits, names, parts};
use crate::model::{DeviceName, Network};
use crate::xml::{Doc, Edits, child, children};

pub use lost::lost;

use editor::Editor;
use rules::Place;

/// Works out how the network in `doc` has to change to be as asked. No splices if it is so already.
///
/// What the mode may not have goes; what is missing comes: a bridge's name, a free subnet with DHCP. What nothing was
/// said about and may stay, stays, to the byte. `around` may hold the network itself; it isn't in its own way. How what
/// was left open was chosen is added to `why`.
///
/// # Errors
/// It isn't a network's definition, or what is asked can't be had: see [`Fault`].
pub fn set_mode(
    doc: &Doc<'_>,
    ask: &Ask,
    around: &Surroundings,
    why: &mut Vec<String>,
) -> Result<Edits, Fault> {
    let old = Network::read(doc).map_err(|e| unreadable(&e.to_string()))?;
    let kind = modes::check(ask)?;
    if let Some(name) = ask.name.as_ref().filter(|name| **name != old.name) {
        let what = format!("'{name}': the network is called '{}', and libvirt can't rename it", old.name);
        return Err(Fault::new("NAME", what, "create a new one"));
    }
    if satisfies(&old, ask) {
        return Ok(Edits::default());
    }
    let others = around.without(&old);
    let bridge = bridge(&old, ask, kind, &others, why)?;
    // What it has itself isn't where it can forward to.
    let mut all = others.clone();
    all.networks.push(old.clone());
    devices(ask, &all)?;
    limits::check(ask, kind, bridge.as_ref(), &others)?;
    let wanted = subnets::wanted(&old, ask, kind, &others, why)?;
    for subnet in &wanted {
        limits::in_subnet(ask, ask.mtu.or(old.mtu), subnet.ip)?;
    }
    let Some(mut editor) = Editor::new(doc) else { return Err(unreadable("no start tag")) };
    let place = Place {
        to: kind,
        was_virtual: old.mode.is_virtual(),
        names_dev: !ask.devs.is_empty(),
        is_open_vswitch: bridge.as_ref().and_then(|b| around.device(b.as_str())).map(|d| d.is_open_vswitch),
    };
    rules::apply(&mut editor, &place);
    let has_v6 = wanted.iter().any(|s| s.ip.addr().is_ipv6());
    forward(&mut editor, &old, ask, kind, has_v6);
    name_bridge(&mut editor, &old, kind, bridge.as_ref());
    if place.is_open_vswitch == Some(true) && kind == Kind::Bridge && !has_profile(doc.root()) {
        editor.add(doc.root(), parts::open_vswitch());
    }
    subnets::edit(&mut editor, ask, &wanted);
    services::edit(&mut editor, &old, ask, kind);
    services::portgroups(&mut editor, ask);
    let edits = editor.finish();
    proven(doc, &edits, ask)?;
    Ok(edits)
}

fn unreadable(why: &str) -> Fault {
    Fault::new(
        "NAME",
        format!("is no network that kvmnet can read: {why}"),
        "virsh net-edit shows its definition",
    )
}

/// Text before an element that goes may make something else of the text behind it; and nobody is perfect.
fn proven(doc: &Doc<'_>, edits: &Edits, ask: &Ask) -> Result<(), Fault> {
    let text = edits.apply(doc.text());
    let fault = |why: String| {
        Err(Fault::new(
            "--mode",
            format!("{}: the definition can't be edited safely: {why}", ask.mode),
            "change it by hand: virsh net-edit",
        ))
    };
    match Doc::parse(&text).and_then(|doc| Network::read(&doc)) {
        Err(e) => fault(e.to_string()),
        Ok(new) if !satisfies(&new, ask) => fault("the result wouldn't be what was asked".into()),
        Ok(_) => Ok(()),
    }
}

/// The bridge that the network shall have; `None` where the name that stands there does, or there is none.
fn bridge(
    old: &Network,
    ask: &Ask,
    kind: Kind,
    others: &Surroundings,
    why: &mut Vec<String>,
) -> Result<Option<DeviceName>, Fault> {
    let is = |name: &DeviceName| old.bridge.as_deref() == Some(name.as_str());
    let own = || old.bridge.as_deref().and_then(|b| b.parse::<DeviceName>().ok());
    match (kind, &ask.bridge) {
        (Kind::Pool, _) => Ok(None),
        (Kind::Bridge, Some(name)) => {
            // Its own virtual bridge goes when it is stopped.
            let mut all = others.clone();
            all.networks.push(old.clone());
            names::of_host(name, &all).map(|()| Some(name.clone()))
        }
        (Kind::Bridge, None) if !old.mode.is_virtual() && !old.has_pool && old.bridge.is_some() => Ok(own()),
        (_, Some(name)) if old.mode.is_virtual() && is(name) => Ok(own()),
        (_, None) if kind.is_virtual() && old.mode.is_virtual() => Ok(own()),
        _ => names::bridge(ask, kind, others, why),
    }
}

fn name_bridge(editor: &mut Editor<'_, '_>, old: &Network, kind: Kind, bridge: Option<&DeviceName>) {
    let Some(bridge) = bridge else {
        // The host's own is no longer meant, and libvirt names another.
        if let Some(node) = child(editor.root(), "bridge").filter(|_| kind.is_virtual()) {
            editor.remove(node);
        }
        return;
    };
    let mode = if kind == Kind::Bridge { Mode::Bridge } else { Mode::Nat };
    match child(editor.root(), "bridge") {
        Some(node) if kind.is_virtual() && !old.mode.is_virtual() => {
            // What stood there was the host's; this one is made as those of new networks are.
            for (name, value) in parts::bridge(bridge, mode).attributes {
                editor.set(node, name, &value);
            }
        }
        Some(node) => editor.set(node, "name", bridge.as_str()),
        None => editor.add(editor.root(), parts::bridge(bridge, mode)),
    }
}

fn has_profile(root: Node<'_, '_>) -> bool {
    child(root, "virtualport").is_some_and(|p| p.attribute("type") == Some("openvswitch"))
}

/// `<forward>` with its device, its pool and its translation.
fn forward(editor: &mut Editor<'_, '_>, old: &Network, ask: &Ask, kind: Kind, has_v6: bool) {
    if ask.mode == Mode::Isolated {
        return;
    }
    let root = editor.root();
    // What is routed today stays so unless it is translation that is asked for now.
    let ipv6 = kind == Kind::Nat
        && (old.nat_ipv6 || has_v6 && (old.mode.as_str() != ask.mode.as_str() || ask.subnet6.is_some()));
    let nat = parts::nat(ipv6, ask.nat_addresses, ask.nat_ports).filter(|_| kind == Kind::Nat);
    let Some(node) = child(root, "forward") else {
        return editor.add(root, parts::forward(ask.mode, ask.devs.first(), &ask.pool, nat));
    };
    // Without the attribute it means nat.
    if node.attribute("mode").unwrap_or("nat") != ask.mode.as_str() {
        editor.set(node, "mode", ask.mode.as_str());
    }
    if let Some(dev) = ask.devs.first() {
        editor.set(node, "dev", dev.as_str());
    }
    if kind == Kind::Pool {
        let asked = |i: &Node<'_, '_>| ask.pool.iter().any(|dev| i.attribute("dev") == Some(dev.as_str()));
        let found: Vec<Node<'_, '_>> = children(node, "interface").collect();
        found.iter().filter(|i| !asked(i)).for_each(|i| editor.remove(*i));
        for dev in &ask.pool {
            if !found.iter().any(|i| i.attribute("dev") == Some(dev.as_str())) {
                editor.add(node, parts::interface(dev));
            }
        }
    }
    if let Some(nat) = nat {
        translation(editor, node, nat);
    }
}

/// `<nat>`, with what stands there already.
fn translation<'a, 't>(editor: &mut Editor<'a, 't>, forward: Node<'a, 't>, nat: Element) {
    let Some(node) = child(forward, "nat") else { return editor.add(forward, nat) };
    for (name, value) in &nat.attributes {
        editor.set(node, name, value);
    }
    for part in nat.children {
        match child(node, part.name) {
            Some(found) => part.attributes.iter().for_each(|(name, value)| editor.set(found, name, value)),
            None => editor.add(node, part),
        }
    }
}
