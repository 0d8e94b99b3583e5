//! A libvirt network, as far as it shapes what a guest gets from it.

use std::net::{IpAddr, Ipv4Addr};

use roxmltree::Node;

use super::address::{Address, Route};
use super::given::{Given, Setting};
use super::mode::ForwardMode;
use crate::xml::{Doc, ReadError, child, children};

/// A named group of port settings in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portgroup {
    /// Its name.
    pub name: String,
    /// Do guests that name none get it?
    pub is_default: bool,
    /// What it adds.
    pub given: Given,
}

/// One network's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// What it does with frames that leave it.
    pub mode: ForwardMode,
    /// The bridge that it makes, or uses.
    pub bridge: Option<String>,
    /// Does it share out host devices (macvtap)?
    pub has_pool: bool,
    /// Its MTU, if set.
    pub mtu: Option<u32>,
    /// Does libvirt keep the bridge's MAC table?
    pub manages_macs: bool,
    /// Does it shape inbound traffic, so that guests may have a guaranteed share?
    pub has_inbound: bool,
    /// What it adds to every port (bandwidth of its own shapes the bridge, and isn't among them).
    pub given: Given,
    /// Its portgroups.
    pub portgroups: Vec<Portgroup>,
    /// Addresses that its DHCP server reserves: MAC address, IP address.
    pub reservations: Vec<(String, String)>,
    /// Its UUID, if the definition has one.
    pub uuid: Option<String>,
    /// The device that its traffic leaves through, if it is tied to one.
    pub forward_dev: Option<String>,
    /// The host devices that it shares out (macvtap), by name.
    pub pool: Vec<String>,
    /// Does it translate IPv6 addresses as well? Without it a `nat` network routes them unchanged.
    pub nat_ipv6: bool,
    /// The ports that translated connections leave from.
    pub nat_ports: Option<(u16, u16)>,
    /// The addresses that translated connections leave from.
    pub nat_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The host's addresses in it.
    pub addresses: Vec<Address>,
    /// Routes that the host gets with it.
    pub routes: Vec<Route>,
    /// Its DNS domain.
    pub domain: Option<String>,
    /// Is its DNS server on? It runs only where the network has an address.
    pub has_dns: bool,
    /// Where its DNS server asks: for which domain (`None`: for all), which server (`None`: nobody is asked).
    pub forwarders: Vec<(Option<String>, Option<IpAddr>)>,
    /// Names that its DNS server knows besides those of the guests.
    pub dns_hosts: Vec<(IpAddr, Vec<String>)>,
}

impl Network {
    /// Reads a `<network>`.
    ///
    /// # Errors
    /// Malformed XML, another root element, no name, an unknown forward mode.
    pub fn read(doc: &Doc<'_>) -> Result<Network, ReadError> {
        let root = doc.root();
        let fail = |node: Node<'_, '_>, reason: String| {
            let (line, column) = doc.position(node.range().start);
            Err(ReadError { line, column, reason, is_ours: false })
        };
        if root.tag_name().name() != "network" {
            return fail(root, format!("the root element is <{}>, not <network>", root.tag_name().name()));
        }
        let Some(name) = child(root, "name").and_then(|n| n.text()).map(str::trim).filter(|n| !n.is_empty())
        else {
            return fail(root, "the network has no <name>".into());
        };
        let forward = child(root, "forward");
        // An empty word is none.
        let word = forward.map(|f| f.attribute("mode").filter(|mode| !mode.is_empty()).unwrap_or("nat"));
        let mode = match word.map(ForwardMode::read) {
            None => ForwardMode::Isolated,
            Some(Some(mode)) => mode,
            Some(None) => {
                return fail(root, format!("forward mode '{}' is not known", word.unwrap_or_default()));
            }
        };
        let bridge = child(root, "bridge");
        let nat = forward.and_then(|f| child(f, "nat"));
        let dns = child(root, "dns");
        let portgroup = |node: Node<'_, '_>| Portgroup {
            name: node.attribute("name").unwrap_or_default().into(),
            is_default: node.attribute("default") == Some("yes"),
            given: Given::read(node),
        };
        let reserved = children(root, "ip")
            .filter_map(|ip| child(ip, "dhcp"))
            .flat_map(|dhcp| children(dhcp, "host").collect::<Vec<_>>())
            .filter_map(|host| Some((host.attribute("mac")?.to_string(), host.attribute("ip")?.to_string())))
            .collect();
        Ok(Network {
            name: name.into(),
            mode,
            bridge: bridge.and_then(|b| b.attribute("name")).map(Into::into),
            has_pool: !mode.is_virtual()
                && forward.is_some_and(|f| f.has_attribute("dev") || child(f, "interface").is_some()),
            mtu: child(root, "mtu").and_then(|m| m.attribute("size")?.parse().ok()),
            manages_macs: bridge.and_then(|b| b.attribute("macTableManager")) == Some("libvirt"),
            has_inbound: child(root, "bandwidth").is_some_and(|b| child(b, "inbound").is_some()),
            given: Given::read(root).without(Setting::Bandwidth),
            portgroups: children(root, "portgroup").map(portgroup).collect(),
            reservations: reserved,
            uuid: child(root, "uuid").and_then(|n| n.text()).map(|t| t.trim().to_string()),
            forward_dev: forward.and_then(forward_dev),
            pool: forward.filter(|_| !mode.is_virtual()).map(devices).unwrap_or_default(),
            nat_ipv6: nat.is_some_and(|n| n.attribute("ipv6") == Some("yes")),
            nat_ports: nat.and_then(|n| span(child(n, "port")?)),
            nat_addresses: nat.and_then(|n| span(child(n, "address")?)),
            addresses: children(root, "ip").filter_map(Address::read).collect(),
            routes: children(root, "route").filter_map(Route::read).collect(),
            domain: child(root, "domain").and_then(|d| d.attribute("name")).map(Into::into),
            has_dns: dns.is_none_or(|d| d.attribute("enable") != Some("no")),
            forwarders: dns.map(forwarders).unwrap_or_default(),
            dns_hosts: dns.map(dns_hosts).unwrap_or_default(),
        })
    }

    /// Does libvirt run a dnsmasq for it? That serves DHCP and DNS, each where it is wanted, on the network's own addresses
    /// (libvirt's `networkStartDhcpDaemon`).
    pub fn needs_dnsmasq(&self) -> bool {
        let has_dhcp = |address: &Address| !address.dhcp.is_empty() || !address.hosts.is_empty();
        self.mode.is_virtual()
            && !self.addresses.is_empty()
            && (self.has_dns || self.addresses.iter().any(has_dhcp))
    }

    /// The portgroup that a guest naming `wanted` gets (libvirt's `virPortGroupFindByName`): the one of that name, or
    /// the default one if it names none. An unknown name gets none, and no error.
    pub fn portgroup(&self, wanted: Option<&str>) -> Option<&Portgroup> {
        match wanted {
            Some(name) => self.portgroups.iter().find(|p| p.name == name),
            None => self.portgroups.iter().find(|p| p.is_default),
        }
    }

    /// What a guest's port gets for one setting: from the portgroup, else from the network.
    pub fn inherited(&self, portgroup: Option<&str>, setting: Setting) -> Option<&str> {
        self.portgroup(portgroup).and_then(|p| p.given.get(setting)).or_else(|| self.given.get(setting))
    }

    /// Everything that a guest's port gets for one setting, what the portgroup gives last: port profiles are merged.
    pub fn all_inherited(&self, portgroup: Option<&str>, setting: Setting) -> impl Iterator<Item = &str> {
        let group = self.portgroup(portgroup).and_then(|p| p.given.get(setting));
        self.given.get(setting).into_iter().chain(group)
    }

    /// Is a guest's port a macvtap device?
    pub fn is_macvtap(&self) -> bool {
        use ForwardMode as M;
        matches!(self.mode, M::Private | M::Vepa | M::Passthrough)
            || (self.mode == M::Bridge && self.has_pool)
    }
}

/// The device that `<forward>` names, itself or in its first `<interface>`.
fn forward_dev(forward: Node<'_, '_>) -> Option<String> {
    let of_child = || child(forward, "interface").and_then(|i| i.attribute("dev"));
    forward.attribute("dev").or_else(of_child).map(Into::into)
}

/// The devices that `<forward>` shares out: libvirt repeats the first of them in an attribute (reference §5.1).
fn devices(forward: Node<'_, '_>) -> Vec<String> {
    let pool: Vec<String> =
        children(forward, "interface").filter_map(|i| i.attribute("dev")).map(Into::into).collect();
    if pool.is_empty() { forward_dev(forward).into_iter().collect() } else { pool }
}

/// `start` and `end` of an element that has both.
fn span<T: std::str::FromStr>(node: Node<'_, '_>) -> Option<(T, T)> {
    let bound = |name| node.attribute(name).and_then(|v| v.trim().parse().ok());
    Some((bound("start")?, bound("end")?))
}

fn forwarders(dns: Node<'_, '_>) -> Vec<(Option<String>, Option<IpAddr>)> {
    let read = |node: Node<'_, '_>| {
        let address = node.attribute("addr").and_then(|a| a.parse().ok());
        (node.attribute("domain").map(Into::into), address)
    };
    children(dns, "forwarder").map(read).collect()
}

fn dns_hosts(dns: Node<'_, '_>) -> Vec<(IpAddr, Vec<String>)> {
    let names = |host: Node<'_, '_>| {
        let names = children(host, "hostname").filter_map(|n| n.text().map(|t| t.trim().to_string()));
        names.collect::<Vec<_>>()
    };
    children(dns, "host").filter_map(|h| Some((h.attribute("ip")?.parse().ok()?, names(h)))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_port_inherits() {
        let text = "<network trustGuestRxFilters='yes'><name> lan </name><forward mode='bridge'/><bridge name='br0'/>\
             <bandwidth><inbound average='9'/></bandwidth><port isolated='yes'/><vlan><tag id='1'/></vlan>\
             <portgroup name='a' default='yes'><vlan><tag id='2'/></vlan></portgroup>\
             <portgroup name='b'><bandwidth><outbound average='1'/></bandwidth></portgroup></network>";
        let network = Network::read(&Doc::parse(text).unwrap()).unwrap();
        assert_eq!(
            (network.name.as_str(), network.mode, network.has_pool),
            ("lan", ForwardMode::Bridge, false)
        );
        let vlan = |group| network.inherited(group, Setting::Vlan).unwrap();
        assert_eq!(vlan(None), "<vlan><tag id='2'/></vlan>");
        assert_eq!(vlan(Some("b")), "<vlan><tag id='1'/></vlan>");
        assert_eq!(vlan(Some("unknown")), "<vlan><tag id='1'/></vlan>");
        assert_eq!(network.inherited(None, Setting::Bandwidth), None, "the network's own shapes its bridge");
        assert!(network.inherited(Some("b"), Setting::Bandwidth).is_some());
        assert_eq!(network.inherited(None, Setting::TrustRxFilters), Some("yes"));
        assert!(network.has_inbound && network.given.get(Setting::Port).is_some());
    }

    #[test]
    fn what_else_is_read() {
        let read = |text: &str| Network::read(&Doc::parse(text).unwrap()).unwrap();
        let network = read(
            "<network><name>n</name><uuid> u </uuid><forward mode='nat' dev='e'><nat ipv6='yes'>\
             <address start='203.0.113.1' end='203.0.113.2'/><port start='1024' end='2000'/></nat></forward>\
             <domain name='lab.test'/><dns><forwarder domain='a.b' addr='1.1.1.1'/><forwarder domain='c.d'/>\
             <host ip='10.0.0.9'><hostname>web</hostname><hostname>www</hostname></host></dns>\
             <ip address='10.0.0.1' prefix='24'/></network>",
        );
        assert_eq!((network.uuid.as_deref(), network.forward_dev.as_deref()), (Some("u"), Some("e")));
        assert_eq!((network.nat_ports, network.nat_ipv6), (Some((1024, 2000)), true));
        assert_eq!(network.nat_addresses.unwrap().1.to_string(), "203.0.113.2");
        assert_eq!((network.domain.as_deref(), network.has_dns), (Some("lab.test"), true));
        assert_eq!(network.forwarders[0], (Some("a.b".into()), Some("1.1.1.1".parse().unwrap())));
        assert_eq!(network.forwarders[1], (Some("c.d".into()), None));
        assert_eq!(network.dns_hosts, [("10.0.0.9".parse().unwrap(), vec!["web".into(), "www".into()])]);
        assert!(network.pool.is_empty() && network.addresses.len() == 1);
        let pool = |forward: &str| read(&format!("<network><name>n</name>{forward}</network>")).pool;
        assert_eq!(
            pool("<forward mode='vepa' dev='a'><interface dev='a'/><interface dev='b'/></forward>"),
            ["a", "b"]
        );
        assert_eq!(pool("<forward mode='bridge' dev='a'/>"), ["a"]);
        assert!(!read("<network><name>n</name><dns enable='no'/></network>").has_dns);
    }

    #[test]
    fn modes() {
        let mode = |forward: &str| {
            let text = format!("<network><name>n</name>{forward}</network>");
            Network::read(&Doc::parse(&text).unwrap()).map(|n| (n.mode, n.is_macvtap()))
        };
        assert_eq!(mode(""), Ok((ForwardMode::Isolated, false)));
        assert_eq!(mode("<forward/>"), Ok((ForwardMode::Nat, false)));
        assert_eq!(mode("<forward dev='eth0'/>"), Ok((ForwardMode::Nat, false)));
        assert_eq!(
            mode("<forward mode='bridge'><interface dev='e'/></forward>"),
            Ok((ForwardMode::Bridge, true))
        );
        assert_eq!(mode("<forward mode=''/>"), Ok((ForwardMode::Nat, false)));
        assert_eq!(mode("<forward mode='none'/>"), Ok((ForwardMode::Isolated, false)));
        mode("<forward mode='odd'/>").unwrap_err();
    }
}
