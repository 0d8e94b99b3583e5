//! Which keys of a definition are about the network, and the same as it is asked for.

use super::defs::{Def, default_via, found};
use super::edit::{Doc, Place};
use super::piece::Piece;
use super::yaml::{Unread, Value};
use crate::host::bridge::{Addresses, Ask};

/// These move. All others are about the device (`match`, `wakeonlan`), or aren't known here: they stay.
const MOVES: &[&str] = &[
    "dhcp4",
    "dhcp6",
    "dhcp-identifier",
    "dhcp4-overrides",
    "dhcp6-overrides",
    "dhcp4-domain",
    "accept-ra",
    "ra-overrides",
    "addresses",
    "optional-addresses",
    "link-local",
    "ipv6-mtu",
    "ipv6-privacy",
    "ipv6-address-generation",
    "ipv6-address-token",
    "gateway4",
    "gateway6",
    "nameservers",
    "routes",
    "routing-policy",
    "optional",
    "critical",
    "ignore-carrier",
];

/// Does it move?
pub(super) fn moves(key: &str) -> bool {
    MOVES.contains(&key)
}

/// What moves out of a definition in one file.
pub(super) fn pieces(doc: &Doc, path: &[&str]) -> Vec<Piece> {
    let Some(node) = doc.at(path) else { return Vec::new() };
    let keys = node.entries().iter().map(|(key, _)| key.word()).filter(|key| moves(key));
    keys.filter_map(|key| doc.piece(&[path, &[key]].concat())).collect()
}

/// Is what the NIC has kept?
pub(super) fn is_kept(def: &Def, ask: &Ask) -> bool {
    let has = found(&def.value);
    match &ask.addresses {
        Addresses::Keep => true,
        Addresses::Dhcp => has.dhcp4 && has.addresses.is_empty(),
        Addresses::None | Addresses::Static(_) => false,
    }
}

/// Makes what a definition has in this file what is asked: first of all, what is replaced goes.
pub(super) fn replace(doc: &mut Doc, path: &[&str], def: &Def, ask: &Ask) -> Result<Vec<String>, Unread> {
    let mut gone = Vec::new();
    let below = |key: &str| -> Vec<String> {
        path.iter().map(ToString::to_string).chain([key.to_string()]).collect()
    };
    let mut remove = |doc: &mut Doc, keys: &[&str]| -> Result<(), Unread> {
        let full = [path, keys].concat();
        if let Some(value) = doc.value(&full) {
            gone.push(format!("{}: {}", keys.join("."), value.inline()));
        }
        doc.remove(&full)
    };
    if !is_kept(def, ask) {
        let keys: Vec<String> = doc
            .at(path)
            .map(|node| node.entries().iter().map(|(key, _)| key.word().to_string()).collect())
            .unwrap_or_default();
        for key in keys.iter().filter(|key| moves(key)) {
            remove(doc, &[key])?;
        }
        return Ok(gone);
    }
    for gateway in &ask.gateways {
        remove(doc, &[if gateway.is_ipv4() { "gateway4" } else { "gateway6" }])?;
    }
    let routes = below("routes");
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let list = doc.value(&routes).unwrap_or(Value::Scalar(String::new()));
    for (at, route) in list.items().iter().enumerate().rev() {
        let via = default_via(route);
        if via.is_some_and(|old| ask.gateways.iter().any(|new| new.is_ipv4() == old.is_ipv4())) {
            gone.push(format!("routes: {}", route.inline()));
            doc.remove_item(&routes, at)?;
        }
    }
    if !ask.dns.is_empty() {
        let mut remove = |doc: &mut Doc, keys: &[&str]| -> Result<(), Unread> {
            let full = [path, keys].concat();
            if let Some(value) = doc.value(&full) {
                gone.push(format!("{}: {}", keys.join("."), value.inline()));
            }
            doc.remove(&full)
        };
        let only = doc.at(&[path, &["nameservers"]].concat()).is_some_and(|node| node.entries().len() == 1);
        let has = doc.at(&[path, &["nameservers", "addresses"]].concat()).is_some();
        match (has, only) {
            (true, true) => remove(doc, &["nameservers"])?,
            (true, false) => remove(doc, &["nameservers", "addresses"])?,
            _ => {}
        }
    }
    Ok(gone)
}

/// What is asked comes in.
pub(super) fn add(doc: &mut Doc, path: &[&str], def: &Def, ask: &Ask) -> Result<(), Unread> {
    let word = |text: &str| Value::Scalar(text.into());
    let full =
        |keys: &[&'static str]| -> Vec<String> { path.iter().chain(keys).map(ToString::to_string).collect() };
    fn refs(path: &[String]) -> Vec<&str> {
        path.iter().map(String::as_str).collect()
    }
    let kept = is_kept(def, ask);
    if !kept {
        match &ask.addresses {
            Addresses::Static(nets) => {
                let nets = nets.iter().map(|net| word(&net.to_string())).collect();
                doc.insert(path, &Piece::new("addresses", Value::Seq(nets)), Place::End)?;
            }
            Addresses::Dhcp => doc.set(&refs(&full(&["dhcp4"])), "true")?,
            Addresses::None | Addresses::Keep => {
                doc.set(&refs(&full(&["dhcp4"])), "false")?;
                doc.set(&refs(&full(&["accept-ra"])), "false")?;
                doc.insert(path, &Piece::new("link-local", Value::Seq(Vec::new())), Place::End)?;
                // The start of the host shan't wait for addresses.
                doc.set(&refs(&full(&["optional"])), "true")?;
            }
        }
    }
    for gateway in &ask.gateways {
        let route =
            Value::Map(vec![("to".into(), word("default")), ("via".into(), word(&gateway.to_string()))]);
        doc.push_item(&refs(&full(&["routes"])), &route)?;
    }
    if !ask.dns.is_empty() {
        let all = Value::Seq(ask.dns.iter().map(|dns| word(&dns.to_string())).collect());
        doc.insert(&refs(&full(&["nameservers"])), &Piece::new("addresses", all), Place::End)?;
        if kept && found(&def.value).dhcp4 {
            doc.set(&refs(&full(&["dhcp4-overrides", "use-dns"])), "false")?;
        }
    }
    Ok(())
}
