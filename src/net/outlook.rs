//! Where guests' packets get to from this host, as far as the host can be seen: its addresses, its default routes, the
//! ports of its bridges. libvirt looks at none of them.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::around::{HostDevice, Surroundings, Taken};
use super::filter::{self, Fate};
use super::reach::Family;
use crate::model::{ForwardMode, Network};

/// How far packets of one family get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Nobody can see, or nothing speaks against it.
    Open,
    /// To some; to whom.
    Part(String),
    /// To nobody beyond the host; why.
    Closed(String),
}

/// The way from the network's guests to the LAN.
pub(super) fn way(network: &Network, family: Family, around: &Surroundings) -> Way {
    use ForwardMode as M;
    if around.devices.is_none() {
        return Way::Open;
    }
    match network.mode {
        M::Nat | M::Route | M::Open if around.unforwarded.contains(&family) => {
            Way::Closed(format!("the host doesn't forward {family}: {} is 0", forwarding(family)))
        }
        M::Nat | M::Route | M::Open => {
            let way = match &network.forward_dev {
                Some(dev) => through(dev, family, around),
                None => anywhere(network, family, around),
            };
            match strangers(network, around) {
                Some(senders) if family == Family::V4 && !matches!(way, Way::Closed(_)) => {
                    Way::Closed(format!(
                        "unless the LAN sends the answers here: they go to {senders}, which aren't all addresses of this host"
                    ))
                }
                _ => way,
            }
        }
        M::Isolated | M::Hostdev => Way::Open,
        M::Bridge if !network.has_pool => match network.bridge.as_deref().and_then(|b| dead_end(b, around)) {
            Some(bridge) => Way::Closed(format!("bridge '{bridge}' has no port that leads anywhere")),
            None => across(network, family, around),
        },
        M::Bridge | M::Private | M::Vepa | M::Passthrough => {
            let ends: Vec<&str> = network.pool.iter().filter_map(|dev| dead_end(dev, around)).collect();
            match (ends.first(), ends.len() == network.pool.len()) {
                (None, _) => Way::Open,
                (Some(dev), true) => {
                    Way::Closed(format!("'{dev}' is a bridge that has no port that leads anywhere"))
                }
                (Some(dev), false) => Way::Part(format!(
                    "not of those on '{dev}', a bridge that has no port that leads anywhere"
                )),
            }
        }
    }
}

/// The setting that makes the host forward packets of that family.
pub(super) fn forwarding(family: Family) -> &'static str {
    match family {
        Family::V4 => "net.ipv4.ip_forward",
        Family::V6 => "net.ipv6.conf.all.forwarding",
    }
}

/// The addresses that connections leave from, if the host hasn't got all of them: who is asked answers to them, and only
/// somebody with a route, or the host itself, brings these answers back.
fn strangers(network: &Network, around: &Surroundings) -> Option<String> {
    let (start, end) = network.nat_addresses?;
    let own: HashSet<IpAddr> =
        around.devices.iter().flatten().flat_map(|device| device.addresses.iter().map(IpNet::addr)).collect();
    // Before a range that no host has is gone through to its end, one of it is missing.
    let mut range = start.to_bits()..=end.to_bits();
    range.any(|bits| !own.contains(&IpAddr::V4(bits.into()))).then(|| match start == end {
        true => start.to_string(),
        false => format!("{start}-{end}"),
    })
}

/// What is wrong with the host's bridge, or the devices of the pool, that guests are to be on: they don't start then.
pub(super) fn lacking(network: &Network, around: &Surroundings) -> Option<String> {
    if network.mode.is_virtual() {
        return None;
    }
    if network.has_pool {
        let gone = network.pool.first().filter(|_| network.pool.iter().all(|dev| around.lacks(dev)));
        return gone.map(|dev| format!("this host has no device '{dev}'"));
    }
    let bridge = network.bridge.as_deref()?;
    match around.device(bridge) {
        None if around.lacks(bridge) => Some(format!("this host has no bridge '{bridge}'")),
        Some(device) if !device.is_bridge && !device.is_open_vswitch => {
            Some(format!("'{bridge}' is no bridge"))
        }
        _ => None,
    }
}

/// The network's bridge, if it is there and administratively down.
pub(super) fn down<'a>(network: &'a Network, around: &Surroundings) -> Option<&'a str> {
    let bridge = network.bridge.as_deref().filter(|_| !network.has_pool)?;
    around.device(bridge).is_some_and(|device| device.is_bridge && device.is_down).then_some(bridge)
}

/// From port to port of the network's bridge: what the host's packet filter does with frames there, if the kernel shows it
/// any (br_netfilter).
pub(super) fn across(network: &Network, family: Family, around: &Surroundings) -> Way {
    let Some(bridge) = network.bridge.as_deref().filter(|_| around.devices.is_some() && !network.has_pool)
    else {
        return Way::Open;
    };
    // libvirt lets them pass in networks that it makes rules for, and it makes none of IPv6 where it has no address.
    let has_address = network.addresses.iter().any(|a| family.holds(&a.ip));
    let is_accepted = match network.mode {
        ForwardMode::Open | ForwardMode::Bridge => false,
        _ => family == Family::V4 || has_address,
    };
    let device = around.device(bridge);
    let is_shown =
        around.filtered.contains(&family) || device.is_some_and(|device| device.filtered.contains(&family));
    if is_accepted || !is_shown || device.is_some_and(|device| device.is_open_vswitch) {
        return Way::Open;
    }
    let rules = around.filters.iter().find(|(of, _)| *of == family).map(|(_, rules)| rules);
    let sysctl = bridge_filter(family);
    match rules.map(|rules| filter::between_ports(rules, bridge)) {
        Some(Fate::Passes) if !around.filters_otherwise => Way::Open,
        Some(Fate::Dropped) => Way::Closed(format!(
            "the host's firewall drops what passes from port to port of '{bridge}': {sysctl} is 1, and its chain FORWARD \
             lets none of it through"
        )),
        Some(_) => Way::Part(format!("as far as the host's firewall lets it through, for {sysctl} is 1")),
        None => Way::Part(format!(
            "if the host's firewall lets it through, for {sysctl} is 1; its rules can't be read (that takes root)"
        )),
    }
}

/// The setting that shows bridges' frames to the packet filter.
pub(super) fn bridge_filter(family: Family) -> &'static str {
    match family {
        Family::V4 => "net.bridge.bridge-nf-call-iptables",
        Family::V6 => "net.bridge.bridge-nf-call-ip6tables",
    }
}

/// The bridge, if it is one of the host's without a port that leads anywhere. What ports one of Open vSwitch has, only
/// that knows.
pub(super) fn dead_end<'a>(bridge: &'a str, around: &Surroundings) -> Option<&'a str> {
    around.device(bridge).filter(|device| device.is_bridge && !device.has_uplink).map(|_| bridge)
}

/// Through one device: libvirt's rules let nothing else pass.
fn through(dev: &str, family: Family, around: &Surroundings) -> Way {
    let Some(device) = around.device(dev) else {
        return Way::Closed(format!(
            "this host has no device '{dev}', and libvirt lets nothing else through"
        ));
    };
    let above = device.master.as_deref().and_then(|master| around.device(master));
    if let Some(master) = above.filter(|m| m.is_bridge || m.is_open_vswitch || m.is_bond) {
        return Way::Closed(format!(
            "packets leave by '{}', and libvirt lets them through its port '{dev}' only",
            master.name
        ));
    }
    if let Some(bridge) = dead_end(dev, around) {
        return Way::Closed(format!("bridge '{bridge}' has no port that leads anywhere"));
    }
    if defaults(family, around).any(|d| d == dev) {
        return Way::Open;
    }
    if is_connected(dev, family, around) {
        return Way::Part(format!(
            "only where '{dev}' itself leads: the host has no {family} default route by it"
        ));
    }
    Way::Closed(format!("the host has no {family} route through '{dev}'"))
}

/// Whichever way the host has.
fn anywhere(network: &Network, family: Family, around: &Surroundings) -> Way {
    if defaults(family, around).any(|dev| dead_end(dev, around).is_none()) {
        return Way::Open;
    }
    let by_default = match defaults(family, around).next() {
        Some(dev) => format!(
            "the host's {family} default route leaves by bridge '{dev}', which has no port that leads anywhere"
        ),
        None => format!("the host has no {family} default route"),
    };
    match leading_out(network, around).any(|device| is_connected(&device.name, family, around)) {
        true => Way::Part(format!("only with the networks that the host itself is on: {by_default}")),
        false if defaults(family, around).next().is_some() => Way::Closed(by_default),
        false => Way::Closed(format!("the host has no {family} route out")),
    }
}

/// The devices behind which others may be: not the loopback device, nor guests' bridges, nor those without a port.
fn leading_out<'a>(network: &Network, around: &'a Surroundings) -> impl Iterator<Item = &'a HostDevice> {
    let is_guests = move |device: &HostDevice| {
        let made = |n: &Network| n.mode.is_virtual() && n.bridge.as_deref() == Some(device.name.as_str());
        around.networks.iter().any(made) || made(network)
    };
    let leads_out = move |device: &&HostDevice| {
        device.name != "lo" && !is_guests(device) && dead_end(&device.name, around).is_none()
    };
    around.devices.iter().flatten().filter(leads_out)
}

/// The devices of the host's default routes, and of what VPNs put in their place.
fn defaults(family: Family, around: &Surroundings) -> impl Iterator<Item = &str> {
    let instead =
        around.taken.iter().filter(move |t| t.is_default() && t.is_followed && family.holds(&t.net));
    let own = around.defaults.iter().filter(move |(of, _)| *of == family).map(|(_, dev)| dev.as_str());
    own.chain(instead.filter_map(|t| t.dev.as_deref()))
}

/// Has the device an address or a route that is more than the link's own?
fn is_connected(dev: &str, family: Family, around: &Surroundings) -> bool {
    let of_link = |address: IpAddr| match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_multicast() || address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.is_multicast() || address.is_loopback()
        }
    };
    let own = |t: &&Taken| t.is_followed && t.dev.as_deref() == Some(dev);
    let mut nets = around.taken.iter().filter(own).map(|t| t.net);
    nets.any(|net| family.holds(&net) && !of_link(net.addr()))
}

/// The host's address that the LAN's router sends the guests' packets to: one of the device that they leave by.
pub(super) fn next_hop(network: &Network, family: Family, around: &Surroundings) -> Option<IpAddr> {
    let address = |device: &HostDevice| {
        device.addresses.iter().map(IpNet::addr).find(|address| address.is_ipv4() == (family == Family::V4))
    };
    if let Some(dev) = network.forward_dev.as_deref().or_else(|| defaults(family, around).next()) {
        return address(around.device(dev)?);
    }
    // Without a default route, where one device only leads to others.
    let mut ways = leading_out(network, around).filter_map(address);
    let only = ways.next()?;
    ways.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::{Party, notes, reachability};
    use crate::xml::Doc;

    fn read(body: &str) -> Network {
        Network::read(&Doc::parse(&format!("<network><name>n</name>{body}</network>")).unwrap()).unwrap()
    }

    fn device(name: &str, addresses: &[&str]) -> HostDevice {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        HostDevice { name: name.into(), addresses, ..HostDevice::default() }
    }

    fn taken(net: &str, dev: &str) -> Taken {
        Taken { net: net.parse().unwrap(), by: "a route".into(), dev: Some(dev.into()), is_followed: true }
    }

    /// A host on the LAN by its bridge, with IPv4 only, and a second bridge that leads nowhere.
    fn host() -> Surroundings {
        let br0 = HostDevice { is_bridge: true, has_uplink: true, ..device("br0", &["198.18.0.4/24"]) };
        let port = HostDevice { master: Some("br0".into()), ..device("enp4s0", &[]) };
        let br1 = HostDevice { is_bridge: true, ..device("br1", &[]) };
        let virbr0 =
            HostDevice { is_bridge: true, ..device("virbr0", &["192.168.122.1/24", "fd00:9::1/64"]) };
        let eth1 = device("eth1", &["203.0.113.7/24"]);
        Surroundings {
            taken: vec![
                taken("127.0.0.0/8", "lo"),
                taken("198.18.0.0/24", "br0"),
                taken("fe80::/64", "br0"),
                taken("203.0.113.0/24", "eth1"),
                taken("192.168.122.0/24", "virbr0"),
                taken("fd00:9::/64", "virbr0"),
            ],
            devices: Some(vec![device("lo", &[]), br0, port, br1, virbr0, eth1]),
            defaults: vec![(Family::V4, "br0".into())],
            networks: vec![read("<forward/><bridge name='virbr0'/>")],
            ..Surroundings::default()
        }
    }

    /// The cell from guest to LAN, or the other way.
    fn cell(body: &str, family: Family, outward: bool, around: &Surroundings) -> (bool, String) {
        let way = if outward { (Party::Guest, Party::Lan) } else { (Party::Lan, Party::Guest) };
        let cells = reachability(&read(body), around);
        let cell = cells.into_iter().find(|c| (c.from, c.to) == way && c.family == family).unwrap();
        (cell.allowed, cell.note.unwrap_or_default())
    }

    const IPS: &str = "<bridge name='virbr0'/><ip address='10.0.0.1' prefix='24'/><ip family='ipv6' address='fd00::1' prefix='64'/>";

    #[test]
    fn a_host_without_ipv6() {
        let route = format!("<forward mode='route'/>{IPS}");
        assert!(cell(&route, Family::V4, true, &host()).0);
        for outward in [true, false] {
            let (allowed, why) = cell(&route, Family::V6, outward, &host());
            assert!(!allowed && why == "the host has no IPv6 route out", "{why}");
        }
        let said = notes(&read(&route), &host()).join("\n");
        assert!(
            said.contains("10.0.0.0/24 via 198.18.0.4 (ip route add 10.0.0.0/24 via 198.18.0.4)"),
            "{said}"
        );
        assert!(!said.contains("static route: fd00::/64"), "{said}");
        // On the link alone, by a VPN's half of everything, and where nobody can see.
        let mut linked = host();
        linked.taken.push(taken("fd00:18::/64", "eth1"));
        let (allowed, note) = cell(&route, Family::V6, true, &linked);
        assert!(allowed && note.ends_with("the host has no IPv6 default route"), "{note}");
        linked.taken.push(taken("::/1", "eth1"));
        assert!(!cell(&route, Family::V6, true, &linked).1.contains("default route"));
        assert!(cell(&route, Family::V6, true, &Surroundings::default()).0);
    }

    #[test]
    fn routes_that_nobody_follows() {
        let route = format!("<forward mode='route'/>{IPS}");
        let mut host = host();
        for net in ["fd00:18::/64", "2000::/3"] {
            host.taken.push(Taken { is_followed: false, ..taken(net, "eth1") });
        }
        assert!(!cell(&route, Family::V6, true, &host).0);
        // No default route, and one device that leads to others: its address is the one to name.
        host.defaults.clear();
        assert_eq!(next_hop(&read(&route), Family::V4, &host), None, "there are two");
        host.devices.iter_mut().flatten().for_each(|d| d.addresses.retain(|_| d.name == "br0"));
        assert_eq!(next_hop(&read(&route), Family::V4, &host), Some("198.18.0.4".parse().unwrap()));
    }

    #[test]
    fn a_host_that_forwards_no_more() {
        let nat = format!("<forward mode='nat'/>{IPS}");
        let mut host = host();
        assert!(
            cell(&nat, Family::V4, true, &host).0 && !notes(&read(&nat), &host).join(" ").contains("sysctl")
        );
        host.unforwarded = vec![Family::V4];
        let (allowed, why) = cell(&nat, Family::V4, true, &host);
        assert!(!allowed && why.contains("net.ipv4.ip_forward is 0"), "{why}");
        assert!(notes(&read(&nat), &host).join(" ").contains("sysctl -w net.ipv4.ip_forward=1"));
    }

    #[test]
    fn senders_that_arent_the_hosts() {
        let from = |range: &str| {
            let (start, end) = range.split_once('-').unwrap();
            let nat = format!("<nat><address start='{start}' end='{end}'/></nat>");
            cell(&format!("<forward mode='nat'>{nat}</forward>{IPS}"), Family::V4, true, &host())
        };
        let (allowed, note) = from("198.18.0.4-198.18.0.4");
        assert!(allowed && note == "with one of 198.18.0.4-198.18.0.4 as the sender", "{note}");
        let (allowed, note) = from("198.18.0.4-198.18.0.5");
        assert!(!allowed && note.starts_with("unless the LAN sends the answers here"), "{note}");
        assert!(!from("1.0.0.0-223.255.255.255").0, "at once");
    }

    #[test]
    fn what_the_packet_filter_does_on_bridges() {
        let lan = "<forward mode='bridge'/><bridge name='br0'/>";
        let guests = |body: &str, family, around: &Surroundings| {
            let cells = reachability(&read(body), around);
            let pair = (Party::Guest, Party::Guest);
            let cell = cells.into_iter().find(|c| (c.from, c.to) == pair && c.family == family).unwrap();
            (cell.allowed, cell.note.unwrap_or_default())
        };
        let mut host = Surroundings { filtered: vec![Family::V4], ..host() };
        let (allowed, note) = guests(lan, Family::V4, &host);
        assert!(allowed && note.contains("that takes root"), "{note}");
        for (rules, passes, says) in [
            ("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", true, ""),
            ("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", false, "the host's firewall drops"),
            (
                "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n",
                true,
                "as far as the host's firewall lets it",
            ),
        ] {
            host.filters = vec![(Family::V4, rules.into())];
            for (allowed, note) in [guests(lan, Family::V4, &host), cell(lan, Family::V4, true, &host)] {
                assert!(
                    allowed == passes && note.starts_with(says) && note.is_empty() == says.is_empty(),
                    "{note}"
                );
            }
            let said = notes(&read(lan), &host).join(" ");
            assert_eq!(said.contains("iptables -I FORWARD -i br0 -o br0 -j ACCEPT"), !passes, "{said}");
        }
        host.filters = vec![(Family::V4, "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n".into())];
        let net = |mode: &str| format!("<forward mode='{mode}'/>{IPS}");
        assert!(guests(&net("nat"), Family::V4, &host).0, "libvirt's rules accept it");
        assert!(!guests(&net("open"), Family::V4, &host).0, "it makes none there");
        host.filters.clear();
        host.filtered.clear();
        host.devices.iter_mut().flatten().for_each(|d| d.filtered = vec![Family::V4]);
        assert!(!guests(lan, Family::V4, &host).1.is_empty(), "that bridge's own setting");
    }

    #[test]
    fn a_bridge_that_is_down() {
        let mut host = host();
        let set = |host: &mut Surroundings, name: &str, change: fn(&mut HostDevice)| {
            host.devices.iter_mut().flatten().filter(|device| device.name == name).for_each(change);
        };
        set(&mut host, "br0", |device| device.is_down = true);
        let cells = reachability(&read("<forward mode='bridge'/><bridge name='br0'/>"), &host);
        assert!(cells.iter().all(|c| !c.allowed), "{cells:?}");
        assert!(cells[0].note.as_ref().unwrap().contains("'br0' is administratively down"), "{cells:?}");
        // One of Open vSwitch carries frames all the same.
        set(&mut host, "br0", |device| (device.is_bridge, device.is_open_vswitch) = (false, true));
        let cells = reachability(&read("<forward mode='bridge'/><bridge name='br0'/>"), &host);
        assert!(cells[0].allowed, "{cells:?}");
    }

    #[test]
    fn a_default_route_by_a_bridge_without_a_cable() {
        let mut host = host();
        host.devices.iter_mut().flatten().for_each(|device| device.has_uplink = false);
        let nat = format!("<forward mode='nat'/>{IPS}");
        let (allowed, note) = cell(&nat, Family::V4, true, &host);
        assert!(
            allowed
                && note.contains(
                    "only with the networks that the host itself is on: the host's IPv4 default route"
                )
        );
        host.taken.retain(|taken| taken.dev.as_deref() != Some("eth1"));
        let (allowed, why) = cell(&nat, Family::V4, true, &host);
        assert!(
            !allowed && why.contains("leaves by bridge 'br0', which has no port that leads anywhere"),
            "{why}"
        );
        // A second one is a way.
        host.defaults.push((Family::V4, "eth1".into()));
        assert_eq!(
            cell(&nat, Family::V4, true, &host),
            (true, "with the host's address as the sender".into())
        );
    }

    #[test]
    fn bridges_that_are_gone() {
        for (body, why) in [
            ("<forward mode='bridge'/><bridge name='br9'/>", "no bridge 'br9'"),
            ("<forward mode='bridge'/><bridge name='eth1'/>", "'eth1' is no bridge"),
            ("<forward mode='bridge'><interface dev='eth9'/></forward>", "no device 'eth9'"),
        ] {
            let cells = reachability(&read(body), &host());
            assert!(cells.iter().all(|c| !c.allowed), "{body}: {cells:?}");
            assert!(cells[0].note.as_ref().unwrap().contains(why), "{cells:?}");
        }
        let gone = read("<forward mode='bridge'/><bridge name='br9'/>");
        assert!(notes(&gone, &host()).join(" ").contains("no guest on the network starts"));
        assert!(reachability(&gone, &Surroundings::default()).iter().all(|c| c.allowed));
    }

    #[test]
    fn one_device() {
        let through = |dev: &str| {
            let body = format!("<forward mode='nat' dev='{dev}'/>{IPS}");
            (cell(&body, Family::V4, true, &host()), read(&body))
        };
        assert!(through("br0").0.0);
        let ((allowed, why), _) = through("enp4s0");
        assert!(!allowed && why.contains("leave by 'br0'"), "{why}");
        assert!(!through("gone0").0.0 && !through("br1").0.0);
        let ((allowed, note), network) = through("eth1");
        assert!(allowed && note.contains("only where 'eth1' itself leads"), "{note}");
        assert_eq!(next_hop(&network, Family::V4, &host()), Some("203.0.113.7".parse().unwrap()));
    }

    #[test]
    fn bridges_that_lead_nowhere() {
        let on = |bridge: &str| format!("<forward mode='bridge'/><bridge name='{bridge}'/>");
        assert!(cell(&on("br0"), Family::V4, true, &host()).0);
        for outward in [true, false] {
            assert!(!cell(&on("br1"), Family::V4, outward, &host()).0);
        }
        let with_host = |bridge: &str| {
            let cells = reachability(&read(&on(bridge)), &host());
            cells.iter().filter(|c| c.from == Party::Host || c.to == Party::Host).all(|c| c.allowed)
        };
        assert!(with_host("br0") && !with_host("br1"));
        assert_eq!(
            notes(&read(&on("br1")), &host()),
            ["bridge 'br1' has no port that leads anywhere: guests on it reach only each other"]
        );
        assert!(!notes(&read(&on("br0")), &host()).join("\n").contains("the host needs bridge"));

        let pool = |devices: &str| {
            let devices: String = devices.split(' ').map(|dev| format!("<interface dev='{dev}'/>")).collect();
            format!("<forward mode='bridge'>{devices}</forward>")
        };
        assert!(!cell(&pool("br1"), Family::V4, true, &host()).0);
        let (allowed, note) = cell(&pool("eth1 br1"), Family::V4, true, &host());
        assert!(allowed && note.contains("not of those on 'br1'"), "{note}");
        assert!(
            notes(&read(&pool("br1")), &host()).join("\n").contains("'br1' is a bridge that has no port")
        );
    }
}
