//! A NIC becomes a port: what its files say of the network is taken out.

use super::files::Files;
use super::net::found;
use super::netdev::truth;
use super::parts::split;
use super::text::Text;
use super::units::{ETC, Unit, name_for, taken};
use crate::host::bridge::{Fault, Host, HostDevice};

/// What was taken out.
pub(super) struct Port {
    /// The name of the file that makes it a port.
    pub(super) name: String,
    /// What moves of the file.
    pub(super) net: Text,
    /// And of those that add to it, with their names.
    pub(super) drops: Vec<(String, Text)>,
    /// In the words of the file.
    pub(super) mtu: Option<String>,
    /// The file that it had before, if any.
    pub(super) path: Option<String>,
    pub(super) notes: Vec<String>,
}

impl Port {
    /// Everything that moves.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> + Clone {
        std::iter::once(&self.net).chain(self.drops.iter().map(|(_, text)| text))
    }
}

/// The device, or a fault.
pub(super) fn device<'a>(host: &'a Host, name: &str) -> Result<&'a HostDevice, Fault> {
    let missing =
        || Fault::new(format!("there is no device {name}"), "`kvmnet host nics` lists those there are");
    host.device(name).ok_or_else(missing)
}

/// Makes a device a port of the bridge.
pub(super) fn make(
    host: &Host,
    units: &[Unit],
    files: &mut Files<'_>,
    port: &str,
    bridge: &str,
) -> Result<Port, Fault> {
    let device = device(host, port)?;
    let mtu = device.mtu.filter(|mtu| *mtu != 1500).map(|mtu| mtu.to_string());
    let Some(unit) = taken(units, device)? else {
        let name = name_for(units, device, None, ".network")?;
        let mut text = Text::read("");
        text.push("Match", "Name", &device.name, None);
        text.push("Network", "Bridge", bridge, None);
        files.put(&format!("{ETC}{name}"), Some(text.write()))?;
        let (net, drops, path, notes) = (Text::read(""), Vec::new(), None, Vec::new());
        return Ok(Port { name, net, drops, mtu, path, notes });
    };
    check(unit, &device.name, bridge)?;
    let (stays, net) = split(&unit.text, Some(bridge));
    let mut port = Port {
        name: unit.name.clone(),
        net,
        drops: Vec::new(),
        mtu: unit.get("Link", "MTUBytes").filter(|mtu| !mtu.is_empty()).map(Into::into).or(mtu),
        path: Some(unit.path.clone()),
        notes: Vec::new(),
    };
    let is_own = unit.is_in_etc() && is_only_of(host, units, unit, device);
    if is_own {
        files.put(&unit.path, Some(stays.write()))?;
    } else {
        port.name = name_for(units, device, None, ".network")?;
        files.put(&format!("{ETC}{}", port.name), Some(own(&stays, &device.name).write()))?;
        port.notes.push(format!(
            "{} stays as it is, for other devices; {ETC}{} goes before it.",
            unit.path, port.name
        ));
    }
    for drop in &unit.drops {
        let (stays, moved) = split(&drop.text, None);
        let path = format!("{ETC}{}.d/{}", port.name, drop.name);
        if is_own && moved.has_keys() {
            let is_there = host.text(&path).is_some();
            let left = (stays.has_keys() || !is_there).then(|| stays.write());
            files.put(&path, left)?;
        } else if !is_own && stays.has_keys() {
            files.put(&path, Some(stays.write()))?;
        }
        if moved.has_keys() {
            port.drops.push((drop.name.clone(), moved));
        }
    }
    Ok(port)
}

/// Another port than the first: it has no addresses.
pub(super) fn make_other(
    host: &Host,
    units: &[Unit],
    files: &mut Files<'_>,
    port: &str,
    bridge: &str,
) -> Result<Vec<String>, Fault> {
    let made = make(host, units, files, port, bridge)?;
    let path = made.path.clone().unwrap_or_default();
    if let Some(address) = found(made.texts()).addresses.first() {
        return Err(Fault::new(
            format!("{path}: {port} has an address of its own, {address}"),
            format!(
                "take it out of there, or name {port} first, so that the bridge takes its addresses over"
            ),
        ));
    }
    let lost: Vec<String> = lines(made.texts());
    let mut notes = made.notes;
    if !lost.is_empty() {
        notes.push(format!("{port} has no addresses as a port: it loses {}.", lost.join(", ")));
    }
    Ok(notes)
}

/// `Key=Value` of each.
pub(super) fn lines<'a>(texts: impl Iterator<Item = &'a Text>) -> Vec<String> {
    let items = texts.flat_map(|text| &text.sections).flat_map(|section| &section.items);
    items.filter(|item| !item.key.is_empty()).map(|item| format!("`{}={}`", item.key, item.value)).collect()
}

/// What stays, for one device only: the file's own `[Match]` is for more.
fn own(stays: &Text, device: &str) -> Text {
    let mut text = Text::new(stays);
    text.push("Match", "Name", device, None);
    let others = stays.sections.iter().filter(|section| section.name != "Match").cloned();
    text.sections.extend(others);
    spaced(&mut text);
    text
}

/// An empty line before the second section: what is moved in front of it had perhaps none.
pub(super) fn spaced(text: &mut Text) {
    let eol = text.section("").lead;
    if let Some(second) = text.sections.get_mut(1).filter(|second| !second.lead.starts_with(['\n', '\r'])) {
        second.lead.insert_str(0, &eol);
    }
}

/// Does no other device have this file?
pub(super) fn is_only_of(host: &Host, units: &[Unit], unit: &Unit, device: &HostDevice) -> bool {
    let is_taken = |other: &HostDevice| {
        other.name != device.name && matches!(taken(units, other), Ok(Some(own)) if own.name == unit.name)
    };
    unit.is_of_one() && !host.devices.iter().any(is_taken)
}

fn check(unit: &Unit, port: &str, bridge: &str) -> Result<(), Fault> {
    let path = &unit.path;
    if unit.name.contains("netplan") && !unit.is_in_etc() {
        return Err(Fault::new(format!("{path}: netplan makes this file"), "use `--backend netplan`"));
    }
    if unit.get("Link", "Unmanaged").and_then(truth) == Some(true) {
        return Err(Fault::new(
            format!("{path}: `Unmanaged=yes`: networkd leaves {port} alone"),
            "use the backend that configures it, or take that line out",
        ));
    }
    if let Some(bond) = unit.get("Network", "Bond").filter(|bond| !bond.is_empty()) {
        return Err(Fault::new(
            format!("{path}: {port} is a port of the bond {bond}"),
            format!("make {bond} the bridge's port instead"),
        ));
    }
    match unit.get("Network", "Bridge").filter(|other| !other.is_empty()) {
        Some(other) if other != bridge => Err(Fault::new(
            format!("{path}: {port} is a port of the bridge {other}"),
            format!(
                "take it out of there first: `kvmnet host bridge delete {other}`, if nothing else needs that"
            ),
        )),
        Some(_) => Err(Fault::new(
            format!("{path}: {port} is a port of {bridge}, but no .netdev file makes that bridge"),
            format!("take out `Bridge={bridge}`, then try again"),
        )),
        None => Ok(()),
    }
}
