//! `kvmnet net`

use std::net::{IpAddr, Ipv4Addr};

use clap::{Args, Subcommand, ValueEnum};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Consent;
use crate::model::DeviceName;
use crate::net::{Host, Mode, PortgroupAsk};

/// Make, change and explain libvirt networks
///
/// A network is isolated, routed, NAT, open, or bridged to a host bridge. What each mode means (who reaches whom) is
/// said when a network is made or shown.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet net create --mode nat
  kvmnet net create lan --mode bridge --bridge br0
  kvmnet net show default
  kvmnet net set-mode default --mode bridge --bridge br0")]
pub struct Net {
    /// What to do.
    #[command(subcommand)]
    pub command: NetCommand,
}

/// What can be done with networks.
#[derive(Debug, Clone, Subcommand)]
#[allow(missing_docs, reason = "what a command does stands at its struct, where clap finds it")]
pub enum NetCommand {
    Create(Box<NetCreate>),
    List(NetList),
    Show(NetShow),
    Start(NetStart),
    Stop(NetStop),
    Restart(NetRestart),
    Autostart(NetAutostart),
    Delete(NetDelete),
    Leases(NetLeases),
    SetMode(Box<NetSetMode>),
}

/// Define a network, start it, and have it start with libvirt
///
/// Prints the definition, who can reach whom, and what else must be done. What isn't said is chosen: the first free
/// name, the first free bridge name, the first /24 that overlaps no route or address of this host and no other network.
/// Runs at the same moment choose different ones. It only adds, so it asks nothing. If libvirt can't start the network, its definition is taken back.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet net create --mode nat
  kvmnet net create lab --mode isolated --host-access
  kvmnet net create dmz --mode route --subnet 10.20.0.0/24 --dev enp4s0
  kvmnet net create lan --mode bridge --bridge br0
  kvmnet net create six --mode nat --subnet6 fd12:3456:789a:1::/64 --dry-run")]
pub struct NetCreate {
    /// The network's name; without it the first free of nat, nat-2, … (named after the mode)
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// What the network and its flags say.
    #[command(flatten)]
    pub shape: NetShape,
    /// A host's fixed address, and its name if you like; repeatable
    ///
    /// Example: --host 52:54:00:12:34:56,192.168.100.10,web1
    #[arg(long, value_name = "MAC,IP[,NAME]", allow_hyphen_values = true, help_heading = "Addresses")]
    pub host: Vec<Host>,
    /// The DNS domain of the guests
    ///
    /// Example: --domain lab.example
    #[arg(long, value_name = "DOMAIN", help_heading = "Names")]
    pub domain: Option<String>,
    /// No DNS server
    ///
    /// Example: kvmnet net create --mode nat --no-dns
    #[arg(long, help_heading = "Names")]
    pub no_dns: bool,
    /// A name that the network's DNS server knows; repeatable
    ///
    /// Example: --dns-host 192.168.100.1,gateway,gw
    #[arg(long, value_name = "IP,NAME[,NAME...]", value_parser = dns_host, help_heading = "Names")]
    pub dns_host: Vec<(IpAddr, Vec<String>)>,
    /// Where the network's DNS server asks, for all names or those of one domain; repeatable
    ///
    /// Example: --dns-forwarder 10.0.0.53 --dns-forwarder corp.example/10.1.0.53
    #[arg(long, value_name = "[DOMAIN/]IP", value_parser = forwarder, help_heading = "Names")]
    pub dns_forwarder: Vec<(Option<String>, IpAddr)>,
    /// The MTU of the bridge and the guests' NICs, in bytes
    ///
    /// Example: --mtu 9000
    #[arg(long, value_name = "BYTES")]
    pub mtu: Option<u32>,
    /// With --mode nat: the source ports that guests' connections get on the host
    ///
    /// Example: --nat-ports 1024-65535
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    pub nat_ports: Option<(u16, u16)>,
    /// With --mode nat: the host's addresses that guests' connections come from
    ///
    /// Example: --nat-addresses 198.51.100.10-198.51.100.12
    #[arg(long, value_name = "FIRST-LAST", value_parser = addresses)]
    pub nat_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// A portgroup: a name that guests' NICs can choose, with a VLAN where the bridge can; repeatable
    ///
    /// Example: --portgroup servers,vlan=20,default
    #[arg(long, value_name = "NAME[,vlan=ID][,default]")]
    pub portgroup: Vec<PortgroupAsk>,
    /// Define it, but don't start it
    ///
    /// Example: kvmnet net create --mode nat --no-start
    #[arg(long)]
    pub no_start: bool,
    /// Don't have it start with libvirt
    ///
    /// Example: kvmnet net create --mode nat --no-autostart
    #[arg(long)]
    pub no_autostart: bool,
    /// Go on where another host's devices can't be seen, and one may have the bridge's name: libvirt would delete it
    ///
    /// Example: kvmnet -c qemu+ssh://rack7/system net create --mode nat --bridge virbr7 --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// The mode of a network and what goes with it.
#[derive(Debug, Clone, Args)]
pub struct NetShape {
    /// isolated: guests see each other only; route: through the host, addresses unchanged; nat: out through the host's
    /// address; open: as route, without firewall rules; bridge: on the LAN through a host bridge
    ///
    /// Example: --mode nat
    #[arg(long, value_enum, value_name = "isolated|route|nat|open|bridge", hide_possible_values = true)]
    pub mode: NetMode,
    /// The host bridge of --mode bridge, which must exist; else the name of the virtual bridge
    ///
    /// Example: --mode bridge --bridge br0
    #[arg(long, value_name = "NAME")]
    pub bridge: Option<DeviceName>,
    /// With --mode bridge: no bridge, but macvtap on this device of the host; repeatable, for a pool of them
    ///
    /// Example: --mode bridge --pool enp4s0 --pool enp5s0
    #[arg(long, value_name = "DEV")]
    pub pool: Vec<DeviceName>,
    /// The device of the host to forward through (route, nat): where packets leave, so a bridge and not its port
    ///
    /// Example: --mode route --dev enp4s0
    #[arg(long, value_name = "NIC")]
    pub dev: Option<DeviceName>,
    /// With --mode isolated: the host has an address in the network, and gives out others by DHCP
    ///
    /// Example: --mode isolated --host-access
    #[arg(long)]
    pub host_access: bool,
    /// The network's IPv4 addresses; the host takes the first one, or the one given
    ///
    /// Example: --subnet 10.20.0.0/24
    #[arg(long, value_name = "CIDR", value_parser = subnet4, help_heading = "Addresses")]
    pub subnet: Option<Ipv4Net>,
    /// The network's IPv6 addresses; guests get theirs by router advertisement from a /64
    ///
    /// Example: --subnet6 fd12:3456:789a:1::/64
    #[arg(long, value_name = "CIDR", value_parser = subnet6, help_heading = "Addresses")]
    pub subnet6: Option<Ipv6Net>,
    /// Where a free subnet is looked for; repeatable. An IPv6 one gives the network an IPv6 subnet too
    ///
    /// Example: --subnet-pool 10.64.0.0/10
    #[arg(long, value_name = "CIDR", value_parser = pool, help_heading = "Addresses")]
    pub subnet_pool: Vec<IpNet>,
    /// What DHCP gives out; repeatable, once for each family. Without it: all of the IPv4 subnet
    ///
    /// Example: --dhcp 10.20.0.100-10.20.0.199
    #[arg(long, value_name = "START-END", value_parser = range, help_heading = "Addresses", conflicts_with = "no_dhcp")]
    pub dhcp: Vec<(IpAddr, IpAddr)>,
    /// No DHCP
    ///
    /// Example: kvmnet net create --mode route --no-dhcp
    #[arg(long, help_heading = "Addresses")]
    pub no_dhcp: bool,
}

/// The modes, as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NetMode {
    /// Guests see each other only.
    Isolated,
    /// Through the host, addresses unchanged.
    Route,
    /// Out through the host's address.
    Nat,
    /// As route, without firewall rules.
    Open,
    /// On the LAN, through a host bridge.
    Bridge,
}

impl From<NetMode> for Mode {
    fn from(mode: NetMode) -> Mode {
        match mode {
            NetMode::Isolated => Mode::Isolated,
            NetMode::Route => Mode::Route,
            NetMode::Nat => Mode::Nat,
            NetMode::Open => Mode::Open,
            NetMode::Bridge => Mode::Bridge,
        }
    }
}

/// List the networks: mode, state, bridge, subnets, how many guests
///
/// Says on standard error which running guests aren't plugged into their network, which network's dnsmasq has died, and
/// which network mustn't start with libvirt, since a device of the host has the name of its bridge.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net list")]
pub struct NetList {}

/// Show all about one network: what it means, what runs, its guests, leases, firewall rules
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net show default")]
pub struct NetShow {
    /// The network
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Start networks, and plug the running guests on them in
///
/// Of one that runs already, those are plugged back that a 'virsh net-destroy' and 'net-start' has left unplugged.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net start default")]
pub struct NetStart {
    /// The networks
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Go on where another host's devices can't be seen, and one may have the bridge's name: libvirt would delete it
    ///
    /// Example: kvmnet -c qemu+ssh://rack7/system net start lab --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// Stop networks; running guests on them are cut off until they are plugged back
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net stop lab")]
pub struct NetStop {
    /// The networks
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Stop one that has no definition, and is gone then
    ///
    /// Example: kvmnet net stop lab --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// Stop and start networks, and plug the running guests on them back, without restarting these
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net restart default")]
pub struct NetRestart {
    /// The networks
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Restart one although it wouldn't work then (its host bridge is gone, …), or may do harm on a host that can't be seen
    ///
    /// Example: kvmnet net restart lan --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// Say whether networks start with libvirt
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net autostart default on")]
pub struct NetAutostart {
    /// The networks and on or off, which comes first or last
    #[arg(value_name = "NAME|on|off", required = true)]
    pub words: Vec<String>,
    /// Go on where another host's devices can't be seen, and one may have the bridge's name: libvirt would delete it
    ///
    /// Example: kvmnet -c qemu+ssh://rack7/system net autostart lab on --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// Stop networks and remove their definitions
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net delete lab")]
pub struct NetDelete {
    /// The networks
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Delete one that guests refer to: they won't start, and running ones are cut off
    ///
    /// Example: kvmnet net delete lab --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// List the addresses that a network's DHCP server gave out
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  kvmnet net leases default")]
pub struct NetLeases {
    /// The network
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Change a network's mode; guests on it stay, and running ones are plugged into its new bridge
///
/// The definition is changed only where it must be: what the new mode may not have goes, what it needs comes, all else
/// (metadata, comments, dnsmasq options) stays. What goes although nobody asked for that, and what still names an address
/// of the old subnet, is said in warnings, whose codes kvmnet-convert(1) lists. A network that runs is restarted.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet net set-mode default --mode bridge --bridge br0
  kvmnet net set-mode default --mode nat")]
pub struct NetSetMode {
    /// The network
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it becomes.
    #[command(flatten)]
    pub shape: NetShape,
    /// Go on although guests name the bridge that goes, or another host's devices can't be seen
    ///
    /// Guests that name a bridge don't start without it. A device of the bridge's name on a host that can't be seen would be
    /// deleted by libvirt. Example: kvmnet net set-mode lab --mode nat --bridge virbr9 --force
    #[arg(long)]
    pub force: bool,
    /// Preview, question, exit code.
    #[command(flatten)]
    pub consent: Consent,
}

/// `A-B` as two values of one kind.
fn pair<T: std::str::FromStr>(text: &str, what: &str) -> Result<(T, T), String> {
    let parse = |word: &str| word.trim().parse().ok();
    let parsed = text.split_once('-').and_then(|(first, last)| Some((parse(first)?, parse(last)?)));
    parsed.ok_or_else(|| format!("two {what} with '-' between them are wanted"))
}

/// A subnet, or what is wrong with it.
fn subnet(text: &str, example: &str) -> Result<IpNet, String> {
    let length = example.rsplit('/').next().unwrap_or_default();
    match (text.parse(), text.parse::<IpAddr>()) {
        (Ok(net), _) => Ok(net),
        (Err(_), Ok(_)) => Err(format!("the length of its prefix is missing: {text}/{length}?")),
        (Err(_), Err(_)) => Err(format!("a subnet is ADDRESS/LENGTH, for example {example}")),
    }
}

fn subnet4(text: &str) -> Result<Ipv4Net, String> {
    match subnet(text, "10.20.0.0/24")? {
        IpNet::V4(net) => Ok(net),
        IpNet::V6(_) => Err(format!("this is IPv6: --subnet6 {text}")),
    }
}

fn subnet6(text: &str) -> Result<Ipv6Net, String> {
    match subnet(text, "fd12:3456:789a:1::/64")? {
        IpNet::V6(net) => Ok(net),
        IpNet::V4(_) => Err(format!("this is IPv4: --subnet {text}")),
    }
}

fn pool(text: &str) -> Result<IpNet, String> {
    subnet(text, "10.64.0.0/10")
}

fn range(text: &str) -> Result<(IpAddr, IpAddr), String> {
    pair(text, "addresses")
}

fn addresses(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), String> {
    pair(text, "IPv4 addresses")
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    pair(text, "ports")
}

fn dns_host(text: &str) -> Result<(IpAddr, Vec<String>), String> {
    let (ip, names) = text.split_once(',').ok_or("an address, ',' and a name are wanted")?;
    let ip = ip.parse().map_err(|_| format!("'{ip}' is no IP address"))?;
    Ok((ip, names.split(',').map(Into::into).collect()))
}

fn forwarder(text: &str) -> Result<(Option<String>, IpAddr), String> {
    let (domain, ip) = match text.rsplit_once('/') {
        Some((domain, ip)) => (Some(domain.to_string()), ip),
        None => (None, text),
    };
    Ok((domain, ip.parse().map_err(|_| format!("'{ip}' is no IP address"))?))
}
