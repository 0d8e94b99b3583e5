//! A bridge that isn't there yet, or is and shall be another.

use super::defs::{Def, Files, fault, found};
use super::edit::Place;
use super::identity::{is_networkd, move_beside, pin};
use super::keys::{add, is_kept, moves, replace};
use super::piece::Piece;
use super::port::{self, Port, cloud, place};
use super::yaml::{Unread, Value};
use crate::host::bridge::{Addresses, Ask, Command, Fault, Host, Recipe};
use crate::host::config::glob;

/// A command's words.
pub(super) fn command(words: &[&str]) -> Command {
    words.iter().map(ToString::to_string).collect()
}

fn word(text: &str) -> Value {
    Value::Scalar(text.into())
}

pub(super) fn make(host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
    let mut files = Files::read(host)?;
    let defs = files.defs();
    if let Some(own) = defs.iter().find(|def| def.id == ask.bridge) {
        if own.kind != "bridges" {
            return Err(Fault::new(
                format!("{}: {} stands among the {}", place(&files, own), own.id, own.kind),
                "choose another name",
            ));
        }
        return again(files, own, ask);
    }
    let (Some(first), Some(others)) = (ask.ports.first(), ask.ports.get(1..)) else {
        return Err(Fault::new("no port is named", "name one with `--port`"));
    };
    let made = port::make(&mut files, ask, first)?;
    let first_device = port::device(host, first)?;
    hidden(&files, &defs, &made.def, &ask.bridge)?;
    let mut recipe = Recipe { notes: made.notes.clone(), ..Recipe::default() };
    let mut ids = vec![made.id.clone()];
    for other in others {
        let (id, notes) = other_port(&mut files, ask, other)?;
        ids.push(id);
        recipe.notes.extend(notes);
    }
    for (nth, (at, pieces)) in made.moved.iter().enumerate() {
        let doc = &files.docs[*at];
        let (step, eol, is_block) = (doc.step(), doc.eol(), doc.is_block(&["network", "bridges"]));
        let mut parts = Vec::new();
        if nth == 0 {
            parts.push(Piece::new("interfaces", Value::Seq(ids.iter().map(|id| word(id)).collect())));
        }
        parts.extend(pieces.iter().cloned());
        if nth == 0 {
            parts.extend(of_bridge(&made, ask, first_device.mtu, (is_block, step, eol)));
        }
        if parts.is_empty() {
            continue;
        }
        let doc = &mut files.docs[*at];
        let path = doc.path.clone();
        let said = |unread: Unread| fault(&path, &unread);
        let bridge = Piece::map(&ask.bridge, &parts, is_block, step, eol);
        if doc.at(&["network", "bridges"]).is_some() {
            doc.insert(&["network", "bridges"], &bridge, Place::End).map_err(said)?;
        } else {
            let bridges = Piece::map("bridges", &[bridge], is_block, step, eol);
            doc.insert(&["network"], &bridges, Place::After(&made.def.kind)).map_err(said)?;
        }
    }
    let value = files.merged().at(&["network", "bridges", &ask.bridge]).cloned().unwrap_or(word(""));
    if is_networkd(&made.def) {
        recipe.notes.extend(pin(&mut files, &value, &made.def.renderer, first_device, &ask.bridge));
        if made.id == made.def.id {
            move_beside(&mut files, &made.id, &ask.bridge);
        }
    } else {
        recipe.notes.extend(pin(&mut files, &value, &made.def.renderer, first_device, &ask.bridge));
    }
    recipe.notes.extend(remarks(&files, &ask.ports, &value));
    recipe.found = found(&value);
    recipe.files = files.changes();
    recipe.make.after = bring();
    // netplan never deletes a bridge. Its ports are told first that they are none: see networkd.
    recipe.unmake.after = vec![command(&["netplan", "apply"]), delete(&made.def, &ask.bridge)];
    Ok(recipe)
}

/// Deletes the bridge. NetworkManager does that by itself with one that it has made since its start, and has no profile for
/// any more.
pub(super) fn delete(def: &Def, bridge: &str) -> Command {
    if is_networkd(def) {
        return command(&["ip", "link", "delete", "dev", bridge]);
    }
    let script = r#"ip link delete dev "$1" || [ ! -e "/sys/class/net/$1" ]"#;
    command(&["sh", "-c", script, "sh", bridge])
}

/// `generate` says what is wrong with the files before anything is done.
pub(super) fn bring() -> Vec<Command> {
    vec![command(&["netplan", "generate"]), command(&["netplan", "apply"])]
}

/// What a bridge has of its own.
fn of_bridge(made: &Port, ask: &Ask, mtu: Option<u32>, how: (bool, usize, &str)) -> Vec<Piece> {
    let (is_block, step, eol) = how;
    let mut out = Vec::new();
    let own = made.def.get("mtu").map(Value::word).map(str::to_string);
    if let Some(mtu) = own.or(mtu.filter(|mtu| *mtu != 1500).map(|mtu| mtu.to_string())) {
        out.push(Piece::new("mtu", word(&mtu)));
    }
    if let Some(renderer) = made.def.get("renderer") {
        out.push(Piece::new("renderer", renderer.clone()));
    }
    out.push(Piece::new("macaddress", word(&ask.mac)));
    let parameters = [
        Piece::new("stp", word(if ask.stp { "true" } else { "false" })),
        Piece::new("forward-delay", word(&ask.forward_delay.to_string())),
    ];
    out.push(Piece::map("parameters", &parameters, is_block, step, eol));
    out
}

/// networkd takes the first file, by name, that fits: a pattern that fits the bridge too must not come before it.
fn hidden(files: &Files<'_>, defs: &[Def], port: &Def, bridge: &str) -> Result<(), Fault> {
    let hides = |def: &&Def| {
        let names = def.value.at(&["match", "name"]).map(Value::items).unwrap_or_default();
        let is_any = def.value.at(&["match"]).is_some_and(|matches| matches.entries().len() == 1);
        is_any && def.id.as_str() < bridge && names.iter().any(|name| glob(name.word(), bridge))
    };
    match defs.iter().find(hides).filter(|_| is_networkd(port)) {
        Some(def) => Err(Fault::new(
            format!("{}: what {} matches fits {bridge} too", place(files, def), def.id),
            "choose another name for the bridge, or match by less there",
        )),
        None => Ok(()),
    }
}

/// Another port than the first: it has no addresses.
fn other_port(files: &mut Files<'_>, ask: &Ask, port: &str) -> Result<(String, Vec<String>), Fault> {
    let keep = Ask { addresses: Addresses::Keep, gateways: Vec::new(), dns: Vec::new(), ..ask.clone() };
    let made = port::make(files, &keep, port)?;
    if let Some(address) = found(&made.def.value).addresses.first() {
        return Err(Fault::new(
            format!("{}: {port} has an address of its own, {address}", place(files, &made.def)),
            format!(
                "take it out of there, or name {port} first, so that the bridge takes its addresses over"
            ),
        ));
    }
    let mut notes = made.notes;
    let lost: Vec<String> = made
        .moved
        .iter()
        .flat_map(|(_, pieces)| pieces)
        .map(|piece| format!("`{}: {}`", piece.key, piece.value.inline()))
        .collect();
    if !lost.is_empty() {
        notes.push(format!("{port} has no addresses as a port: it loses {}.", lost.join(", ")));
    }
    Ok((made.id, notes))
}

/// What one should know, of VLANs and of addresses that come of a device's name.
fn remarks(files: &Files<'_>, ports: &[String], value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for device in &files.host.devices {
        if let Some(port) = device.below.as_ref().filter(|below| ports.contains(below)) {
            out.push(format!(
                "{} stays on {port}: its tagged frames go to it and don't reach the bridge.",
                device.name
            ));
        }
    }
    if value.at(&["ipv6-address-generation"]).is_some_and(|word| word.word() == "stable-privacy") {
        out.push(
            "Stable IPv6 addresses are made of the device's name too: the bridge gets other ones.".into(),
        );
    }
    out
}

/// The bridge is defined already: what differs is changed, if that is plain.
fn again(mut files: Files<'_>, own: &Def, ask: &Ask) -> Result<Recipe, Fault> {
    let where_ = place(&files, own);
    let mut recipe = Recipe::default();
    let path = own.path();
    let at = files.docs.iter().position(|doc| doc.at(&path).is_some()).unwrap_or_default();
    if own.get("openvswitch").is_some() {
        return Err(Fault::new(
            format!("{where_}: {} belongs to Open vSwitch", own.id),
            "choose another name",
        ));
    }
    let defs = files.defs();
    let mut ports: Vec<String> = own
        .get("interfaces")
        .map(Value::items)
        .unwrap_or_default()
        .iter()
        .map(|id| id.word().to_string())
        .collect();
    let mut new = Vec::new();
    for name in &ask.ports {
        let device = port::device(files.host, name)?;
        let id =
            defs.iter().find(|def| def.is_about(device) && ports.contains(&def.id)).map(|def| def.id.clone());
        match id {
            Some(id) => ports.retain(|port| *port != id),
            None => new.push(name.clone()),
        }
    }
    if let Some(other) = ports.first() {
        return Err(Fault::new(
            format!("{where_}: {} has {other} as a port too", own.id),
            format!("name it with `--port {other}`, or take it out of `interfaces` there first"),
        ));
    }
    if new.len() == ask.ports.len() {
        return Err(Fault::new(
            format!("{where_}: {} is there already, with no NIC as a port", own.id),
            "choose another name, or take that bridge down first",
        ));
    }
    let mut added = Vec::new();
    for port in &new {
        let (id, notes) = other_port(&mut files, ask, port)?;
        added.push(id);
        recipe.notes.extend(notes);
    }
    let doc = &mut files.docs[at];
    let doc_path = doc.path.clone();
    let said = |unread: Unread| fault(&doc_path, &unread);
    for id in added {
        doc.push_item(&[&path[..], &["interfaces"]].concat(), &word(&id)).map_err(said)?;
    }
    let mut ways: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut set = |words: &[&str], old: &str, new: &str| {
        let all = |last: &str| {
            let start = ["ip", "link", "set", "dev", &ask.bridge];
            start.iter().chain(words).chain([&last]).map(ToString::to_string).collect()
        };
        ways.push((all(new), all(old)));
    };
    let (stp, delay, mac) = (
        own.value.at(&["parameters", "stp"]),
        own.value.at(&["parameters", "forward-delay"]),
        own.get("macaddress"),
    );
    // Where netplan is told of any parameter, it is on if nothing is said; where it isn't, the kernel has it off.
    let has_stp = own.get("parameters").is_some() && stp.is_none_or(Value::is_yes);
    let has_delay: u32 = delay.and_then(|delay| delay.word().parse().ok()).unwrap_or(15);
    let stp_words = |is| if is { "1" } else { "0" };
    let delay_change = has_delay != ask.forward_delay;
    let centi = |delay: u32| (delay * 100).to_string();
    // With the protocol on, the kernel takes 2 to 30 seconds only (br_set_forward_delay).
    if has_stp && !ask.stp {
        set(&["type", "bridge", "stp_state"], "1", "0");
    }
    if delay_change {
        set(&["type", "bridge", "forward_delay"], &centi(has_delay), &centi(ask.forward_delay));
    }
    if !has_stp && ask.stp {
        set(&["type", "bridge", "stp_state"], "0", stp_words(true));
    }
    if has_stp != ask.stp || stp.is_none() {
        doc.set(&[&path[..], &["parameters", "stp"]].concat(), if ask.stp { "true" } else { "false" })
            .map_err(said)?;
    }
    if delay_change || delay.is_none() {
        doc.set(&[&path[..], &["parameters", "forward-delay"]].concat(), &ask.forward_delay.to_string())
            .map_err(said)?;
    }
    if !mac.is_some_and(|mac| mac.word().eq_ignore_ascii_case(&ask.mac)) {
        doc.set(&[&path[..], &["macaddress"]].concat(), &ask.mac).map_err(said)?;
    }
    let has = found(&own.value);
    let dns: Vec<&str> = own
        .value
        .at(&["nameservers", "addresses"])
        .map(Value::items)
        .unwrap_or_default()
        .iter()
        .map(Value::word)
        .collect();
    let asked: Vec<String> = ask.dns.iter().map(ToString::to_string).collect();
    let is_addressed = match &ask.addresses {
        Addresses::None => !has.dhcp4 && has.addresses.is_empty(),
        Addresses::Static(nets) => !has.dhcp4 && has.addresses == *nets,
        Addresses::Keep | Addresses::Dhcp => is_kept(own, ask),
    };
    let has_gateways = ask.gateways.iter().all(|gateway| has.gateways.contains(gateway));
    if !(is_addressed && has_gateways && (asked.is_empty() || dns == asked)) {
        if files
            .docs
            .iter()
            .filter(|doc| {
                doc.at(&path).is_some_and(|node| node.entries().iter().any(|(key, _)| moves(key.word())))
            })
            .count()
            > 1
        {
            return Err(Fault::new(
                format!("{where_}: the addresses of {} stand in several files", own.id),
                "write them into one",
            ));
        }
        let doc = &mut files.docs[at];
        let gone = replace(doc, &path, own, ask).map_err(said)?;
        add(doc, &path, own, ask).map_err(said)?;
        if !gone.is_empty() {
            let gone: Vec<String> = gone.iter().map(|line| format!("`{line}`")).collect();
            recipe.notes.push(format!("What {where_} says of {} goes: {}.", own.id, gone.join(", ")));
        }
    }
    recipe.found = found(files.merged().at(&path).unwrap_or(&word("")));
    for doc in files.docs.iter().filter(|doc| files.host.text(&doc.path) != Some(&doc.text)) {
        cloud(files.host, doc)?;
    }
    let is_there = files.host.device(&ask.bridge).is_some();
    recipe.files = files.changes();
    if recipe.files.is_empty() {
        return Ok(recipe);
    }
    recipe.make.after = bring();
    recipe.unmake.after = vec![command(&["netplan", "apply"])];
    if is_there {
        recipe.make.after.extend(ways.iter().map(|(to, _)| to.clone()));
        recipe.unmake.after.extend(ways.into_iter().rev().map(|(_, back)| back));
    }
    Ok(recipe)
}
