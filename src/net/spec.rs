//! Everything decided.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::ask::{Host, Mode, PortgroupAsk};
use crate::model::DeviceName;

/// A network to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Its name.
    pub name: String,
    /// What it does.
    pub mode: Mode,
    /// The bridge that libvirt makes, or (mode `bridge`) the host's; `None` with a pool.
    pub bridge: Option<DeviceName>,
    /// Is that an Open vSwitch bridge? It takes a port profile to plug guests into one (reference §1.3).
    pub is_open_vswitch: bool,
    /// The device that traffic leaves through.
    pub dev: Option<DeviceName>,
    /// The devices for macvtap.
    pub pool: Vec<DeviceName>,
    /// The MTU of its bridge.
    pub mtu: Option<u32>,
    /// The host's addresses, IPv4 first, and what DHCP does there.
    pub subnets: Vec<Subnet>,
    /// The ports that translated connections leave from.
    pub nat_ports: Option<(u16, u16)>,
    /// The addresses that translated connections leave from.
    pub nat_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Its DNS domain.
    pub domain: Option<String>,
    /// Its DNS server.
    pub dns: Dns,
    /// Its portgroups.
    pub portgroups: Vec<PortgroupAsk>,
}

impl Spec {
    /// Its IPv4 subnet.
    pub fn subnet4(&self) -> Option<&Subnet> {
        self.subnets.iter().find(|s| matches!(s.ip, IpNet::V4(_)))
    }

    /// Its IPv6 subnet.
    pub fn subnet6(&self) -> Option<&Subnet> {
        self.subnets.iter().find(|s| matches!(s.ip, IpNet::V6(_)))
    }
}

/// One `<ip>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The host's address, which is the guests' gateway, with the length of its prefix.
    pub ip: IpNet,
    /// What the DHCP server gives away.
    pub dhcp: Vec<(IpAddr, IpAddr)>,
    /// What it gives to certain guests only.
    pub hosts: Vec<Host>,
}

/// A network's DNS server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    /// Is it switched off?
    pub is_off: bool,
    /// For which domain (`None`: for all), which server is asked.
    pub forwarders: Vec<(Option<String>, IpAddr)>,
    /// Names that it knows besides those of the guests.
    pub hosts: Vec<(IpAddr, Vec<String>)>,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What was decided.
    pub spec: Spec,
    /// How name, bridge and subnets were chosen, for those who ask with `-v`.
    pub why: Vec<String>,
}
