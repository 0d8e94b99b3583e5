//! Numbers and words with limits: MTU, NAT, DNS, portgroups.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::around::Surroundings;
use super::ask::Ask;
use super::fault::Fault;
use super::modes::Kind;
use super::words;
use crate::model::DeviceName;

/// What the kernel takes for a bridge (`ETH_MIN_MTU` to the schema's `unsignedShort`).
pub const MTU: std::ops::RangeInclusive<u32> = 68..=65535;

/// The least for IPv6 (RFC 8200): below it the kernel switches IPv6 off on the device.
pub const MTU6: u32 = 1280;

/// Everything that no subnet is needed for.
pub(super) fn check(
    ask: &Ask,
    kind: Kind,
    bridge: Option<&DeviceName>,
    around: &Surroundings,
) -> Result<(), Fault> {
    mtu(ask)?;
    nat(ask)?;
    if let Some((name, why)) = ask.domain.as_deref().and_then(|name| Some((name, words::domain(name)?))) {
        let what = format!("'{}': {why}", name.escape_debug());
        return Err(Fault::new("--domain", what, "for example --domain lab.example"));
    }
    dns(ask)?;
    portgroups(ask, kind, bridge, around)
}

fn mtu(ask: &Ask) -> Result<(), Fault> {
    let Some(size) = ask.mtu else { return Ok(()) };
    if !MTU.contains(&size) {
        let what = format!("{size} is no MTU that a bridge can have: {} to {}", MTU.start(), MTU.end());
        return Err(Fault::new("--mtu", what, "1500 is Ethernet's"));
    }
    Ok(())
}

fn nat(ask: &Ask) -> Result<(), Fault> {
    if let Some((start, end)) = ask.nat_ports {
        let fault =
            |what: &str, help: &str| Err(Fault::new("--nat-ports", format!("{start}-{end}: {what}"), help));
        if start == 0 {
            return fault("no connection leaves from port 0", "1024-65535 is what libvirt takes by itself");
        }
        if start > end {
            return fault("the range is reversed", "write the lower port first");
        }
    }
    if let Some((start, end)) = ask.nat_addresses {
        let fault = |what: String, help: &str| {
            Err(Fault::new("--nat-addresses", format!("{start}-{end}: {what}"), help))
        };
        if start > end {
            return fault("the range is reversed".into(), "write the lower address first");
        }
        let no_host =
            |a: &Ipv4Addr| a.octets()[0] == 0 || a.is_loopback() || a.octets()[0] >= 224 || a.is_link_local();
        if let Some(bad) = [start, end].iter().find(|a| no_host(a)) {
            return fault(
                format!("{bad} is no address that others could answer to"),
                "take addresses of the LAN",
            );
        }
    }
    Ok(())
}

fn dns(ask: &Ask) -> Result<(), Fault> {
    for (domain, server) in &ask.forwarders {
        let fault = |what: String, help: &str| Err(Fault::new("--dns-forwarder", what, help));
        if let Some(why) = domain.as_deref().and_then(words::domain) {
            let asked = domain.as_deref().unwrap_or_default().escape_debug();
            return fault(format!("{asked}/{server}: {why}"), "for example lab.example/10.0.0.53");
        }
        if server.is_unspecified() || server.is_multicast() {
            return fault(format!("{server} is no address of a DNS server"), "name the server's own address");
        }
        if matches!(server, IpAddr::V6(server) if server.is_unicast_link_local()) {
            let what = format!("{server} is an address on one link, and which one can't be said here");
            return fault(what, "name an address of the server's that is known beyond it");
        }
    }
    for (address, names) in &ask.dns_hosts {
        let fault = |what: String, help: &str| Err(Fault::new("--dns-host", what, help));
        if address.is_unspecified() || address.is_multicast() {
            return fault(format!("{address} is no host's address"), "write the host's own");
        }
        if names.is_empty() {
            return fault(format!("{address} has no name"), "write at least one behind the address");
        }
        let again = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name));
        if let Some((_, name)) = again {
            return fault(format!("{address}: '{name}' is there twice"), "name each once");
        }
        if let Some(why) = names.iter().find_map(|n| words::domain(n)) {
            return fault(format!("{address}: {why}"), "for example web.lab.example");
        }
    }
    Ok(())
}

/// VLANs of guests are for bridges that can do them (reference §1.5); the schema's 0 and 4095 are no VLANs.
fn portgroups(
    ask: &Ask,
    kind: Kind,
    bridge: Option<&DeviceName>,
    around: &Surroundings,
) -> Result<(), Fault> {
    let fault = |what: String, help: &str| Err(Fault::new("--portgroup", what, help));
    let mut names = HashSet::new();
    if let Some(twice) = ask.portgroups.iter().find(|g| !names.insert(&g.name)) {
        return fault(format!("'{}' is there twice", twice.name), "give each a name of its own");
    }
    let defaults: Vec<_> = ask.portgroups.iter().filter(|g| g.is_default).map(|g| g.name.as_str()).collect();
    if let [one, other, ..] = defaults[..] {
        return fault(format!("'{one}' and '{other}' are both the default"), "only one can be");
    }
    let Some(group) = ask.portgroups.iter().find(|g| g.vlan.is_some()) else { return Ok(()) };
    let (name, id) = (&group.name, group.vlan.unwrap_or_default());
    if !(1..=4094).contains(&id) {
        return fault(format!("'{name}': VLAN {id} isn't one of 1 to 4094"), "take one of those");
    }
    if kind != Kind::Bridge {
        return fault(
            format!("'{name}' can't have a VLAN here: only mode bridge on a bridge of the host has them"),
            "leave vlan= out, or take --mode bridge --bridge BRIDGE",
        );
    }
    let device = bridge.and_then(|b| around.device(b.as_str()));
    match device {
        Some(device) if device.is_bridge && !device.filters_vlans => fault(
            format!(
                "'{name}' can't have a VLAN: bridge '{}' doesn't filter VLANs, and would carry its frames untagged",
                device.name
            ),
            &format!(
                "ip link set dev {} type bridge vlan_filtering 1, with libvirt 11.0 or newer; or leave vlan= out",
                device.name
            ),
        ),
        _ => Ok(()),
    }
}

/// What must fit the subnet: nothing may be translated to addresses of the guests, the DNS server can't ask itself, and
/// IPv6 needs its MTU.
pub(super) fn in_subnet(ask: &Ask, mtu: Option<u32>, subnet: IpNet) -> Result<(), Fault> {
    if let Some(size) = mtu.filter(|size| subnet.addr().is_ipv6() && *size < MTU6) {
        let what = format!("{size} is too small for IPv6, which needs {MTU6}");
        return Err(Fault::new("--mtu", what, format!("take at least {MTU6}, or leave the IPv6 subnet out")));
    }
    if let Some((start, end)) = ask.nat_addresses
        && let IpNet::V4(net) = subnet
        && start <= net.broadcast()
        && net.network() <= end
    {
        let what = format!("{start}-{end}: the guests' own subnet {} is in it", net.trunc());
        return Err(Fault::new("--nat-addresses", what, "take addresses of the LAN that nobody else has"));
    }
    let itself = |server: &IpAddr| *server == subnet.addr();
    if let Some((_, server)) = ask.forwarders.iter().find(|(_, server)| itself(server)) {
        let what = format!("{server} is the network's own DNS server: it would ask itself");
        return Err(Fault::new("--dns-forwarder", what, "name another server"));
    }
    Ok(())
}
