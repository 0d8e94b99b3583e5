//! The first free subnet.
//!
//! Without `--subnet-pool`, IPv4 subnets come from 192.168.122.0 upward to the end of 192.168.0.0/16 (below are those
//! that home routers give away, which guests' users will want to reach), then from 172.16.0.0/12, then from
//! 10.0.0.0/8. The choice depends on nothing but the pools and what is taken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::around::Surroundings;
use super::fault::Fault;

/// Where IPv4 subnets come from when nothing is said: first and last address, and what to call it.
const DEFAULT: [(Ipv4Addr, Ipv4Addr, &str); 3] = [
    (Ipv4Addr::new(192, 168, 122, 0), Ipv4Addr::new(192, 168, 255, 255), "192.168.122.0 to 192.168.255.255"),
    (Ipv4Addr::new(172, 16, 0, 0), Ipv4Addr::new(172, 31, 255, 255), "172.16.0.0/12"),
    (Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(10, 255, 255, 255), "10.0.0.0/8"),
];

/// A free /24 (a smaller one if the pool is smaller), and how it was chosen.
pub(super) fn free4(pools: &[IpNet], around: &Surroundings) -> Result<(Ipv4Net, String), Fault> {
    let named: Vec<Ipv4Net> = pools.iter().filter_map(v4).collect();
    let from: Vec<(u128, u128, u8, String)> = match named[..] {
        [] => {
            DEFAULT.map(|(first, last, name)| (bits(first.into()), bits(last.into()), 24, name.into())).into()
        }
        _ => named
            .iter()
            .map(|pool| {
                let (first, last) = (bits(pool.network().into()), bits(pool.broadcast().into()));
                (first, last, pool.prefix_len().max(24), pool.trunc().to_string())
            })
            .collect(),
    };
    let taken = taken(around, |net| matches!(net, IpNet::V4(_)));
    for (first, last, prefix, name) in &from {
        let free = gap(&taken, *first, *last, 1 << (32 - prefix)).and_then(|at| u32::try_from(at).ok());
        if let Some(net) = free.and_then(|at| Ipv4Net::new(at.into(), *prefix).ok()) {
            return Ok((net, words(name, net.into(), around, *first)));
        }
    }
    let names: Vec<String> = from.into_iter().map(|(.., name)| name).collect();
    Err(exhausted(&names.join(", "), "/24", "--subnet"))
}

/// A free /64, if there is a pool to take it from, and how it was chosen.
pub(super) fn free6(pools: &[IpNet], around: &Surroundings) -> Result<Option<(Ipv6Net, String)>, Fault> {
    let named: Vec<Ipv6Net> = pools.iter().filter_map(v6).collect();
    if named.is_empty() {
        return Ok(None);
    }
    let taken = taken(around, |net| matches!(net, IpNet::V6(_)));
    for pool in &named {
        let (first, last) = (bits(pool.network().into()), bits(pool.broadcast().into()));
        let prefix = pool.prefix_len().max(64);
        if let Some(at) = gap(&taken, first, last, 1 << (128 - prefix)) {
            let net = Ipv6Net::new(Ipv6Addr::from(at), prefix).ok();
            let pool = pool.trunc().to_string();
            return Ok(net.map(|net| (net, words(&pool, net.into(), around, first))));
        }
    }
    let names: Vec<String> = named.iter().map(|pool| pool.trunc().to_string()).collect();
    Err(exhausted(&names.join(", "), "/64", "--subnet6"))
}

/// How it was chosen: what lies between the pool's first address and the subnet was passed over.
fn words(pool: &str, net: IpNet, around: &Surroundings, first: u128) -> String {
    let start = bits(net.network());
    let is_passed = |other: &IpNet| {
        matches!((net, other), (IpNet::V4(_), IpNet::V4(_)) | (IpNet::V6(_), IpNet::V6(_)))
            && bits(other.network()) < start
            && first <= bits(other.broadcast())
    };
    let mut passed: Vec<(IpNet, String)> = around
        .in_use()
        .map(|(other, by)| (other.trunc(), by))
        .filter(|(other, _)| is_passed(other))
        .collect();
    // By address, the larger one first: what lies in it comes next, and isn't said. A network's name rather than its
    // address or route on the host.
    passed
        .sort_by_key(|(other, by)| (bits(other.network()), other.prefix_len(), !by.starts_with("network ")));
    passed.dedup_by(|inner, outer| outer.0.contains(&inner.0));
    let passed: Vec<String> = passed.iter().map(|(net, by)| format!("{net} ({by})")).collect();
    let what = match around.devices.is_some() {
        true => "no route or address of the host and no network",
        // A remote connection doesn't show the others, and libvirt's test driver has none.
        false => "no network",
    };
    format!("the first of {pool} that overlaps {what}{}", passed_over(&passed))
}

/// What was passed over, for a sentence; of many the first ones.
pub(super) fn passed_over(what: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = match what.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    match what {
        [] => String::new(),
        _ => format!("; taken: {}{more}", what[..what.len().min(SHOWN)].join(", ")),
    }
}

fn exhausted(pools: &str, size: &str, flag: &str) -> Fault {
    let what = format!(
        "has no free subnet left: every {size} of {pools} overlaps a route or address of the host, or a network"
    );
    Fault::new(
        "--subnet-pool",
        what,
        format!("name another pool with --subnet-pool, or a subnet with {flag}"),
    )
}

fn v4(net: &IpNet) -> Option<Ipv4Net> {
    if let IpNet::V4(net) = net { Some(*net) } else { None }
}

fn v6(net: &IpNet) -> Option<Ipv6Net> {
    if let IpNet::V6(net) = net { Some(*net) } else { None }
}

/// An address as a number.
pub(super) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// What is in use, first to last, as pairs of first and last address.
fn taken(around: &Surroundings, family: fn(&IpNet) -> bool) -> Vec<(u128, u128)> {
    let mut taken: Vec<(u128, u128)> = around
        .in_use()
        .filter(|(net, _)| family(net))
        .map(|(net, _)| (bits(net.network()), bits(net.broadcast())))
        .collect();
    taken.sort_unstable();
    taken
}

/// The first run of `size` addresses (a power of two, and so aligned) from `first` to `last` that meets nothing taken.
fn gap(taken: &[(u128, u128)], first: u128, last: u128, size: u128) -> Option<u128> {
    let mut at = first;
    // They come by their first address, so that what ends before the candidate is behind it for good.
    for (start, end) in taken {
        if *end < at {
            continue;
        }
        if *start > at.checked_add(size - 1)? {
            break;
        }
        at = end.checked_add(1)?.checked_next_multiple_of(size)?;
    }
    (at.checked_add(size - 1)? <= last).then_some(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::net::Taken;

    fn around(nets: &[&str]) -> Surroundings {
        let taken = nets
            .iter()
            .map(|n| Taken {
                net: n.parse().unwrap(),
                by: "the route to it".into(),
                dev: None,
                is_followed: true,
            })
            .collect();
        Surroundings { taken, devices: Some(Vec::new()), ..Surroundings::default() }
    }

    fn first(pools: &[&str], nets: &[&str]) -> Result<String, String> {
        let pools: Vec<IpNet> = pools.iter().map(|p| p.parse().unwrap()).collect();
        free4(&pools, &around(nets)).map(|(net, _)| net.to_string()).map_err(|f| f.message)
    }

    #[test]
    fn order_of_the_default_pools() {
        let free = |nets: &[&str]| first(&[], nets).unwrap();
        assert_eq!(free(&[]), "192.168.122.0/24");
        assert_eq!(free(&["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"]), "192.168.122.0/24", "default routes");
        assert_eq!(free(&["192.168.122.77/32"]), "192.168.123.0/24");
        assert_eq!(free(&["192.168.123.0/25", "192.168.122.1/24"]), "192.168.124.0/24");
        assert_eq!(free(&["192.168.128.0/17", "192.168.122.0/23", "192.168.124.0/22"]), "172.16.0.0/24");
        assert_eq!(free(&["192.168.0.0/16", "172.16.0.0/12"]), "10.0.0.0/24");
        assert_eq!(free(&["192.168.0.0/16", "172.0.0.0/8", "10.0.0.0/9"]), "10.128.0.0/24");
        assert!(
            first(&[], &["192.168.0.0/16", "172.16.0.0/12", "8.0.0.0/6"]).unwrap_err().contains("10.0.0.0/8")
        );
    }

    #[test]
    fn what_wasnt_looked_at_isnt_claimed() {
        let why = |around: &Surroundings| free4(&[], around).unwrap().1;
        assert!(why(&around(&[])).ends_with("that overlaps no route or address of the host and no network"));
        let unseen = Surroundings { is_elsewhere: true, ..Surroundings::default() };
        assert!(why(&unseen).ends_with("that overlaps no network"), "{}", why(&unseen));
    }

    #[test]
    fn named_pools() {
        assert_eq!(first(&["10.5.0.0/16"], &["10.5.0.0/24"]).unwrap(), "10.5.1.0/24");
        assert_eq!(first(&["10.5.0.64/26"], &[]).unwrap(), "10.5.0.64/26", "a small pool is a subnet");
        assert_eq!(first(&["10.5.0.0/24", "10.6.0.0/24"], &["10.5.0.9/32"]).unwrap(), "10.6.0.0/24");
        assert!(first(&["10.5.0.0/24"], &["10.5.0.9/32"]).unwrap_err().contains("10.5.0.0/24"));
        assert!(first(&["255.255.255.0/24"], &["255.255.255.255/32"]).is_err());
        assert_eq!(first(&["fd00::/48"], &[]).unwrap(), "192.168.122.0/24", "no pool of that family");
        let six = |pool: &str, nets: &[&str]| {
            free6(&[pool.parse().unwrap()], &around(nets))
                .map(|f| f.unwrap().0.to_string())
                .map_err(|f| f.message)
        };
        assert_eq!(six("fd00:1::/48", &[]).unwrap(), "fd00:1::/64");
        assert_eq!(six("fd00:1::/48", &["fd00:1::5/128", "::/0"]).unwrap(), "fd00:1:0:1::/64");
        assert!(six("fd00:1::/64", &["fd00::/8"]).is_err());
        assert_eq!(free6(&["10.0.0.0/8".parse().unwrap()], &around(&[])), Ok(None));
    }

    #[test]
    fn thousands_of_routes_in_a_big_pool() {
        let nets: Vec<String> = (0..60_000u32).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
        let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
        let around = around(&nets);
        let start = Instant::now();
        let (net, _) = free4(&["10.0.0.0/8".parse().unwrap()], &around).unwrap();
        assert_eq!(net.to_string(), "10.234.96.0/24");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn what_is_chosen_meets_nothing_and_is_the_first(
            nets in prop::collection::vec((0u32..1 << 12, 18u8..33), 0..40),
        ) {
            // All within 10.7.0.0/20, a pool of sixteen.
            let nets: Vec<IpNet> = nets.into_iter()
                .map(|(low, prefix)| IpNet::new(IpAddr::V4((0x0a07_0000 + low).into()), prefix).unwrap())
                .collect();
            let texts: Vec<String> = nets.iter().map(ToString::to_string).collect();
            let around = around(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let pool: Ipv4Net = "10.7.0.0/20".parse().unwrap();
            let meets = |a: &Ipv4Net| nets.iter().any(|b| {
                let a = IpNet::V4(*a);
                a.contains(&b.network()) || b.contains(&a.network())
            });
            let slow = pool.subnets(24).unwrap().find(|net| !meets(net));
            let fast = free4(&[pool.into()], &around).ok().map(|(net, _)| net);
            prop_assert_eq!(fast, slow);
        }
    }
}
