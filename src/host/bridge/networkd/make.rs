//! A bridge that isn't there yet.

use super::files::Files;
use super::identity::pin;
use super::net::{ask_for, found};
use super::text::Text;
use super::units::{ETC, name_for, units};
use super::{again, netdev, port};
use crate::host::Kind;
use crate::host::bridge::{Addresses, Ask, Command, Fault, Host, HostDevice, Recipe, Way};

/// A command's words.
pub(super) fn command(words: &[&str]) -> Command {
    words.iter().map(ToString::to_string).collect()
}

/// The bridge, as networkd would match it.
pub(super) fn bridge_device(name: &str, mac: Option<&str>) -> HostDevice {
    HostDevice { name: name.into(), mac: mac.map(Into::into), kind: Kind::Bridge, ..HostDevice::default() }
}

pub(super) fn make(host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
    let networks = units(host, ".network");
    let bridge = &ask.bridge;
    let netdevs = units(host, ".netdev");
    if let Some(netdev) = netdevs.iter().find(|unit| unit.get("NetDev", "Name") == Some(bridge)) {
        return again::make(host, ask, &networks, netdev);
    }
    let own =
        networks.iter().find(|unit| unit.is_of_one() && unit.all("Match", "Name").any(|name| name == bridge));
    if let Some(own) = own {
        return Err(Fault::new(
            format!("{}: this is for {bridge}, but no .netdev file makes that", own.path),
            "remove it, or choose another name",
        ));
    }
    let (Some(first), Some(others)) = (ask.ports.first(), ask.ports.get(1..)) else {
        return Err(Fault::new("no port is named", "name one with `--port`"));
    };
    let mut files = Files::new(host);
    let first_device = port::device(host, first)?;
    let made = port::make(host, &networks, &mut files, first, bridge)?;
    if made.path.is_none() && ask.addresses == Addresses::Keep {
        return Err(Fault::new(
            format!("no .network file of systemd-networkd is for {first}"),
            "use the backend that configures it, or say with `--address` what the bridge shall have",
        ));
    }
    let mut recipe = Recipe { notes: made.notes.clone(), ..Recipe::default() };
    let mut main = made.net.clone();
    let mut drops: Vec<Text> = made.drops.iter().map(|(_, text)| text.clone()).collect();
    let lost = ask_for(&mut main, &mut drops, ask);
    if !lost.is_empty() {
        recipe.notes.push(format!(
            "What {} said of {first} goes: {}.",
            made.path.as_deref().unwrap_or_default(),
            lost.iter().map(|line| format!("`{line}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    recipe.notes.extend(pin(&mut main, &drops, first_device));

    let device = bridge_device(bridge, Some(&ask.mac));
    let name = name_for(&networks, &device, Some(&made.name), ".network")?;
    let mut text = Text::new(&main);
    text.push("Match", "Name", bridge, None);
    text.sections.extend(main.sections.iter().cloned());
    if !made.net.has_keys() || made.net.sections.iter().any(|section| !section.blank().is_empty()) {
        port::spaced(&mut text);
    }
    let stem = name.trim_end_matches(".network");
    if let Some(other) = netdevs.iter().find(|unit| unit.name.strip_suffix(".netdev") == Some(stem)) {
        return Err(Fault::new(
            format!(
                "{}: this file is about {}",
                other.path,
                other.get("NetDev", "Name").unwrap_or("another device")
            ),
            "choose another name for the bridge, or give that file one of its own",
        ));
    }
    let mtu = made.mtu.as_deref();
    files.put(&format!("{ETC}{stem}.netdev"), Some(netdev::new(ask, mtu).write()))?;
    files.put(&format!("{ETC}{name}"), Some(text.end_like(&main).write()))?;
    for ((drop, _), text) in made.drops.iter().zip(&drops).filter(|(_, text)| text.has_keys()) {
        files.put(&format!("{ETC}{name}.d/{drop}"), Some(text.write().trim_start().to_string()))?;
    }
    for other in others {
        recipe.notes.extend(port::make_other(host, &networks, &mut files, other, bridge)?);
    }
    recipe.notes.extend(remarks(host, &ask.ports, std::iter::once(&main).chain(&drops)));
    recipe.found = found(std::iter::once(&main).chain(&drops));
    recipe.files = files.changes;
    recipe.make = Way { before: Vec::new(), after: vec![command(&["networkctl", "reload"])] };
    // networkd never deletes a bridge. Its ports are told first that they are none: if it were gone before, networkd would
    // try to put them into it again, fail, and leave them alone from then on (seen with 252). The last is for ports whose
    // files are as networkd knows them: reloading does nothing for these.
    let reload = command(&["networkctl", "reload"]);
    let delete = command(&["networkctl", "delete", bridge]);
    recipe.unmake.after = [reload, delete].into_iter().chain(reconfigure(&ask.ports)).collect();
    Ok(recipe)
}

/// Makes networkd configure devices anew.
pub(super) fn reconfigure(devices: &[String]) -> impl Iterator<Item = Command> {
    devices.iter().map(|device| command(&["networkctl", "reconfigure", device]))
}

/// What one should know, of VLANs and of addresses that come of a device's name.
pub(super) fn remarks<'a>(host: &Host, ports: &[String], net: impl Iterator<Item = &'a Text>) -> Vec<String> {
    let mut out = Vec::new();
    for device in &host.devices {
        if let Some(port) = device.below.as_ref().filter(|below| ports.contains(below)) {
            out.push(format!(
                "{} stays on {port}: its tagged frames go to it and don't reach the bridge.",
                device.name
            ));
        }
    }
    let is_stable = |text: &Text| {
        let mode = text.get("Network", "IPv6LinkLocalAddressGenerationMode");
        let tokens = text.all("IPv6AcceptRA", "Token").chain(text.all("Network", "IPv6Token"));
        mode.is_some_and(|mode| mode.contains("stable"))
            || tokens.into_iter().any(|t| t.contains("prefixstable"))
    };
    if net.into_iter().any(is_stable) {
        out.push(
            "Stable IPv6 addresses are made of the device's name too: the bridge gets other ones.".into(),
        );
    }
    out
}
