//! What becomes of each part of an `<interface>` when its type changes: the reference's §1.2–1.6 as a table.
//!
//! A part that isn't in the table stays as it is: the MAC address, the PCI address, the model, the driver, unknown
//! elements, comments, elements of other namespaces. Type and source are the move itself, see `rewrite`.

use std::borrow::Cow;

use roxmltree::Node;

use super::request::{Landing, Vlans};
use crate::model::Code;
use crate::xml::elements;

/// What becomes of a part.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It goes; it meant nothing any more.
    Drop,
    /// It stays, and a warning says what to know.
    Warn(Code, Cow<'static, str>),
    /// It goes, and a warning says what is lost.
    Lose(Code, Cow<'static, str>),
    /// The move stops; with `--force` it goes on and the part is lost.
    Refuse(Code, Cow<'static, str>),
    /// It depends.
    When(fn(&Place<'_>, Node<'_, '_>) -> Fate),
}

use Fate::{Drop, Keep, Lose, Refuse, Warn, When};

/// Where the part comes from and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The NIC's old type.
    pub from: &'a str,
    /// What it lands on.
    pub landing: &'a Landing,
}

/// The three columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `--to-bridge`
    Bridge,
    /// `--to-network`
    Network,
    /// `--to-direct`
    Direct,
}

/// One row.
#[derive(Debug)]
pub struct Rule {
    /// The part: a path of elements below `<interface>`, `@` before an attribute.
    pub part: &'static str,
    bridge: Fate,
    network: Fate,
    direct: Fate,
}

impl Rule {
    /// The fate of the `part` at `node` (the element that is it, or has it as an attribute).
    pub fn fate(&self, column: Column, place: &Place<'_>, node: Node<'_, '_>) -> Fate {
        let fate = match column {
            Column::Bridge => &self.bridge,
            Column::Network => &self.network,
            Column::Direct => &self.direct,
        };
        match fate {
            When(decide) => decide(place, node),
            other => other.clone(),
        }
    }
}

const fn row(part: &'static str, bridge: Fate, network: Fate, direct: Fate) -> Rule {
    Rule { part, bridge, network, direct }
}

const fn all(part: &'static str, fate: fn(&Place<'_>, Node<'_, '_>) -> Fate) -> Rule {
    Rule { part, bridge: When(fate), network: When(fate), direct: When(fate) }
}

const fn lose(code: Code, why: &'static str) -> Fate {
    Lose(code, Cow::Borrowed(why))
}

const fn warn(code: Code, why: &'static str) -> Fate {
    Warn(code, Cow::Borrowed(why))
}

const fn refuse(code: Code, why: &'static str) -> Fate {
    Refuse(code, Cow::Borrowed(why))
}

const PASST: Fate = lose(Code::BackendLost, "its backend for user-mode networking goes");
const FORWARD: Fate = lose(Code::PortForwardLost, "its port forwarding goes: that is user-mode networking's");
const UNMANAGED: Fate = lose(Code::TapLost, "only a NIC of type ethernet may bring a tap device of its own");
const SCRIPT: Fate = warn(Code::ScriptNotRun, "libvirt won't start a NIC of this type with a script");
const TRANSIENT: Fate = When(transient);

/// The table. Columns: the part, what becomes of it on the way to a bridge, to a network, to macvtap.
#[rustfmt::skip] // a table
pub const RULES: &[Rule] = &[
    //  part                        to a bridge       to a network      to macvtap
    row("mac@currentAddress",       Drop,             Drop,             Drop),
    row("alias",                    When(alias),      When(alias),      When(alias)),
    row("filterref",                When(filter),     When(filter),     When(filter)),
    row("bandwidth/inbound@floor",  When(floor),      When(floor),      When(floor)),
    row("bandwidth/inbound",        When(only_floor), When(only_floor), When(only_floor)),
    row("bandwidth",                When(only_floor), When(only_floor), When(only_floor)),
    row("vlan",                     When(vlan),       When(vlan),       When(vlan)),
    row("virtualport",              When(vport),      When(vport),      When(vport)),
    row("port",                     When(isolated),   When(isolated),   When(isolated)),
    row("mtu",                      When(mtu),        When(mtu),        When(mtu)),
    row("coalesce",                 Keep,             When(coalesce),   When(coalesce)),
    row("target@managed",           UNMANAGED,        UNMANAGED,        UNMANAGED),
    row("backend@type",             PASST,            PASST,            PASST),
    row("backend@logFile",          PASST,            PASST,            PASST),
    row("backend@tap",              Keep,             When(tap),        When(tap)),
    row("backend",                  When(no_backend), When(no_backend), When(no_backend)),
    row("portForward",              FORWARD,          FORWARD,          FORWARD),
    row("script",                   SCRIPT,           SCRIPT,           SCRIPT),
    row("downscript",               SCRIPT,           SCRIPT,           SCRIPT),
    row("tune/sndbuf",              Keep,             When(sndbuf),     When(sndbuf)),
    row("teaming",                  TRANSIENT,        Keep,             TRANSIENT),
    all("ip",                                         of_user),
    all("route",                                      of_user),
];

fn is_macvtap(place: &Place<'_>) -> bool {
    matches!(place.landing, Landing::Macvtap { .. })
}

/// Only aliases that users gave (`ua-…`) belong into a definition.
fn alias(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("name").is_some_and(|n| n.starts_with("ua-")) { Keep } else { Drop }
}

fn filter(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return refuse(
            Code::FilterLost,
            "its <filterref> has no effect on macvtap: libvirt drops it silently, and protection against spoofing ends",
        );
    }
    let tied = |n: Node<'_, '_>| {
        n.attribute("name").is_some_and(|n| ["IP", "DHCPSERVER", "CTRL_IP_LEARNING"].contains(&n))
    };
    if elements(node).any(tied) {
        return warn(
            Code::FilterSubnet,
            "its <filterref> has parameters that belong to the old subnet (IP, DHCPSERVER or CTRL_IP_LEARNING): check them",
        );
    }
    Keep
}

fn floor(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
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
fn only_floor(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
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

fn vlan(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let tags: Vec<&str> = elements(node).filter_map(|tag| tag.attribute("id")).collect();
    let tags = tags.join(", ");
    match place.landing {
        Landing::OpenVSwitch
        | Landing::LinuxBridge { vlans: Vlans::Yes, .. }
        | Landing::Macvtap { is_passthrough: true }
        | Landing::HostdevNetwork => Keep,
        Landing::LinuxBridge { vlans: Vlans::No(why), .. } => {
            Refuse(Code::VlanLost, format!("its VLAN {tags} goes, and its frames would be untagged: {why}").into())
        }
        Landing::LinuxBridge { vlans: Vlans::Unknown, .. }
        | Landing::UnknownBridge
        | Landing::UnknownNetwork => Warn(
            Code::VlanUnsure,
            format!(
                "it has VLAN {tags}: that works only on Open vSwitch, or with libvirt 11.0 on a bridge with vlan_filtering"
            )
            .into(),
        ),
        Landing::VirtualNetwork { .. } => Lose(
            Code::VlanLost,
            format!("its VLAN {tags} goes: libvirt starts no guest with one on a network with addresses of its own").into(),
        ),
        Landing::Macvtap { is_passthrough: false } => Refuse(
            Code::VlanLost,
            format!("its VLAN {tags} goes, and its frames would be untagged: macvtap has VLANs only in mode passthrough")
                .into(),
        ),
    }
}

fn vport(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let kind = node.attribute("type");
    let kept = match place.landing {
        Landing::OpenVSwitch => matches!(kind, Some("openvswitch" | "midonet") | None),
        Landing::UnknownBridge | Landing::UnknownNetwork if kind == Some("openvswitch") => {
            return warn(
                Code::VirtualportOvs,
                "it has a port profile for Open vSwitch, kept: the target must be one",
            );
        }
        Landing::Macvtap { .. } | Landing::HostdevNetwork => matches!(kind, Some("802.1Qbg" | "802.1Qbh")),
        _ => false,
    };
    if kept {
        return Keep;
    }
    let what = kind.map_or("without a type".into(), |k| format!("of type {k}"));
    Lose(Code::VirtualportLost, format!("its port profile {what} goes: the target can't use it").into())
}

fn isolated(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("isolated") != Some("yes") {
        return if is_macvtap(place) { Drop } else { Keep };
    }
    match place.landing {
        Landing::OpenVSwitch => lose(Code::IsolationLost, "its port isolation goes: Open vSwitch has none"),
        Landing::Macvtap { .. } => lose(Code::IsolationLost, "its port isolation goes: macvtap has none"),
        _ => Keep,
    }
}

fn mtu(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let size = node.attribute("size").and_then(|s| s.parse::<u32>().ok());
    match place.landing {
        Landing::Macvtap { .. } => lose(Code::MtuLost, "its MTU goes: libvirt refuses one on macvtap"),
        Landing::LinuxBridge { mtu: Some(most), .. } if size.is_some_and(|s| s > *most) => {
            let size = size.unwrap_or_default();
            Warn(Code::MtuExceedsBridge, format!("its MTU of {size} is more than the bridge's {most}").into())
        }
        _ => Keep,
    }
}

fn coalesce(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return lose(Code::CoalesceLost, "its interrupt coalescing goes: libvirt refuses it on macvtap");
    }
    Keep
}

fn tap(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return lose(Code::TapLost, "its own tap device path goes: macvtap makes its own");
    }
    Keep
}

fn sndbuf(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if is_macvtap(place) {
        return warn(Code::SndbufNoEffect, "its send buffer limit has no effect on macvtap");
    }
    Keep
}

/// A `<backend>` of which nothing is left goes as a whole.
fn no_backend(place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    let goes = |name: &str| matches!(name, "type" | "logFile") || (name == "tap" && is_macvtap(place));
    if node.attributes().all(|a| goes(a.name())) && elements(node).next().is_none() { Drop } else { Keep }
}

fn transient(_: &Place<'_>, node: Node<'_, '_>) -> Fate {
    if node.attribute("type") == Some("transient") {
        return refuse(
            Code::TeamingTransient,
            "it is the transient half of a teaming pair, which must be of type network or hostdev",
        );
    }
    Keep
}

/// Guest-side addresses: QEMU takes them with user-mode networking only, containers anywhere.
fn of_user(place: &Place<'_>, _: Node<'_, '_>) -> Fate {
    if matches!(place.from, "user" | "vhostuser") {
        return lose(Code::SourceLost, "its guest-side address goes: that is user-mode networking's");
    }
    Keep
}
