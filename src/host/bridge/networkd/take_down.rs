//! The way back: the first port gets what the bridge has.

use super::again::ports;
use super::files::Files;
use super::identity::{pin, unpin};
use super::make::{bridge_device, command, reconfigure};
use super::net::found;
use super::parts::{join, split};
use super::text::Text;
use super::units::{ETC, Unit, name_for, taken, units};
use super::{make, netdev, port};
use crate::host::bridge::{Addresses, Ask, Fault, Found, Host, HostDevice, Recipe, Way};

/// What stands on a device, as `[Network]` names it.
const ON_TOP: &[&str] = &["VLAN", "MACVLAN", "MACVTAP", "IPVLAN", "IPVTAP", "VXLAN", "MACsec"];

/// What the files say of the bridge.
struct Bridge<'a> {
    host: &'a Host,
    networks: Vec<Unit>,
    netdev: Unit,
    /// The `.network` file for it, if it is there.
    own: Option<Unit>,
    /// Its ports, the first first.
    ports: Vec<String>,
}

pub(super) fn take_down(host: &Host, name: &str) -> Result<Recipe, Fault> {
    let bridge = read(host, name)?;
    let mut recipe = Recipe::default();
    match bridge.as_it_was(name) {
        Some(files) => {
            let after: Vec<_> = host
                .files
                .iter()
                .filter(|file| !files.changes.iter().any(|change| change.path == file.path))
                .cloned()
                .collect();
            let after = Host { files: after, ..host.clone() };
            let first = bridge.ports.first().map(|port| port::device(host, port)).transpose()?;
            let networks = units(&after, ".network");
            let unit = first.and_then(|device| taken(&networks, device).ok().flatten());
            recipe.found = unit.map(|unit| found(unit.texts())).unwrap_or_default();
            recipe.files = files.changes;
        }
        None => bridge.move_back(name, &mut recipe)?,
    }
    let is_there = host.device(name).is_some();
    let delete = is_there.then(|| command(&["networkctl", "delete", name]));
    let reload = command(&["networkctl", "reload"]);
    // In this order: see `make`.
    recipe.make.after = [reload.clone()].into_iter().chain(delete).collect();
    // Reloading makes the bridge again. The ports' files may be as networkd knows them; then it does nothing for them.
    recipe.unmake = Way {
        before: Vec::new(),
        after: std::iter::once(reload).chain(reconfigure(&bridge.ports)).collect(),
    };
    Ok(recipe)
}

fn read<'a>(host: &'a Host, name: &str) -> Result<Bridge<'a>, Fault> {
    let networks = units(host, ".network");
    let netdevs = units(host, ".netdev");
    let netdev =
        netdevs.into_iter().find(|unit| unit.get("NetDev", "Name") == Some(name)).ok_or_else(|| {
            Fault::new(
                format!("no .netdev file of systemd-networkd makes {name}"),
                "use the backend that made it",
            )
        })?;
    if netdev.get("NetDev", "Kind") != Some("bridge") {
        return Err(Fault::new(format!("{}: {name} is no bridge", netdev.path), "name a bridge"));
    }
    if !netdev.is_in_etc() {
        let help =
            if netdev.name.contains("netplan") { "use `--backend netplan`" } else { "take it down there" };
        return Err(Fault::new(format!("{}: another program makes {name}", netdev.path), help));
    }
    let mac = netdev.get("NetDev", "MACAddress").map(|mac| mac.replace('-', ":").to_lowercase());
    let device = bridge_device(name, mac.as_deref());
    let own = taken(&networks, &device)?.cloned();
    if let Some(own) = &own {
        for key in ON_TOP {
            if let Some(device) = own.get("Network", key).filter(|device| !device.is_empty()) {
                return Err(Fault::new(
                    format!("{}: {device} is on {name}", own.path),
                    format!("move `{key}={device}` to the NIC's file, or take it out"),
                ));
            }
        }
    }
    let mut ports = ports(host, &networks, name)?;
    // The bridge has the MAC address of the first.
    let is_first = |port: &String| {
        let device = host.device(port);
        mac.is_some() && device.is_some_and(|d| d.mac == mac || d.permanent_mac == mac)
    };
    if let Some(at) = ports.iter().position(is_first) {
        ports[..=at].rotate_right(1);
    }
    Ok(Bridge { host, networks, netdev, own, ports })
}

impl Bridge<'_> {
    fn unit_of(&self, device: &HostDevice) -> Result<&Unit, Fault> {
        let gone = || Fault::new(format!("no .network file is for {}", device.name), "write one");
        taken(&self.networks, device)?.ok_or_else(gone)
    }

    /// If the bridge's and the ports' files are those that come out when they are removed and made again, they are removed:
    /// what they were made of is still there.
    fn as_it_was(&self, name: &str) -> Option<Files<'_>> {
        let mut gone: Vec<String> = vec![self.netdev.path.clone()];
        let ports = self.ports.iter().map(|port| self.unit_of(self.host.device(port)?).ok());
        let units: Vec<&Unit> = ports.chain([self.own.as_ref()]).collect::<Option<_>>()?;
        for unit in units {
            gone.push(unit.path.clone());
            gone.extend(unit.drops.iter().map(|drop| drop.path.clone()));
        }
        if gone.iter().any(|path| !path.starts_with(ETC)) {
            return None;
        }
        let left = self.host.files.iter().filter(|file| !gone.contains(&file.path)).cloned().collect();
        let mut before = Host { files: left, ..self.host.clone() };
        before.devices.retain(|device| device.name != name);
        let ask = Ask {
            bridge: name.into(),
            ports: self.ports.clone(),
            addresses: Addresses::Keep,
            gateways: Vec::new(),
            dns: Vec::new(),
            stp: netdev::stp(&self.netdev.text),
            forward_delay: netdev::forward_delay(&self.netdev.text)?,
            mac: self.netdev.get("NetDev", "MACAddress")?.to_string(),
        };
        let again = make::make(&before, &ask).ok()?;
        let bare = |text: &str| {
            let mut text = Text::read(text);
            unpin(&mut text);
            text.write()
        };
        let is_same = again.files.len() == gone.len()
            && again.files.iter().all(|file| {
                let now = self.host.text(&file.path).filter(|_| gone.contains(&file.path)).map(bare);
                now == file.after.as_deref().map(bare)
            });
        let mut files = Files::new(self.host);
        let removed = gone.iter().map(|path| files.put(path, None)).collect::<Result<Vec<()>, _>>();
        (is_same && removed.is_ok()).then_some(files)
    }

    fn move_back(&self, name: &str, recipe: &mut Recipe) -> Result<(), Fault> {
        let mut files = Files::new(self.host);
        files.put(&self.netdev.path, None)?;
        for drop in self.netdev.drops.iter().filter(|drop| drop.path.starts_with(ETC)) {
            files.put(&drop.path, None)?;
        }
        let (mut main, mut drops) = (Text::read(""), Vec::new());
        if let Some(own) = &self.own {
            main = split(&own.text, None).1;
            drops = own.drops.iter().map(|drop| (drop.name.clone(), split(&drop.text, None).1)).collect();
            let device = bridge_device(name, None);
            if own.is_in_etc() && port::is_only_of(self.host, &self.networks, own, &device) {
                files.put(&own.path, None)?;
                for drop in own.drops.iter().filter(|drop| drop.path.starts_with(ETC)) {
                    files.put(&drop.path, None)?;
                }
            }
        }
        let before = main.clone();
        unpin(&mut main);
        drops.retain(|(_, text)| text.has_keys());
        let texts: Vec<Text> = drops.iter().map(|(_, text)| text.clone()).collect();
        if let Some(device) = self.host.device(name).filter(|_| main == before) {
            recipe.notes.extend(pin(&mut main, &texts, device));
        }
        recipe.found = found(std::iter::once(&main).chain(&texts));

        let Some((first, others)) = self.ports.split_first() else {
            recipe.notes.push(format!("{name} has no port: what it has goes with it."));
            recipe.found = Found::default();
            recipe.files = files.changes;
            return Ok(());
        };
        let device = port::device(self.host, first)?;
        let unit = self.unit_of(device)?;
        // A file for several ports stays theirs, and the first gets one of its own.
        let mut done: Vec<String> = vec![unit.path.clone()];
        let name_of = if port::is_only_of(self.host, &self.networks, unit, device) {
            let text = if unit.text.all("Network", "Bridge").any(|own| own == name) {
                join(&unit.text, &main, name)
            } else {
                let mut text = unit.text.clone();
                text.sections.extend(main.sections.iter().cloned());
                text
            };
            files.put(&self.ours(unit)?.path, Some(text.write()))?;
            unit.name.clone()
        } else {
            let own = name_for(&self.networks, device, None, ".network")?;
            let mut text = Text::new(&main);
            text.push("Match", "Name", first, None);
            text.sections.extend(main.sections.iter().cloned());
            port::spaced(&mut text);
            files.put(&format!("{ETC}{own}"), Some(text.end_like(&main).write()))?;
            files.put(&self.ours(unit)?.path, Some(manual(&unit.text, name).write()))?;
            own
        };
        for (drop, text) in &drops {
            let path = format!("{ETC}{name_of}.d/{drop}");
            let Some(old) = self.host.text(&path) else {
                files.put(&path, Some(text.write()))?;
                continue;
            };
            let mut all = Text::read(old);
            let mut more = text.sections.clone();
            if let Some(first) = more.first_mut().filter(|first| first.lead.is_empty()) {
                first.lead = all.section("").lead;
            }
            all.sections.extend(more);
            files.put(&path, Some(all.write()))?;
        }
        self.free(unit, name, &mut files)?;
        for other in others {
            let unit = self.unit_of(port::device(self.host, other)?)?;
            if !done.contains(&unit.path) {
                done.push(unit.path.clone());
                files.put(&self.ours(unit)?.path, Some(manual(&unit.text, name).write()))?;
                self.free(unit, name, &mut files)?;
            }
            recipe.notes.push(format!("{other} has no addresses afterwards."));
        }
        recipe.files = files.changes;
        Ok(())
    }

    /// Takes `Bridge=` out of what adds to a file.
    fn free(&self, unit: &Unit, bridge: &str, files: &mut Files<'_>) -> Result<(), Fault> {
        for drop in &unit.drops {
            let mut text = drop.text.clone();
            let taken = text.take(|section, item| {
                section.name == "Network" && item.key == "Bridge" && item.value == bridge
            });
            if taken.is_empty() {
                continue;
            }
            if !drop.path.starts_with(ETC) {
                return Err(foreign(&drop.path, bridge));
            }
            files.put(&drop.path, text.has_keys().then(|| text.write()))?;
        }
        Ok(())
    }

    fn ours<'u>(&self, unit: &'u Unit) -> Result<&'u Unit, Fault> {
        let bridge = self.netdev.get("NetDev", "Name").unwrap_or_default();
        if unit.is_in_etc() { Ok(unit) } else { Err(foreign(&unit.path, bridge)) }
    }
}

fn foreign(path: &str, bridge: &str) -> Fault {
    Fault::new(
        format!("{path}: `Bridge={bridge}` stands in a file that isn't the administrator's"),
        "copy it to /etc/systemd/network/, then try again",
    )
}

/// A port that becomes a NIC without addresses.
fn manual(text: &Text, bridge: &str) -> Text {
    let mut none = Text::new(text);
    none.push("Network", "LinkLocalAddressing", "no", None);
    none.push("Network", "IPv6AcceptRA", "no", None);
    join(text, &none, bridge)
}
