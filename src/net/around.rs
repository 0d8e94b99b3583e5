//! What is there already.

use ipnet::IpNet;

use super::reach::Family;
use crate::model::Network;

/// Addresses that are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub net: IpNet,
    /// By whom, for a sentence: "the route to 10.0.0.0/8 via tun0", "an address of eth0".
    pub by: String,
    /// The device that the route leads to, or that has the address: a network isn't in its own way.
    pub dev: Option<String>,
    /// Do packets ever follow it? Not a route in a table that no rule looks up.
    pub is_followed: bool,
}

impl Taken {
    /// Is it a default route, or one half of what VPNs put in a default route's place (`0.0.0.0/1`, `2000::/3`)? Such a
    /// route is meant for what nobody else knows, and any subnet may lie in it.
    pub fn is_default(&self) -> bool {
        self.net.prefix_len() <= if matches!(self.net, IpNet::V4(_)) { 1 } else { 3 }
    }
}

/// A network device of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostDevice {
    /// Its name.
    pub name: String,
    /// Its other names: the kernel gives each name to one device only.
    pub altnames: Vec<String>,
    /// Is it a Linux bridge?
    pub is_bridge: bool,
    /// Is it administratively down?
    pub is_down: bool,
    /// Does that bridge filter VLANs?
    pub filters_vlans: bool,
    /// Is it an Open vSwitch bridge?
    pub is_open_vswitch: bool,
    /// Is it a bond of several NICs?
    pub is_bond: bool,
    /// Is it a Wi-Fi station?
    pub is_wireless: bool,
    /// The bridge or bond that it is a port of.
    pub master: Option<String>,
    /// Has it, if it is a Linux bridge, a port with a carrier besides those of guests?
    pub has_uplink: bool,
    /// The families of which the kernel shows this bridge's frames to the packet filter, whatever it does with others'.
    pub filtered: Vec<Family>,
    /// Its addresses that others can know, those that last first.
    pub addresses: Vec<IpNet>,
}

/// What is there already.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Addresses in use: every route and address of the host.
    pub taken: Vec<Taken>,
    /// The host's devices; `None` where the host can't be seen (a remote connection), or there is none (the test driver).
    pub devices: Option<Vec<HostDevice>>,
    /// Is it a host that can't be seen? Only libvirt knows then what a new bridge can be called.
    pub is_elsewhere: bool,
    /// The devices that the host's default routes leave by.
    pub defaults: Vec<(Family, String)>,
    /// The families of which the kernel shows all bridges' frames to the packet filter.
    pub filtered: Vec<Family>,
    /// The packet filter's rules, as `iptables-save` and `ip6tables-save` write them, where they can be asked.
    pub filters: Vec<(Family, String)>,
    /// Does it drop what it forwards in a table that these don't show?
    pub filters_otherwise: bool,
    /// The families that the host doesn't forward now, if the network in question runs. libvirt switches forwarding on
    /// when it starts one, and so it counts for no other.
    pub unforwarded: Vec<Family>,
    /// Every network of libvirt's, active or not.
    pub networks: Vec<Network>,
    /// Of the host's devices, the bridges that libvirt has made for them. What else has such a name is the host's own.
    pub made: Vec<String>,
}

impl Surroundings {
    /// The host's device of that name, if it can be seen.
    pub(super) fn device(&self, name: &str) -> Option<&HostDevice> {
        self.devices.as_ref()?.iter().find(|d| d.name == name)
    }

    /// The host's device that has this name among all of its names, if it can be seen.
    pub(super) fn holder(&self, name: &str) -> Option<&HostDevice> {
        let has = |d: &&HostDevice| d.name == name || d.altnames.iter().any(|other| other == name);
        self.devices.as_ref()?.iter().find(has)
    }

    /// Is it certain that the host has no device of that name?
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.devices.is_some() && self.holder(name).is_none()
    }

    /// The same without a network and what is there because of it.
    pub(super) fn without(&self, network: &Network) -> Surroundings {
        // What runs may have another bridge than its definition.
        let same = self.networks.iter().filter(|n| n.name == network.name).chain([network]);
        let bridges: Vec<&str> =
            same.filter(|n| n.mode.is_virtual()).filter_map(|n| n.bridge.as_deref()).collect();
        let own = |name: Option<&str>| name.is_some_and(|name| bridges.contains(&name));
        Surroundings {
            taken: self.taken.iter().filter(|t| !own(t.dev.as_deref())).cloned().collect(),
            networks: self.networks.iter().filter(|n| n.name != network.name).cloned().collect(),
            ..self.clone()
        }
    }

    /// Everything that a subnet may collide with.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (IpNet, String)> {
        let of_host = self.taken.iter().filter(|t| !t.is_default()).map(|t| (t.net, t.by.clone()));
        let of_networks = self.networks.iter().flat_map(|network| {
            let addresses = network.addresses.iter().map(|a| (a.ip, format!("network '{}'", network.name)));
            let routes =
                network.routes.iter().map(|r| (r.net, format!("a route of network '{}'", network.name)));
            addresses.chain(routes)
        });
        of_host.chain(of_networks)
    }
}
