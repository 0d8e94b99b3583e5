//! Who configures a device.

use super::texts;
use crate::host::Kind;
use crate::host::config::{
    Definition, Device, Ini, Interfaces, SCRIPTS, Script, glob, ifupdown, ini, netplan, network_matches,
};
use crate::model::Network;
use crate::sys::nics::Nic;
use crate::sys::tree::{Tree, is_in_first_network};
use crate::xml::Doc;

/// Somebody who configures a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// `ifupdown`, `netplan`, `networkd`, `networkmanager`, `libvirt`.
    pub(super) backend: &'static str,
    /// The file that says so, if it can be told.
    pub(super) file: Option<String>,
}

/// What all of them say, read once.
pub(super) struct Owners<'a> {
    tree: &'a Tree,
    /// Do notes by the number of a device count?
    numbers_count: bool,
    netplan: Vec<(String, Vec<Definition>)>,
    ifupdown: Vec<(String, Interfaces)>,
    networks: Vec<(String, Ini)>,
    profiles: Vec<(String, Ini)>,
    scripts: Vec<(String, Script)>,
    bridges: Vec<(String, String)>,
    /// Files and folders that can't be read.
    pub(super) unread: Vec<String>,
}

impl<'a> Owners<'a> {
    /// Reads what there is.
    pub(super) fn read(tree: &'a Tree) -> Owners<'a> {
        let numbers_count = !tree.is_here() || is_in_first_network();
        let mut owners = Owners {
            tree,
            numbers_count,
            netplan: Vec::new(),
            ifupdown: Vec::new(),
            networks: Vec::new(),
            profiles: Vec::new(),
            scripts: Vec::new(),
            bridges: Vec::new(),
            unread: Vec::new(),
        };
        if is_installed(tree, &["netplan"]) {
            let files = texts::netplan(tree, &mut owners.unread);
            owners.netplan = files.into_iter().map(|(path, text)| (path, netplan(&text))).collect();
        }
        if is_installed(tree, &["ifup", "ifreload"]) {
            let files = texts::interfaces(tree, &mut owners.unread);
            owners.ifupdown = files.into_iter().map(|(path, text)| (path, ifupdown(&text))).collect();
        }
        if !owners.tree.has("run/systemd/netif/links") && owners.is_enabled("systemd-networkd.service") {
            let folders = ["/etc/systemd/network", "/run/systemd/network"];
            owners.networks = inis(texts::files(tree, &folders, ".network", &mut owners.unread));
        }
        let manager = tree.has("run/NetworkManager") || owners.is_enabled("NetworkManager.service");
        if manager {
            let folders =
                ["/etc/NetworkManager/system-connections", "/run/NetworkManager/system-connections"];
            owners.profiles = inis(texts::files(tree, &folders, "", &mut owners.unread));
            let files = texts::files(tree, &[SCRIPTS], "", &mut owners.unread);
            let script = |(path, text): (String, String)| Some((path.clone(), Script::read(&path, &text)?));
            owners.scripts = files.into_iter().filter_map(script).collect();
        }
        owners.virtual_bridges();
        owners
    }

    /// Those who configure the device, the surest first.
    pub(super) fn of(&self, nic: &Nic, kind: Kind) -> Vec<Owner> {
        let name = nic.link.name.as_str();
        let device = Device {
            name,
            mac: nic.link.mac.as_deref(),
            permanent_mac: nic.link.permanent_mac.as_deref(),
            driver: nic.driver.as_deref(),
            kind: word(kind),
        };
        let owner = |backend, file: Option<&String>| Owner { backend, file: file.cloned() };
        let mut out: Vec<Owner> = Vec::new();
        let mut add = |owner: Owner| {
            if !out.iter().any(|known| known.backend == owner.backend) {
                out.push(owner);
            }
        };
        if let Some((path, _)) =
            self.netplan.iter().rev().find(|(_, all)| all.iter().any(|d| d.is_about(&device)))
        {
            add(owner("netplan", Some(path)));
        }
        for (backend, file) in
            [("networkd", self.networkd(nic, &device)), ("networkmanager", self.manager(nic))]
        {
            let Some(file) = file else { continue };
            // netplan writes the files of both.
            match file.as_deref().map(|file| file.rsplit('/').next().unwrap_or(file)) {
                Some(base) if base.contains("netplan-") => {
                    add(owner("netplan", self.only_netplan().as_ref()));
                }
                _ => add(Owner { backend, file }),
            }
        }
        if let Some((path, _)) = self.ifupdown.iter().find(|(_, file)| file.is_about(name)) {
            add(owner("ifupdown", Some(path)));
        }
        match self.bridges.iter().find(|(_, bridge)| bridge == name) {
            Some((path, _)) => add(owner("libvirt", Some(path))),
            // Its files are root's only.
            None if out.is_empty() && is_libvirts(name, kind) => out.push(owner("libvirt", None)),
            None => {}
        }
        out
    }

    /// What networkd does with it; `Some(None)` is for nothing that has a file.
    fn networkd(&self, nic: &Nic, device: &Device<'_>) -> Option<Option<String>> {
        if self.numbers_count {
            let state = self.tree.word(&format!("run/systemd/netif/links/{}", nic.link.index));
            if let Some(state) = state.map(|text| ini(&text)) {
                return state.get("", "NETWORK_FILE").map(|file| Some(file.to_string()));
            }
        }
        let fits = self.networks.iter().find(|(_, file)| network_matches(file, device));
        fits.map(|(path, _)| Some(path.clone()))
    }

    fn manager(&self, nic: &Nic) -> Option<Option<String>> {
        // What NetworkManager finds configured by others and only looks on at, it writes such a profile for. Those that
        // it makes up for cables without one (`Wired connection 1`) are generated too, but not volatile.
        let is_foreign = |file: &Ini| {
            let is = |key| file.get(".nmmeta", key) == Some("true");
            is("external") || (is("nm-generated") && is("volatile"))
        };
        if self.numbers_count && self.tree.has("run/NetworkManager/devices") {
            let state = self.tree.word(&format!("run/NetworkManager/devices/{}", nic.link.index))?;
            let state = ini(&state);
            if !matches!(state.get("device", "managed"), Some("true" | "1")) {
                return None;
            }
            // It notes the profile down only now and then.
            if let Some(uuid) = state.get("device", "connection-uuid") {
                let is_it = |file: &Ini| file.get("connection", "uuid") == Some(uuid);
                return match self.profiles.iter().find(|(_, file)| is_it(file)) {
                    Some((_, file)) if is_foreign(file) => None,
                    Some((path, _)) => Some(Some(path.clone())),
                    None => {
                        let is_it = |script: &Script| script.get("UUID") == Some(uuid);
                        let script =
                            self.script(|script| is_it(script) || script.is_about(&nic.link.name, None));
                        // Of a profile without a UUID, as netplan writes them, it makes one of the file's path.
                        let is_nameless = |file: &Ini| file.get("connection", "uuid").is_none();
                        Some(script.or_else(|| self.profile(nic, is_nameless)))
                    }
                };
            }
        }
        let path = self.profile(nic, |file| !is_foreign(file));
        let mac = nic.link.permanent_mac.as_deref().or(nic.link.mac.as_deref());
        path.or_else(|| self.script(|script| script.is_about(&nic.link.name, mac))).map(Some)
    }

    /// The profile that a device gets: one that names it before one for many.
    fn profile(&self, nic: &Nic, may_be: impl Fn(&Ini) -> bool) -> Option<String> {
        let (name, mac) = (&nic.link.name, nic.link.permanent_mac.as_ref().or(nic.link.mac.as_ref()));
        let is_named = |file: &Ini| file.get("connection", "interface-name") == Some(name);
        let is_matched = |file: &Ini| {
            let patterns = file.get("match", "interface-name").unwrap_or_default();
            let its_mac = file.get("ethernet", "mac-address").map(str::to_ascii_lowercase);
            file.get("connection", "interface-name").is_none()
                && (patterns.split(';').any(|pattern| !pattern.is_empty() && glob(pattern, name))
                    || its_mac.is_some() && its_mac.as_ref() == mac)
        };
        let find =
            |is: &dyn Fn(&Ini) -> bool| self.profiles.iter().find(|(_, file)| may_be(file) && is(file));
        find(&is_named).or_else(|| find(&is_matched)).map(|(path, _)| path.clone())
    }

    fn script(&self, is_it: impl Fn(&Script) -> bool) -> Option<String> {
        self.scripts.iter().find(|(_, script)| is_it(script)).map(|(path, _)| path.clone())
    }

    fn only_netplan(&self) -> Option<String> {
        match self.netplan.as_slice() {
            [(path, _)] => Some(path.clone()),
            _ => None,
        }
    }

    fn is_enabled(&self, service: &str) -> bool {
        let wanted = |target: &str| format!("etc/systemd/system/{target}.wants/{service}");
        // A link to a file that may be elsewhere.
        ["multi-user.target", "network-online.target"]
            .iter()
            .any(|target| self.tree.target_name(&wanted(target)).is_some())
    }

    /// The bridges of libvirt's networks, where its files can be read.
    fn virtual_bridges(&mut self) {
        let folder = "/etc/libvirt/qemu/networks";
        for name in self.tree.names(folder).unwrap_or_default().iter().filter(|name| name.ends_with(".xml")) {
            let path = format!("{folder}/{name}");
            let Ok(Some(text)) = self.tree.text(&path) else { continue };
            let network = Doc::parse(&text).ok().and_then(|doc| Network::read(&doc).ok());
            if let Some(bridge) = network.filter(|n| n.mode.is_virtual()).and_then(|n| n.bridge) {
                self.bridges.push((path, bridge));
            }
        }
    }
}

/// Is one of these programs there? In a copy of a host's files without its programs, that is taken for granted.
pub(super) fn is_installed(tree: &Tree, programs: &[&str]) -> bool {
    let folders = ["usr/sbin", "sbin", "usr/bin", "bin"];
    let there: Vec<&str> = folders.into_iter().filter(|folder| tree.has(folder)).collect();
    there.is_empty()
        || there.iter().any(|folder| programs.iter().any(|name| tree.has(&format!("{folder}/{name}"))))
}

fn inis(files: Vec<(String, String)>) -> Vec<(String, Ini)> {
    files.into_iter().map(|(path, text)| (path, ini(&text))).collect()
}

fn is_libvirts(name: &str, kind: Kind) -> bool {
    let numbered = |start: &str| {
        name.strip_prefix(start).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    match kind {
        Kind::Bridge => numbered("virbr"),
        Kind::Tap => numbered("vnet"),
        Kind::Macvtap => numbered("macvtap"),
        _ => false,
    }
}

/// networkd's word for a kind.
fn word(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Wifi => "wlan",
        Kind::Wwan => "wwan",
        Kind::Loopback => "loopback",
        Kind::Bridge => "bridge",
        Kind::Bond => "bond",
        Kind::Vlan => "vlan",
        Kind::Tunnel | Kind::Tun | Kind::Infiniband | Kind::Other => return None,
        _ => "ether",
    })
}
