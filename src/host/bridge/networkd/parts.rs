//! Which part of a `.network` file is about the device, and which about the network that it is in: the latter moves.

use super::text::{Item, Section, Text};

/// Sections that are about addresses, routes and what is served or asked for: systemd.network(5).
const NET: &[&str] = &[
    "Address",
    "Neighbor",
    "IPv6AddressLabel",
    "RoutingPolicyRule",
    "NextHop",
    "Route",
    "DHCP",
    "DHCPv4",
    "DHCPv6",
    "DHCPPrefixDelegation",
    "DHCPv6PrefixDelegation",
    "IPv6AcceptRA",
    "DHCPServer",
    "DHCPServerStaticLease",
    "IPv6SendRA",
    "IPv6PrefixDelegation",
    "IPv6Prefix",
    "IPv6RoutePrefix",
    "IPv6PREF64Prefix",
];

/// Keys of `[Network]` that are about the device: what stands on it, what it is a port of, and what it tells the switch.
const OF_DEVICE: &[&str] = &[
    "Description",
    "Bridge",
    "Bond",
    "ActiveSlave",
    "PrimarySlave",
    "BatmanAdvanced",
    "VLAN",
    "MACVLAN",
    "MACVTAP",
    "IPVLAN",
    "IPVTAP",
    "VXLAN",
    "IPoIB",
    "MACsec",
    "LLDP",
    "EmitLLDP",
];

/// Keys of `[Link]` that are about the network: a port never gets further than `enslaved`, so waiting for more at the
/// start of the host would end in a time-out (networkctl(1)).
const OF_NET: &[&str] = &["RequiredForOnline", "RequiredFamilyForOnline"];

/// Does it move?
pub(super) fn moves(section: &Section, item: &Item) -> bool {
    match section.name.as_str() {
        "Network" => !OF_DEVICE.contains(&item.key.as_str()),
        "Link" => OF_NET.contains(&item.key.as_str()),
        name => NET.contains(&name),
    }
}

/// What stays and what moves. With the name of a bridge, what stays says that it is a port of that.
pub(super) fn split(text: &Text, bridge: Option<&str>) -> (Text, Text) {
    let (mut stays, mut moved) = (text.clone(), Text::new(text).end_like(text));
    stays.sections.clear();
    let mut is_port = false;
    for section in &text.sections {
        // Comments go with the key before which they stand; those at the end with the last key.
        let goes = |at: usize| {
            let item = section.items[at..].iter().find(|item| !item.key.is_empty());
            let item = item.or_else(|| section.items.iter().rfind(|item| !item.key.is_empty()));
            item.map_or_else(|| NET.contains(&section.name.as_str()), |item| moves(section, item))
        };
        let (mut here, mut there) = (section.clone(), section.clone());
        here.items.clear();
        there.items.clear();
        for (at, item) in section.items.iter().enumerate() {
            if !goes(at) {
                here.items.push(item.clone());
                continue;
            }
            if let Some(bridge) = bridge.filter(|_| section.name == "Network" && !is_port) {
                here.items.push(port_of(text, bridge));
                is_port = true;
            }
            there.items.push(item.clone());
        }
        let stays_some = section.items.iter().any(|item| !item.key.is_empty() && !moves(section, item));
        let moves_all = (!section.items.is_empty() || NET.contains(&section.name.as_str())) && !stays_some;
        if moves_all {
            here.lead = section.blank();
        } else {
            there.lead = section.blank();
        }
        if !moves_all || !here.items.is_empty() {
            stays.sections.push(here);
        }
        if moves_all || !there.items.is_empty() {
            moved.sections.push(there);
        }
    }
    if let Some(bridge) = bridge.filter(|_| !is_port) {
        stays.push("Network", "Bridge", bridge, None);
    }
    (stays, moved)
}

fn port_of(like: &Text, bridge: &str) -> Item {
    let mut one = Text::new(like);
    one.push("Network", "Bridge", bridge, None);
    one.sections.pop().and_then(|mut section| section.items.pop()).unwrap_or_default()
}

/// The way back: what moved stands where `Bridge=` did.
pub(super) fn join(port: &Text, moved: &Text, bridge: &str) -> Text {
    let mut out = port.clone();
    let is_it = |item: &Item| item.key == "Bridge" && item.value == bridge;
    let place = out.sections.iter().position(|s| s.name == "Network" && s.items.iter().any(is_it));
    let mut sections: Vec<Section> = moved.sections.clone();
    // What `[Link]` says of the network goes where the device's own says the rest.
    if let Some(link) = out.sections.iter_mut().find(|section| section.name == "Link") {
        for from in sections.iter().filter(|section| section.name == "Link") {
            link.items.extend(from.items.iter().cloned());
        }
        sections.retain(|section| section.name != "Link");
    }
    let Some(at) = place else {
        out.sections.extend(sections);
        return out;
    };
    let network = &mut out.sections[at];
    let bridges = network.items.iter().position(is_it).unwrap_or(0);
    network.items.retain(|item| !is_it(item));
    let first = sections.iter().position(|section| section.name == "Network");
    let before: Vec<Section> = sections.drain(..first.unwrap_or(0)).collect();
    if first.is_some() {
        let from = sections.remove(0);
        if !network.has_keys() && !from.lead.is_empty() {
            network.lead = from.lead;
        }
        network.items.splice(bridges..bridges, from.items);
    }
    let is_left = out.sections[at].has_keys() || first.is_some();
    out.sections.splice(at + 1..at + 1, sections);
    if !is_left {
        out.sections.remove(at);
    }
    out.sections.splice(at..at, before);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn halves(text: &str) -> (String, String) {
        let (stays, moved) = split(&Text::read(text), Some("br0"));
        (stays.write(), moved.write())
    }

    fn back(text: &str) -> String {
        let (stays, moved) = split(&Text::read(text), Some("br0"));
        join(&Text::read(&stays.write()), &Text::read(&moved.write()), "br0").write()
    }

    #[test]
    fn what_stays_and_what_moves() {
        let text = "# LAN\n[Match]\nName=enp4s0\n\n[Link]\nMTUBytes=9000\nRequiredForOnline=routable\n\n# home\n[Network]\n\
                    # of old\nVLAN=lan.5\n# by the router\nDHCP=yes\n#DNS=192.0.2.1\n\n[DHCPv4]\nUseDomains=yes\n";
        let (stays, moved) = halves(text);
        assert_eq!(
            stays,
            "# LAN\n[Match]\nName=enp4s0\n\n[Link]\nMTUBytes=9000\n\n# home\n[Network]\n# of old\nVLAN=lan.5\nBridge=br0\n"
        );
        assert_eq!(
            moved,
            "\n[Link]\nRequiredForOnline=routable\n\n[Network]\n# by the router\nDHCP=yes\n#DNS=192.0.2.1\n\n[DHCPv4]\nUseDomains=yes\n"
        );
        assert_eq!(back(text), text);
    }

    proptest! {
        #[test]
        fn there_and_back(
            link in "(\n\\[Link\\]\n(#l\n)?MTUBytes=9000\n)?",
            network in "(\n(# c\n)?\\[Network\\]\n((#d\n)?DHCP=yes\n|Address=192.0.2.2/24\n){1,3}(#e\n)?)",
            routes in "(\n\\[Route\\]\nGateway=192.0.2.1\n|\n#f\n\\[DHCPv4\\]\n#\nUseDNS=no\n){0,3}",
            ends in any::<bool>(),
        ) {
            let mut text = format!("[Match]\nName=enp4s0\n{link}{network}{routes}");
            if !ends { text.pop(); }
            prop_assert_eq!(back(&text), text.clone());
            let text = text.replace('\n', "\r\n");
            prop_assert_eq!(back(&text), text);
        }

        #[test]
        fn nothing_is_lost(text in "(\\[(Match|Network|Link|Route)\\]\n|#c\n|;\n|Address=b\n|VLAN= c \\\\\n|\n|RequiredForOnline=x\n){0,20}") {
            let (stays, moved) = split(&Text::read(&text), None);
            let mut before: Vec<&str> = text.lines().filter(|l| !l.is_empty() && !l.starts_with('[')).collect();
            let after = format!("{}{}", stays.write(), moved.write());
            let mut after: Vec<&str> = after.lines().filter(|l| !l.is_empty() && !l.starts_with('[')).collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
            let _ = back(&text);
        }
    }
}
