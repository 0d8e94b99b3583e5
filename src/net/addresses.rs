//! The subnets of a network: what was asked for, held against what libvirt refuses late and what it lets pass
//! (reference §5.2, §5.4, §5.5).

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::around::Surroundings;
use super::ask::Ask;
use super::fault::Fault;
use super::free::{bits, free4, free6};
use super::spec::Subnet;
use super::{dhcp, hosts};

/// What can't be a subnet of guests: its name, its addresses.
const RESERVED: &[(&str, &str)] = &[
    ("\"this network\"", "0.0.0.0/8"),
    ("the loopback network", "127.0.0.0/8"),
    ("link-local addresses", "169.254.0.0/16"),
    ("multicast", "224.0.0.0/4"),
    ("reserved addresses", "240.0.0.0/4"),
    ("reserved addresses (unspecified, loopback, IPv4 in IPv6)", "::/8"),
    ("link-local addresses", "fe80::/10"),
    ("multicast", "ff00::/8"),
];

/// The largest and the smallest IPv4 subnet: four addresses are the host's, a guest's, and the two that nobody has.
const SIZES4: std::ops::RangeInclusive<u8> = 8..=30;
/// The same for IPv6.
const SIZES6: std::ops::RangeInclusive<u8> = 8..=126;

/// The subnets of a new network, IPv4 first.
pub(super) fn subnets(ask: &Ask, around: &Surroundings, why: &mut Vec<String>) -> Result<Vec<Subnet>, Fault> {
    pools(ask)?;
    let four = match ask.subnet {
        Some(net) => asked4(net, around)?,
        None => chosen4(ask, around, why)?,
    };
    let six = match ask.subnet6 {
        Some(net) => Some(asked6(net, around)?),
        None => chosen6(ask, around, why)?,
    };
    let empty = |ip| Subnet { ip, dhcp: Vec::new(), hosts: Vec::new() };
    let mut subnets: Vec<Subnet> = std::iter::once(four).chain(six).map(empty).collect();
    dhcp::ranges(ask, &mut subnets)?;
    hosts::reserve(ask, &mut subnets)?;
    Ok(subnets)
}

/// A free IPv4 subnet.
pub(super) fn chosen4(ask: &Ask, around: &Surroundings, why: &mut Vec<String>) -> Result<IpNet, Fault> {
    let (net, chosen) = free4(&ask.subnet_pools, around)?;
    why.push(format!("subnet {net}: {chosen}"));
    asked4(net, around)
}

/// A free IPv6 subnet, if there is a pool for it.
pub(super) fn chosen6(
    ask: &Ask,
    around: &Surroundings,
    why: &mut Vec<String>,
) -> Result<Option<IpNet>, Fault> {
    let Some((net, chosen)) = free6(&ask.subnet_pools, around)? else { return Ok(None) };
    why.push(format!("IPv6 subnet {net}: {chosen}"));
    asked6(net, around).map(Some)
}

/// `--subnet`: the gateway with the length of its prefix.
pub(super) fn asked4(net: Ipv4Net, around: &Surroundings) -> Result<IpNet, Fault> {
    const FLAG: &str = "--subnet";
    sized(FLAG, net.into(), &SIZES4)?;
    let gateway = gateway(net.into());
    if gateway == IpAddr::V4(net.broadcast()) {
        let what = format!("{net}: {gateway} is its broadcast address and can't be the host's");
        return Err(Fault::new(FLAG, what, format!("for example {FLAG} {}", net.trunc())));
    }
    placed(FLAG, net.into(), gateway, around)
}

/// `--subnet6`, likewise.
pub(super) fn asked6(net: Ipv6Net, around: &Surroundings) -> Result<IpNet, Fault> {
    const FLAG: &str = "--subnet6";
    sized(FLAG, net.into(), &SIZES6)?;
    placed(FLAG, net.into(), gateway(net.into()), around)
}

/// The host's address: the one that was written with the prefix, or the first one.
pub(super) fn gateway(net: IpNet) -> IpAddr {
    match net {
        IpNet::V4(net) if net.addr() == net.network() => IpAddr::V4((net.network().to_bits() | 1).into()),
        IpNet::V6(net) if net.addr() == net.network() => IpAddr::V6((net.network().to_bits() | 1).into()),
        other => other.addr(),
    }
}

fn sized(flag: &'static str, net: IpNet, sizes: &std::ops::RangeInclusive<u8>) -> Result<(), Fault> {
    let prefix = net.prefix_len();
    if sizes.contains(&prefix) {
        return Ok(());
    }
    let (what, bound) = match prefix < *sizes.start() {
        true => ("too large", sizes.start()),
        false => ("too small", sizes.end()),
    };
    let usual = if matches!(net, IpNet::V4(_)) { 24 } else { 64 };
    Err(Fault::new(flag, format!("{net} is {what}: /{bound} is the limit"), format!("a /{usual} is usual")))
}

fn placed(flag: &'static str, net: IpNet, gateway: IpAddr, around: &Surroundings) -> Result<IpNet, Fault> {
    usable(flag, net)?;
    collides(flag, net, around)?;
    let help = "a subnet is ADDRESS/PREFIX";
    IpNet::new(gateway, net.prefix_len()).map_err(|_| Fault::new(flag, format!("{net} is no subnet"), help))
}

fn usable(flag: &'static str, net: IpNet) -> Result<(), Fault> {
    let meets = |reserved: &str| reserved.parse().is_ok_and(|reserved| overlap(net, reserved));
    match RESERVED.iter().find(|(_, reserved)| meets(reserved)) {
        None => Ok(()),
        Some((name, reserved)) => {
            let help = match net {
                IpNet::V4(_) => "take one out of 192.168.0.0/16, 172.16.0.0/12 or 10.0.0.0/8",
                IpNet::V6(_) => "take one out of fd00::/8",
            };
            Err(Fault::new(flag, format!("{net} is no subnet for guests: {reserved} is {name}"), help))
        }
    }
}

/// Pools have to be such that every subnet in them would do.
fn pools(ask: &Ask) -> Result<(), Fault> {
    ask.subnet_pools.iter().try_for_each(|pool| {
        let most = if matches!(pool, IpNet::V4(_)) { *SIZES4.end() } else { *SIZES6.end() };
        sized("--subnet-pool", *pool, &(1..=most))?;
        usable("--subnet-pool", *pool)
    })
}

/// Overlap, not equality: libvirt notices only the same subnet with the same prefix, only of IPv4, and only when the
/// network starts (reference §5.5).
fn collides(flag: &'static str, net: IpNet, around: &Surroundings) -> Result<(), Fault> {
    let Some((other, by)) = around.in_use().find(|(other, _)| overlap(net, *other)) else { return Ok(()) };
    let named = if by.contains(&other.to_string()) { String::new() } else { format!(" ({other})") };
    let help = match net {
        IpNet::V4(_) => format!("without {flag} a free one is chosen"),
        IpNet::V6(_) => {
            let pool = "for example --subnet-pool fd12:3456:789a::/48";
            format!("with a pool of IPv6 instead of {flag} a free one is chosen ({pool})")
        }
    };
    Err(Fault::new(flag, format!("{net} overlaps {by}{named}"), help))
}

/// Have the two an address in common?
pub fn overlap(a: IpNet, b: IpNet) -> bool {
    let same_family = matches!((a, b), (IpNet::V4(_), IpNet::V4(_)) | (IpNet::V6(_), IpNet::V6(_)));
    same_family && bits(a.network()) <= bits(b.broadcast()) && bits(b.network()) <= bits(a.broadcast())
}

/// Is it an address that a guest can have? `None` if so, else the reason.
pub fn unusable(subnet: IpNet, address: IpAddr) -> Option<String> {
    if !subnet.contains(&address) {
        return Some(format!("is not in {}", subnet.trunc()));
    }
    let is_four = matches!(subnet, IpNet::V4(_));
    if address == subnet.addr() {
        Some("is the host's own address there, the gateway".into())
    } else if address == subnet.network() {
        Some("is the address of the subnet itself".into())
    } else if is_four && address == subnet.broadcast() {
        Some("is the subnet's broadcast address".into())
    } else {
        None
    }
}
