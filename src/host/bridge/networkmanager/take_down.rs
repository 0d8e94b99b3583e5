//! A bridge is taken down.

use super::addresses::{SECTIONS, found};
use super::commands::{checkpoint, load, up};
use super::keyfile::Keyfile;
use super::make::{bridge_of, change, own_lines};
use super::pin::unpin;
use super::profile::{Profile, profiles};
use super::{port, refuse_cloud};
use crate::host::bridge::{Fault, Host, HostDevice, Recipe};

pub(super) fn take_down(host: &Host, name: &str) -> Result<Recipe, Fault> {
    let all = profiles(host);
    let Some(bridge) = bridge_of(&all, name)? else {
        return Err(Fault::new(
            format!("NetworkManager has no profile for {name}"),
            "`kvmnet host bridge list` names the bridges that there are",
        ));
    };
    refuse_cloud(host, bridge)?;
    if let Some(vlan) =
        all.iter().find(|p| [Some(name), Some(bridge.uuid())].contains(&p.keys.get("vlan", "parent")))
    {
        return Err(Fault::new(
            format!("{} is a VLAN on {name}", vlan.path),
            "remove it, or give it another parent, before the bridge goes",
        ));
    }
    let ports = in_order(host, &all, bridge, name)?;
    let mut recipe = Recipe { checkpoint: checkpoint(host), ..Recipe::default() };
    let mut gone = vec![bridge.path.clone()];
    recipe.files.extend(change(bridge.path.clone(), Some(bridge.text.clone()), None));
    // The bridge's own profile first, as when it was made.
    recipe.unmake.after.extend(load([bridge.path.as_str()]));
    recipe.unmake.after.push(up(bridge.uuid(), None));
    for (at, (profile, device)) in ports.iter().enumerate() {
        let is_ours = profile.uuid() == port::uuid(name, &device.name);
        let before = match is_ours {
            true => stands_ready(&all, bridge, profile, device, at == 0),
            false => None,
        };
        match before {
            Some(old) => {
                gone.push(profile.path.clone());
                recipe.files.extend(change(profile.path.clone(), Some(profile.text.clone()), None));
                recipe.make.after.extend(old.map(|old| up(old.uuid(), Some(&device.name))));
                if old.is_none() {
                    let name = &device.name;
                    recipe
                        .notes
                        .push(format!("{name} has no profile afterwards, as before it was on the bridge."));
                }
                if at == 0 {
                    recipe.found = old.map(|old| found(&old.keys)).unwrap_or_default();
                }
            }
            None => {
                let keys = released(bridge, profile, device, at == 0);
                if at == 0 {
                    recipe.found = found(&keys);
                } else {
                    recipe.notes.push(format!("{} has no addresses afterwards.", device.name));
                }
                let files = change(profile.path.clone(), Some(profile.text.clone()), Some(keys.text()));
                recipe.files.extend(files);
                recipe.make.after.extend(load([profile.path.as_str()]));
                recipe.make.after.push(up(profile.uuid(), Some(&device.name)));
            }
        }
        recipe.unmake.after.extend(load([profile.path.as_str()]));
        recipe.unmake.after.push(up(profile.uuid(), Some(&device.name)));
    }
    recipe.make.after.extend(load(gone.iter().map(String::as_str)));
    if ports.is_empty() {
        recipe.notes.push(format!("{name} has no port: its addresses go with it."));
    }
    Ok(recipe)
}

/// The ports, the one that gets the addresses first: kvmnet's first port, else the one whose MAC address the bridge has.
fn in_order<'a>(
    host: &Host,
    all: &'a [Profile],
    bridge: &Profile,
    name: &str,
) -> Result<Vec<(&'a Profile, HostDevice)>, Fault> {
    let mac = bridge.keys.get("ethernet", "cloned-mac-address").or(bridge.keys.get("bridge", "mac-address"));
    let mac = mac.map(str::to_ascii_lowercase);
    let mut out: Vec<(bool, &Profile, HostDevice)> = Vec::new();
    for profile in all.iter().filter(|profile| profile.is_port_of(bridge, name)) {
        if !profile.is_peoples() {
            return Err(Fault::new(
                format!(
                    "{}, a port of {name}, isn't kept in /etc/NetworkManager/system-connections",
                    profile.path
                ),
                "whatever program wrote it there has to change it",
            ));
        }
        refuse_cloud(host, profile)?;
        let device = match profile.of("interface-name") {
            Some(port) => host
                .device(port)
                .cloned()
                .or_else(|| Some(HostDevice { name: port.to_string(), ..HostDevice::default() })),
            None => host.devices.iter().find(|device| profile.fit(device).is_some()).cloned(),
        };
        let Some(device) = device else {
            return Err(Fault::new(
                format!("{} names no device of this host", profile.path),
                "remove it, or give it an interface-name, and try again",
            ));
        };
        let has_mac = mac.is_some() && (mac == device.mac || mac == device.permanent_mac);
        out.push((has_mac, profile, device));
    }
    out.sort_by_key(|(has_mac, ..)| !has_mac);
    Ok(out.into_iter().map(|(_, profile, device)| (profile, device)).collect())
}

/// Where kvmnet made a profile for the port because the NIC's own was not to be edited: is that one still there, and does
/// it give what the bridge has? The outer `Option` is that there is no need for the port's own profile.
fn stands_ready<'a>(
    all: &'a [Profile],
    bridge: &Profile,
    port: &Profile,
    device: &HostDevice,
    is_first: bool,
) -> Option<Option<&'a Profile>> {
    let mut others: Vec<&Profile> = all
        .iter()
        .filter(|p| p.uuid() != port.uuid() && p.controller().is_none() && p.starts_itself())
        .filter(|p| !p.is_foreign() && p.fit(device).is_some())
        .collect();
    others.sort_by_key(|p| (-p.priority(), p.path.starts_with("/run/")));
    if !is_first {
        return Some(others.first().copied());
    }
    let old = others.first()?;
    let mut keys = bridge.keys.clone();
    unpin(&mut keys, bridge, port, device);
    let (mut a, mut b) = (old.keys.clone(), keys);
    let same = own_lines(&mut a) == own_lines(&mut b) && a.sections(SECTIONS) == b.sections(SECTIONS);
    same.then_some(Some(*old))
}

/// A port's profile that is none any more.
fn released(bridge: &Profile, port: &Profile, device: &HostDevice, is_first: bool) -> Keyfile {
    let mut keys = port.keys.clone();
    for key in ["master", "slave-type", "controller", "port-type"] {
        keys.remove("connection", key);
    }
    keys.lift_sections(&["bridge-port"]);
    // Those of a port don't count, whoever wrote them.
    keys.lift_sections(SECTIONS);
    let mut from = bridge.keys.clone();
    if is_first {
        let lines = own_lines(&mut from);
        if !lines.is_empty() {
            keys.append("connection", &lines);
        }
        let mut sections = Keyfile::parse(&from.sections(SECTIONS));
        unpin(&mut sections, bridge, port, device);
        keys.put(&sections.text());
    } else {
        keys.put(&["", "[ipv4]", "method=disabled", "", "[ipv6]", "method=disabled", ""].join(keys.ending()));
    }
    keys
}
