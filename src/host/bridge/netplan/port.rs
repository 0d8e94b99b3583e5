//! A NIC becomes a port: what its definition says of the network is taken out.

use super::defs::{Def, Files, fault};
use super::edit::{Doc, Place};
use super::keys::{add, moves, pieces, replace};
use super::piece::Piece;
use super::yaml::{Unread, Value};
use crate::host::bridge::{Addresses, Ask, Fault, Host, HostDevice};

/// What was taken out.
pub(super) struct Port {
    /// The definition that is named in `interfaces`.
    pub(super) id: String,
    /// What the NIC had.
    pub(super) def: Def,
    /// What moves, by the number of its file; the first is where the bridge is defined.
    pub(super) moved: Vec<(usize, Vec<Piece>)>,
    pub(super) notes: Vec<String>,
}

/// The device, or a fault.
pub(super) fn device<'a>(host: &'a Host, name: &str) -> Result<&'a HostDevice, Fault> {
    let missing =
        || Fault::new(format!("there is no device {name}"), "`kvmnet host nics` lists those there are");
    host.device(name).ok_or_else(missing)
}

/// Takes out what the definitions say of a device's network, changed to what is asked.
pub(super) fn make(files: &mut Files<'_>, ask: &Ask, port: &str) -> Result<Port, Fault> {
    let device = device(files.host, port)?;
    let defs = files.defs();
    let about: Vec<&Def> = defs.iter().filter(|def| def.is_about(device)).collect();
    let def = match about.as_slice() {
        [] => return new(files, ask, device),
        [one] => (*one).clone(),
        [one, two, ..] => {
            return Err(Fault::new(
                format!("{}: both {} and {} are about {}", place(files, two), one.id, two.id, device.name),
                "leave one of them",
            ));
        }
    };
    check(files, &defs, &def, device, &ask.bridge)?;
    let is_own =
        def.is_of_one() && !files.host.devices.iter().any(|o| o.name != device.name && def.is_about(o));
    let path = def.path();
    let with: Vec<usize> = (0..files.docs.len()).filter(|at| files.docs[*at].at(&path).is_some()).collect();
    let mut port = Port { id: def.id.clone(), def: def.clone(), moved: Vec::new(), notes: Vec::new() };
    let mut gone = Vec::new();
    for (nth, at) in with.iter().enumerate() {
        let doc = &mut files.docs[*at];
        let path_of = doc.path.clone();
        let said = |unread: Unread| fault(&path_of, &unread);
        let mut scratch = doc.clone();
        gone.extend(replace(&mut scratch, &path, &def, ask).map_err(said)?);
        if nth == 0 {
            add(&mut scratch, &path, &def, ask).map_err(said)?;
        }
        port.moved.push((*at, pieces(&scratch, &path)));
        if is_own {
            take_out(doc, &path).map_err(said)?;
        }
    }
    if !gone.is_empty() {
        let gone: Vec<String> = gone.iter().map(|line| format!("`{line}`")).collect();
        port.notes.push(format!(
            "What {} says of {} goes: {}.",
            place(files, &def),
            device.name,
            gone.join(", ")
        ));
    }
    if !is_own {
        let first = with.first().copied().unwrap_or_default();
        port.id = own(files, first, &defs, &def, device)?;
        port.notes.push(format!(
            "{} stays as it is, for other devices; {} is for {}.",
            def.id, port.id, device.name
        ));
    }
    Ok(port)
}

/// Takes out what moves.
pub(super) fn take_out(doc: &mut Doc, path: &[&str]) -> Result<(), Unread> {
    let node = doc.at(path);
    let keys: Vec<String> = node
        .map(|node| node.entries().iter().map(|(key, _)| key.word().to_string()).collect())
        .unwrap_or_default();
    keys.iter().filter(|key| moves(key)).try_for_each(|key| doc.remove(&[path, &[key]].concat()))
}

/// A device that netplan hasn't known yet.
fn new(files: &mut Files<'_>, ask: &Ask, device: &HostDevice) -> Result<Port, Fault> {
    let name = &device.name;
    if ask.addresses == Addresses::Keep && ask.ports.first() == Some(name) {
        return Err(Fault::new(
            format!("no file of netplan's is about {name}"),
            "use the backend that configures it, or say with `--address` what the bridge shall have",
        ));
    }
    let empty =
        || Fault::new("there is no file of netplan's in /etc/netplan", "use the backend that is in use");
    let at = files.docs.iter().rposition(|doc| doc.path.starts_with("/etc/")).ok_or_else(empty)?;
    cloud(files.host, &files.docs[at])?;
    let def = Def {
        kind: "ethernets".into(),
        id: name.clone(),
        value: Value::Map(Vec::new()),
        renderer: files.merged().at(&["network", "renderer"]).map_or("networkd", Value::word).into(),
    };
    let doc = &mut files.docs[at];
    let said = |unread: Unread| fault("netplan", &unread);
    let piece = Piece::new(name, Value::Map(Vec::new()));
    doc.insert(&["network", "ethernets"], &piece, Place::End).map_err(said)?;
    let mut scratch = doc.clone();
    add(&mut scratch, &def.path(), &def, ask).map_err(said)?;
    let moved = vec![(at, pieces(&scratch, &def.path()))];
    Ok(Port { id: name.clone(), def, moved, notes: Vec::new() })
}

/// A definition for this device alone, where the other is for more. networkd takes the first, by name, that fits.
fn own(
    files: &mut Files<'_>,
    at: usize,
    defs: &[Def],
    def: &Def,
    device: &HostDevice,
) -> Result<String, Fault> {
    let name = &device.name;
    let where_ = place(files, def);
    if def.renderer == "NetworkManager" {
        return Err(Fault::new(
            format!(
                "{where_}: {} is for more devices than {name}, and NetworkManager might take it for any",
                def.id
            ),
            format!("write a definition for {name} alone"),
        ));
    }
    let is_free = |id: &String| *id < def.id && !defs.iter().any(|def| def.id == *id);
    let ids = [name.clone(), format!("1-{name}"), format!("0-{name}"), format!("00-{name}")];
    let id = ids.into_iter().find(is_free).ok_or_else(|| {
        Fault::new(
            format!("{where_}: {} sorts before any id that {name} could have", def.id),
            format!("write a definition for {name} alone, with an id that sorts before it"),
        )
    })?;
    let path = def.path();
    let mut parts: Vec<Piece> = Vec::new();
    if id != *name {
        parts.push(Piece::new("match", Value::Map(vec![("name".into(), Value::Scalar(name.clone()))])));
    }
    // Of several files, what the last one says of a key counts.
    for doc in &files.docs {
        for (key, _) in doc.at(&path).map(|node| node.entries().to_vec()).unwrap_or_default() {
            if !moves(key.word()) && !["match", "set-name"].contains(&key.word()) {
                parts.retain(|part| part.key != key.word());
                parts.extend(doc.piece(&[&path[..], &[key.word()]].concat()));
            }
        }
    }
    let doc = &mut files.docs[at];
    let said = |unread: Unread| fault(&doc.path, &unread);
    let kind = ["network", def.kind.as_str()];
    let piece = Piece::map(&id, &parts, doc.is_block(&kind), doc.step(), doc.eol());
    let mut changed = doc.clone();
    changed.insert(&kind, &piece, Place::End).map_err(said)?;
    files.docs[at] = changed;
    Ok(id)
}

/// The files that a definition stands in.
pub(super) fn place(files: &Files<'_>, def: &Def) -> String {
    let with = files.docs.iter().filter(|doc| doc.at(&def.path()).is_some());
    with.map(|doc| doc.path.clone()).collect::<Vec<_>>().join(", ")
}

/// Is cloud-init about to write this anew?
pub(super) fn cloud(host: &Host, doc: &Doc) -> Result<(), Fault> {
    let is_clouds = doc.path.rsplit('/').next().is_some_and(|name| name.contains("cloud-init"));
    // That cloud-init may leave the network alone is itself written into these files: what counts are its own.
    if is_clouds { crate::host::bridge::cloud::refuse(host, &doc.path) } else { Ok(()) }
}

fn check(files: &Files<'_>, defs: &[Def], def: &Def, device: &HostDevice, bridge: &str) -> Result<(), Fault> {
    let where_ = place(files, def);
    let name = &device.name;
    for doc in files.docs.iter().filter(|doc| doc.at(&def.path()).is_some()) {
        cloud(files.host, doc)?;
        if !doc.path.starts_with("/etc/netplan/") {
            return Err(Fault::new(
                format!("{}: another program writes this file", doc.path),
                "change it there",
            ));
        }
    }
    if def.get("networkmanager").is_some() || where_.contains("/90-NM-") {
        return Err(Fault::new(
            format!("{where_}: this is a connection profile of NetworkManager's"),
            "use `--backend networkmanager`",
        ));
    }
    if def.get("openvswitch").is_some() {
        return Err(Fault::new(
            format!("{where_}: {} belongs to Open vSwitch", def.id),
            "add it to a bridge of that",
        ));
    }
    for other in defs.iter().filter(|other| ["bonds", "bridges", "vrfs"].contains(&other.kind.as_str())) {
        let interfaces = other.get("interfaces").map(Value::items).unwrap_or_default();
        if interfaces.iter().any(|port| port.word() == def.id) && other.id != bridge {
            let kind = other.kind.trim_end_matches('s');
            return Err(Fault::new(
                format!("{}: {name} is a port of the {kind} {}", place(files, other), other.id),
                match kind {
                    "bond" => format!("make {} the bridge's port instead", other.id),
                    _ => format!("take {} out of `interfaces` there first", def.id),
                },
            ));
        }
    }
    Ok(())
}
