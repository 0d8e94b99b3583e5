//! Domain, MTU, DNS and portgroups of a network that is there.

use roxmltree::Node;

use super::editor::Editor;
use crate::model::Network;
use crate::net::ask::Ask;
use crate::net::modes::Kind;
use crate::net::parts;
use crate::net::spec::Dns;
use crate::xml::{child, children, shallow};

pub(super) fn edit(editor: &mut Editor<'_, '_>, old: &Network, ask: &Ask, kind: Kind) {
    let root = editor.root();
    if let Some(domain) = &ask.domain {
        match child(root, "domain") {
            Some(node) => editor.set(node, "name", domain),
            None => editor.add(root, parts::domain(domain)),
        }
    }
    if let Some(mtu) = ask.mtu {
        match child(root, "mtu") {
            Some(node) => editor.set(node, "size", &mtu.to_string()),
            None => editor.add(root, parts::mtu(mtu)),
        }
    }
    if !kind.is_virtual() {
        return;
    }
    let node = child(root, "dns");
    let is_off = |node: Node<'_, '_>| node.attribute("enable") == Some("no") && shallow(node);
    if ask.no_dns || kind == Kind::Bare {
        // libvirt takes nothing inside of one that is off.
        match node {
            Some(node) if is_off(node) => {}
            Some(node) => editor.replace(node, &parts::no_dns()),
            None => editor.add(root, parts::no_dns()),
        }
    } else if !ask.forwarders.is_empty() || !ask.dns_hosts.is_empty() {
        answers(editor, old, ask, node);
    } else if let Some(node) = node.filter(|n| old.addresses.is_empty() && is_off(*n)) {
        // Nothing could have been on: the network had no address.
        editor.remove(node);
    }
}

/// What the DNS server shall know, besides what it knows.
fn answers<'a, 't>(editor: &mut Editor<'a, 't>, old: &Network, ask: &Ask, node: Option<Node<'a, 't>>) {
    let Some(node) = node else {
        let dns = Dns { is_off: false, forwarders: ask.forwarders.clone(), hosts: ask.dns_hosts.clone() };
        let root = editor.root();
        parts::dns(&dns).into_iter().for_each(|dns| editor.add(root, dns));
        return;
    };
    if !old.has_dns {
        editor.unset(node, "enable");
    }
    for asked in &ask.forwarders {
        if !old.forwarders.iter().any(|(domain, server)| *domain == asked.0 && *server == Some(asked.1)) {
            editor.add(node, parts::forwarder(asked));
        }
    }
    for (address, names) in &ask.dns_hosts {
        let known: Vec<&String> =
            old.dns_hosts.iter().filter(|(a, _)| a == address).flat_map(|(_, names)| names).collect();
        let missing: Vec<String> = names.iter().filter(|n| !known.contains(n)).cloned().collect();
        if missing.is_empty() {
            continue;
        }
        let is_it = |host: &Node<'_, '_>| {
            host.attribute("ip").and_then(|ip| ip.parse::<std::net::IpAddr>().ok()) == Some(*address)
        };
        let entry = parts::dns_host(&(*address, missing));
        match children(node, "host").find(is_it) {
            Some(host) => entry.children.into_iter().for_each(|name| editor.add(host, name)),
            None => editor.add(node, entry),
        }
    }
}

pub(super) fn portgroups(editor: &mut Editor<'_, '_>, ask: &Ask) {
    let root = editor.root();
    for asked in &ask.portgroups {
        let is_it = |node: &Node<'_, '_>| node.attribute("name") == Some(asked.name.as_str());
        let element = parts::portgroup(asked);
        if asked.is_default {
            children(root, "portgroup")
                .filter(|node| !is_it(node) && node.attribute("default") == Some("yes"))
                .for_each(|node| editor.unset(node, "default"));
        }
        let Some(node) = children(root, "portgroup").find(is_it) else {
            editor.add(root, element);
            continue;
        };
        if asked.is_default {
            editor.set(node, "default", "yes");
        }
        let had = child(node, "vlan");
        let tags: Vec<_> = had.map(|v| children(v, "tag").collect()).unwrap_or_default();
        let id = asked.vlan.map(|id| id.to_string());
        match (&id, &tags[..]) {
            (None, _) => {}
            (Some(id), [tag])
                if tag.attribute("id") == Some(id)
                    && had.is_some_and(|v| v.attributes().next().is_none()) => {}
            (Some(_), _) => {
                had.into_iter().for_each(|vlan| editor.remove(vlan));
                element.children.into_iter().for_each(|vlan| editor.add(node, vlan));
            }
        }
    }
}
