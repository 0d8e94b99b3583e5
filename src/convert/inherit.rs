//! What a NIC silently had from its network or portgroup (reference §1.4), and what becomes of it.

use roxmltree::Node;

use super::request::{Facts, Landing, Target};
use super::rewrite::Editor;
use super::rules::{Column, Fate, Place, fate_of};
use crate::model::{Code, MacAddr, Network, Setting, Warning};
use crate::xml::{Doc, StartTag, child};

/// The network that the NIC leaves, and the portgroup that it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old<'a> {
    pub(super) network: &'a Network,
    pub(super) portgroup: Option<&'a str>,
}

impl<'a> Old<'a> {
    /// The NIC's network, if it is on one whose definition is known.
    pub(super) fn of(nic: &'a crate::model::Nic, facts: &Facts<'a>) -> Option<Old<'a>> {
        let network =
            Some(&nic.source).filter(|s| s.kind == "network").and_then(|s| facts.networks.get(&s.name))?;
        Some(Old { network, portgroup: nic.source.detail.as_deref() })
    }

    /// Where a setting comes from, for a warning.
    pub(super) fn named(self) -> String {
        format!("(from network '{}')", self.network.name)
    }
}

/// What to write into the NIC.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Elements, in libvirt's order.
    pub(super) elements: Vec<String>,
    /// `trustGuestRxFilters`.
    pub(super) trust: Option<String>,
}

/// Works out what the NIC loses with its network; warns of what can't be kept. The port profile is `profile`'s.
pub(super) fn inherit(
    editor: &mut Editor<'_, '_>,
    column: Column,
    place: &Place<'_>,
    facts: &Facts<'_>,
    profile: impl FnOnce(&mut Editor<'_, '_>) -> Option<String>,
) -> Added {
    let mut added = Added::default();
    let nic = editor.nic;
    let Some(old) = Old::of(nic, facts) else {
        if nic.source.kind == "network" {
            unknown(editor, facts);
        }
        added.elements.extend(profile(editor));
        return added;
    };
    if let Some(name) = old.portgroup.filter(|_| old.network.portgroup(old.portgroup).is_none()) {
        let what = format!("network '{}' has no portgroup '{name}'; libvirt ignored it", old.network.name);
        editor.warn(Warning::note(Code::PortgroupUnknown, what));
    }
    // The network that the NIC goes to: its own settings come before those of the old one.
    let new = known_target(editor.target, facts);
    let theirs = |setting| new.and_then(|(network, group)| network.inherited(group, setting));
    for (setting, code, what) in [
        (Setting::Vlan, Code::VlanLost, "VLAN"),
        (Setting::Bandwidth, Code::BandwidthLost, "bandwidth limit"),
    ] {
        let ours = old.network.inherited(old.portgroup, setting);
        if let (Some(ours), Some(theirs), Some((network, _))) = (ours, theirs(setting), new)
            && ours != theirs
        {
            let what = format!("its {what} gives way to that of network '{}' {}", network.name, old.named());
            editor.warn(Warning::note(code, what));
        }
    }
    let given = |setting| old.network.inherited(old.portgroup, setting).filter(|_| theirs(setting).is_none());
    added.elements.extend(element(editor, column, place, old, ("vlan", given(Setting::Vlan))));
    added.elements.extend(profile(editor));
    added.elements.extend(element(editor, column, place, old, ("bandwidth", given(Setting::Bandwidth))));
    added.elements.extend(element(editor, column, place, old, ("port", given(Setting::Port))));
    let trust = given(Setting::TrustRxFilters).filter(|trust| *trust == "yes");
    added.trust = trust.filter(|_| !editor.interface.has_attribute("trustGuestRxFilters")).map(Into::into);
    left_behind(editor, old.network, new.map(|(network, _)| network), place.landing);
    added
}

/// The network that the target names, if its definition is known, and the portgroup.
pub(super) fn known_target<'a>(
    target: &'a Target,
    facts: &Facts<'a>,
) -> Option<(&'a Network, Option<&'a str>)> {
    let Target::Network { name, portgroup } = target else { return None };
    Some((facts.networks.get(name)?, portgroup.as_deref()))
}

fn unknown(editor: &mut Editor<'_, '_>, facts: &Facts<'_>) {
    let name = editor.nic.source.name.as_str();
    if name.is_empty() {
        let what = "it names no network, which libvirt refuses, so there is nothing to carry over";
        return editor.warn(Warning::note(Code::NetworkUnknown, what));
    }
    let what = if facts.online || facts.networks.is_complete {
        format!("libvirt has no network '{name}', so nothing that it gave the guest can be carried over")
    } else {
        format!(
            "what network '{name}' gives its guests (VLAN, bandwidth, isolation) isn't known here and isn't carried \
             over; name its definition with --network-xml"
        )
    };
    editor.warn_once_for(name, Warning::note(Code::NetworkUnknown, what));
}

/// The element to add for one setting of the old network.
fn element(
    editor: &mut Editor<'_, '_>,
    column: Column,
    place: &Place<'_>,
    old: Old<'_>,
    (part, given): (&'static str, Option<&str>),
) -> Option<String> {
    let doc = Doc::parse(given?).ok()?;
    let node = doc.root();
    let own = child(editor.interface, part);
    // <port/> alone says nothing, so that the network's word counts.
    if own.is_some_and(|own| part != "port" || own.has_attribute("isolated")) {
        return None;
    }
    let keeps_floor = column == Column::Network;
    match fate_of(part, column, place, node) {
        Fate::Drop | Fate::When(_) => return None,
        Fate::Lose(code, why) | Fate::Refuse(code, why) => {
            editor.warn(Warning::note(code, format!("{why} {}", old.named())));
            return None;
        }
        Fate::Keep => {}
        Fate::Warn(code, why) => editor.warn(Warning::note(code, format!("{why} {}", old.named()))),
    }
    if let Some(own) = own {
        say_isolated(editor, own);
        return None;
    }
    Some(editor.style.render(node, |name| name != "floor" || keeps_floor))
}

fn say_isolated(editor: &mut Editor<'_, '_>, port: Node<'_, '_>) {
    if let Some(tag) = StartTag::read(editor.doc.text(), port.range().start) {
        let attribute = editor.style.attribute("isolated", "yes");
        editor.insert(tag.name.end, attribute);
    }
}

/// What the kernel gives a bridge that libvirt makes, unless the network says otherwise.
const DEFAULT_MTU: u32 = 1500;

/// What no XML can carry over.
fn left_behind(editor: &mut Editor<'_, '_>, old: &Network, new: Option<&Network>, landing: &Landing) {
    let mac = editor.nic.mac.as_deref().and_then(|m| m.parse::<MacAddr>().ok());
    let reserved = |network: &Network| {
        let of_nic = |(host, _): &&(String, String)| mac.is_some() && host.parse::<MacAddr>().ok() == mac;
        network.reservations.iter().find(of_nic).map(|(_, ip)| ip.clone())
    };
    if let Some(ip) = reserved(old).filter(|ip| new.and_then(reserved).as_ref() != Some(ip)) {
        let what = format!(
            "network '{}' reserves {ip} for it; the guest won't have that address any more",
            old.name
        );
        editor.warn(Warning::note(Code::ReservationLost, what));
    }
    if old.manages_macs && !new.is_some_and(|n| n.manages_macs) {
        let what =
            format!("network '{}' lets libvirt keep the bridge's MAC table; the new place doesn't", old.name);
        editor.warn(Warning::note(Code::MacTableLost, what));
    }
    // A NIC without an MTU of its own takes its bridge's.
    if child(editor.interface, "mtu").is_some() {
        return;
    }
    let there = match (new, landing) {
        (Some(new), _) if new.mode.is_virtual() => Some(new.mtu.unwrap_or(DEFAULT_MTU)),
        (_, Landing::LinuxBridge { mtu, .. }) => *mtu,
        _ => None,
    };
    let here = old.mtu.or(old.mode.is_virtual().then_some(DEFAULT_MTU));
    let (mtu, there) = match (here, there) {
        (Some(mtu), Some(there)) if there != mtu => (mtu, format!("the new place one of {there}")),
        (Some(mtu), None) if old.mtu.is_some() => (mtu, "the new place's isn't known".into()),
        _ => return,
    };
    let what = format!("network '{}' has an MTU of {mtu}, {there}", old.name);
    editor.warn(Warning::note(Code::MtuDiffers, what));
}
