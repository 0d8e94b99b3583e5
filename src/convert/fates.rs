//! The cells of the table in `rules` that say "it depends", and on what.

use std::borrow::Cow;

use roxmltree::Node;

use super::request::{Landing, Vlans};
use super::rules::Fate::{self, Drop, Keep, Lose, Refuse, Warn};
use super::rules::{Place, lose};
use crate::model::Code;
use crate::xml::elements;

const fn warn(code: Code, why: &'static str) -> Fate {
    Warn(code, Cow::Borrowed(why))
}

const fn refuse(code: Code, why: &'static str) -> Fate {
    Refuse(code, Cow::Borrowed(why))
}

/// What goes with user-mode networking.
pub(super) const PASST: Fate = lose(Code::BackendLost, "its backend for user-mode networking goes");

fn is_macvtap(place: &Place<'_>) -> bool {
    matches!(place.landing, Landing::Macvtap { .. })
}

/// Who manages a host device; no other type of NIC has that.
pub(super) fn managed(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if place.from == "hostdev" { Drop } else { Keep }
}

/// Only aliases that users gave (`ua-…`) belong into a definition.
pub(super) fn alias(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("name").is_some_and(|n| n.starts_with("ua-")) { Keep } else { Drop }
}

/// What filters need to know of the old subnet.
const OF_SUBNET: &[&str] = &["IP", "IPV6", "DHCPSERVER", "CTRL_IP_LEARNING", "GATEWAY_MAC"];

pub(super) fn filter(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    match place.landing {
        Landing::Macvtap { .. } => {
            return refuse(
                Code::FilterLost,
                "its <filterref> has no effect on macvtap: libvirt drops it silently, and protection against spoofing ends",
            );
        }
        Landing::HostdevNetwork => {
            return refuse(
                Code::FilterLost,
                "its <filterref> goes: libvirt starts no guest that has one on a host device",
            );
        }
        _ => {}
    }
    let mut tied: Vec<&str> = elements(node).filter_map(|n| n.attribute("name")).collect();
    tied.retain(|name| OF_SUBNET.contains(name));
    if tied.is_empty() {
        return Keep;
    }
    tied.dedup();
    let what =
        format!("its <filterref> has parameters that belong to the old subnet: check {}", tied.join(", "));
    Warn(Code::FilterSubnet, what.into())
}

pub(super) fn floor(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    match place.landing {
        Landing::VirtualNetwork { has_inbound: true } => Keep,
        Landing::UnknownNetwork => {
            warn(Code::FloorLost, "its bandwidth floor works only if the network shapes inbound traffic")
        }
        _ => lose(
            Code::FloorLost,
            "its bandwidth floor goes: only a network that shapes inbound traffic can keep it",
        ),
    }
}

/// `<inbound>` with a floor and nothing else goes with it, and so does a `<bandwidth>` that would be empty.
pub(super) fn only_floor(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let only = |inbound: Node<'_, '_>| {
        inbound.tag_name().name() == "inbound"
            && inbound.has_attribute("floor")
            && !inbound.has_attribute("average")
            && matches!(floor(place, inbound), Lose(..))
    };
    let goes = match node.tag_name().name() {
        "inbound" => only(node),
        _ => elements(node).next().is_some() && elements(node).all(only),
    };
    if goes { Drop } else { Keep }
}

pub(super) fn vlan(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    match place.landing {
        Landing::OpenVSwitch
        | Landing::LinuxBridge { vlans: Vlans::Yes, .. }
        | Landing::Macvtap { is_passthrough: true }
        | Landing::HostdevNetwork => Keep,
        Landing::LinuxBridge { vlans: Vlans::No(why), .. } => {
            Refuse(Code::VlanLost, format!("its VLAN goes, and its frames would be untagged: {why}").into())
        }
        Landing::LinuxBridge { vlans: Vlans::Unknown, .. }
        | Landing::UnknownBridge
        | Landing::UnknownNetwork => warn(
            Code::VlanUnsure,
            "it has a VLAN: that works only on Open vSwitch, or with libvirt 11.0 on a bridge with vlan_filtering",
        ),
        Landing::VirtualNetwork { .. } => lose(
            Code::VlanLost,
            "its VLAN goes: libvirt starts no guest with one on a network with addresses of its own",
        ),
        Landing::Macvtap { is_passthrough: false } => refuse(
            Code::VlanLost,
            "its VLAN goes, and its frames would be untagged: macvtap has VLANs only in mode passthrough",
        ),
    }
}

/// A port profile without a type is judged by the one that it gets when libvirt merges it with the network's.
pub(super) fn profile(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let kind = node.attribute("type").or(place.profile);
    // MidoNet's profile would take the port away from whatever bridge is named.
    let kept = match place.landing {
        Landing::OpenVSwitch => matches!(kind, Some("openvswitch") | None),
        Landing::UnknownBridge
        | Landing::UnknownNetwork
        | Landing::LinuxBridge { vlans: Vlans::Unknown, mtu: None }
            if kind == Some("openvswitch") =>
        {
            return warn(
                Code::VirtualportOvs,
                "it has a port profile for Open vSwitch, kept: the target must be one",
            );
        }
        Landing::Macvtap { .. } | Landing::HostdevNetwork => {
            matches!(kind, Some("802.1Qbg" | "802.1Qbh")) || kind.is_none() && place.gives_profile
        }
        _ => false,
    };
    if kept {
        return Keep;
    }
    let what = kind.map_or("without a type".into(), |k| format!("of type {k}"));
    let why = match place.landing {
        Landing::UnknownBridge | Landing::UnknownNetwork => "nobody here knows whether the target can use it",
        _ => "the target can't use it",
    };
    Lose(Code::VirtualportLost, format!("its port profile {what} goes: {why}").into())
}

pub(super) fn isolated(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("isolated") != Some("yes") {
        return Keep;
    }
    match place.landing {
        Landing::OpenVSwitch => lose(Code::IsolationLost, "its port isolation goes: Open vSwitch has none"),
        Landing::UnknownBridge | Landing::UnknownNetwork if place.profile == Some("openvswitch") => {
            lose(Code::IsolationLost, "its port isolation goes: Open vSwitch has none")
        }
        Landing::Macvtap { .. } => lose(Code::IsolationLost, "its port isolation goes: macvtap has none"),
        Landing::HostdevNetwork => {
            lose(Code::IsolationLost, "its port isolation goes: a host device has none")
        }
        _ => Keep,
    }
}

pub(super) fn mtu(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let size = node.attribute("size").and_then(|s| s.trim().parse::<u32>().ok());
    match (place.landing, size) {
        (Landing::Macvtap { .. }, _) => lose(Code::MtuLost, "its MTU goes: libvirt refuses one on macvtap"),
        (Landing::LinuxBridge { mtu: Some(most), .. }, Some(size)) if size > *most => {
            Warn(Code::MtuExceedsBridge, format!("its MTU of {size} is more than the bridge's {most}").into())
        }
        _ => Keep,
    }
}

pub(super) fn coalesce(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return lose(Code::CoalesceLost, "its interrupt coalescing goes: libvirt refuses it on macvtap");
    }
    Keep
}

/// The host's driver for a passed-through device isn't a guest NIC's.
pub(super) fn driver(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let of_nics = |name: &str| matches!(name, "qemu" | "vhost");
    let of_host = !node.attribute("name").is_none_or(of_nics) || node.has_attribute("model");
    if place.from == "hostdev" && of_host { Drop } else { Keep }
}

pub(super) fn unmanaged(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("managed") == Some("no") {
        return lose(Code::TapLost, "only a NIC of type ethernet may bring a tap device of its own");
    }
    Keep
}

/// Is it one of the things that a `<backend>` can't keep?
fn goes_with_passt(node: Node<'_, '_>, name: &str) -> bool {
    name == "logFile" || name == "type" && node.attribute(name) == Some("passt")
}

/// The program behind user-mode networking.
pub(super) fn passt(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("type") == Some("passt") { PASST } else { Keep }
}

pub(super) fn tap(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return lose(Code::TapLost, "its own tap device path goes: macvtap makes its own");
    }
    Keep
}

/// A `<backend>` of which nothing is left goes as a whole.
pub(super) fn empty_backend(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let goes = |name: &str| goes_with_passt(node, name) || name == "tap" && is_macvtap(place);
    let had_some = node.attributes().next().is_some();
    if had_some && node.attributes().all(|a| goes(a.name())) && elements(node).next().is_none() {
        return Drop;
    }
    Keep
}

/// Only a NIC of type ethernet runs one, so that there it did something; anywhere else the guest can't start as it is.
pub(super) fn script(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let tag = node.tag_name().name();
    if place.from == "ethernet" {
        return Lose(
            Code::ScriptNotRun,
            format!("its <{tag}> goes: only a NIC of type ethernet runs one").into(),
        );
    }
    Warn(Code::ScriptNotRun, format!("QEMU guests with a <{tag}> on a NIC of this type don't start").into())
}

pub(super) fn sndbuf(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return warn(Code::SndbufNoEffect, "its send buffer limit has no effect on macvtap");
    }
    Keep
}

pub(super) fn transient(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("type") == Some("transient") {
        return refuse(
            Code::TeamingTransient,
            "it is the transient half of a teaming pair, which must be of type network or hostdev",
        );
    }
    Keep
}

/// On a network, the transient half of a pair is accepted, but makes sense only where host devices are handed out.
pub(super) fn unsure_team(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let is_transient = node.attribute("type") == Some("transient");
    if is_transient && *place.landing != Landing::HostdevNetwork {
        return warn(
            Code::TeamingTransient,
            "it is the transient half of a teaming pair, which only a network of host devices can carry",
        );
    }
    Keep
}

/// Guest-side addresses: QEMU takes them with user-mode networking only, containers anywhere.
pub(super) fn guest_address(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if matches!(place.from, "user" | "vhostuser") {
        return lose(Code::SourceLost, "its guest-side address goes: that is user-mode networking's");
    }
    Keep
}
