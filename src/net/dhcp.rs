//! Ranges of DHCP (reference §5.4; the limits are those of libvirt's `virSocketAddrGetRange`, tried out on 11.3).

use std::net::IpAddr;

use ipnet::IpNet;

use super::addresses::unusable;
use super::ask::Ask;
use super::fault::Fault;
use super::free::bits;
use super::spec::Subnet;

const FLAG: &str = "--dhcp";

/// The most addresses in one range.
const MOST: u128 = 65536;

/// Puts the ranges that were asked for into the subnets.
pub(super) fn asked(ask: &Ask, subnets: &mut [Subnet]) -> Result<(), Fault> {
    for range in &ask.dhcp {
        let subnet = of_family(subnets, range.0);
        let Some(subnet) = subnet else {
            let flag = if range.0.is_ipv4() { "--subnet" } else { "--subnet6" };
            let what = format!("{}-{}: the network has no subnet of that family", range.0, range.1);
            return Err(Fault::new(FLAG, what, format!("add {flag}")));
        };
        check(*range, subnet)?;
        subnet.dhcp.push(*range);
    }
    Ok(())
}

/// Puts the ranges that were asked for, and the default one for IPv4, into the subnets.
pub(super) fn ranges(ask: &Ask, subnets: &mut [Subnet]) -> Result<(), Fault> {
    asked(ask, subnets)?;
    for subnet in subnets.iter_mut().filter(|s| s.dhcp.is_empty() && !ask.no_dhcp) {
        subnet.dhcp = default(subnet.ip);
    }
    Ok(())
}

/// The subnet of an address's family.
pub(super) fn of_family(subnets: &mut [Subnet], address: IpAddr) -> Option<&mut Subnet> {
    subnets.iter_mut().find(|s| s.ip.addr().is_ipv4() == address.is_ipv4())
}

/// Everything between the subnet's own address and its broadcast address, the gateway cut out; in a large subnet as
/// much of that as libvirt takes. For IPv6 nothing: guests make their addresses themselves (SLAAC).
pub(super) fn default(subnet: IpNet) -> Vec<(IpAddr, IpAddr)> {
    let IpNet::V4(net) = subnet else { return Vec::new() };
    let (first, last) = (net.network().to_bits() + 1, net.broadcast().to_bits() - 1);
    let gateway = net.addr().to_bits();
    let most = u32::try_from(MOST - 1).unwrap_or_default();
    [(first, gateway - 1), (gateway + 1, last)]
        .into_iter()
        .filter(|(start, end)| start <= end)
        .map(|(start, end)| {
            (IpAddr::V4(start.into()), IpAddr::V4(end.min(start.saturating_add(most)).into()))
        })
        .collect()
}

/// Can this be a range of the subnet, besides those it has?
pub(super) fn check((start, end): (IpAddr, IpAddr), subnet: &Subnet) -> Result<(), Fault> {
    let whole = subnet.ip.trunc();
    let example = default(subnet.ip).into_iter().last();
    let help = match example {
        Some((start, end)) => {
            format!("for example {FLAG} {start}-{end}; without {FLAG} that is what you get")
        }
        None => format!("a range in {whole}"),
    };
    let fault = |what: String| Err(Fault::new(FLAG, format!("{start}-{end}: {what}"), help.clone()));
    if start.is_ipv4() != end.is_ipv4() {
        return fault("it begins in one family of addresses and ends in the other".into());
    }
    if bits(start) > bits(end) {
        return fault("it is reversed".into());
    }
    for address in [start, end] {
        if let Some(why) = unusable(subnet.ip, address) {
            return fault(format!("{address} {why}"));
        }
    }
    let gateway = subnet.ip.addr();
    if (bits(start)..=bits(end)).contains(&bits(gateway)) {
        return fault(format!("the host's own address {gateway} is in it, and would be given away"));
    }
    if bits(end) - bits(start) >= MOST {
        return fault("it has more than 65536 addresses, the most that libvirt takes".into());
    }
    if let IpNet::V6(net) = subnet.ip {
        if bits(start) >> 16 != bits(end) >> 16 {
            return fault("its ends differ in more than their last 16 bits, which libvirt refuses".into());
        }
        if net.prefix_len() < 64 {
            let what =
                format!("dnsmasq does DHCPv6 in subnets of /64 and smaller only, and {whole} is larger");
            return fault(what);
        }
    }
    let meets = |other: &&(IpAddr, IpAddr)| bits(other.0) <= bits(end) && bits(start) <= bits(other.1);
    if let Some(other) = subnet.dhcp.iter().find(meets) {
        return fault(format!("it overlaps the range {}-{}", other.0, other.1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Mode;

    fn range(text: &str) -> (IpAddr, IpAddr) {
        let (start, end) = text.split_once('-').unwrap();
        (start.parse().unwrap(), end.parse().unwrap())
    }

    fn in_subnet(subnet: &str, asked: &[&str]) -> Result<Vec<String>, String> {
        let ask = Ask { dhcp: asked.iter().map(|r| range(r)).collect(), ..Ask::new(Mode::Nat) };
        let mut subnets = [Subnet { ip: subnet.parse().unwrap(), dhcp: Vec::new(), hosts: Vec::new() }];
        ranges(&ask, &mut subnets).map_err(|f| f.message)?;
        Ok(subnets[0].dhcp.iter().map(|(start, end)| format!("{start}-{end}")).collect())
    }

    #[test]
    fn the_default() {
        for (subnet, want) in [
            ("192.168.122.1/24", &["192.168.122.2-192.168.122.254"][..]),
            ("10.20.0.5/24", &["10.20.0.1-10.20.0.4", "10.20.0.6-10.20.0.254"]),
            ("10.20.0.254/24", &["10.20.0.1-10.20.0.253"]),
            ("10.20.0.1/30", &["10.20.0.2-10.20.0.2"]),
            ("10.0.0.1/8", &["10.0.0.2-10.1.0.1"]),
            ("fd00::1/64", &[]),
        ] {
            assert_eq!(in_subnet(subnet, &[]).unwrap(), want, "{subnet}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (subnet, asked, reason) in [
            ("10.0.0.1/24", "10.0.0.9-10.0.0.2", "reversed"),
            ("10.0.0.1/24", "10.0.0.0-10.0.0.2", "address of the subnet itself"),
            ("10.0.0.1/24", "10.0.0.9-10.0.0.255", "broadcast"),
            ("10.0.0.1/24", "10.0.0.9-10.0.1.2", "not in 10.0.0.0/24"),
            ("10.0.0.5/24", "10.0.0.2-10.0.0.9", "host's own address 10.0.0.5"),
            ("10.0.0.1/24", "10.0.0.1-10.0.0.9", "gateway"),
            ("10.0.0.1/8", "10.0.0.2-10.1.0.2", "65536"),
            ("10.0.0.1/24", "10.0.0.2-fd00::1", "family"),
            ("10.0.0.1/24", "fd00::2-fd00::5", "no subnet of that family"),
            ("fd00::1/64", "fd00::ff00-fd00::1:5", "16 bits"),
            ("fd00::1/48", "fd00::2-fd00::5", "dnsmasq"),
            ("fd00::1/64", "fd00::-fd00::5", "subnet itself"),
        ] {
            let said = in_subnet(subnet, &[asked]).unwrap_err();
            assert!(said.contains(reason) && said.contains(FLAG), "{asked}: {said}");
        }
        assert!(
            in_subnet("10.0.0.1/24", &["10.0.0.2-10.0.0.9", "10.0.0.9-10.0.0.20"])
                .unwrap_err()
                .contains("overlaps")
        );
        in_subnet("10.0.0.1/8", &["10.0.0.2-10.1.0.1"]).unwrap();
        in_subnet("fd00::1/64", &["fd00::2-fd00::ffff"]).unwrap();
    }
}
