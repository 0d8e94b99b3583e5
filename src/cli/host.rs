//! `kvmnet host`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;

use super::Consent;
use crate::model::{DeviceName, MacAddr};

/// Show and change the host's own network devices
///
/// Needs no libvirt.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host nics
  kvmnet host bridge create br0 --port enp4s0
  kvmnet host bridge confirm")]
pub struct Host {
    /// What to do.
    #[command(subcommand)]
    pub command: HostCommand,
}

/// What can be done with the host's network devices.
#[derive(Debug, Clone, Subcommand)]
#[allow(missing_docs, reason = "what a command does stands at its struct, where clap finds it")]
pub enum HostCommand {
    Nics(HostNics),
    Bridge(HostBridge),
}

/// Make, show and remove the host's bridges, in the files of whatever configures this host
///
/// A NIC becomes a port of the bridge, and the bridge takes its addresses over. The way back is armed before anything is
/// written: unless the change is confirmed from a login that works, everything is put back, even if this process, its
/// terminal or the host's power is gone.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host bridge create br0 --port enp4s0
  kvmnet host bridge confirm
  kvmnet host bridge list")]
pub struct HostBridge {
    /// What to do.
    #[command(subcommand)]
    pub command: BridgeCommand,
}

/// What can be done with bridges.
#[derive(Debug, Clone, Subcommand)]
#[allow(missing_docs, reason = "what a command does stands at its struct, where clap finds it")]
pub enum BridgeCommand {
    Create(Box<BridgeCreate>),
    Confirm(BridgeConfirm),
    Revert(BridgeRevert),
    List(BridgeList),
    Show(BridgeShow),
    Delete(BridgeDelete),
}

/// Make a bridge of a NIC: the NIC becomes its port, and it takes the NIC's addresses over
///
/// Shows the diff of each file and the commands, in order, and what becomes of the connection that this is typed over. It
/// is made only if the way back could be armed first, verified when it is made, and put back unless it is confirmed.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host bridge create br0 --port enp4s0
  kvmnet host bridge create br0 --port enp4s0 --address 192.0.2.10/24 --gateway 192.0.2.1 --dns 192.0.2.53
  kvmnet host bridge create br1 --port enp5s0 --address none
  kvmnet host bridge create br0 --port enp4s0 --dry-run --root /mnt/copy-of-another-host")]
pub struct BridgeCreate {
    /// The bridge's name
    #[arg(value_name = "BRIDGE")]
    pub name: DeviceName,
    /// A NIC whose cable the bridge takes over; repeatable. The first one's addresses go to the bridge
    ///
    /// Example: --port enp4s0
    #[arg(long, value_name = "NIC", required = true)]
    pub port: Vec<String>,
    /// Where the bridge's addresses come from: keep (what the NIC has today, static or DHCP), dhcp, none, or addresses;
    /// repeatable for several of those
    ///
    /// Example: --address 192.0.2.10/24 --address 2001:db8::10/64
    #[arg(long, value_name = "keep|dhcp|none|CIDR", help_heading = "Addresses")]
    pub address: Vec<BridgeAddress>,
    /// The default route's router; repeatable for IPv4 and IPv6
    ///
    /// Example: --gateway 192.0.2.1
    #[arg(long, value_name = "IP", help_heading = "Addresses", value_parser = parse_router)]
    pub gateway: Vec<IpAddr>,
    /// A name server; repeatable
    ///
    /// Example: --dns 192.0.2.53
    #[arg(long, value_name = "IP", help_heading = "Addresses", value_parser = parse_server)]
    pub dns: Vec<IpAddr>,
    /// The spanning tree protocol; without it off for one port, on for several, as only then can a loop arise
    ///
    /// Example: --stp on
    #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true, help_heading = "Bridge")]
    pub stp: Option<OnOff>,
    /// How long a new port listens and learns before it forwards; without it 0 with STP off, 2 with it on
    ///
    /// With STP on the kernel takes 2 to 30. Example: --stp on --forward-delay 4
    #[arg(long, value_name = "SECONDS", help_heading = "Bridge")]
    pub forward_delay: Option<u32>,
    /// The bridge's MAC address: keep (the first NIC's), or another
    ///
    /// Example: --mac 52:54:00:12:34:56
    #[arg(long, value_name = "keep|MAC", default_value = "keep", help_heading = "Bridge")]
    pub mac: BridgeMac,
    /// Backend, time, preview.
    #[command(flatten)]
    pub change: BridgeChange,
}

/// Say that the change stays: run it from a new login
///
/// That a new login works is the proof that the host can still be reached.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  ssh host kvmnet host bridge confirm")]
pub struct BridgeConfirm {}

/// Put everything back at once, without waiting for the time to be up
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet host bridge revert")]
pub struct BridgeRevert {
    /// The folder of what was written down
    ///
    /// Example: --armed /var/lib/kvmnet/window
    #[arg(long, value_name = "DIR", hide = true)]
    pub armed: Option<PathBuf>,
    /// Before the network is configured
    ///
    /// Example: --boot
    #[arg(long, hide = true, requires = "armed")]
    pub boot: bool,
    /// Wait so long first, in a session of its own
    ///
    /// Example: --after 90000
    #[arg(long, value_name = "MILLISECONDS", hide = true, requires = "armed")]
    pub after: Option<u64>,
}

/// List the host's bridges
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet host bridge list")]
pub struct BridgeList {}

/// Show a bridge: ports, addresses, who configures it, the guests on it, what waits to be confirmed
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet host bridge show br0")]
pub struct BridgeShow {
    /// The bridge
    #[arg(value_name = "BRIDGE")]
    pub name: String,
}

/// Remove a bridge: its NIC gets its addresses back
///
/// The reverse of create, with the same preview, the same way back, and the same need to be confirmed.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet host bridge delete br0")]
pub struct BridgeDelete {
    /// The bridge
    #[arg(value_name = "BRIDGE")]
    pub name: DeviceName,
    /// Remove it although guests use it
    ///
    /// Example: kvmnet host bridge delete br0 --force
    #[arg(long)]
    pub force: bool,
    /// Backend, time, preview.
    #[command(flatten)]
    pub change: BridgeChange,
}

/// What goes for every change of a bridge.
#[derive(Debug, Clone, Args)]
pub struct BridgeChange {
    /// Whose files are written; auto finds out who configures the device
    ///
    /// Example: --backend netplan
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|ifupdown|netplan|networkd|networkmanager"
    )]
    pub backend: BackendChoice,
    /// Unless 'kvmnet host bridge confirm' is run in that time, everything is put back
    ///
    /// Example: --timeout 300
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(5..=86400))]
    pub timeout: u64,
    /// With --dry-run: read the files below this folder, as any user
    ///
    /// Example: --dry-run --root /mnt/copy-of-another-host
    #[arg(long, value_name = "DIR", requires = "dry_run")]
    pub root: Option<PathBuf>,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// The address of another host.
fn parse_server(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| "an IP address is wanted, as in 192.0.2.1")?;
    if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err("no host has that address".into());
    }
    Ok(ip)
}

/// The same, of one that isn't this host.
fn parse_router(text: &str) -> Result<IpAddr, String> {
    match parse_server(text)? {
        ip if ip.is_loopback() => Err("that is this host, which can't be its own router".into()),
        ip => Ok(ip),
    }
}

/// Where a bridge's addresses come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeAddress {
    /// From the NIC.
    Keep,
    /// From DHCP.
    Dhcp,
    /// From nobody.
    None,
    /// This one.
    Static(IpNet),
}

impl FromStr for BridgeAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(BridgeAddress::Keep),
            "dhcp" => Ok(BridgeAddress::Dhcp),
            "none" => Ok(BridgeAddress::None),
            _ if text.parse::<Ipv6Addr>().is_ok() => {
                Err(format!("the length of its prefix is missing, as in {text}/64"))
            }
            _ if text.parse::<Ipv4Addr>().is_ok() => {
                Err(format!("the length of its prefix is missing, as in {text}/24"))
            }
            _ => {
                let net: IpNet = text.parse().map_err(|_| {
                    "keep, dhcp, none or an address with the length of its prefix is wanted, as in 192.0.2.10/24"
                })?;
                let is_subnet = net.addr() == net.network() && net.prefix_len() < net.max_prefix_len() - 1;
                let is_everybodys =
                    net.addr() == net.broadcast() && net.prefix_len() < net.max_prefix_len() - 1;
                match net.addr() {
                    IpAddr::V4(_) if is_everybodys => Err("it is that of all hosts of its subnet".into()),
                    IpAddr::V4(_) if is_subnet => Err("it is a subnet's, no host's, address".into()),
                    ip if ip.is_multicast()
                        || ip.is_unspecified()
                        || ip.is_loopback()
                        || ip == IpAddr::V4(Ipv4Addr::BROADCAST) =>
                    {
                        Err("no host can have it on a bridge".into())
                    }
                    _ if net.prefix_len() == 0 => {
                        Err("with that prefix every host there is would be on the LAN".into())
                    }
                    _ => Ok(BridgeAddress::Static(net)),
                }
            }
        }
    }
}

/// A bridge's MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeMac {
    /// The first port's.
    Keep,
    /// This one.
    Mac(MacAddr),
}

impl FromStr for BridgeMac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "keep" {
            return Ok(BridgeMac::Keep);
        }
        let mac: MacAddr = text.parse().map_err(|e| format!("{e}"))?;
        match mac.octets() {
            [0, 0, 0, 0, 0, 0] => Err("no device can have it".into()),
            _ if mac.is_multicast() => Err("it is a group's address, which no device can have".into()),
            _ => Ok(BridgeMac::Mac(mac)),
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum OnOff {
    On,
    Off,
}

/// Whose files are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum BackendChoice {
    #[default]
    Auto,
    Ifupdown,
    Netplan,
    Networkd,
    #[value(name = "networkmanager", alias = "network-manager")]
    NetworkManager,
}

impl BackendChoice {
    /// Its name, if one was chosen.
    pub fn name(self) -> Option<&'static str> {
        match self {
            BackendChoice::Auto => None,
            BackendChoice::Ifupdown => Some("ifupdown"),
            BackendChoice::Netplan => Some("netplan"),
            BackendChoice::Networkd => Some("networkd"),
            BackendChoice::NetworkManager => Some("networkmanager"),
        }
    }
}

/// List the network devices: kind, driver, link, addresses, who configures them, what their names mean
///
/// A name such as enp4s0 says where a device is; that is compared with where it really is. Of names that can change
/// between boots it says so, and which name lasts. For the named devices, or with -v, all of that is shown; without, what
/// isn't as it should be.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host nics
  kvmnet host nics enp4s0
  kvmnet -v host nics
  kvmnet -o json host nics")]
pub struct HostNics {
    /// The devices, by any of their names; without them all are listed
    #[arg(value_name = "NIC")]
    pub nics: Vec<String>,
    /// Look at the files below this folder instead of at this host; then addresses aren't known
    ///
    /// Example: kvmnet host nics --root /mnt/copy-of-another-host
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}
