//! From what was typed to what will be made.

use super::addresses;
use super::around::Surroundings;
use super::ask::{Ask, Mode};
use super::fault::Fault;
use super::limits;
use super::modes::{self, Kind};
use super::names;
use super::spec::{Dns, Resolved, Spec};

/// Decides everything that was left open, and refuses what can't work.
///
/// # Errors
/// The first thing that can't be had; see [`Fault`].
pub fn resolve(ask: &Ask, around: &Surroundings) -> Result<Resolved, Fault> {
    let kind = modes::check(ask)?;
    let mut why = Vec::new();
    let name = names::network(ask, around, &mut why)?;
    let bridge = names::bridge(ask, kind, around, &mut why)?;
    devices(ask, around)?;
    limits::check(ask, kind, bridge.as_ref(), around)?;
    let subnets = if kind.has_addresses() { addresses::subnets(ask, around, &mut why)? } else { Vec::new() };
    for subnet in &subnets {
        limits::in_subnet(ask, ask.mtu, subnet.ip)?;
    }
    let is_open_vswitch = kind == Kind::Bridge
        && bridge.as_ref().and_then(|b| around.device(b.as_str())).is_some_and(|d| d.is_open_vswitch);
    if is_open_vswitch {
        why.push("the bridge is one of Open vSwitch: guests get its port profile".into());
    }
    let spec = Spec {
        name,
        mode: ask.mode,
        bridge,
        is_open_vswitch,
        dev: ask.devs.first().cloned(),
        pool: ask.pool.clone(),
        mtu: ask.mtu,
        subnets,
        nat_ports: ask.nat_ports,
        nat_addresses: ask.nat_addresses,
        domain: ask.domain.clone(),
        dns: Dns { is_off: ask.no_dns, forwarders: ask.forwarders.clone(), hosts: ask.dns_hosts.clone() },
        portgroups: ask.portgroups.clone(),
    };
    Ok(Resolved { spec, why })
}

/// The devices that were named.
pub(super) fn devices(ask: &Ask, around: &Surroundings) -> Result<(), Fault> {
    ask.devs.iter().try_for_each(|dev| names::device("--dev", dev, around))?;
    for (n, dev) in ask.pool.iter().enumerate() {
        names::device("--pool", dev, around)?;
        if ask.pool[..n].contains(dev) {
            return Err(Fault::new("--pool", format!("names '{dev}' twice"), "name each device once"));
        }
    }
    debug_assert!(ask.pool.is_empty() || ask.mode == Mode::Bridge);
    Ok(())
}
