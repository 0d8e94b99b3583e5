//! The host's addresses in a network, and what its DHCP server does there.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use super::MacAddr;
use crate::xml::{child, children};

/// An `<ip>` of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host's address in it with the length of its prefix: `192.168.122.1/24`.
    pub ip: IpNet,
    /// What the DHCP server gives away: first and last address of each range.
    pub dhcp: Vec<(IpAddr, IpAddr)>,
    /// What it gives to certain guests only.
    pub hosts: Vec<Reservation>,
}

/// A `<host>` of a DHCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Known by this MAC address (IPv4).
    pub mac: Option<MacAddr>,
    /// Known by this DUID (IPv6).
    pub id: Option<String>,
    /// The address that it gets.
    pub ip: IpAddr,
    /// Its name.
    pub name: Option<String>,
}

/// A static `<route>`, which the host gets when the network starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub net: IpNet,
    /// Through which guest.
    pub gateway: IpAddr,
}

impl Address {
    /// Reads an `<ip>`; `None` if libvirt couldn't make an address of it either.
    pub fn read(node: Node<'_, '_>) -> Option<Address> {
        let dhcp = child(node, "dhcp");
        let range = |node: Node<'_, '_>| {
            let bound = |name| read_address(node.attribute(name)?);
            Some((bound("start")?, bound("end")?))
        };
        let host = |node: Node<'_, '_>| {
            Some(Reservation {
                mac: node.attribute("mac").and_then(|m| m.trim().parse().ok()),
                id: node.attribute("id").map(Into::into),
                ip: read_address(node.attribute("ip")?)?,
                name: node.attribute("name").map(Into::into),
            })
        };
        Some(Address {
            ip: with_prefix(node)?,
            dhcp: dhcp.map(|d| children(d, "range").filter_map(range).collect()).unwrap_or_default(),
            hosts: dhcp.map(|d| children(d, "host").filter_map(host).collect()).unwrap_or_default(),
        })
    }
}

impl Route {
    /// Reads a `<route>`.
    pub fn read(node: Node<'_, '_>) -> Option<Route> {
        Some(Route { net: with_prefix(node)?.trunc(), gateway: read_address(node.attribute("gateway")?)? })
    }
}

/// A numeric address as libvirt reads it (`virSocketAddrParse`): fewer than four parts, and parts that are octal or
/// hexadecimal, are addresses of IPv4 too (`inet_aton`). One with a zone is none here: which link it is, only the host
/// knows.
pub fn read_address(written: &str) -> Option<IpAddr> {
    if let Ok(address) = written.parse() {
        return Some(address);
    }
    let part = |part: &str| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
        None if !part.bytes().all(|b| b.is_ascii_digit()) => None,
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok(),
        Some(_) => None,
    };
    let parts = written.split('.').map(part).collect::<Option<Vec<u32>>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    // The last part is all that is left.
    let left = 32 - 8 * u32::try_from(first.len()).ok()?;
    if first.iter().any(|part| *part > 255) || u64::from(*last) >= 1 << left {
        return None;
    }
    let bits = first.iter().zip([24, 16, 8]).fold(*last, |bits, (part, shift)| bits | part << shift);
    Some(IpAddr::V4(bits.into()))
}

/// `address` with `prefix` or `netmask`; with neither, what libvirt takes (`virSocketAddrGetIPPrefix`, reference
/// §5.2): the prefix of the address's class, and 64 for IPv6.
fn with_prefix(node: Node<'_, '_>) -> Option<IpNet> {
    let address = read_address(node.attribute("address")?)?;
    // A prefix of 0 is none, and so is an empty netmask.
    let prefix = node.attribute("prefix").map(|prefix| prefix.trim().parse::<u8>()).transpose().ok()?;
    let netmask = node.attribute("netmask").filter(|mask| !mask.is_empty());
    let prefix = match (prefix.filter(|prefix| *prefix > 0), netmask, address) {
        (Some(prefix), _, _) => prefix,
        (None, Some(mask), IpAddr::V4(_)) => match read_address(mask)? {
            IpAddr::V4(mask) => ipnet::ipv4_mask_to_prefix(mask).ok()?,
            IpAddr::V6(_) => return None,
        },
        (None, _, IpAddr::V4(address)) => match address.octets()[0] {
            0..128 => 8,
            128..192 => 16,
            _ => 24,
        },
        (None, _, IpAddr::V6(_)) => 64,
    };
    IpNet::new(address, prefix).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    #[test]
    fn lengths_of_prefixes() {
        let read = |attributes: &str| {
            let text = format!("<ip {attributes}/>");
            Address::read(Doc::parse(&text).unwrap().root()).map(|a| a.ip.to_string())
        };
        for (attributes, want) in [
            ("address='192.168.122.1' netmask='255.255.255.0'", "192.168.122.1/24"),
            ("address='10.0.0.1' prefix='25'", "10.0.0.1/25"),
            ("address='10.77.0.1'", "10.77.0.1/8"),
            ("address='172.16.0.1'", "172.16.0.1/16"),
            ("address='192.0.2.1'", "192.0.2.1/24"),
            ("family='ipv6' address='fd00::1' prefix='48'", "fd00::1/48"),
            ("family='ipv6' address='fd00::1'", "fd00::1/64"),
        ] {
            assert_eq!(read(attributes).as_deref(), Some(want), "{attributes}");
        }
        for (odd, want) in [
            ("10.1", "10.0.0.1"),
            ("10.0.010.1", "10.0.8.1"),
            ("0x0a.0.0.1", "10.0.0.1"),
            ("10.300", "10.0.1.44"),
            ("167772161", "10.0.0.1"),
            ("fd00::1", "fd00::1"),
        ] {
            assert_eq!(read_address(odd).map(|a| a.to_string()).as_deref(), Some(want), "{odd}");
        }
        for none in [
            "",
            ".",
            "10.",
            " 10.0.0.1",
            "10.0.0.1 ",
            "10.0.08.1",
            "256.1",
            "1.2.3.4.5",
            "10.0.0.256",
            "a",
            "0xg",
            "fe80::1%a",
        ] {
            assert_eq!(read_address(none), None, "{none}");
        }
        assert_eq!(read("address='10.0.0.1' prefix='0'").as_deref(), Some("10.0.0.1/8"));
        for bad in
            ["", "address='x'", "address='10.0.0.1' prefix='33'", "address='10.0.0.1' netmask='255.0.255.0'"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn dhcp_and_routes() {
        let text = "<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/><range start='x'/>\
                    <host mac='52:54:00:00:00:01' name='web' ip='10.0.0.20'/><host id='0:4' ip='fd00::9'/></dhcp></ip>";
        let address = Address::read(Doc::parse(text).unwrap().root()).unwrap();
        assert_eq!(address.dhcp, [("10.0.0.2".parse().unwrap(), "10.0.0.9".parse().unwrap())]);
        assert_eq!(address.hosts[0].name.as_deref(), Some("web"));
        assert_eq!((address.hosts[1].mac, address.hosts[1].id.as_deref()), (None, Some("0:4")));
        let text = "<route address='10.9.1.0' prefix='16' gateway='10.0.0.3'/>";
        let route = Route::read(Doc::parse(text).unwrap().root()).unwrap();
        assert_eq!(
            (route.net.to_string(), route.gateway.to_string()),
            ("10.9.0.0/16".into(), "10.0.0.3".into())
        );
    }
}
