//! What a network does, in words, and what else has to be done for it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::around::Surroundings;
use super::doubts;
use super::outlook::{self, Way};
use super::reach::Family;
use crate::model::{Address, ForwardMode, Network, Setting};

/// What the network does, a sentence each.
pub fn meaning(network: &Network) -> Vec<String> {
    use ForwardMode as M;
    let bridge = network.bridge.as_deref().unwrap_or("(no name yet)");
    let through = match &network.forward_dev {
        Some(dev) => format!("through {dev}"),
        None => "through the host, whichever way it has".into(),
    };
    let has_host = !network.addresses.is_empty();
    let mut said = vec![match network.mode {
        M::Isolated if has_host => "guests see each other and the host, and nothing else".into(),
        M::Isolated => {
            "guests see each other and nothing else, not even the host: a switch with no uplink".into()
        }
        M::Nat => {
            let sender = match network.nat_addresses {
                Some((start, end)) => format!("one of {start}-{end}"),
                None => "the host's address".into(),
            };
            format!("guests reach others {through}, with {sender} as the sender; nobody reaches them")
        }
        M::Route => format!("guests' packets go {through}, with their own addresses, in and out"),
        M::Open => {
            "guests' packets go through the host, with their own addresses; libvirt makes no firewall rules"
                .into()
        }
        M::Bridge if !network.has_pool => {
            format!("guests are on the LAN behind the host's bridge '{bridge}', like machines of their own")
        }
        M::Bridge => format!("guests are on the LAN of {}, by macvtap", network.pool.join(", ")),
        M::Private => {
            format!("guests are on the LAN of {}, by macvtap, apart from each other", network.pool.join(", "))
        }
        M::Vepa => format!(
            "guests are on the LAN of {}, by macvtap; the switch there connects them",
            network.pool.join(", ")
        ),
        M::Passthrough => format!("each guest has one of {} for itself", network.pool.join(", ")),
        M::Hostdev => "each guest gets a function of a NIC, a piece of hardware".into(),
    }];
    said.extend(network.addresses.iter().map(address));
    if network.mode.is_virtual() && has_host {
        said.push(match (&network.domain, network.has_dns) {
            (_, false) => "its DNS is off: guests need another DNS server".into(),
            (Some(domain), true) => {
                format!("the host answers DNS there, and knows the guests by name in {domain}")
            }
            (None, true) => "the host answers DNS there, and knows the guests by name".into(),
        });
    }
    said
}

fn address(address: &Address) -> String {
    let ranges: Vec<String> = address.dhcp.iter().map(|(start, end)| format!("{start}-{end}")).collect();
    // A fixed address may lie outside of the ranges, and mostly does.
    let in_range = |ip: &IpAddr| address.dhcp.iter().any(|(start, end)| start <= ip && ip <= end);
    let inside = address.hosts.iter().filter(|host| in_range(&host.ip)).count();
    let inner = match inside {
        0 => String::new(),
        1 => ", one of them reserved".into(),
        n => format!(", {n} of them reserved"),
    };
    let outer = match address.hosts.len() - inside {
        0 => String::new(),
        1 => ", and a fixed address besides".into(),
        n => format!(", and {n} fixed addresses besides"),
    };
    let hosts = inner + &outer;
    let what = match (address.ip, ranges.is_empty(), address.hosts.is_empty()) {
        (_, false, _) => format!("DHCP gives away {}{hosts}", ranges.join(" and ")),
        (_, true, false) => "DHCP answers only the guests that have a reservation".into(),
        (IpNet::V4(_), true, true) => "no DHCP: guests need fixed addresses".into(),
        (IpNet::V6(_), true, true) => {
            "router advertisements let guests make their own addresses (SLAAC)".into()
        }
    };
    format!("{}: the host is {}; {what}", address.ip.trunc(), address.ip.addr())
}

/// What else has to be done, or known, so that the network does what it is for.
/// `around` is what can be seen of the host that it is on, if anything.
pub fn notes(network: &Network, around: &Surroundings) -> Vec<String> {
    use ForwardMode as M;
    let mut notes = Vec::new();
    for family in [Family::V4, Family::V6] {
        notes.extend(obstacles(network, family, around));
    }
    let v6: Vec<&Address> = network.addresses.iter().filter(|a| matches!(a.ip, IpNet::V6(_))).collect();
    match network.mode {
        M::Route => notes.extend(static_routes(network, network.addresses.iter(), around)),
        M::Open => {
            notes.extend(static_routes(network, network.addresses.iter(), around));
            notes.push("libvirt makes no firewall rules for this network: the host's own must let the guests' packets through".into());
        }
        M::Nat if !network.nat_ipv6 => notes.extend(static_routes(network, v6.iter().copied(), around)),
        M::Bridge if !network.has_pool => {
            notes.extend(on_bridge(network.bridge.as_deref().unwrap_or("the bridge"), around));
        }
        M::Bridge | M::Private | M::Vepa | M::Passthrough => {
            notes.push(
                "the host and the guests can't talk to each other over macvtap; other machines can with both"
                    .into(),
            );
            let ends = network.pool.iter().filter_map(|dev| outlook::dead_end(dev, around));
            notes.extend(ends.map(|dev| {
                format!("'{dev}' is a bridge that has no port that leads anywhere: guests on it reach only each other")
            }));
            notes.push("the devices must be up, and Wi-Fi can't carry macvtap".into());
        }
        _ => {}
    }
    if matches!(network.mode, M::Nat | M::Route | M::Open) {
        notes.extend(network.addresses.iter().filter_map(public));
    }
    if let Some((start, end)) = network.nat_addresses {
        notes.push(format!(
            "connections leave from {start}-{end}: the LAN must send these addresses to the host (as addresses of it, or by a route)"
        ));
    }
    let is_ovs = network.given.get(Setting::Virtualport).is_some_and(|p| p.contains("openvswitch"));
    if network.portgroups.iter().any(|g| g.given.get(Setting::Vlan).is_some()) && !is_ovs {
        notes.push(
            "VLANs on a Linux bridge take libvirt 11.0 or newer, and vlan_filtering on the bridge".into(),
        );
    }
    for address in v6 {
        notes.extend(autoconfiguration(address, network.mode));
    }
    notes
}

/// What keeps packets from passing that should, and how to mend it.
fn obstacles(network: &Network, family: Family, around: &Surroundings) -> Vec<String> {
    use ForwardMode as M;
    let mut notes = Vec::new();
    let forwards = matches!(network.mode, M::Nat | M::Route | M::Open)
        && network.addresses.iter().any(|a| family.holds(&a.ip));
    if forwards && around.unforwarded.contains(&family) {
        notes.push(format!(
            "the host doesn't forward {family} any more: libvirt switched that on when the network started, and somebody has \
             switched it off since; sysctl -w {}=1 switches it on",
            outlook::forwarding(family)
        ));
    }
    let bridge = network.bridge.as_deref().filter(|_| matches!(network.mode, M::Open | M::Bridge));
    if let (Some(bridge), Way::Closed(_)) = (bridge, outlook::across(network, family, around)) {
        let tool = if family == Family::V4 { "iptables" } else { "ip6tables" };
        notes.push(format!(
            "{family} passes from port to port of '{bridge}' once the firewall lets it: {tool} -I FORWARD -i {bridge} -o {bridge} \
             -j ACCEPT; or once it doesn't see it: sysctl -w {}=0",
            outlook::bridge_filter(family)
        ));
    }
    notes
}

/// What a bridge of the host's needs, and what being on it means.
fn on_bridge(bridge: &str, around: &Surroundings) -> Vec<String> {
    let open = "guests' services are open to the whole LAN; its DHCP server, or its administrator, gives them addresses";
    match around.device(bridge) {
        Some(device) if outlook::dead_end(bridge, around).is_some() => {
            let whom = if device.addresses.is_empty() { "each other" } else { "each other and the host" };
            vec![format!("bridge '{bridge}' has no port that leads anywhere: guests on it reach only {whom}")]
        }
        Some(device) if !device.is_bridge && !device.is_open_vswitch => {
            vec![format!("'{bridge}' is no bridge: no guest on the network starts")]
        }
        Some(_) => vec![open.into()],
        None if around.lacks(bridge) => {
            vec![format!(
                "this host has no bridge '{bridge}': no guest on the network starts until there is one, with a NIC in it that leads to the LAN"
            )]
        }
        None => vec![
            format!("the host needs bridge '{bridge}', with a NIC in it that leads to the LAN"),
            open.into(),
        ],
    }
}

/// The way back: without it answers never find the guests. Where there is no way out, nothing needs one.
fn static_routes<'a>(
    network: &Network,
    addresses: impl Iterator<Item = &'a Address>,
    around: &Surroundings,
) -> Vec<String> {
    let route = |a: &Address| {
        let net = a.ip.trunc();
        let family = if a.ip.addr().is_ipv4() { Family::V4 } else { Family::V6 };
        // Nor does one that leads the LAN's own addresses here.
        let leads_nowhere = matches!(outlook::way(network, family, around), Way::Closed(_));
        if leads_nowhere || doubts::overlapped(network, a.ip, around).is_some() {
            return None;
        }
        let needs = "the LAN's router needs a static route:";
        Some(match outlook::next_hop(network, family, around) {
            Some(host) => format!("{needs} {net} via {host} (ip route add {net} via {host})"),
            None => format!("{needs} {net} via the host's LAN address"),
        })
    };
    addresses.filter_map(route).collect()
}

/// Addresses of others: private ones collide with nobody on the internet.
fn public(address: &Address) -> Option<String> {
    let is_private = match address.ip {
        IpNet::V4(net) => {
            let first = net.addr();
            first.is_private() || (first.octets()[0] == 100 && first.octets()[1] & 0xc0 == 64)
        }
        // Unique local addresses; others are handed out to somebody, who may well be the user.
        IpNet::V6(_) => true,
    };
    let net = address.ip.trunc();
    (!is_private).then(|| {
        format!(
            "{net} isn't private: if it isn't yours, guests and host can't reach its owners on the internet"
        )
    })
}

/// How guests come by IPv6 addresses: dnsmasq advertises the prefix, and with DHCPv6 sends guests there instead.
fn autoconfiguration(address: &Address, mode: ForwardMode) -> Vec<String> {
    let net = address.ip.trunc();
    let mut notes = Vec::new();
    if address.dhcp.is_empty() && address.hosts.is_empty() {
        match address.ip.prefix_len() {
            64 => notes.push(format!("IPv6: guests that listen to router advertisements make addresses of {net} by themselves (SLAAC)")),
            _ => notes.push(format!(
                "IPv6: {net} isn't a /64, so that guests can't make addresses by themselves (SLAAC): give them fixed ones, or DHCPv6 with a range"
            )),
        }
    } else {
        notes.push(format!("IPv6: guests get addresses of {net} by DHCPv6, not by themselves (no SLAAC); a guest without a DHCPv6 client gets none"));
    }
    if mode != ForwardMode::Isolated {
        notes.push("IPv6: while the host forwards, it takes no default route from router advertisements unless accept_ra is 2 on its uplink; libvirt may refuse to start the network over it".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    fn said(body: &str) -> (String, String) {
        let text = format!("<network><name>n</name>{body}</network>");
        let network = Network::read(&Doc::parse(&text).unwrap()).unwrap();
        (meaning(&network).join("\n"), notes(&network, &Surroundings::default()).join("\n"))
    }

    #[test]
    fn what_is_said() {
        let four = "<ip address='10.20.0.1' prefix='24'><dhcp><range start='10.20.0.2' end='10.20.0.9'/></dhcp></ip>";
        let six = "<ip family='ipv6' address='fd00::1' prefix='64'/>";
        let (means, more) = said(&format!("<forward mode='route' dev='e0'/>{four}{six}"));
        assert!(means.contains("through e0") && means.contains("DHCP gives away 10.20.0.2-10.20.0.9"));
        assert!(means.contains("SLAAC") && means.contains("answers DNS"));
        assert!(more.contains("static route: 10.20.0.0/24 via the host's LAN address"));
        assert!(more.contains("static route: fd00::/64 via"));
        let (means, more) = said(&format!("<forward mode='nat'><nat ipv6='yes'/></forward>{four}{six}"));
        assert!(means.contains("nobody reaches them") && !more.contains("static route"));
        assert!(said(&format!("<forward/>{four}{six}")).1.contains("static route: fd00::/64"));
        assert_eq!(said(four).1, "");
        assert!(said("").0.contains("not even the host") && !said("").0.contains("DNS"));
        assert!(
            said("<forward mode='bridge'/><bridge name='br0'/>").1.contains("bridge 'br0', with a NIC in it")
        );
        let (means, more) = said("<forward mode='bridge'><interface dev='a'/><interface dev='b'/></forward>");
        assert!(means.contains("a, b") && more.contains("can't talk to each other"));
        assert!(said("<forward/><ip address='8.8.8.1' prefix='24'/>").1.contains("isn't private"));
        let vlan = "<forward mode='bridge'/><bridge name='b'/><portgroup name='p'><vlan><tag id='5'/></vlan></portgroup>";
        assert!(said(vlan).1.contains("vlan_filtering"));
        let host = |ip: &str| format!("<host mac='52:54:00:00:00:01' ip='{ip}'/></dhcp>");
        for (ip, says) in
            [("10.20.0.5", "9, one of them reserved"), ("10.20.0.50", "9, and a fixed address besides")]
        {
            assert!(said(&four.replace("</dhcp>", &host(ip))).0.contains(says), "{ip}");
        }
        let dhcp6 = "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::2' end='fd00::9'/></dhcp></ip>";
        assert!(said(dhcp6).1.contains("no SLAAC"));
        assert!(said(&six.replace("64", "80")).1.contains("isn't a /64"));
    }
}
