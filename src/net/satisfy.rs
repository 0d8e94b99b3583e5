//! Is everything that was asked for there already?

use std::net::IpAddr;

use super::ask::{Ask, Mode};
use super::modes::Kind;
use crate::model::{Address, DeviceName, ForwardMode, Network, Setting};

/// Is everything that was asked for there already? Then the same command a second time changes nothing. What nothing was
/// said about may be as it likes.
pub fn satisfies(existing: &Network, ask: &Ask) -> bool {
    let kind = Kind::of(ask);
    ask.name.as_ref().is_none_or(|name| *name == existing.name)
        && forwards(existing, ask, kind)
        && addressed(existing, ask, kind)
        && named(existing, ask)
        && ask.portgroups.iter().all(|asked| {
            let vlan = |id: u16| format!("<vlan><tag id='{id}'/></vlan>");
            existing.portgroups.iter().any(|group| {
                group.name == asked.name
                    && (group.is_default || !asked.is_default)
                    && asked.vlan.is_none_or(|id| group.given.get(Setting::Vlan) == Some(vlan(id).as_str()))
            })
        })
}

/// The word of the definition for a mode.
pub(super) fn forward_mode(mode: Mode) -> ForwardMode {
    match mode {
        Mode::Isolated => ForwardMode::Isolated,
        Mode::Route => ForwardMode::Route,
        Mode::Nat => ForwardMode::Nat,
        Mode::Open => ForwardMode::Open,
        Mode::Bridge => ForwardMode::Bridge,
    }
}

fn forwards(existing: &Network, ask: &Ask, kind: Kind) -> bool {
    let same = |asked: &DeviceName, found: &Option<String>| found.as_deref() == Some(asked.as_str());
    let pool: Vec<&str> = ask.pool.iter().map(DeviceName::as_str).collect();
    existing.mode == forward_mode(ask.mode)
        && (ask.mode != Mode::Bridge || existing.has_pool == (kind == Kind::Pool))
        && (pool.is_empty() || same_set(&existing.pool, &pool))
        && ask.bridge.as_ref().is_none_or(|bridge| same(bridge, &existing.bridge))
        && ask.devs.iter().all(|dev| same(dev, &existing.forward_dev))
        && ask.nat_ports.is_none_or(|ports| existing.nat_ports == Some(ports))
        && ask.nat_addresses.is_none_or(|addresses| existing.nat_addresses == Some(addresses))
}

fn same_set<A: PartialEq<B>, B>(found: &[A], asked: &[B]) -> bool {
    found.len() == asked.len() && asked.iter().all(|a| found.iter().any(|f| f == a))
}

/// The first address of a family.
pub(super) fn of_family(network: &Network, is_four: bool) -> Option<&Address> {
    network.addresses.iter().find(|a| a.ip.addr().is_ipv4() == is_four)
}

fn addressed(existing: &Network, ask: &Ask, kind: Kind) -> bool {
    if !kind.has_addresses() {
        return existing.addresses.is_empty();
    }
    let (four, six) = (of_family(existing, true), of_family(existing, false));
    let asked4 = ask.subnet.map(|net| super::addresses::gateway(net.into()));
    let asked6 = ask.subnet6.map(|net| super::addresses::gateway(net.into()));
    let prefix = |found: &Address, len: Option<u8>| len.is_none_or(|len| found.ip.prefix_len() == len);
    let has = |found: Option<&Address>, gateway: Option<IpAddr>, len: Option<u8>| match (found, gateway) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(found), Some(gateway)) => found.ip.addr() == gateway && prefix(found, len),
    };
    (four.is_some() || six.is_some())
        && has(four, asked4, ask.subnet.map(|n| n.prefix_len()))
        && has(six, asked6, ask.subnet6.map(|n| n.prefix_len()))
        && (six.is_none() || ask.subnet6.is_none() || ask.mode != Mode::Nat || existing.nat_ipv6)
        && dhcp(existing, ask)
}

fn dhcp(existing: &Network, ask: &Ask) -> bool {
    let silent = |a: &Address| a.dhcp.is_empty() && a.hosts.is_empty();
    if ask.no_dhcp && !existing.addresses.iter().all(silent) {
        return false;
    }
    let ranges_fit = |is_four: bool| {
        let asked: Vec<_> =
            ask.dhcp.iter().filter(|(start, _)| start.is_ipv4() == is_four).copied().collect();
        asked.is_empty() || of_family(existing, is_four).is_some_and(|a| same_set(&a.dhcp, &asked))
    };
    let reserved = |asked: &super::Host| {
        existing.addresses.iter().flat_map(|a| &a.hosts).any(|host| {
            host.ip == asked.ip
                && host.mac == asked.mac
                && host.id == asked.id
                && (asked.name.is_none() || host.name == asked.name)
        })
    };
    ranges_fit(true) && ranges_fit(false) && ask.hosts.iter().all(reserved)
}

fn named(existing: &Network, ask: &Ask) -> bool {
    let asks = |(domain, server): &(Option<String>, IpAddr)| {
        existing.forwarders.iter().any(|(d, s)| d == domain && *s == Some(*server))
    };
    let knows = |(address, names): &(IpAddr, Vec<String>)| {
        names.iter().all(|name| existing.dns_hosts.iter().any(|(a, n)| a == address && n.contains(name)))
    };
    ask.domain.as_ref().is_none_or(|domain| existing.domain.as_ref() == Some(domain))
        && ask.mtu.is_none_or(|mtu| existing.mtu == Some(mtu))
        && (!ask.no_dns || !existing.has_dns)
        && ask.forwarders.iter().all(asks)
        && ask.dns_hosts.iter().all(knows)
}
