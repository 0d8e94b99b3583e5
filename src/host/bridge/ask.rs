//! What is asked of a bridge.

use std::net::IpAddr;

use ipnet::IpNet;

/// Where a bridge's addresses come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// From the NIC: whatever gives it its addresses, routes and name servers today gives them to the bridge.
    Keep,
    /// From DHCP, for IPv4; for IPv6 from the router's advertisements.
    Dhcp,
    /// From nobody: the bridge carries guests only.
    None,
    /// These.
    Static(Vec<IpNet>),
}

/// A bridge as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Its name.
    pub bridge: String,
    /// The NICs that become its ports, the one whose addresses it takes over first.
    pub ports: Vec<String>,
    /// Where its addresses come from.
    pub addresses: Addresses,
    /// The default routes, at most one of each family. With [`Addresses::Keep`] they replace those that the NIC has.
    pub gateways: Vec<IpAddr>,
    /// The name servers. With [`Addresses::Keep`] they replace those that the NIC has.
    pub dns: Vec<IpAddr>,
    /// The spanning tree protocol.
    pub stp: bool,
    /// In seconds: 0 without STP; 2 to 30 with it, as the kernel takes it.
    pub forward_delay: u32,
    /// Its MAC address, always written down, for without it a bridge takes the lowest of its ports', which changes when
    /// guests come and go. `keep` on the command line is the first port's.
    pub mac: String,
}
