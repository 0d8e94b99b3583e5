//! Which of the addresses heard of are new.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use super::frame::Sign;

/// More of a kind than these are no guest's own addresses any more.
const MOST: usize = 256;

/// What was heard of one NIC, before it moved and after.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Addresses from before it moved.
    old: BTreeSet<IpAddr>,
    /// Addresses that a DHCP server gave it since.
    given: BTreeSet<IpAddr>,
    /// Addresses that it asked about since whether anybody has them. Some systems do that anew for old ones.
    probed: BTreeSet<IpAddr>,
    /// Addresses that it used since.
    used: BTreeSet<IpAddr>,
    /// The prefixes that routers announced since.
    home: BTreeSet<(Ipv6Addr, u8)>,
}

impl Heard {
    /// Takes in what a frame said.
    pub(super) fn take(&mut self, sign: Sign) {
        match sign {
            Sign::Given(ip) => add(&mut self.given, ip.into()),
            Sign::Probed(ip) => add(&mut self.probed, ip.into()),
            Sign::Used(ip) => add(&mut self.used, ip),
            Sign::AtHome(prefix, bits) => add(&mut self.home, (prefix, bits)),
        }
    }

    /// The NIC has moved: all of this was before.
    pub(super) fn moved(&mut self) {
        for set in [&mut self.given, &mut self.probed, &mut self.used] {
            std::mem::take(set).into_iter().for_each(|ip| add(&mut self.old, ip));
        }
        self.home.clear();
    }

    /// The addresses that it has got since it moved; `known` are some of those from before.
    pub(super) fn new_addresses(&self, known: &[IpAddr]) -> Vec<IpAddr> {
        let is_old = |ip: &IpAddr| self.old.contains(ip) || known.contains(ip);
        let probed = self.probed.iter().filter(|ip| !is_old(ip) || self.is_at_home(**ip));
        // That a guest sends from an address doesn't make it one of its new network. It is if a router there says so, or
        // if it is known what the guest had before, and that was another.
        let had_one_like =
            |ip: &IpAddr| self.old.iter().chain(known).any(|old| old.is_ipv4() == ip.is_ipv4());
        let is_new = |ip: &IpAddr| self.is_at_home(*ip) || (had_one_like(ip) && !is_old(ip));
        let used = self.used.iter().filter(|ip| is_new(ip));
        let found: BTreeSet<_> = self.given.iter().chain(probed).chain(used).collect();
        found.into_iter().copied().collect()
    }

    /// The addresses that it uses since it moved and may well have had before.
    pub(super) fn kept_addresses(&self, known: &[IpAddr]) -> Vec<IpAddr> {
        let new = self.new_addresses(known);
        self.used.iter().filter(|ip| !new.contains(ip)).copied().collect()
    }

    fn is_at_home(&self, ip: IpAddr) -> bool {
        let IpAddr::V6(ip) = ip else { return false };
        self.home.iter().any(|(prefix, bits)| begins_like(ip, *prefix, *bits))
    }
}

fn add<T: Ord>(set: &mut BTreeSet<T>, item: T) {
    if set.len() < MOST {
        set.insert(item);
    }
}

/// Are the first so many bits the same?
fn begins_like(ip: Ipv6Addr, prefix: Ipv6Addr, bits: u8) -> bool {
    let differ = u128::from(ip) ^ u128::from(prefix);
    differ.leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NONE: [IpAddr; 0] = [];

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn heard(before: &[Sign], after: &[Sign]) -> Heard {
        let mut heard = Heard::default();
        before.iter().for_each(|sign| heard.take(*sign));
        heard.moved();
        after.iter().for_each(|sign| heard.take(*sign));
        heard
    }

    #[test]
    fn an_address_that_dhcp_gives_again_counts() {
        let [old, lan] = ["192.168.122.9", "198.18.0.100"].map(|text| text.parse().unwrap());
        let known = [old, lan].map(IpAddr::V4);
        let back = heard(&[], &[Sign::Given(lan), Sign::Used(lan.into())]);
        assert_eq!(back.new_addresses(&known), [IpAddr::V4(lan)]);
        let before = heard(&[Sign::Given(lan)], &[Sign::Used(lan.into())]);
        assert_eq!(before.new_addresses(&[]), NONE, "given before it moved");
        assert_eq!(before.kept_addresses(&[]), [IpAddr::V4(lan)]);
    }

    #[test]
    fn an_address_that_is_merely_used() {
        let (old, new) = (ip("10.0.0.5"), ip("10.1.0.5"));
        let uses = |address| heard(&[], &[Sign::Used(address)]);
        assert_eq!(uses(old).new_addresses(&[old]), NONE);
        assert_eq!(uses(new).new_addresses(&[old]), [new]);
        assert_eq!(uses(new).new_addresses(&[]), NONE, "nobody knows what it had before");
        assert_eq!(uses(new).new_addresses(&[ip("fd00::5")]), NONE, "that is of another kind");
        assert_eq!(uses(new).kept_addresses(&[]), [new]);
        let heard_before = heard(&[Sign::Used(old)], &[Sign::Used(old), Sign::Used(new)]);
        assert_eq!(heard_before.new_addresses(&[]), [new]);
        assert_eq!(heard_before.kept_addresses(&[]), [old]);
    }

    #[test]
    fn ipv6() {
        let (probed, used) = (ip("2001:db8:0:1::5"), ip("2001:db8:0:1::6"));
        let [target, prefix] = ["2001:db8:0:1::5", "2001:db8:0:1::"].map(|text| text.parse().unwrap());
        let probes = heard(&[], &[Sign::Probed(target)]);
        assert_eq!(probes.new_addresses(&[]), [probed]);
        assert_eq!(probes.new_addresses(&[probed]), NONE, "it had it before");
        let probes_at_home = heard(&[], &[Sign::Probed(target), Sign::AtHome(prefix, 64)]);
        assert_eq!(probes_at_home.new_addresses(&[probed]), [probed]);
        let home = |bits| heard(&[], &[Sign::AtHome(prefix, bits), Sign::Used(used)]).new_addresses(&[used]);
        assert_eq!(home(64), [used], "its router is there");
        assert_eq!(home(128), NONE);
        let left = heard(&[Sign::AtHome(prefix, 64)], &[Sign::Used(used)]);
        assert_eq!(left.new_addresses(&[used]), NONE, "its router was there before");
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut heard = Heard::default();
        (0..10_000).for_each(|n: u32| heard.take(Sign::Used(IpAddr::V4(n.into()))));
        heard.moved();
        assert_eq!((heard.old.len(), heard.used.len()), (MOST, 0));
    }
}
