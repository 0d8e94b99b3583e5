//! What a change of mode or subnet takes away from a network without anybody having asked for it, in words: a diff shows
//! that lines go, but not what went with them.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use crate::model::{Code, Network, Portgroup, Reservation, Setting, Warning};
use crate::xml::{Doc, child, children, elements, namespace};

/// What was lost from `old` to `new`; nothing if either can't be read.
pub fn lost(old: &Doc<'_>, new: &Doc<'_>) -> Vec<Warning> {
    let (Ok(was), Ok(is)) = (Network::read(old), Network::read(new)) else { return Vec::new() };
    let mut out = Vec::new();
    let mut say = |code, what: String| out.push(Warning::note(code, what));
    if let Some(hosts) = fixed_addresses(&was, &is) {
        say(Code::ReservationLost, format!("fixed addresses of guests go: {hosts}"));
    }
    // On the LAN others give addresses.
    if is.mode.is_virtual() && gives(&was) && !gives(&is) {
        let what = "nobody gives guests addresses there any more: each has its own until its lease ends, and needs a fixed \
                    one then";
        say(Code::DhcpLost, what.into());
    }
    if let Some(times) = lease_times(old.root(), new.root()) {
        let then = match gives(&is) {
            true => "; leases last an hour then, dnsmasq's default",
            false => "",
        };
        say(
            Code::LeaseTimeLost,
            format!("lease times go with the DHCP entries that had them: {times}{then}"),
        );
    }
    if let Some(what) = boot(old.root(), new.root()) {
        say(Code::BootLost, format!("what guests that boot from the network get goes: {what}"));
    }
    for route in was.routes.iter().filter(|route| !is.routes.contains(route)) {
        say(Code::RouteLost, format!("the host's route to {} by {} goes", route.net, route.gateway));
    }
    if let Some(names) = dns(old.root(), new.root(), &was, &is) {
        say(Code::DnsLost, format!("what its DNS server was told goes: {names}"));
    }
    if let (Some(mtu), None) = (was.mtu, is.mtu) {
        say(
            Code::MtuLost,
            format!(
                "its MTU of {mtu} goes: libvirt sets none in this mode, where the host's bridge or device has its own"
            ),
        );
    }
    settings(old.root(), new.root(), &was, &is, &mut say);
    if is.mode.is_virtual() {
        for place in stale(new.root(), &was, &is) {
            say(Code::OldAddress, format!("{place}: that is an address of its old subnet"));
        }
    }
    out
}

fn fixed_addresses(was: &Network, is: &Network) -> Option<String> {
    let kept: Vec<&Reservation> = is.addresses.iter().flat_map(|a| &a.hosts).collect();
    let gone = was.addresses.iter().flat_map(|a| &a.hosts).filter(|host| !kept.contains(host));
    let shown = gone.map(|host| {
        let who = host.mac.map(|mac| mac.to_string()).or_else(|| host.id.clone());
        let name = host.name.as_ref().map(|name| format!("'{name}'"));
        let who: Vec<String> = who.into_iter().chain(name).collect();
        format!("{} of {}", host.ip, who.join(" "))
    });
    list(shown)
}

/// Has it a DHCP server that gives addresses?
fn gives(network: &Network) -> bool {
    network.addresses.iter().any(|a| !a.dhcp.is_empty() || !a.hosts.is_empty())
}

/// Folders of the TFTP server, and the files that DHCP names.
fn boot(old: Node<'_, '_>, new: Node<'_, '_>) -> Option<String> {
    let named = |root| {
        let of_ip = |ip| {
            let tftp = child(ip, "tftp").and_then(|n| Some(format!("TFTP of {}", n.attribute("root")?)));
            let bootp = child(ip, "dhcp").and_then(|dhcp| child(dhcp, "bootp"));
            tftp.into_iter().chain(bootp.and_then(|n| Some(format!("boot file {}", n.attribute("file")?))))
        };
        children(root, "ip").flat_map(of_ip).collect::<Vec<_>>()
    };
    let kept = named(new);
    list(named(old).into_iter().filter(|what| !kept.contains(what)))
}

/// Lease times that stood at what goes.
fn lease_times(old: Node<'_, '_>, new: Node<'_, '_>) -> Option<String> {
    let entries = |root| {
        let dhcp = children(root, "ip").filter_map(|ip| child(ip, "dhcp"));
        dhcp.flat_map(|dhcp| elements(dhcp).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let times = |root| {
        let leases = entries(root).into_iter().filter_map(|entry| child(entry, "lease"));
        let time = |lease: Node<'_, '_>| {
            Some(match lease.attribute("expiry")? {
                "0" => "without end".to_string(),
                number => format!("{number} {}", lease.attribute("unit").unwrap_or("minutes")),
            })
        };
        leases.filter_map(time).collect::<Vec<_>>()
    };
    let (was, is) = (times(old), times(new));
    if was.len() <= is.len() {
        return None;
    }
    let mut gone: Vec<String> = was.into_iter().filter(|time| !is.contains(time)).collect();
    gone.dedup();
    list(gone.into_iter())
}

/// The domain, and what stands in `<dns>`.
fn dns(old: Node<'_, '_>, new: Node<'_, '_>, was: &Network, is: &Network) -> Option<String> {
    let entries = |root| child(root, "dns").map(|dns| elements(dns).count()).unwrap_or_default();
    let domain = was.domain.as_ref().filter(|_| is.domain.is_none()).map(|domain| format!("domain {domain}"));
    let gone = entries(old).saturating_sub(entries(new));
    let entries = match gone {
        0 => None,
        1 => Some("one entry of <dns>".into()),
        n => Some(format!("{n} entries of <dns>")),
    };
    list(domain.into_iter().chain(entries))
}

/// What guests got from the network or a portgroup without saying so (reference §1.4).
fn settings(
    old: Node<'_, '_>,
    new: Node<'_, '_>,
    was: &Network,
    is: &Network,
    say: &mut impl FnMut(Code, String),
) {
    const WORDS: [(Setting, Code, &str); 4] = [
        (Setting::Bandwidth, Code::BandwidthLost, "a bandwidth limit, which libvirt takes on a bridge only"),
        (Setting::Vlan, Code::VlanLost, "a VLAN"),
        (Setting::Virtualport, Code::VirtualportLost, "a port profile"),
        (Setting::Port, Code::IsolationLost, "the isolation of guests from each other"),
    ];
    for (setting, code, what) in WORDS {
        let network = match setting {
            // That of the network itself shapes its bridge.
            Setting::Bandwidth => child(old, "bandwidth").is_some() && child(new, "bandwidth").is_none(),
            _ => was.given.get(setting).is_some() && is.given.get(setting).is_none(),
        };
        if network {
            say(code, format!("the network loses {what}"));
        }
        let has = |group: &&Portgroup| group.given.get(setting).is_some();
        let names = was.portgroups.iter().filter(has).map(|group| &group.name);
        let kept: Vec<&String> = is.portgroups.iter().filter(has).map(|group| &group.name).collect();
        for name in names.filter(|name| !kept.contains(name)) {
            say(code, format!("portgroup '{name}' loses {what}: guests that choose it go without"));
        }
    }
}

/// What still names an address of a subnet that the network has no more: `<bootp>`, DNS entries, dnsmasq's options.
fn stale(new: Node<'_, '_>, was: &Network, is: &Network) -> Vec<String> {
    let holds = |network: &Network, address: IpAddr| {
        network.addresses.iter().any(|a| a.ip.trunc().contains(&address))
    };
    let is_stale = |address: IpAddr| holds(was, address) && !holds(is, address);
    // dnsmasq's options have a namespace of their own.
    let parts =
        new.children().filter(|part| !matches!(part.tag_name().name(), "metadata" | "title" | "description"));
    let inside = parts.flat_map(|part| part.descendants().filter(Node::is_element).collect::<Vec<_>>());
    let named = inside.flat_map(|node| {
        let name = node.tag_name().name();
        let prefix = namespace(node).and_then(|uri| node.lookup_prefix(uri)).map(|p| format!("{p}:"));
        let tag = format!("{}{name}", prefix.unwrap_or_default());
        let values = node.attributes().filter(|a| addresses(a.value()).any(is_stale));
        values.map(|a| format!("<{tag} {}='{}'>", a.name(), a.value())).collect::<Vec<_>>()
    });
    named.collect()
}

/// The addresses in a text: `dhcp-option=6,192.168.122.5` holds one.
fn addresses(text: &str) -> impl Iterator<Item = IpAddr> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':'));
    words.filter_map(|word| match word.parse::<IpNet>() {
        Ok(net) => Some(net.addr()),
        Err(_) => word.parse().ok(),
    })
}

/// A list in words; `None` if there is nothing in it.
fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(old: &str, new: &str) -> Vec<String> {
        let text =
            |body: &str| format!("<network xmlns:dnsmasq='http://x.example'><name>n</name>{body}</network>");
        let (old, new) = (text(old), text(new));
        let warnings = lost(&Doc::parse(&old).unwrap(), &Doc::parse(&new).unwrap());
        warnings.into_iter().map(|w| format!("{}: {}", w.code, w.message)).collect()
    }

    #[test]
    fn nothing_is_lost_where_nothing_goes() {
        let all = "<forward/><mtu size='1400'/><domain name='a.b'/><ip address='10.0.0.1' prefix='24'><dhcp>\
                   <range start='10.0.0.2' end='10.0.0.9'><lease expiry='1' unit='hours'/></range>\
                   <host mac='52:54:00:00:00:01' ip='10.0.0.3'/><bootp file='x' server='10.0.0.5'/></dhcp></ip>";
        assert!(said(all, all).is_empty());
        assert!(said(all, &all.replace("<forward/>", "<forward mode='route'/>")).is_empty());
    }

    #[test]
    fn another_subnet() {
        let old = "<forward/><dns><host ip='10.0.0.7'><hostname>db</hostname></host></dns><ip address='10.0.0.1' prefix='24'>\
                   <dhcp><range start='10.0.0.2' end='10.0.0.9'><lease expiry='24' unit='hours'/></range>\
                   <host mac='52:54:00:00:00:01' name='web' ip='10.0.0.3'/><bootp file='x' server='10.0.0.5'/></dhcp></ip>\
                   <route address='10.9.0.0' prefix='16' gateway='10.0.0.3'/>\
                   <dnsmasq:options><dnsmasq:option value='dhcp-option=6,10.0.0.8,9.9.9.9'/></dnsmasq:options>";
        let new = "<forward/><dns><host ip='10.0.0.7'><hostname>db</hostname></host></dns><ip address='172.20.0.1' prefix='24'>\
                   <dhcp><range start='172.20.0.2' end='172.20.0.9'/><bootp file='x' server='10.0.0.5'/></dhcp></ip>\
                   <dnsmasq:options><dnsmasq:option value='dhcp-option=6,10.0.0.8,9.9.9.9'/></dnsmasq:options>";
        let said = said(old, new);
        for (at, part) in [
            "reservation-lost: fixed addresses of guests go: 10.0.0.3 of 52:54:00:00:00:01 'web'",
            "lease-time-lost: lease times go with the DHCP entries that had them: 24 hours;",
            "route-lost: the host's route to 10.9.0.0/16 by 10.0.0.3 goes",
            "old-address: <host ip='10.0.0.7'>",
            "old-address: <bootp server='10.0.0.5'>",
            "old-address: <dnsmasq:option value='dhcp-option=6,10.0.0.8,9.9.9.9'>",
        ]
        .iter()
        .enumerate()
        {
            assert!(said[at].starts_with(part), "{part}: {said:#?}");
        }
        assert_eq!(said.len(), 6, "{said:#?}");
    }

    #[test]
    fn to_the_lan() {
        let old = "<forward/><mtu size='9000'/><domain name='lab.example'/><bandwidth><inbound average='9'/></bandwidth>\
                   <port isolated='yes'/><ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'>\
                   <lease expiry='0'/></range></dhcp></ip>\
                   <portgroup name='slow'><bandwidth><inbound average='1'/></bandwidth></portgroup>";
        let pool = "<forward mode='bridge'><interface dev='e'/></forward><portgroup name='slow'/>";
        let said = said(old, pool).join("\n");
        for part in [
            "MTU of 9000",
            "domain lab.example",
            "network loses a bandwidth",
            "portgroup 'slow' loses a bandwidth",
            "isolation",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(
            said.contains("lease-time-lost: lease times go with the DHCP entries that had them: without end")
        );
        assert!(!said.contains("dhcp-lost"), "the LAN has its own: {said}");
        let bare = old
            .replace("<range", "<bootp file='pxe.0'/><range")
            .replace("<dhcp>", "<tftp root='/srv'/><dhcp>");
        let said = self::said(&bare, "").join("\n");
        assert!(
            said.contains("dhcp-lost")
                && said.contains("boot-lost")
                && said.contains("TFTP of /srv, boot file pxe.0"),
            "{said}"
        );
    }

    #[test]
    fn addresses_in_texts() {
        let found: Vec<String> =
            addresses("a=10.0.0.1,[fd00::5]:53 1.2.3 10.0.0.0/8 cafe").map(|a| a.to_string()).collect();
        assert_eq!(found, ["10.0.0.1", "fd00::5", "10.0.0.0"]);
    }
}
