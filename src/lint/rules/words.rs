//! The words that libvirt knows in a network, and where it looks for them (`virNetworkDefParseXML` and what it calls); some
//! of it stands in NICs, too.

use roxmltree::Node;

use crate::xml::elements;

/// An element, with what libvirt looks for in it.
#[derive(Debug)]
pub(super) struct Place {
    /// The names of the elements that lead there.
    path: &'static [&'static str],
    /// Elements of which libvirt reads one.
    pub(super) once: &'static [&'static str],
    /// Elements of which it reads several, or refuses a second one.
    several: &'static [&'static str],
    /// Attributes.
    pub(super) attributes: &'static [&'static str],
}

/// What may stand anywhere: there are no words of libvirt's in it.
pub(super) const FREE: &[&str] = &["title", "description", "metadata"];

const PLACES: &[Place] = &[
    Place {
        path: &["network"],
        once: &[
            "name",
            "uuid",
            "bridge",
            "mtu",
            "mac",
            "forward",
            "virtualport",
            "domain",
            "dns",
            "bandwidth",
            "vlan",
            "port",
        ],
        several: &["portgroup", "ip", "route"],
        attributes: &["connections", "ipv6", "trustGuestRxFilters"],
    },
    leaf(&["network", "bridge"], &["name", "zone", "stp", "delay", "macTableManager"]),
    leaf(&["network", "mtu"], &["size"]),
    leaf(&["network", "mac"], &["address"]),
    Place {
        path: &["network", "forward"],
        once: &["driver"],
        several: &["interface", "address", "pf", "nat"],
        attributes: &["dev", "mode", "managed"],
    },
    leaf(&["network", "forward", "interface"], &["dev", "connections"]),
    leaf(&["network", "forward", "pf"], &["dev", "connections"]),
    Place {
        path: &["network", "forward", "nat"],
        once: &[],
        several: &["address", "port"],
        attributes: &["ipv6"],
    },
    leaf(&["network", "forward", "nat", "address"], &["start", "end"]),
    leaf(&["network", "forward", "nat", "port"], &["start", "end"]),
    Place {
        path: &["network", "portgroup"],
        once: &["virtualport", "bandwidth", "vlan"],
        several: &[],
        attributes: &["name", "default", "trustGuestRxFilters"],
    },
    leaf(&["network", "domain"], &["name", "localOnly", "register"]),
    Place {
        path: &["network", "dns"],
        once: &[],
        several: &["forwarder", "txt", "srv", "host"],
        attributes: &["enable", "forwardPlainNames"],
    },
    leaf(&["network", "dns", "forwarder"], &["addr", "domain"]),
    leaf(&["network", "dns", "txt"], &["name", "value"]),
    leaf(
        &["network", "dns", "srv"],
        &["service", "protocol", "domain", "target", "port", "priority", "weight"],
    ),
    Place { path: &["network", "dns", "host"], once: &[], several: &["hostname"], attributes: &["ip"] },
    Place {
        path: &["network", "ip"],
        once: &["dhcp", "tftp"],
        several: &[],
        attributes: &["address", "netmask", "prefix", "family", "localPtr"],
    },
    leaf(&["network", "ip", "tftp"], &["root"]),
    Place {
        path: &["network", "ip", "dhcp"],
        once: &["bootp"],
        several: &["range", "host"],
        attributes: &[],
    },
    Place {
        path: &["network", "ip", "dhcp", "range"],
        once: &["lease"],
        several: &[],
        attributes: &["start", "end"],
    },
    Place {
        path: &["network", "ip", "dhcp", "host"],
        once: &["lease"],
        several: &[],
        attributes: &["mac", "id", "name", "ip"],
    },
    leaf(&["network", "ip", "dhcp", "bootp"], &["file", "server"]),
    leaf(&["network", "route"], &["family", "address", "netmask", "prefix", "gateway", "metric"]),
];

/// What stands at the end of several paths.
const SHARED: &[Place] = &[
    Place { path: &["vlan"], once: &[], several: &["tag"], attributes: &["trunk"] },
    leaf(&["vlan", "tag"], &["id", "nativeMode"]),
    Place { path: &["virtualport"], once: &["parameters"], several: &[], attributes: &["type"] },
    leaf(
        &["virtualport", "parameters"],
        &["managerid", "typeid", "typeidversion", "instanceid", "profileid", "interfaceid"],
    ),
    Place { path: &["bandwidth"], once: &["inbound", "outbound"], several: &[], attributes: &["classID"] },
    leaf(&["bandwidth", "inbound"], &["average", "peak", "burst", "floor"]),
    leaf(&["bandwidth", "outbound"], &["average", "peak", "burst", "floor"]),
    leaf(&["lease"], &["expiry", "unit"]),
    leaf(&["port"], &["isolated"]),
];

const fn leaf(path: &'static [&'static str], attributes: &'static [&'static str]) -> Place {
    Place { path, once: &[], several: &[], attributes }
}

impl Place {
    /// The elements that it may have.
    pub(super) fn children(&self) -> impl Iterator<Item = &'static str> {
        self.once.iter().chain(self.several).copied()
    }

    /// Does libvirt look for such an element here?
    pub(super) fn knows(&self, name: &str) -> bool {
        self.children().any(|known| known == name)
    }

    /// The place that an element of that name is, here.
    pub(super) fn below(&self, name: &str) -> Option<&'static Place> {
        // What is shared stands below something.
        let path: Vec<&str> = std::iter::once("").chain(self.path.iter().copied()).chain([name]).collect();
        at(&path[1..]).or_else(|| at(&path))
    }
}

/// Shows each element of a network that libvirt looks into, with what it looks for.
pub(super) fn walk<'d>(root: Node<'d, 'd>, see: &mut impl FnMut(Node<'d, 'd>, &Place)) {
    walk_from(root, vec![root.tag_name().name()], see);
}

/// The same of what a NIC shares with networks: its `<bandwidth>`, `<vlan>` or `<virtualport>`.
pub(super) fn walk_nic<'d>(part: Node<'d, 'd>, see: &mut impl FnMut(Node<'d, 'd>, &Place)) {
    walk_from(part, vec!["interface", part.tag_name().name()], see);
}

fn walk_from<'d>(root: Node<'d, 'd>, path: Vec<&'d str>, see: &mut impl FnMut(Node<'d, 'd>, &Place)) {
    // As deep as the paths are: no deeper than five.
    let mut left = vec![(root, path)];
    while let Some((node, path)) = left.pop() {
        let Some(place) = at(&path) else { continue };
        see(node, place);
        for child in elements(node).filter(|child| place.knows(child.tag_name().name())) {
            let mut path = path.clone();
            path.push(child.tag_name().name());
            left.push((child, path));
        }
    }
}

fn at(path: &[&str]) -> Option<&'static Place> {
    PLACES
        .iter()
        .find(|place| place.path == path)
        .or_else(|| SHARED.iter().find(|place| path.len() > place.path.len() && path.ends_with(place.path)))
}

/// Where libvirt looks for an element of that name: `<ip>`, `<forward>`.
pub(super) fn homes(name: &str) -> Vec<String> {
    let places = PLACES.iter().chain(SHARED).filter(|place| place.knows(name));
    places.filter_map(|place| place.path.last()).map(|parent| format!("<{parent}>")).collect()
}
