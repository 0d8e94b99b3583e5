//! The way back: the first port gets what the bridge has.

use super::defs::{Def, Files, fault, found};
use super::edit::{Doc, Place};
use super::identity::{is_networkd, move_beside, pin, unpin};
use super::keys::{moves, pieces};
use super::make::{bring, command, delete, make};
use super::piece::Piece;
use super::port::{cloud, place, take_out};
use super::yaml::{Unread, Value};
use crate::host::bridge::{Addresses, Ask, Fault, Host, HostFile, Recipe};

pub(super) fn take_down(host: &Host, bridge: &str) -> Result<Recipe, Fault> {
    let mut files = Files::read(host)?;
    let defs = files.defs();
    let own = defs.iter().find(|def| def.kind == "bridges" && def.id == bridge).ok_or_else(|| {
        Fault::new(
            format!("no file of netplan's defines the bridge {bridge}"),
            "use the backend that made it",
        )
    })?;
    check(&files, &defs, own)?;
    let mut recipe = Recipe::default();
    let ports = ports(&files, &defs, own);
    let path = own.path();

    let again = copies(host, &defs, own, &ports);
    if let Some((docs, def)) = again {
        files.docs = docs;
        recipe.found = found(&def.value);
        unpin(&mut files, bridge);
    } else {
        let first = ports.first().and_then(|(id, _)| defs.iter().find(|def| def.id == *id));
        for at in 0..files.docs.len() {
            let doc = &mut files.docs[at];
            if doc.at(&path).is_none() && first.is_none_or(|first| doc.at(&first.path()).is_none()) {
                continue;
            }
            let said_path = doc.path.clone();
            let said = |unread: Unread| fault(&said_path, &unread);
            let moved = pieces(doc, &path);
            if let Some(first) = first {
                // What it said of addresses is what a port says, such as `dhcp4: false`.
                take_out(doc, &first.path()).map_err(said)?;
                give(doc, first, &moved).map_err(said)?;
            }
            remove(doc, &path).map_err(said)?;
        }
        match first {
            Some(first) => {
                recipe.found = found(&own.value);
                if is_networkd(own) {
                    let was_pinned = unpin(&mut files, bridge);
                    let device = host.device(bridge).filter(|_| !was_pinned);
                    if let Some(device) = device {
                        recipe.notes.extend(pin(&mut files, &own.value, &own.renderer, device, &first.id));
                    }
                    move_beside(&mut files, bridge, &first.id);
                }
            }
            None => recipe.notes.push(format!("{bridge} has no port: what it has goes with it.")),
        }
        recipe.notes.extend(going(own, first));
        for (id, _) in ports.iter().skip(1) {
            recipe.notes.push(format!("{id} has no addresses afterwards."));
        }
    }
    for doc in files.docs.iter().filter(|doc| host.text(&doc.path) != Some(&doc.text)) {
        cloud(host, doc)?;
    }
    recipe.files = files.changes();
    recipe.make.after = bring();
    if host.device(bridge).is_some() {
        recipe.make.after.push(delete(own, bridge));
    }
    recipe.unmake.after = vec![command(&["netplan", "apply"])];
    Ok(recipe)
}

/// What the bridge has that doesn't go to the port, and that isn't there only to make it a bridge.
fn going(own: &Def, first: Option<&Def>) -> Option<String> {
    const MAKES: &[&str] = &["interfaces", "parameters", "macaddress", "renderer"];
    let is_going = |(key, value): &&(String, Value)| {
        let is_ports = first.is_some_and(|first| first.get(key) == Some(value));
        !moves(key) && !MAKES.contains(&key.as_str()) && !is_ports
    };
    let lines = own.value.entries().iter().filter(is_going);
    let lines: Vec<String> = lines.map(|(key, value)| format!("`{key}: {}`", value.inline())).collect();
    (!lines.is_empty()).then(|| format!("What netplan's files say of {} goes: {}.", own.id, lines.join(", ")))
}

fn check(files: &Files<'_>, defs: &[Def], own: &Def) -> Result<(), Fault> {
    let where_ = place(files, own);
    if own.get("networkmanager").is_some() || where_.contains("/90-NM-") {
        return Err(Fault::new(
            format!("{where_}: this is a connection profile of NetworkManager's"),
            "use `--backend networkmanager`",
        ));
    }
    if own.get("openvswitch").is_some() {
        return Err(Fault::new(
            format!("{where_}: {} belongs to Open vSwitch", own.id),
            "take it down by its tools",
        ));
    }
    let is_on = |def: &&Def| def.value.at(&["link"]).is_some_and(|link| link.word() == own.id);
    if let Some(above) = defs.iter().find(is_on) {
        return Err(Fault::new(
            format!("{}: {} is on {}", place(files, above), above.id, own.id),
            format!("change its `link: {}`, or take it out", own.id),
        ));
    }
    Ok(())
}

/// The ids of the ports with their devices, the first first: the one that has the bridge's MAC address.
fn ports(files: &Files<'_>, defs: &[Def], own: &Def) -> Vec<(String, Option<String>)> {
    let ids = own.get("interfaces").map(Value::items).unwrap_or_default();
    let mut out = Vec::new();
    let mac = own.get("macaddress").map(|mac| mac.word().to_ascii_lowercase());
    let mut first = None;
    for id in ids.iter().map(Value::word) {
        let def = defs.iter().find(|def| def.id == id);
        let device = files.host.devices.iter().find(|device| def.is_some_and(|def| def.is_about(device)));
        if mac.is_some() && first.is_none() && device.is_some_and(|d| d.mac == mac || d.permanent_mac == mac)
        {
            first = Some(out.len());
        }
        out.push((id.to_string(), device.map(|device| device.name.clone())));
    }
    if let Some(first) = first {
        out[..=first].rotate_right(1);
    }
    out
}

/// If the ports' definitions are copies of one for more devices, they go: it is found by making the bridge again.
fn copies(
    host: &Host,
    defs: &[Def],
    own: &Def,
    ports: &[(String, Option<String>)],
) -> Option<(Vec<Doc>, Def)> {
    let mut files = Files::read(host).ok()?;
    for doc in &mut files.docs {
        remove(doc, &own.path()).ok()?;
        for (id, _) in ports {
            remove(doc, &defs.iter().find(|def| def.id == *id)?.path()).ok()?;
        }
    }
    let names: Vec<String> = ports.iter().map(|(_, device)| device.clone()).collect::<Option<_>>()?;
    let first = host.device(names.first()?)?;
    let def = files.defs().into_iter().find(|def| def.is_about(first))?;
    let texts: Vec<HostFile> =
        files.docs.iter().map(|doc| HostFile { path: doc.path.clone(), text: doc.text.clone() }).collect();
    let before = Host { files: texts, ..host.clone() };
    let ask = Ask {
        bridge: own.id.clone(),
        ports: names,
        addresses: Addresses::Keep,
        gateways: Vec::new(),
        dns: Vec::new(),
        stp: own.value.at(&["parameters", "stp"]).is_none_or(Value::is_yes),
        forward_delay: own.value.at(&["parameters", "forward-delay"])?.word().parse().ok()?,
        mac: own.get("macaddress")?.word().to_string(),
    };
    let again = make(&before, &ask).ok()?;
    let is_same = before.files.iter().all(|file| {
        let made = again.files.iter().find(|change| change.path == file.path);
        host.text(&file.path) == made.map_or(Some(file.text.as_str()), |change| change.after.as_deref())
    });
    is_same.then_some((files.docs, def))
}

/// Takes a definition out, and the kind if nothing is left of it.
fn remove(doc: &mut Doc, path: &[&str; 3]) -> Result<(), Unread> {
    if doc.at(path).is_none() {
        return Ok(());
    }
    let is_last = doc.at(&path[..2]).is_some_and(|node| node.entries().len() == 1);
    doc.remove(if is_last { &path[..2] } else { &path[..] })
}

/// Gives a definition what the bridge had.
fn give(doc: &mut Doc, def: &Def, moved: &[Piece]) -> Result<(), Unread> {
    let path = def.path();
    if moved.is_empty() {
        return Ok(());
    }
    if doc.at(&path).is_none() {
        let is_block = doc.is_block(&path[..2]);
        let piece = Piece::map(&def.id, moved, is_block, doc.step(), doc.eol());
        return doc.insert(&path[..2], &piece, Place::End);
    }
    for piece in moved {
        if moves(&piece.key) {
            doc.insert(&path, piece, Place::End)?;
        }
    }
    Ok(())
}
