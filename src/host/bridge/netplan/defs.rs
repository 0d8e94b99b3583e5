//! netplan's files together, and the definitions in them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::edit::Doc;
use super::yaml::{Unread, Value};
use crate::host::bridge::{Fault, Found, Host, HostDevice, WayOut};
use crate::host::config::glob;
use crate::host::{Kind, bridge::FileChange};

/// netplan-generate(8): of files of the same name, the one in the first of these folders counts.
const FOLDERS: &[&str] = &["/run/netplan/", "/etc/netplan/", "/lib/netplan/", "/usr/lib/netplan/"];

/// The kinds of definitions, as far as a bridge may have them as ports.
const KINDS: &[&str] =
    &["ethernets", "bonds", "vlans", "dummy-devices", "virtual-ethernets", "wifis", "modems", "tunnels"];

/// All files, one after the other, and what they say together.
#[derive(Debug, Clone)]
pub(super) struct Files<'a> {
    pub(super) host: &'a Host,
    pub(super) docs: Vec<Doc>,
    /// Files beside netplan's own that become others.
    pub(super) beside: Vec<FileChange>,
}

/// What the files say of one device, or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Def {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) value: Value,
    /// The program that brings it into force: `networkd`, `NetworkManager`.
    pub(super) renderer: String,
}

/// A fault in a file.
pub(super) fn fault(path: &str, unread: &Unread) -> Fault {
    Fault::new(format!("{path}:{}: {}", unread.line, unread.why), "write it in a plainer way, then try again")
}

fn base(path: &str) -> Option<(usize, &str)> {
    let below =
        FOLDERS.iter().enumerate().find_map(|(rank, folder)| Some((rank, path.strip_prefix(folder)?)));
    below.filter(|(_, name)| !name.contains('/') && name.ends_with(".yaml"))
}

impl<'a> Files<'a> {
    /// Reads all files that count, in netplan's order.
    pub(super) fn read(host: &'a Host) -> Result<Files<'a>, Fault> {
        let mut all: Vec<(&str, usize, Doc)> = Vec::new();
        for file in &host.files {
            let Some((rank, name)) = base(&file.path) else { continue };
            let doc = Doc::read(&file.path, &file.text).map_err(|unread| fault(&file.path, &unread))?;
            match all.iter_mut().find(|(old, ..)| *old == name) {
                Some(old) if rank < old.1 => *old = (name, rank, doc),
                Some(_) => {}
                None => all.push((name, rank, doc)),
            }
        }
        all.sort_by_key(|(name, ..)| *name);
        Ok(Files { host, docs: all.into_iter().map(|(_, _, doc)| doc).collect(), beside: Vec::new() })
    }

    /// What they say together: what comes later replaces, lists grow.
    pub(super) fn merged(&self) -> Value {
        let mut out = Value::Map(Vec::new());
        for doc in &self.docs {
            merge(&mut out, doc.root.value());
        }
        out
    }

    /// All definitions.
    pub(super) fn defs(&self) -> Vec<Def> {
        let merged = self.merged();
        let mut out = Vec::new();
        let word = |path: &[&str]| merged.at(path).map(Value::word).filter(|word| !word.is_empty());
        for (kind, ids) in merged.at(&["network"]).map(Value::entries).unwrap_or_default() {
            for (id, value) in ids.entries() {
                if id == "renderer" {
                    continue;
                }
                let own = value.at(&["renderer"]).map(Value::word);
                let renderer = own
                    .or_else(|| word(&["network", kind, "renderer"]))
                    .or_else(|| word(&["network", "renderer"]));
                let renderer = renderer.unwrap_or("networkd").to_string();
                out.push(Def { kind: kind.clone(), id: id.clone(), value: value.clone(), renderer });
            }
        }
        out
    }

    /// The files, changed.
    pub(super) fn changes(self) -> Vec<FileChange> {
        let mut out = Vec::new();
        for doc in self.docs {
            let before = self.host.text(&doc.path).map(str::to_string);
            if before.as_ref() != Some(&doc.text) {
                // netplan warns of files that others may read, for there may be secrets in them.
                out.push(FileChange { path: doc.path, before, after: Some(doc.text), mode: 0o600 });
            }
        }
        out.extend(self.beside);
        out
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Map(old), Value::Map(new)) => {
            for (key, value) in new {
                match old.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, there)) => merge(there, value),
                    None => old.push((key, value)),
                }
            }
        }
        (Value::Seq(old), Value::Seq(new)) => old.extend(new),
        (_, Value::Scalar(text)) if text.is_empty() => {}
        (into, new) => *into = new,
    }
}

impl Def {
    /// Is it about this device?
    pub(super) fn is_about(&self, device: &HostDevice) -> bool {
        if !KINDS.contains(&self.kind.as_str()) {
            return false;
        }
        let Some(matches) = self.value.at(&["match"]) else { return self.id == device.name };
        let set = self.value.at(&["set-name"]).map(Value::word);
        let name = matches.at(&["name"]).is_none_or(|names| {
            // What was renamed has lost the name that it was matched by.
            names.items().iter().any(|name| glob(name.word(), &device.name)) || set == Some(&device.name)
        });
        let mac = matches.at(&["macaddress"]).is_none_or(|mac| {
            let mac = mac.word().to_ascii_lowercase();
            device.permanent_mac.as_ref().or(device.mac.as_ref()) == Some(&mac)
        });
        let driver = matches.at(&["driver"]).is_none_or(|drivers| {
            let own = device.driver.as_deref();
            own.is_some_and(|own| drivers.items().iter().any(|driver| glob(driver.word(), own)))
        });
        let is_hardware = !matches!(device.kind, Kind::Vlan | Kind::Bridge | Kind::Bond | Kind::Loopback);
        name && mac && driver && is_hardware
    }

    /// Can it be about one device only?
    pub(super) fn is_of_one(&self) -> bool {
        let Some(matches) = self.value.at(&["match"]) else { return true };
        let is_plain = |word: &Value| !word.word().contains(['*', '?', '[']);
        let names = matches.at(&["name"]).map(Value::items);
        matches.at(&["macaddress"]).is_some()
            || names.is_some_and(|names| names.len() == 1 && names.iter().all(is_plain))
    }

    /// Where it stands.
    pub(super) fn path(&self) -> [&str; 3] {
        ["network", &self.kind, &self.id]
    }

    /// A value of its.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.value.at(&[key])
    }
}

/// What a definition says of addresses.
pub(super) fn found(value: &Value) -> Found {
    let mut out = Found { dhcp4: value.at(&["dhcp4"]).is_some_and(Value::is_yes), ..Found::default() };
    for address in value.at(&["addresses"]).map(Value::items).unwrap_or_default() {
        // With options it is a key: `- 192.0.2.2/24: {label: home}`.
        let word = address.entries().first().map_or(address.word(), |(key, _)| key);
        out.addresses.extend(word.parse::<IpNet>().ok());
    }
    for key in ["gateway4", "gateway6"] {
        out.gateways.extend(value.at(&[key]).and_then(|gateway| gateway.word().parse::<IpAddr>().ok()));
    }
    let routes = value.at(&["routes"]).map(Value::items).unwrap_or_default();
    out.gateways.extend(routes.iter().filter_map(default_via));
    out
}

/// The default routes of all definitions.
pub(super) fn ways_out(host: &Host) -> Vec<WayOut> {
    let Ok(files) = Files::read(host) else { return Vec::new() };
    let of = |def: &Def| {
        let file = files.docs.iter().rfind(|doc| doc.at(&def.path()).is_some());
        let devices = host.devices.iter().filter(|device| def.is_about(device));
        let file = file.map_or("", |doc| doc.path.as_str());
        WayOut::of(&found(&def.value).gateways, file, devices, &def.id)
    };
    files.defs().iter().flat_map(of).collect()
}

/// The gateway, if it is a default route.
pub(super) fn default_via(route: &Value) -> Option<IpAddr> {
    let word = |key: &str| route.at(&[key]).map(Value::word).unwrap_or_default();
    let is_main = ["", "main", "254"].contains(&word("table"));
    let is_default = ["default", "0.0.0.0/0", "::/0", "0/0"].contains(&word("to"));
    (is_main && is_default).then(|| word("via").parse().ok())?
}
