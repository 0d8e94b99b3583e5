//! What is asked for, and what is known when it is answered.

use std::collections::BTreeMap;

use crate::model::{DeviceName, DirectMode, ForwardMode, Network, Nic, Source};

/// Where the NICs shall lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bridge of the host.
    Bridge(DeviceName),
    /// A libvirt network.
    Network {
        /// Its name.
        name: String,
        /// One of its portgroups.
        portgroup: Option<String>,
    },
    /// macvtap on a device of the host.
    Direct {
        /// The parent device.
        dev: DeviceName,
        /// Its mode.
        mode: DirectMode,
    },
}

impl Target {
    /// The target as a NIC's source.
    pub fn source(&self) -> Source {
        match self {
            Target::Bridge(name) => Source::new("bridge", name.as_str(), None),
            Target::Network { name, portgroup } => Source::new("network", name, portgroup.as_deref()),
            Target::Direct { dev, mode } => Source::new("direct", dev.as_str(), Some(mode.as_str())),
        }
    }

    /// Does a NIC with this source lead there already? Without a portgroup in the request any will do.
    pub fn is_reached_by(&self, source: &Source) -> bool {
        let wanted = self.source();
        source.kind == wanted.kind
            && source.name == wanted.name
            && (source.detail == wanted.detail || (wanted.kind == "network" && wanted.detail.is_none()))
    }
}

/// Which NICs of a guest are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// By MAC address, alias, target device or position.
    pub nics: Vec<String>,
    /// Those on this network.
    pub from_network: Option<String>,
    /// Those on this bridge.
    pub from_bridge: Option<String>,
    /// All that the target's kind allows.
    pub all: bool,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub target: Target,
    /// Which NICs.
    pub selection: Selection,
    /// Go on where a warning stops.
    pub force: bool,
    /// Move a NIC from a network that uses the target bridge to the bridge itself.
    pub inline: bool,
}

/// The networks whose definitions are known.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    by_name: BTreeMap<String, Network>,
    /// Are these all there are, so that a name not among them is a network that doesn't exist?
    pub is_complete: bool,
}

impl Networks {
    /// Networks out of files (not complete) or out of libvirt (complete).
    pub fn new(networks: impl IntoIterator<Item = Network>, is_complete: bool) -> Networks {
        Networks { by_name: networks.into_iter().map(|n| (n.name.clone(), n)).collect(), is_complete }
    }

    /// The network of that name.
    pub fn get(&self, name: &str) -> Option<&Network> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.by_name.values()
    }
}

/// Can the place tag a guest's frames?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vlans {
    /// Yes.
    Yes,
    /// No, and why not.
    No(&'static str),
    /// Nobody here knows.
    Unknown,
}

/// What kind of place a NIC lands on, once networks are seen through (reference §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// A Linux bridge.
    LinuxBridge {
        /// Can it tag frames?
        vlans: Vlans,
        /// Its MTU in bytes.
        mtu: Option<u32>,
    },
    /// An Open vSwitch bridge.
    OpenVSwitch,
    /// A bridge that can't be seen from here.
    UnknownBridge,
    /// An isolated, nat, route or open network.
    VirtualNetwork {
        /// Does it shape inbound traffic?
        has_inbound: bool,
    },
    /// A network that hands out virtual functions.
    HostdevNetwork,
    /// A network whose definition isn't known.
    UnknownNetwork,
    /// A macvtap device.
    Macvtap {
        /// Does one guest own the parent?
        is_passthrough: bool,
    },
}

impl Landing {
    /// Where a guest's port on `network` ends up.
    pub fn of_network(network: &Network) -> Landing {
        use ForwardMode as M;
        let ovs =
            network.given.get(crate::model::Setting::Virtualport).is_some_and(|v| v.contains("openvswitch"));
        match network.mode {
            mode if mode.is_virtual() => Landing::VirtualNetwork { has_inbound: network.has_inbound },
            M::Hostdev => Landing::HostdevNetwork,
            M::Passthrough => Landing::Macvtap { is_passthrough: true },
            _ if network.is_macvtap() => Landing::Macvtap { is_passthrough: false },
            _ if ovs => Landing::OpenVSwitch,
            _ => Landing::LinuxBridge { vlans: Vlans::Unknown, mtu: None },
        }
    }
}

/// What is known when a request is answered.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Definitions of networks.
    pub networks: &'a Networks,
    /// What kind of place the target is.
    pub landing: Landing,
    /// Is libvirt there, so that a missing definition means a missing network?
    pub online: bool,
    /// The running guest's NICs, which know aliases and tap devices that a definition hasn't got.
    pub live: Vec<Nic>,
}
