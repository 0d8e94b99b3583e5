//! A bridge that the files make already: what differs is changed, if that is plain.

use super::files::Files;
use super::make::{bridge_device, command, reconfigure, remarks};
use super::net::{ask_for, found};
use super::parts::split;
use super::text::Text;
use super::units::{Unit, taken};
use super::{netdev, port};
use crate::host::bridge::{Addresses, Ask, Fault, Found, Host, Recipe, Way};

pub(super) fn make(host: &Host, ask: &Ask, networks: &[Unit], old: &Unit) -> Result<Recipe, Fault> {
    let bridge = &ask.bridge;
    if old.get("NetDev", "Kind") != Some("bridge") {
        return Err(Fault::new(format!("{}: {bridge} is no bridge there", old.path), "choose another name"));
    }
    if !old.is_in_etc() {
        return Err(Fault::new(
            format!("{}: another program makes {bridge}", old.path),
            "change it there, or choose another name",
        ));
    }
    let device = bridge_device(bridge, Some(&ask.mac));
    let own = taken(networks, &device)?.ok_or_else(|| {
        Fault::new(
            format!("{}: {bridge} is made there, but no .network file is for it", old.path),
            format!("remove that file, or write one with `[Match]` `Name={bridge}`"),
        )
    })?;
    let mut files = Files::new(host);
    let mut recipe = Recipe::default();

    let ports = ports(host, networks, bridge)?;
    if let Some(other) = ports.iter().find(|port| !ask.ports.contains(port)) {
        return Err(Fault::new(
            format!("{bridge} has {other} as a port too, as the files are"),
            format!("name it with `--port {other}`, or take it out of the bridge first"),
        ));
    }
    let new: Vec<String> = ask.ports.iter().filter(|port| !ports.contains(port)).cloned().collect();
    if ports.is_empty() {
        return Err(Fault::new(
            format!("{}: {bridge} is there already, with no NIC as a port", old.path),
            "choose another name, or take that bridge down first",
        ));
    }
    for port in &new {
        recipe.notes.extend(port::make_other(host, networks, &mut files, port, bridge)?);
    }

    let netdev = netdev::changed(&old.text, ask);
    files.put(&old.path, Some(netdev.write()))?;

    let has = found(own.texts());
    recipe.found = has.clone();
    if !is_as_asked(&has, own, ask) {
        if !own.is_in_etc() || !port::is_only_of(host, networks, own, &device) {
            return Err(Fault::new(
                format!(
                    "{}: this gives {bridge} other addresses than asked for, and isn't for it alone",
                    own.path
                ),
                format!("write a file for {bridge} alone"),
            ));
        }
        let (mut text, mut main) = split(&own.text, None);
        let moved = own.drops.iter().map(|drop| split(&drop.text, None));
        let (left, mut drops): (Vec<Text>, Vec<Text>) = moved.unzip();
        let lost = ask_for(&mut main, &mut drops, ask);
        if !lost.is_empty() {
            let lost: Vec<String> = lost.iter().map(|line| format!("`{line}`")).collect();
            recipe.notes.push(format!("What {} said goes: {}.", own.path, lost.join(", ")));
        }
        text.sections.extend(main.sections.iter().cloned());
        port::spaced(&mut text);
        recipe.found = found(std::iter::once(&main).chain(&drops));
        files.put(&own.path, Some(text.write()))?;
        for (at, drop) in own.drops.iter().enumerate() {
            let mut text = left[at].clone();
            text.sections.extend(drops.get(at).map(|drop| drop.sections.clone()).unwrap_or_default());
            files.put(&drop.path, text.has_keys().then(|| text.write()))?;
        }
    }
    recipe.notes.extend(remarks(host, &new, own.texts()));
    recipe.files = files.changes;
    if recipe.files.is_empty() {
        return Ok(recipe);
    }
    let is_there = host.device(bridge).is_some();
    let set = |from: &Text, to: &Text| if is_there { netdev::commands(bridge, from, to) } else { Vec::new() };
    let reload = || command(&["networkctl", "reload"]);
    recipe.make.after = std::iter::once(reload()).chain(set(&old.text, &netdev)).collect();
    recipe.unmake = Way {
        before: Vec::new(),
        after: std::iter::once(reload()).chain(set(&netdev, &old.text)).chain(reconfigure(&new)).collect(),
    };
    Ok(recipe)
}

/// The devices that the files make ports of the bridge.
pub(super) fn ports(host: &Host, networks: &[Unit], bridge: &str) -> Result<Vec<String>, Fault> {
    let mut out = Vec::new();
    for device in host.devices.iter().filter(|device| device.name != bridge) {
        // Devices of which nothing can be told have nothing to do with this, unless the kernel says so.
        let unit = match taken(networks, device) {
            Err(fault) if device.master.as_deref() == Some(bridge) => return Err(fault),
            other => other.ok().flatten(),
        };
        if unit.is_some_and(|unit| unit.get("Network", "Bridge") == Some(bridge)) {
            out.push(device.name.clone());
        }
    }
    Ok(out)
}

fn is_as_asked(has: &Found, own: &Unit, ask: &Ask) -> bool {
    let is_addressed = match &ask.addresses {
        Addresses::Keep => true,
        Addresses::Dhcp => has.dhcp4 && has.addresses.is_empty(),
        Addresses::None => !has.dhcp4 && has.addresses.is_empty(),
        Addresses::Static(nets) => !has.dhcp4 && has.addresses == *nets,
    };
    let is_kept = ask.addresses == Addresses::Keep;
    let dns: Vec<&str> = own.all("Network", "DNS").flat_map(str::split_whitespace).collect();
    let asked: Vec<String> = ask.dns.iter().map(ToString::to_string).collect();
    let has_gateways = ask.gateways.iter().all(|gateway| has.gateways.contains(gateway));
    is_addressed && has_gateways && (is_kept && asked.is_empty() || dns == asked)
}
