//! The `<ip>`s of a network that takes another mode or another subnet.

use std::net::IpAddr;

use ipnet::IpNet;
use roxmltree::Node;

use super::editor::Editor;
use crate::model::{Address, Network, Reservation, Route};
use crate::net::addresses::{asked4, asked6, chosen4, chosen6, gateway, unusable};
use crate::net::around::Surroundings;
use crate::net::ask::{Ask, Host};
use crate::net::element::Element;
use crate::net::fault::Fault;
use crate::net::modes::Kind;
use crate::net::satisfy::of_family;
use crate::net::spec::Subnet;
use crate::net::{dhcp, hosts, parts};
use crate::xml::{child, children};

/// The subnets that the network shall have: those asked for, else those that it has, else a free one.
pub(super) fn wanted(
    old: &Network,
    ask: &Ask,
    kind: Kind,
    others: &Surroundings,
    why: &mut Vec<String>,
) -> Result<Vec<Subnet>, Fault> {
    if !kind.has_addresses() {
        return Ok(Vec::new());
    }
    let is_new = old.addresses.is_empty();
    let had = |is_four| of_family(old, is_four).map(|a| a.ip);
    let same = |net: IpNet, old: Option<IpNet>| {
        old.filter(|old| old.addr() == gateway(net) && old.prefix_len() == net.prefix_len())
    };
    let four = match ask.subnet {
        Some(net) => match same(net.into(), had(true)) {
            Some(old) => Some(old),
            None => Some(asked4(net, others)?),
        },
        None if is_new => Some(chosen4(ask, others, why)?),
        None => had(true),
    };
    let six = match ask.subnet6 {
        Some(net) => match same(net.into(), had(false)) {
            Some(old) => Some(old),
            None => Some(asked6(net, others)?),
        },
        None if is_new => chosen6(ask, others, why)?,
        None => had(false),
    };
    let empty = |ip| Subnet { ip, dhcp: Vec::new(), hosts: Vec::new() };
    let mut subnets: Vec<Subnet> = four.into_iter().chain(six).map(empty).collect();
    dhcp::asked(ask, &mut subnets)?;
    for subnet in subnets.iter_mut().filter(|_| !ask.no_dhcp) {
        inherit(subnet, of_family(old, subnet.ip.addr().is_ipv4()), ask);
    }
    let is_there = |host: &Host| subnets.iter().flat_map(|s| &s.hosts).any(|had| is_same(had, host));
    let new = ask.hosts.iter().filter(|host| !is_there(host)).cloned().collect();
    hosts::reserve(&Ask { hosts: new, ..ask.clone() }, &mut subnets)?;
    Ok(subnets)
}

/// Is that what was asked for, the name perhaps left to the network?
fn is_same(had: &Host, asked: &Host) -> bool {
    let named = asked.name.is_none() || had.name == asked.name;
    had.ip == asked.ip && had.mac == asked.mac && had.id == asked.id && named
}

/// What stays of the old DHCP, where nothing else was asked for.
fn inherit(subnet: &mut Subnet, old: Option<&Address>, ask: &Ask) {
    let Some(old) = old else {
        if subnet.dhcp.is_empty() {
            subnet.dhcp = dhcp::default(subnet.ip);
        }
        return;
    };
    let moved = old.ip != subnet.ip;
    if subnet.dhcp.is_empty() {
        let fits = !moved || old.dhcp.iter().all(|range| dhcp::check(*range, subnet).is_ok());
        subnet.dhcp = if fits { old.dhcp.clone() } else { dhcp::default(subnet.ip) };
    }
    let gives_way = |had: &Host| {
        let is = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let mac = |asked: &Host| asked.mac.is_some() && asked.mac == had.mac;
        let touches = |asked: &Host| {
            asked.ip == had.ip || mac(asked) || is(&asked.id, &had.id) || is(&asked.name, &had.name)
        };
        let same_family = |asked: &&Host| asked.ip.is_ipv4() == had.ip.is_ipv4();
        ask.hosts.iter().filter(same_family).any(|asked| touches(asked) && !is_same(had, asked))
    };
    subnet.hosts = (old.hosts.iter().map(host))
        .filter(|had| !moved || unusable(subnet.ip, had.ip).is_none())
        .filter(|had| !gives_way(had))
        .collect();
}

fn host(had: &Reservation) -> Host {
    Host { mac: had.mac, id: had.id.clone(), ip: had.ip, name: had.name.clone() }
}

/// Makes the `<ip>`s so; each family's first is the one that is meant.
pub(super) fn edit(editor: &mut Editor<'_, '_>, ask: &Ask, wanted: &[Subnet]) {
    if wanted.is_empty() {
        return;
    }
    let root = editor.root();
    let mut known: Vec<(Node<'_, '_>, Address)> =
        children(root, "ip").filter_map(|node| Some((node, Address::read(node)?))).collect();
    for subnet in wanted {
        let is_it = |a: &Address| a.ip.addr().is_ipv4() == subnet.ip.addr().is_ipv4();
        match known.iter().position(|(_, address)| is_it(address)) {
            Some(at) => {
                let (node, address) = known.remove(at);
                place(editor, node, address.ip, subnet.ip);
                serve(editor, node, &address, subnet);
            }
            None => editor.add(root, parts::ip(subnet)),
        }
    }
    if ask.no_dhcp {
        known.iter().filter_map(|(node, _)| child(*node, "dhcp")).for_each(|dhcp| editor.remove(dhcp));
    }
    // "unreachable static route gateway" (reference §5.2)
    let subnets: Vec<IpNet> =
        wanted.iter().map(|s| s.ip).chain(known.iter().map(|(_, address)| address.ip)).collect();
    let reached = |gateway: &IpAddr| subnets.iter().any(|net| net.contains(gateway));
    children(root, "route")
        .filter(|node| Route::read(*node).is_some_and(|route| !reached(&route.gateway)))
        .for_each(|node| editor.remove(node));
}

/// Address and prefix, in the words that stand there.
fn place(editor: &mut Editor<'_, '_>, node: Node<'_, '_>, old: IpNet, new: IpNet) {
    if old.addr() != new.addr() {
        editor.set(node, "address", &new.addr().to_string());
    }
    if old.prefix_len() != new.prefix_len() {
        match new {
            IpNet::V4(net) if !node.has_attribute("prefix") => {
                editor.set(node, "netmask", &net.netmask().to_string());
            }
            _ => editor.set(node, "prefix", &new.prefix_len().to_string()),
        }
    }
}

/// Ranges and reservations.
fn serve<'a, 't>(editor: &mut Editor<'a, 't>, node: Node<'a, 't>, old: &Address, new: &Subnet) {
    let Some(dhcp) = child(node, "dhcp") else {
        parts::dhcp(&new.dhcp, &new.hosts).into_iter().for_each(|dhcp| editor.add(node, dhcp));
        return;
    };
    if new.dhcp.is_empty() && new.hosts.is_empty() {
        if !(old.dhcp.is_empty() && old.hosts.is_empty()) {
            editor.remove(dhcp);
        }
        return;
    }
    // Each entry as it was read: as an `<ip>` of its own, which holds nothing else.
    let span = |(start, end): &(IpAddr, IpAddr)| parts::span("range", *start, *end);
    let ranges: Vec<Element> = new.dhcp.iter().map(span).collect();
    let hosts: Vec<Element> = new.hosts.iter().map(parts::host).collect();
    let found: Vec<Element> =
        (old.dhcp.iter().map(span)).chain(old.hosts.iter().map(|had| parts::host(&host(had)))).collect();
    let nodes = readable(dhcp, "range").chain(readable(dhcp, "host"));
    for (node, had) in nodes.zip(&found) {
        if !ranges.contains(had) && !hosts.contains(had) {
            editor.remove(node);
        }
    }
    for element in ranges.into_iter().chain(hosts).filter(|element| !found.contains(element)) {
        editor.add(dhcp, element);
    }
}

/// The entries that [`Address::read`] counts.
fn readable<'a, 't>(dhcp: Node<'a, 't>, name: &'static str) -> impl Iterator<Item = Node<'a, 't>> {
    let bounds: &[&str] = if name == "range" { &["start", "end"] } else { &["ip"] };
    let reads = move |node: &Node<'_, '_>| {
        bounds.iter().all(|b| node.attribute(*b).is_some_and(|v| v.trim().parse::<IpAddr>().is_ok()))
    };
    children(dhcp, name).filter(reads)
}
