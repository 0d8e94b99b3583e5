//! Where things stand in a network, and its subnets as libvirt reads them.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use crate::lint::view::Network;
use crate::model::{Address, read_address};
use crate::xml::{child, children};

/// An `<ip>` whose address and prefix libvirt can read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subnet<'d> {
    /// The element.
    pub(super) node: Node<'d, 'd>,
    /// The host's address in it, with the length of its prefix.
    pub(super) net: IpNet,
}

impl<'d> Subnet<'d> {
    fn read(node: Node<'d, 'd>) -> Option<Subnet<'d>> {
        Some(Subnet { node, net: Address::read(node)?.ip })
    }

    /// Is it one of IPv4?
    pub(super) fn is_four(&self) -> bool {
        matches!(self.net, IpNet::V4(_))
    }

    /// Its DHCP ranges.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Node<'d, 'd>> {
        of_dhcp(self.node, "range")
    }

    /// Its DHCP hosts.
    pub(super) fn hosts(&self) -> impl Iterator<Item = Node<'d, 'd>> {
        of_dhcp(self.node, "host")
    }

    /// Does a DHCP server run there?
    pub(super) fn has_dhcp(&self) -> bool {
        self.ranges().chain(self.hosts()).next().is_some()
    }
}

/// The subnets of a network.
pub(super) fn subnets<'d>(network: &Network<'d>) -> impl Iterator<Item = Subnet<'d>> {
    network.ips().filter_map(Subnet::read)
}

/// The children of an `<ip>`'s `<dhcp>` of that name.
pub(super) fn of_dhcp<'d>(ip: Node<'d, 'd>, name: &'static str) -> impl Iterator<Item = Node<'d, 'd>> {
    child(ip, "dhcp").into_iter().flat_map(move |dhcp| children(dhcp, name))
}

/// The children of `<dns>` of that name.
pub(super) fn of_dns<'d>(network: &Network<'d>, name: &'static str) -> impl Iterator<Item = Node<'d, 'd>> {
    network.child("dns").into_iter().flat_map(move |dns| children(dns, name))
}

/// The `<lease>` elements that libvirt reads: one of each range and host.
pub(super) fn leases<'d>(network: &Network<'d>) -> impl Iterator<Item = Node<'d, 'd>> {
    let givers = network.ips().flat_map(|ip| of_dhcp(ip, "range").chain(of_dhcp(ip, "host")));
    givers.filter_map(|giver| child(giver, "lease"))
}

/// The network and its portgroups: what gives its ports their settings.
pub(super) fn givers<'d>(network: &Network<'d>) -> impl Iterator<Item = Node<'d, 'd>> {
    std::iter::once(network.root).chain(children(network.root, "portgroup"))
}

/// The host devices that a `<forward>` shares out, in what way libvirt understands them: of several ways the first is read
/// (`virNetworkForwardDefParseXML`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    /// Names of devices.
    Names,
    /// PCI addresses.
    Addresses,
    /// The virtual functions of one device.
    Functions,
    /// There are none.
    None,
}

/// The pool of a network.
pub(super) fn pool(network: &Network<'_>) -> Pool {
    let Some(forward) = network.child("forward") else { return Pool::None };
    if network.attr("forward", "dev").is_some() || child(forward, "interface").is_some() {
        Pool::Names
    } else if child(forward, "address").is_some() {
        Pool::Addresses
    } else if child(forward, "pf").is_some() {
        Pool::Functions
    } else {
        Pool::None
    }
}

/// The element that names the device that a network forwards through: `<forward>` itself, or the first `<interface>` in it.
pub(super) fn forward_device<'d>(network: &Network<'d>) -> Option<Node<'d, 'd>> {
    let forward = network.child("forward")?;
    let names = |node: &Node<'d, 'd>| node.attribute("dev").is_some_and(|name| !name.is_empty());
    Some(forward).filter(names).or_else(|| child(forward, "interface").filter(names))
}

/// Is it the portgroup of guests that name none? libvirt reads the word in any case.
pub(super) fn is_default(portgroup: Node<'_, '_>) -> bool {
    portgroup.attribute("default").is_some_and(|word| word.eq_ignore_ascii_case("yes"))
}

/// First and last address of a DHCP range, if libvirt can read both.
pub(super) fn ends(range: Node<'_, '_>) -> Option<(IpAddr, IpAddr)> {
    let bound = |name| read_address(range.attribute(name)?);
    Some((bound("start")?, bound("end")?))
}

/// Every address that libvirt reads: the element, and the attribute that it stands in.
pub(super) fn addresses<'d>(network: &Network<'d>) -> Vec<(Node<'d, 'd>, &'static str)> {
    let mut out = Vec::new();
    let mut all = |node: Node<'d, 'd>, names: &[&'static str]| {
        out.extend(names.iter().filter(|name| node.has_attribute(**name)).map(|name| (node, *name)));
    };
    for ip in network.ips() {
        all(ip, &["address"]);
        if ip.attribute("netmask").is_some_and(|mask| !mask.is_empty()) {
            all(ip, &["netmask"]);
        }
        of_dhcp(ip, "range").for_each(|range| all(range, &["start", "end"]));
        of_dhcp(ip, "host").for_each(|host| all(host, &["ip"]));
        // The first one only, and of IPv4 only.
        let is_four = ip.attribute("address").is_some_and(|address| !address.contains(':'));
        of_dhcp(ip, "bootp").take(1).filter(|_| is_four).for_each(|bootp| all(bootp, &["server"]));
    }
    children(network.root, "route").for_each(|route| all(route, &["address", "netmask", "gateway"]));
    of_dns(network, "forwarder").for_each(|forwarder| all(forwarder, &["addr"]));
    of_dns(network, "host").for_each(|host| all(host, &["ip"]));
    let nat = network.child("forward").and_then(|forward| child(forward, "nat"));
    nat.into_iter()
        .flat_map(|nat| children(nat, "address"))
        .for_each(|address| all(address, &["start", "end"]));
    out
}

/// Does libvirt run a DNS and DHCP server for the network, or would it, were it asked for DNS? Without an address of the
/// host's in it there is nothing that it could listen on.
pub(super) fn can_serve(network: &Network<'_>) -> bool {
    network.is_virtual() && network.ips().next().is_some()
}
