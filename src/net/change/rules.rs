//! What becomes of each part of a `<network>` when its mode changes: reference §5.3 as a table. A part that isn't in it
//! stays: name, UUID, title, metadata, comments, elements of other namespaces, elements that libvirt may learn one day.

use roxmltree::Node;

use super::editor::Editor;
use crate::net::modes::Kind::{self, Bare, Bridge, Nat, Pool, Route};
use crate::xml::children;

/// What the rules know besides the part itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The mode that it gets.
    pub(super) to: Kind,
    /// Was its bridge libvirt's?
    pub(super) was_virtual: bool,
    /// Is another device to forward through asked for?
    pub(super) names_dev: bool,
    /// Is its new bridge one of Open vSwitch? `None` if nobody can see.
    pub(super) is_open_vswitch: Option<bool>,
}

/// Does it go?
type Goes = fn(&Place, Node<'_, '_>) -> bool;

const ON_LAN: Goes = |place, _| !place.to.is_virtual();
const UNADDRESSED: Goes = |place, _| !place.to.has_addresses();
const POOL: Goes = |place, _| place.to == Pool;
/// libvirt translates addresses in mode nat only.
const NOT_NAT: Goes = |place, _| place.to != Nat;
/// Host devices: no mode of kvmnet's has them.
const HOSTDEV: Goes = |_, _| true;
/// VLANs are for bridges of the host (reference §1.5).
const NO_VLAN: Goes = |place, _| place.to != Bridge;
/// A device to forward through: it means something else in a pool of macvtap devices.
const FORWARD: Goes = |place, _| match place.to {
    Nat | Route => !place.was_virtual || place.names_dev,
    Pool => false,
    _ => true,
};
/// That of a pool is libvirt's to write: it repeats the first of the pool's devices (reference §5.1).
const FORWARD_DEV: Goes = |place, node| match place.to {
    Pool => true,
    _ => FORWARD(place, node) && !place.names_dev,
};
/// A profile for the port: on a bridge only Open vSwitch's, on macvtap only the others (reference §1.3).
const PROFILE: Goes = |place, node| {
    let is_ovs = node.attribute("type") == Some("openvswitch");
    match place.to {
        Bridge => place.is_open_vswitch.is_some_and(|ovs| !ovs) || !is_ovs,
        Pool => is_ovs || node.attribute("type") == Some("midonet"),
        _ => true,
    }
};

/// The table: a path of elements below `<network>`, `@` before an attribute, and whether it goes.
#[rustfmt::skip] // a table
const RULES: &[(&str, Goes)] = &[
    ("forward",                   |place, _| matches!(place.to, Bare | Kind::WithHost)),
    ("forward@dev",               FORWARD_DEV),
    ("forward@managed",           HOSTDEV),
    ("forward/interface",         FORWARD),
    ("forward/pf",                HOSTDEV),
    ("forward/address",           HOSTDEV),
    ("forward/driver",            HOSTDEV),
    ("forward/nat",               NOT_NAT),
    ("bridge",                    POOL),
    ("bridge@stp",                ON_LAN),
    ("bridge@delay",              ON_LAN),
    ("bridge@zone",               ON_LAN),
    ("bridge@macTableManager",    ON_LAN),
    ("mtu",                       ON_LAN),
    ("mac",                       ON_LAN),
    ("domain",                    UNADDRESSED),
    ("dns",                       ON_LAN),
    ("vlan",                      NO_VLAN),
    ("virtualport",               PROFILE),
    ("bandwidth",                 POOL),
    ("port",                      POOL),
    ("ip",                        UNADDRESSED),
    ("route",                     UNADDRESSED),
    ("portgroup/vlan",            NO_VLAN),
    ("portgroup/virtualport",     PROFILE),
    ("portgroup/bandwidth",       POOL),
];

/// Takes away what the new mode may not have.
pub(super) fn apply(editor: &mut Editor<'_, '_>, place: &Place) {
    for (part, goes) in RULES {
        let (path, attribute) = match part.split_once('@') {
            Some((path, attribute)) => (path, Some(attribute)),
            None => (*part, None),
        };
        let mut nodes = vec![editor.root()];
        for name in path.split('/') {
            nodes = nodes.into_iter().flat_map(|n| children(n, name).collect::<Vec<_>>()).collect();
        }
        for node in nodes.into_iter().filter(|node| goes(place, *node)) {
            match attribute {
                Some(name) => editor.unset(node, name),
                None => editor.remove(node),
            }
        }
    }
}
