//! What a port on a network can be: what libvirt makes of one when a guest starts (`networkAllocatePort`,
//! `virDomainActualNetDefValidate`).

use crate::lint::set::Net;
use crate::model::ForwardMode;

/// Of which kind a network's ports are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// On a bridge that libvirt makes.
    Virtual,
    /// On a bridge of the host.
    Bridge,
    /// macvtap.
    Macvtap,
    /// macvtap that has its parent for itself.
    Passthrough,
    /// A host device.
    Hostdev,
}

impl Kind {
    /// That of a network's ports; `None` where it says too little.
    pub(super) fn of(net: &Net) -> Option<Kind> {
        match net.network.mode {
            mode if mode.is_virtual() => Some(Kind::Virtual),
            ForwardMode::Bridge if net.host_bridge().is_some() => Some(Kind::Bridge),
            ForwardMode::Bridge if !net.network.has_pool => None,
            ForwardMode::Passthrough => Some(Kind::Passthrough),
            ForwardMode::Hostdev => Some(Kind::Hostdev),
            _ => Some(Kind::Macvtap),
        }
    }

    /// What its ports are, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Virtual => "is one that libvirt makes",
            Kind::Bridge => "is a bridge of the host",
            Kind::Macvtap | Kind::Passthrough => "gives out macvtap devices",
            Kind::Hostdev => "gives out host devices",
        }
    }
}

/// A network's name as it is shown.
pub(super) fn shown(net: &Net) -> String {
    net.network.name.escape_debug().to_string()
}
