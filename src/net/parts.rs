//! The parts of a `<network>` as libvirt writes them (reference §5.1, and what libvirt 11.3 dumps).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::ask::{Host, Mode, PortgroupAsk};
use super::element::Element;
use super::spec::{Dns, Spec, Subnet};
use crate::model::DeviceName;

/// The definition of a network, without UUID and MAC address: libvirt makes those.
pub fn xml(spec: &Spec) -> String {
    let is_off = spec.dns.is_off || (spec.mode == Mode::Isolated && spec.subnets.is_empty());
    let ipv6 = spec.subnet6().is_some();
    let nat = nat(ipv6, spec.nat_addresses, spec.nat_ports).filter(|_| spec.mode == Mode::Nat);
    let dns = Dns { is_off, ..spec.dns.clone() };
    Element::new("network")
        .around([Element::new("name").holding(&spec.name)])
        .around((spec.mode != Mode::Isolated).then(|| forward(spec.mode, spec.dev.as_ref(), &spec.pool, nat)))
        .around(spec.bridge.as_ref().map(|name| bridge(name, spec.mode)))
        .around(spec.mtu.map(mtu))
        .around(spec.domain.as_deref().map(domain))
        .around(self::dns(&dns))
        .around(spec.is_open_vswitch.then(open_vswitch))
        .around(spec.subnets.iter().map(ip))
        .around(spec.portgroups.iter().map(portgroup))
        .document()
}

/// `<forward>`, for every mode but `isolated`.
pub(super) fn forward(
    mode: Mode,
    dev: Option<&DeviceName>,
    pool: &[DeviceName],
    nat: Option<Element>,
) -> Element {
    let forward = Element::new("forward").with("mode", mode).with_some("dev", dev);
    forward.around(nat).around(pool.iter().map(interface))
}

/// `<nat>`, where there is anything to say.
pub(super) fn nat(
    ipv6: bool,
    addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    ports: Option<(u16, u16)>,
) -> Option<Element> {
    let nat = Element::new("nat")
        .with_some("ipv6", ipv6.then_some("yes"))
        .around(addresses.map(|(start, end)| span("address", start, end)))
        .around(ports.map(|(start, end)| span("port", start, end)));
    (!nat.attributes.is_empty() || !nat.children.is_empty()).then_some(nat)
}

/// An element with a start and an end.
pub(super) fn span<T: ToString>(name: &'static str, start: T, end: T) -> Element {
    Element::new(name).with("start", start).with("end", end)
}

pub(super) fn interface(dev: &DeviceName) -> Element {
    Element::new("interface").with("dev", dev)
}

/// A virtual bridge speaks STP without a delay, as libvirt makes them (reference §5.2); the host's own isn't touched.
pub(super) fn bridge(name: &DeviceName, mode: Mode) -> Element {
    let bridge = Element::new("bridge").with("name", name);
    if mode == Mode::Bridge { bridge } else { bridge.with("stp", "on").with("delay", 0) }
}

pub(super) fn mtu(size: u32) -> Element {
    Element::new("mtu").with("size", size)
}

pub(super) fn domain(name: &str) -> Element {
    Element::new("domain").with("name", name)
}

pub(super) fn no_dns() -> Element {
    Element::new("dns").with("enable", "no")
}

pub(super) fn dns(dns: &Dns) -> Option<Element> {
    if dns.is_off {
        return Some(no_dns());
    }
    let element = Element::new("dns")
        .around(dns.forwarders.iter().map(forwarder))
        .around(dns.hosts.iter().map(dns_host));
    (!element.children.is_empty()).then_some(element)
}

pub(super) fn forwarder((domain, address): &(Option<String>, IpAddr)) -> Element {
    Element::new("forwarder").with_some("domain", domain.as_ref()).with("addr", address)
}

pub(super) fn dns_host((address, names): &(IpAddr, Vec<String>)) -> Element {
    Element::new("host")
        .with("ip", address)
        .around(names.iter().map(|name| Element::new("hostname").holding(name)))
}

/// A port profile without which libvirt can't plug guests into Open vSwitch (reference §1.3).
pub(super) fn open_vswitch() -> Element {
    Element::new("virtualport").with("type", "openvswitch")
}

pub(super) fn ip(subnet: &Subnet) -> Element {
    let element = match subnet.ip {
        IpNet::V4(net) => Element::new("ip").with("address", net.addr()).with("netmask", net.netmask()),
        IpNet::V6(net) => Element::new("ip")
            .with("family", "ipv6")
            .with("address", net.addr())
            .with("prefix", net.prefix_len()),
    };
    element.around(dhcp(&subnet.dhcp, &subnet.hosts))
}

/// `<dhcp>`, where it does anything.
pub(super) fn dhcp(ranges: &[(IpAddr, IpAddr)], hosts: &[Host]) -> Option<Element> {
    let dhcp = Element::new("dhcp")
        .around(ranges.iter().map(|(start, end)| span("range", start, end)))
        .around(hosts.iter().map(host));
    (!dhcp.children.is_empty()).then_some(dhcp)
}

pub(super) fn host(host: &Host) -> Element {
    Element::new("host")
        .with_some("mac", host.mac)
        .with_some("id", host.id.as_ref())
        .with_some("name", host.name.as_ref())
        .with("ip", host.ip)
}

pub(super) fn portgroup(group: &PortgroupAsk) -> Element {
    let vlan = |id: u16| Element::new("vlan").around([Element::new("tag").with("id", id)]);
    Element::new("portgroup")
        .with("name", &group.name)
        .with_some("default", group.is_default.then_some("yes"))
        .around(group.vlan.map(vlan))
}
