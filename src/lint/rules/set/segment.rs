//! Which NICs are surely on one Ethernet segment.

use crate::lint::set::{GuestNic, Set};
use crate::model::Setting;

use super::kinds::Kind;

/// A segment: two NICs that have the same one see each other's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Segment<'s> {
    at: At<'s>,
    /// The VLAN that the network or its portgroup brings, as it stands there.
    vlan: Option<&'s str>,
}

/// What makes it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At<'s> {
    Bridge(&'s str),
    /// A network whose bridge isn't known, and the portgroup.
    Network(&'s str, Option<&'s str>),
    /// macvtap on that device.
    Parent(&'s str),
}

/// That of a NIC; `None` where none is surely its own. A VLAN of its own makes several segments of one, and some NICs are
/// on none: without a cable, or with the device for themselves.
pub(super) fn segment<'s>(set: &Set<'s>, nic: &'s GuestNic) -> Option<Segment<'s>> {
    let source = &nic.source.what;
    let (name, detail) = (source.name.as_str(), source.detail.as_deref());
    if nic.vlan.is_some() || nic.is_down || name.is_empty() {
        return None;
    }
    let alone = |at| Some(Segment { at, vlan: None });
    match source.kind.as_str() {
        "bridge" => alone(At::Bridge(name)),
        "direct" if detail != Some("passthrough") => alone(At::Parent(name)),
        "network" => {
            let Some(net) = set.network_of(nic) else { return alone(At::Network(name, detail)) };
            let bridge = net.bridge.as_ref().map(|bridge| bridge.what.as_str());
            let at = match (Kind::of(net)?, bridge, net.network.pool.as_slice()) {
                (Kind::Virtual | Kind::Bridge, Some(bridge), _) if !bridge.contains('%') => {
                    At::Bridge(bridge)
                }
                (Kind::Virtual, ..) => At::Network(name, None),
                (Kind::Macvtap, _, [parent]) => At::Parent(parent),
                // Which device of several a guest gets, libvirt decides when it starts.
                _ => return None,
            };
            Some(Segment { at, vlan: net.network.inherited(detail, Setting::Vlan) })
        }
        _ => None,
    }
}
