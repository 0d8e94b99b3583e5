//! A bridge is made.

use super::addresses::{KEYS, SECTIONS, found, given};
use super::commands::{checkpoint, load, up};
use super::keyfile::Keyfile;
use super::pin::pin;
use super::port::Port;
use super::profile::{PEOPLE, Profile, profiles};
use super::{id, refuse_cloud};
use crate::host::bridge::{Addresses, Ask, Fault, FileChange, Host, Recipe};

/// NetworkManager refuses files that others may read.
const MODE: u32 = 0o600;

/// The profile of a bridge.
pub(super) fn bridge_of<'a>(all: &'a [Profile], name: &str) -> Result<Option<&'a Profile>, Fault> {
    let mut named = all.iter().filter(|profile| profile.of("interface-name") == Some(name));
    let Some(one) = named.next() else { return Ok(None) };
    if one.kind() != "bridge" {
        return Err(Fault::new(
            format!("{}, for {name}, is of type {}", one.path, one.kind()),
            "give the bridge another name, or remove that profile",
        ));
    }
    if let Some(two) = named.next() {
        return Err(Fault::new(
            format!("{} and {} are both for {name}", one.path, two.path),
            "remove one of them, `nmcli connection reload`, and try again",
        ));
    }
    if !one.is_peoples() {
        return Err(Fault::new(
            format!("{}, the profile of {name}, isn't kept in {PEOPLE}", one.path),
            "whatever program wrote it there has to change it",
        ));
    }
    Ok(Some(one))
}

pub(super) fn change(path: String, before: Option<String>, after: Option<String>) -> Option<FileChange> {
    (before != after).then_some(FileChange { path, before, after, mode: MODE })
}

pub(super) fn make(host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
    let all = profiles(host);
    if let Some(bridge) = bridge_of(&all, &ask.bridge)? {
        return again(host, &all, bridge, ask);
    }
    if host.device(&ask.bridge).is_some() {
        return Err(Fault::new(
            format!("there is a device {}, and no profile of NetworkManager's for it", ask.bridge),
            "give the bridge another name, or remove that device where it is configured",
        ));
    }
    let ports: Vec<Port<'_>> =
        ask.ports.iter().map(|port| Port::of(host, &all, port)).collect::<Result<_, _>>()?;
    let Some(first) = ports.first() else {
        return Err(Fault::new("no port is named", "name the NIC with --port"));
    };
    if first.old.is_none() && ask.addresses == Addresses::Keep {
        return Err(Fault::new(
            format!(
                "{} has no profile of NetworkManager's, so there are no addresses to keep",
                first.device.name
            ),
            "say where the bridge's addresses come from: --address dhcp, none or CIDR",
        ));
    }
    let mut recipe = Recipe { checkpoint: checkpoint(host), ..Recipe::default() };
    let text = bridge_text(host, ask, first, &mut recipe.notes)?;
    recipe.found = found(&Keyfile::parse(&text));
    let path = format!("{PEOPLE}{}.nmconnection", ask.bridge);
    let uuid = bridge_uuid(ask);
    recipe.make.after.extend(load([path.as_str()]));
    recipe.make.after.push(up(&uuid, None));
    let mut new = vec![path.clone()];
    recipe.files.push(new_file(host, path, text)?);
    for (at, port) in ports.iter().enumerate() {
        let (text, uuid) = port.text(&all, ask, &mut recipe.notes);
        let path = port.path(&ask.bridge);
        recipe.make.after.extend(load([path.as_str()]));
        recipe.make.after.push(up(&uuid, Some(&port.device.name)));
        if port.is_edited {
            recipe.unmake.after.extend(load([path.as_str()]));
            let before = port.old.map(|old| old.text.clone());
            recipe.files.extend(change(path, before, Some(text)));
        } else {
            new.push(path.clone());
            recipe.files.push(new_file(host, path, text)?);
        }
        if let Some(old) = port.old {
            recipe.unmake.after.push(up(old.uuid(), Some(&port.device.name)));
        }
        if at > 0 {
            say_lost(port, &ask.bridge, &mut recipe.notes);
        }
    }
    recipe.unmake.after.extend(load(new.iter().map(String::as_str)));
    vlans(&all, &ports, &ask.bridge, &mut recipe.notes);
    Ok(recipe)
}

fn new_file(host: &Host, path: String, text: String) -> Result<FileChange, Fault> {
    if host.text(&path).is_some() {
        return Err(Fault::new(
            format!("{path} is there already, and is something else"),
            "rename that file, `nmcli connection reload`, and try again",
        ));
    }
    Ok(FileChange { path, before: None, after: Some(text), mode: MODE })
}

pub(super) fn bridge_uuid(ask: &Ask) -> String {
    id::uuid(&["bridge", &ask.bridge])
}

fn bridge_text(host: &Host, ask: &Ask, first: &Port<'_>, notes: &mut Vec<String>) -> Result<String, Fault> {
    let (sections, keys) = first.moved();
    let sections = given(&sections, ask, notes)?;
    let name = &ask.bridge;
    let mut lines = vec![
        "[connection]".to_string(),
        format!("id={name}"),
        format!("uuid={}", bridge_uuid(ask)),
        "type=bridge".to_string(),
        "autoconnect-slaves=1".to_string(),
        format!("interface-name={name}"),
    ];
    if let Some(permissions) = first.old.and_then(|old| old.of("permissions")) {
        lines.push(format!("permissions={permissions}"));
    }
    let ending = Keyfile::parse(&sections).ending();
    let mut text = lines.join(ending) + ending + &keys;
    // Not `mac-address` of `[bridge]`: a `cloned-mac-address` for all devices in NetworkManager.conf goes before it, and a
    // bridge that has another one so far is refused as not fit for the profile (seen with 1.42).
    text +=
        &["", "[ethernet]", &format!("cloned-mac-address={}", ask.mac.to_ascii_uppercase()), ""].join(ending);
    if let Some(mtu) = first.mtu() {
        text += &format!("mtu={mtu}{ending}");
    }
    text += &["", "[bridge]", ""].join(ending);
    // Without STP NetworkManager doesn't set the delay, and the kernel doesn't heed it.
    if ask.stp {
        text += &format!("forward-delay={}{ending}", ask.forward_delay);
    }
    text += &format!("stp={}{ending}", ask.stp);
    let mut whole = Keyfile::parse(&text);
    let mut sections = Keyfile::parse(&sections);
    pin(&mut sections, host, ask, first, notes);
    whole.put(&sections.text());
    Ok(whole.text())
}

fn say_lost(port: &Port<'_>, bridge: &str, notes: &mut Vec<String>) {
    let (sections, keys) = port.moved();
    let found = found(&Keyfile::parse(&sections));
    let name = &port.device.name;
    if port.old.is_some() && (found.dhcp4 || !found.addresses.is_empty() || !keys.is_empty()) {
        let what: Vec<String> = found
            .addresses
            .iter()
            .map(ToString::to_string)
            .chain(found.dhcp4.then(|| "DHCP".to_string()))
            .chain(keys.lines().map(String::from))
            .collect();
        notes.push(format!(
            "{name} loses its own addresses: as a port of {bridge} it has none ({}).",
            what.join(", ")
        ));
    }
}

fn vlans(all: &[Profile], ports: &[Port<'_>], bridge: &str, notes: &mut Vec<String>) {
    for port in ports {
        let name = &port.device.name;
        let is_on = |p: &&Profile| {
            let parent = p.keys.get("vlan", "parent");
            parent == Some(name) || (parent.is_some() && parent == port.old.map(Profile::uuid))
        };
        for vlan in all.iter().filter(is_on) {
            let what = vlan.of("interface-name").or(vlan.of("id")).unwrap_or("a VLAN");
            notes.push(format!("{what} stays on {name}: the frames of its VLAN don't get to {bridge}."));
        }
    }
}

/// The bridge is there: what differs is changed.
pub(super) fn again(host: &Host, all: &[Profile], bridge: &Profile, ask: &Ask) -> Result<Recipe, Fault> {
    refuse_cloud(host, bridge)?;
    let name = &ask.bridge;
    let is_of = |profile: &Profile, port: &str| {
        host.device(port).map_or(profile.of("interface-name") == Some(port), |d| profile.fit(d).is_some())
    };
    let there: Vec<&Profile> = all.iter().filter(|profile| profile.is_port_of(bridge, name)).collect();
    if let Some(other) = there.iter().find(|profile| !ask.ports.iter().any(|port| is_of(profile, port))) {
        let port = other.of("interface-name").or(other.of("id")).unwrap_or_default();
        return Err(Fault::new(
            format!("{} has the port {port} as well ({})", name, other.path),
            format!("name it too (--port {port}), or `kvmnet host bridge delete {name}` first"),
        ));
    }
    let mut recipe = Recipe::default();
    let mut keys = bridge.keys.clone();
    let mac = keys.get("ethernet", "cloned-mac-address").or(keys.get("bridge", "mac-address"));
    if !mac.is_some_and(|mac| mac.eq_ignore_ascii_case(&ask.mac)) {
        keys.remove("bridge", "mac-address");
        keys.set("ethernet", "cloned-mac-address", &ask.mac.to_ascii_uppercase());
    }
    // NetworkManager has it on unless told otherwise.
    if keys.is_true("bridge", "stp").unwrap_or(true) != ask.stp {
        keys.set("bridge", "stp", if ask.stp { "true" } else { "false" });
    }
    let delay = keys.get("bridge", "forward-delay").unwrap_or("15");
    if ask.stp && delay != ask.forward_delay.to_string() {
        keys.set("bridge", "forward-delay", &ask.forward_delay.to_string());
    }
    let sections = keys.sections(SECTIONS);
    let mut wanted = ask.clone();
    if let Addresses::Static(nets) = &ask.addresses {
        let has = found(&Keyfile::parse(&sections));
        let same =
            |a: &[ipnet::IpNet], b: &[ipnet::IpNet]| a.len() == b.len() && a.iter().all(|n| b.contains(n));
        if same(nets, &has.addresses) && !has.dhcp4 {
            wanted.addresses = Addresses::Keep;
        }
    }
    let after = given(&sections, &wanted, &mut recipe.notes)?;
    if after != sections {
        keys.lift_sections(SECTIONS);
        keys.put(&after);
    }
    recipe.found = found(&keys);
    let uuid = bridge.uuid().to_string();
    recipe.files.extend(change(bridge.path.clone(), Some(bridge.text.clone()), Some(keys.text())));
    let mut new: Vec<String> = Vec::new();
    let mut ports: Vec<Port<'_>> = Vec::new();
    for port in ask.ports.iter().filter(|port| !there.iter().any(|profile| is_of(profile, port))) {
        ports.push(Port::of(host, all, port)?);
    }
    for port in &ports {
        let (text, uuid) = port.text(all, ask, &mut recipe.notes);
        let path = port.path(name);
        recipe.make.after.extend(load([path.as_str()]));
        recipe.make.after.push(up(&uuid, Some(&port.device.name)));
        if port.is_edited {
            recipe.unmake.after.extend(load([path.as_str()]));
            recipe.files.extend(change(path, port.old.map(|old| old.text.clone()), Some(text)));
        } else {
            new.push(path.clone());
            recipe.files.push(new_file(host, path, text)?);
        }
        if let Some(old) = port.old {
            recipe.unmake.after.push(up(old.uuid(), Some(&port.device.name)));
        }
        say_lost(port, name, &mut recipe.notes);
    }
    recipe.unmake.after.extend(load(new.iter().map(String::as_str)));
    if recipe.files.iter().any(|file| file.path == bridge.path) {
        // Activated anew, it takes its ports with it or lets them go, by autoconnect-slaves: they are told too.
        let mut both = Vec::from_iter(load([bridge.path.as_str()]));
        both.push(up(&uuid, None));
        both.extend(there.iter().map(|port| up(port.uuid(), port.of("interface-name"))));
        recipe.make.after.splice(0..0, both.clone());
        recipe.unmake.after.extend(both);
    }
    match recipe.files.is_empty() {
        true => recipe.notes.clear(),
        false => recipe.checkpoint = checkpoint(host),
    }
    vlans(all, &ports, name, &mut recipe.notes);
    Ok(recipe)
}

/// What of `[connection]` a bridge has that is about addresses.
pub(super) fn own_lines(keys: &mut Keyfile) -> String {
    KEYS.iter().map(|key| keys.lift("connection", key)).collect()
}
