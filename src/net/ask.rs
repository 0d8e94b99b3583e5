//! What was typed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::model::{DeviceName, MacAddr};

/// What a network does with its guests' traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Guests see each other only; with `--host-access` the host too.
    Isolated,
    /// Through the host, addresses unchanged.
    Route,
    /// Guests out, nobody in.
    Nat,
    /// Through the host, without firewall rules of libvirt's.
    Open,
    /// On the LAN, through a bridge of the host or (with a pool) through macvtap.
    Bridge,
}

impl Mode {
    /// All of them, in the order of their help.
    pub const ALL: [Mode; 5] = [Mode::Isolated, Mode::Route, Mode::Nat, Mode::Open, Mode::Bridge];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Isolated => "isolated",
            Mode::Route => "route",
            Mode::Nat => "nat",
            Mode::Open => "open",
            Mode::Bridge => "bridge",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(word: &str) -> Result<Mode, String> {
        Mode::ALL.into_iter().find(|m| m.as_str() == word).ok_or_else(|| {
            format!("'{}' is no mode: isolated, route, nat, open or bridge", word.escape_debug())
        })
    }
}

/// `--host WHO,IP[,NAME]`: a guest that always gets the same address. Who it is: a MAC address (IPv4), a DUID (IPv6;
/// libvirt takes no MAC address there), or `-`, where the name that the guest calls itself has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Known by this MAC address.
    pub mac: Option<MacAddr>,
    /// Known by this DUID.
    pub id: Option<String>,
    /// The address that it gets.
    pub ip: IpAddr,
    /// Its name.
    pub name: Option<String>,
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Host, String> {
        let fault = |what: &str| {
            format!(
                "'{}' {what}; it is MAC,IP[,NAME], for IPv6 DUID,IP[,NAME] or -,IP,NAME",
                text.escape_debug()
            )
        };
        let parts: Vec<&str> = text.split(',').collect();
        let (who, ip, name) = match parts[..] {
            [who, ip] => (who, ip, None),
            [who, ip, name] => (who, ip, Some(name)),
            _ => return Err(fault("has not two or three parts")),
        };
        let ip: IpAddr = ip.parse().map_err(|_| fault("has no IP address in second place"))?;
        let mac = who.parse::<MacAddr>().ok();
        let is_id = |w: &str| {
            w.split(':').count() > 6
                && w.split(':')
                    .all(|b| (1..=2).contains(&b.len()) && b.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let id = Some(who).filter(|w| mac.is_none() && is_id(w)).map(Into::into);
        if mac.is_none() && id.is_none() && who != "-" {
            return Err(fault("begins with neither a MAC address nor a DUID"));
        }
        if who == "-" && name.is_none() {
            return Err(fault("says neither by its address nor by its name which guest it is"));
        }
        Ok(Host { mac, id, ip, name: name.map(Into::into) })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.mac, &self.id) {
            (Some(mac), _) => write!(f, "{mac}")?,
            (None, Some(id)) => f.write_str(id)?,
            (None, None) => f.write_str("-")?,
        }
        write!(f, ",{}", self.ip)?;
        self.name.iter().try_for_each(|name| write!(f, ",{name}"))
    }
}

/// `--portgroup NAME[,vlan=ID][,default]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortgroupAsk {
    /// Its name.
    pub name: String,
    /// The VLAN that its guests are in, untagged on their side.
    pub vlan: Option<u16>,
    /// Do guests that name no portgroup get it?
    pub is_default: bool,
}

impl FromStr for PortgroupAsk {
    type Err = String;

    fn from_str(text: &str) -> Result<PortgroupAsk, String> {
        let fault = |what: String| format!("{what}; it is NAME[,vlan=ID][,default]");
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        // The schema's pattern for it, which is that of device names (network.rng, `deviceName`).
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(fits) {
            return Err(fault(format!(
                "'{}' names no portgroup (letters, digits, '_', '.', '-')",
                name.escape_debug()
            )));
        }
        let mut group = PortgroupAsk { name: name.into(), vlan: None, is_default: false };
        for part in parts {
            match part.split_once('=') {
                None if part == "default" => group.is_default = true,
                Some(("vlan", id)) => match id.parse() {
                    Ok(id @ 1..=4094) => group.vlan = Some(id),
                    _ => return Err(fault(format!("'{}' is no VLAN: 1 to 4094", id.escape_debug()))),
                },
                _ => return Err(fault(format!("'{}' is nothing that a portgroup has", part.escape_debug()))),
            }
        }
        Ok(group)
    }
}

/// What was typed; `None` or empty where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// `NAME`
    pub name: Option<String>,
    /// `--mode`
    pub mode: Mode,
    /// `--subnet`: the gateway is the host part if there is one, else the first address.
    pub subnet: Option<Ipv4Net>,
    /// `--subnet6`, likewise.
    pub subnet6: Option<Ipv6Net>,
    /// `--subnet-pool`: where free subnets are taken from.
    pub subnet_pools: Vec<IpNet>,
    /// `--dhcp START-END`, of both families.
    pub dhcp: Vec<(IpAddr, IpAddr)>,
    /// `--no-dhcp`
    pub no_dhcp: bool,
    /// `--host`
    pub hosts: Vec<Host>,
    /// `--host-access`: the host has an address in an isolated network.
    pub host_access: bool,
    /// `--dev`: more than one is a fault of its own.
    pub devs: Vec<DeviceName>,
    /// `--bridge`: the host's bridge in mode `bridge`, else the name of the bridge that libvirt makes.
    pub bridge: Option<DeviceName>,
    /// `--domain`
    pub domain: Option<String>,
    /// `--mtu`
    pub mtu: Option<u32>,
    /// `--no-dns`
    pub no_dns: bool,
    /// `--dns-host`: an address and its names.
    pub dns_hosts: Vec<(IpAddr, Vec<String>)>,
    /// `--dns-forwarder`: for which domain (`None`: for all), which server is asked.
    pub forwarders: Vec<(Option<String>, IpAddr)>,
    /// `--nat-ports`
    pub nat_ports: Option<(u16, u16)>,
    /// `--nat-addresses`
    pub nat_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// `--portgroup`
    pub portgroups: Vec<PortgroupAsk>,
    /// `--pool`: devices for macvtap, with mode `bridge` instead of a bridge.
    pub pool: Vec<DeviceName>,
}

impl Ask {
    /// A mode, and nothing else said.
    pub fn new(mode: Mode) -> Ask {
        Ask {
            name: None,
            mode,
            subnet: None,
            subnet6: None,
            subnet_pools: Vec::new(),
            dhcp: Vec::new(),
            no_dhcp: false,
            hosts: Vec::new(),
            host_access: false,
            devs: Vec::new(),
            bridge: None,
            domain: None,
            mtu: None,
            no_dns: false,
            dns_hosts: Vec::new(),
            forwarders: Vec::new(),
            nat_ports: None,
            nat_addresses: None,
            portgroups: Vec::new(),
            pool: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn modes() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        "NAT".parse::<Mode>().unwrap_err();
    }

    #[test]
    fn hosts() {
        for good in [
            "52:54:00:12:34:56,10.0.0.5",
            "52:54:00:12:34:56,10.0.0.5,web1",
            "00:03:00:01:52:54:00:12:34:56,fd00::5",
            "-,fd00::5,web1",
        ] {
            assert_eq!(good.parse::<Host>().unwrap().to_string(), good);
        }
        for bad in
            ["", "52:54:00:12:34:56", "-,fd00::5", "web1,10.0.0.5", "52:54:00:12:34:56,x", "-,fd00::5,a,b"]
        {
            bad.parse::<Host>().unwrap_err();
        }
    }

    #[test]
    fn portgroups() {
        let group: PortgroupAsk = "servers,vlan=10,default".parse().unwrap();
        assert_eq!(group, PortgroupAsk { name: "servers".into(), vlan: Some(10), is_default: true });
        for bad in ["", "a b", "a,vlan=0", "a,vlan=4095", "a,vlan=x", "a,vlan", "a,mtu=9"] {
            bad.parse::<PortgroupAsk>().unwrap_err();
        }
    }
}
