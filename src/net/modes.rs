//! Which flag goes with which mode: the matrix that libvirt enforces (reference §5.3), and what it lets pass without a
//! use.

use super::ask::{Ask, Mode};
use super::fault::Fault;

/// The modes, told apart as far as flags go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Isolated, without the host.
    Bare,
    /// Isolated, with the host.
    WithHost,
    Nat,
    Route,
    Open,
    /// On the host's bridge.
    Bridge,
    /// On macvtap.
    Pool,
}

impl Kind {
    pub(super) fn of(ask: &Ask) -> Kind {
        match ask.mode {
            Mode::Isolated if ask.host_access => Kind::WithHost,
            Mode::Isolated => Kind::Bare,
            Mode::Nat => Kind::Nat,
            Mode::Route => Kind::Route,
            Mode::Open => Kind::Open,
            Mode::Bridge if ask.pool.is_empty() => Kind::Bridge,
            Mode::Bridge => Kind::Pool,
        }
    }

    /// Has the host an address in it, and with it DHCP and DNS servers?
    pub(super) fn has_addresses(self) -> bool {
        matches!(self, Kind::WithHost | Kind::Nat | Kind::Route | Kind::Open)
    }

    /// Does libvirt make its bridge?
    pub(super) fn is_virtual(self) -> bool {
        !matches!(self, Kind::Bridge | Kind::Pool)
    }
}

/// Where a flag may stand.
type Where = fn(Kind) -> bool;

/// Was it given?
type Given = fn(&Ask) -> bool;

const ADDRESSED: Where = Kind::has_addresses;
const VIRTUAL: Where = Kind::is_virtual;
const NAT: Where = |kind| kind == Kind::Nat;

/// The table: a flag, whether it was given, where it may stand.
#[rustfmt::skip] // a table
const RULES: &[(&str, Given, Where)] = &[
    ("--host-access",   |a| a.host_access,              |k| k == Kind::WithHost),
    ("--pool",          |a| !a.pool.is_empty(),         |k| k == Kind::Pool),
    ("--bridge",        |a| a.bridge.is_some(),         |k| k != Kind::Pool),
    ("--dev",           |a| !a.devs.is_empty(),         |k| matches!(k, Kind::Nat | Kind::Route)),
    ("--subnet",        |a| a.subnet.is_some(),         ADDRESSED),
    ("--subnet6",       |a| a.subnet6.is_some(),        ADDRESSED),
    ("--subnet-pool",   |a| !a.subnet_pools.is_empty(), ADDRESSED),
    ("--dhcp",          |a| !a.dhcp.is_empty(),         ADDRESSED),
    ("--no-dhcp",       |a| a.no_dhcp,                  VIRTUAL),
    ("--host",          |a| !a.hosts.is_empty(),        ADDRESSED),
    ("--domain",        |a| a.domain.is_some(),         ADDRESSED),
    ("--no-dns",        |a| a.no_dns,                   VIRTUAL),
    ("--dns-host",      |a| !a.dns_hosts.is_empty(),    ADDRESSED),
    ("--dns-forwarder", |a| !a.forwarders.is_empty(),   ADDRESSED),
    ("--mtu",           |a| a.mtu.is_some(),            VIRTUAL),
    ("--nat-ports",     |a| a.nat_ports.is_some(),      NAT),
    ("--nat-addresses", |a| a.nat_addresses.is_some(),  NAT),
];

/// Pairs of which the first can't stand with the second.
#[rustfmt::skip] // a table
const PAIRS: &[(&str, Given, &str, Given)] = &[
    ("--dhcp",          |a| !a.dhcp.is_empty(),       "--no-dhcp", |a| a.no_dhcp),
    ("--host",          |a| !a.hosts.is_empty(),      "--no-dhcp", |a| a.no_dhcp),
    ("--dns-host",      |a| !a.dns_hosts.is_empty(),  "--no-dns",  |a| a.no_dns),
    ("--dns-forwarder", |a| !a.forwarders.is_empty(), "--no-dns",  |a| a.no_dns),
    // A pool is for what isn't named.
    ("--subnet-pool",   |a| a.subnet_pools.iter().any(|p| p.addr().is_ipv4()), "--subnet",  |a| a.subnet.is_some()),
    ("--subnet-pool",   |a| a.subnet_pools.iter().any(|p| p.addr().is_ipv6()), "--subnet6", |a| a.subnet6.is_some()),
];

/// Holds every flag against the mode.
pub(super) fn check(ask: &Ask) -> Result<Kind, Fault> {
    let kind = Kind::of(ask);
    if let Some((flag, ..)) = RULES.iter().find(|(_, given, may)| given(ask) && !may(kind)) {
        return Err(misplaced(flag, kind));
    }
    if let Some((flag, _, other, _)) = PAIRS.iter().find(|(_, one, _, two)| one(ask) && two(ask)) {
        return Err(Fault::new(flag, format!("and {other} can't both be"), format!("leave {other} out")));
    }
    if ask.devs.len() > 1 {
        // Reference §5.3: "multiple forwarding interfaces specified".
        return Err(Fault::new(
            "--dev",
            "names more than one device: libvirt forwards through one",
            "name one",
        ));
    }
    Ok(kind)
}

fn misplaced(flag: &'static str, kind: Kind) -> Fault {
    let fault = |what: &str, help: &str| Fault::new(flag, what, help);
    match (flag, kind) {
        ("--host-access", Kind::Bridge | Kind::Pool) => fault(
            "goes with --mode isolated only: on a bridge the host is reached if it has an address there",
            "leave it out",
        ),
        ("--host-access", _) => fault(
            "goes with --mode isolated only: in this mode the host has an address anyway",
            "leave it out",
        ),
        ("--pool", _) => fault(
            "goes with --mode bridge only: its devices carry guests by macvtap",
            "leave it out, or take --mode bridge",
        ),
        ("--bridge", _) => fault(
            "and --pool can't both be: guests are on the bridge, or on macvtap",
            "leave one of them out",
        ),
        ("--dev", Kind::Open) => fault(
            "doesn't go with --mode open: libvirt makes no rules there that a device could be part of",
            "leave it out, or take --mode route",
        ),
        ("--dev", _) => fault(
            "goes with --mode nat and --mode route only: nothing is forwarded here",
            "leave it out; --mode bridge takes --bridge or --pool",
        ),
        ("--nat-ports" | "--nat-addresses", _) => fault(
            "goes with --mode nat only: no other mode translates addresses",
            "leave it out, or take --mode nat",
        ),
        (_, Kind::Bare) => fault(
            "needs the host in the network: an isolated network leaves it out, and with it DHCP and DNS",
            "add --host-access, which gives the host an address in it, or leave it out",
        ),
        _ => fault(
            "doesn't go with --mode bridge: guests are on the LAN, which has its own addresses, DHCP, DNS and MTU",
            "leave it out, or take another mode",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn flag(ask: &Ask) -> Option<&'static str> {
        let fault = check(ask).err()?;
        assert!(fault.message.contains(fault.flag) && !fault.help.is_empty());
        assert!(super::super::FLAGS.contains(&fault.flag));
        Some(fault.flag)
    }

    #[test]
    fn flags_and_modes() {
        let with = |mode, host_access, change: fn(&mut Ask)| {
            let mut ask = Ask { host_access, ..Ask::new(mode) };
            change(&mut ask);
            flag(&ask)
        };
        let subnet = |a: &mut Ask| a.subnet = Some("10.0.0.0/24".parse().unwrap());
        let dev = |a: &mut Ask| a.devs.push("eth0".parse().unwrap());
        let mtu = |a: &mut Ask| a.mtu = Some(1400);
        let ports = |a: &mut Ask| a.nat_ports = Some((1024, 2000));
        for mode in Mode::ALL {
            let bare = matches!(mode, Mode::Isolated | Mode::Bridge);
            assert_eq!(with(mode, false, subnet), bare.then_some("--subnet"));
            let forwards = matches!(mode, Mode::Nat | Mode::Route);
            assert_eq!(with(mode, false, dev), (!forwards).then_some("--dev"));
            assert_eq!(with(mode, false, mtu), (mode == Mode::Bridge).then_some("--mtu"));
            assert_eq!(with(mode, false, ports), (mode != Mode::Nat).then_some("--nat-ports"));
            assert_eq!(with(mode, true, |_| {}), (mode != Mode::Isolated).then_some("--host-access"));
            let pool = |a: &mut Ask| a.pool.push("eth0".parse().unwrap());
            assert_eq!(with(mode, false, pool), (mode != Mode::Bridge).then_some("--pool"));
        }
        assert_eq!(with(Mode::Isolated, true, subnet), None);
        assert_eq!(with(Mode::Isolated, false, |a| a.no_dhcp = true), None, "it has none anyway");
        let bare = check(&Ask { domain: Some("a".into()), ..Ask::new(Mode::Isolated) }).unwrap_err();
        assert!(bare.help.contains("--host-access"));
    }

    #[test]
    fn what_contradicts() {
        let range = ("10.0.0.2".parse().unwrap(), "10.0.0.3".parse().unwrap());
        assert_eq!(flag(&Ask { dhcp: vec![range], no_dhcp: true, ..Ask::new(Mode::Nat) }), Some("--dhcp"));
        let forwarders = vec![(None, "1.1.1.1".parse().unwrap())];
        assert_eq!(flag(&Ask { forwarders, no_dns: true, ..Ask::new(Mode::Nat) }), Some("--dns-forwarder"));
        let devs = vec!["a".parse().unwrap(), "b".parse().unwrap()];
        assert_eq!(flag(&Ask { devs, ..Ask::new(Mode::Nat) }), Some("--dev"));
    }
}
