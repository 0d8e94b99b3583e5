//! The host as the backends get it.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::nobody;
use crate::cli::{BackendChoice, BridgeChange};
use crate::cmd::host::owners::{Owner, Owners};
use crate::cmd::host::seen::{self, Seen};
use crate::cmd::host::texts;
use crate::host::Kind;
use crate::host::bridge::{Address, Backend, Host, HostDevice, HostFile, NmDhcp, backend};
use crate::host::config::{cloud_is_off, ini};
use crate::plan::window;
use crate::problem::{Problem, escaped};
use crate::sys::links::Link;
use crate::sys::nics::Nic;
use crate::sys::terminal;
use crate::sys::tree::Tree;

/// What a part of ifupdown is, and comes with a package of its own.
const BRIDGE_UTILS: &str = "lib/bridge-utils/ifupdown.sh";

/// The host below a folder, its devices and what couldn't be read.
pub(super) struct Looked {
    pub(super) tree: Tree,
    pub(super) seen: Vec<Seen>,
    pub(super) unread: Vec<String>,
}

impl Looked {
    /// Looks at this host, or at the files below a folder.
    pub(super) fn below(root: Option<&Path>) -> Result<Looked> {
        let root = root.unwrap_or(Path::new("/"));
        let tree = Tree::below(root).with_context(|| format!("cannot look below {}", escaped(root)))?;
        let (seen, unread) = seen::look(&tree);
        Ok(Looked { tree, seen, unread })
    }

    /// Looks for a change.
    pub(super) fn for_change(args: &BridgeChange) -> Result<Looked> {
        if args.consent.exit_code && !args.consent.dry_run {
            return Err(Problem::new("--exit-code tells of a preview", "add --dry-run"));
        }
        Looked::below(args.root.as_deref())
    }

    /// One change of the host's network is made after the other, and its way back has a place.
    ///
    /// # Errors
    /// One waits to be confirmed, or there is no place.
    pub(super) fn nothing_waits(&self) -> Result<()> {
        if self.tree.is_here() && terminal::is_root() {
            window::place()?;
        }
        match window::open()?.filter(|_| self.tree.is_here()) {
            None => Ok(()),
            Some(window) => Err(Problem::new(
                format!("a change of the host's network waits to be confirmed ({})", window.headline),
                "kvmnet host bridge confirm\nor put it back with 'kvmnet host bridge revert'",
            )),
        }
    }

    /// A device, by any of its names.
    pub(super) fn device(&self, name: &str) -> Option<&Seen> {
        let is = |seen: &&Seen| {
            seen.nic.link.name == name || seen.nic.link.altnames.iter().any(|other| other == name)
        };
        self.seen.iter().find(is)
    }

    /// Who configures a device: the one that was chosen, or the only one who does.
    ///
    /// # Errors
    /// Two do, or none, or it can't be told.
    pub(super) fn backend(&self, name: &str, choice: BackendChoice) -> Result<&'static dyn Backend> {
        let known = |name: &str| {
            backend(name).ok_or_else(|| {
                let help = "its bridges can be made by ifupdown, netplan, networkd and NetworkManager";
                Problem::new(format!("kvmnet can't have {name} configure a bridge"), help)
            })
        };
        if let Some(chosen) = choice.name() {
            return known(chosen);
        }
        let unknown = if self.knows_devices() { Vec::new() } else { self.owners_by_name(name) };
        let owners = self.device(name).map_or(unknown.as_slice(), |seen| seen.owners.as_slice());
        let said = |owner: &Owner| match &owner.file {
            Some(file) => format!("{} ({file})", owner.backend),
            None => owner.backend.to_string(),
        };
        match owners {
            [owner] => known(owner.backend),
            [] if !self.unread.is_empty() => Err(Problem::new(
                format!("who configures {name} can't be told: {} can't be read", self.unread.join(", ")),
                "run it as root (sudo), or say it with --backend",
            )),
            [] => {
                let mac = self.device(name).and_then(|seen| seen.nic.link.mac.as_deref());
                if let Some(why) = nobody::why(&self.tree, name, mac) {
                    return Err(why);
                }
                // What configures all others will do for an idle one as well.
                self.only_backend().map_or_else(
                    || {
                        Err(Problem::new(
                            format!("nothing on this host configures {name}"),
                            "say whose files shall be written: --backend ifupdown, netplan, networkd or networkmanager",
                        ))
                    },
                    known,
                )
            }
            all => Err(Problem::new(
                format!(
                    "{name} is configured by {}",
                    all.iter().map(said).collect::<Vec<_>>().join(" and by ")
                ),
                "have only one of them do it, as they would undo each other's work; or say whose files shall be written with \
                 --backend",
            )),
        }
    }

    /// The backend of all devices that have one, if it is the same. The loopback device is ifupdown's on many hosts whose
    /// network something else configures.
    fn only_backend(&self) -> Option<&'static str> {
        let devices = self.seen.iter().filter(|seen| seen.kind != Kind::Loopback);
        let owners = devices.flat_map(|seen| &seen.owners).map(|owner| owner.backend);
        let mut backends: Vec<&str> = owners.filter(|name| backend(name).is_some()).collect();
        backends.sort_unstable();
        backends.dedup();
        match backends.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Who configures a device of which nothing is known but its name.
    fn owners_by_name(&self, name: &str) -> Vec<Owner> {
        let link = Link { name: name.into(), ..Link::default() };
        Owners::read(&self.tree).of(&Nic { link, ..Nic::default() }, Kind::Ethernet)
    }

    /// The host as a backend gets it.
    pub(super) fn host(&self, backend: &dyn Backend) -> Result<Host> {
        let mut unread = Vec::new();
        let files = files(&self.tree, backend.name(), &mut unread);
        if !unread.is_empty() {
            return Err(Problem::new(
                format!("{} can't be read", unread.join(", ")),
                "run it as root (sudo): only root may read them",
            ));
        }
        let there = backend.looks_for().iter().filter(|what| self.is_there(what));
        Ok(Host {
            files: files.into_iter().map(|(path, text)| HostFile { path, text }).collect(),
            devices: self.seen.iter().map(|seen| self.host_device(seen)).collect(),
            there: there.map(ToString::to_string).collect(),
            cloud_is_off: self.cloud_is_off(),
        })
    }

    /// Does cloud-init leave the network alone, for whatever reason?
    fn cloud_is_off(&self) -> bool {
        let folder = "etc/cloud/cloud.cfg.d";
        let names = self.tree.names(folder).unwrap_or_default();
        let more = names.into_iter().filter(|name| name.ends_with(".cfg"));
        let paths =
            std::iter::once("etc/cloud/cloud.cfg".into()).chain(more.map(|n| format!("{folder}/{n}")));
        // What can't be read says nothing.
        let texts: Vec<String> = paths.filter_map(|path: String| self.tree.word(&path)).collect();
        !self.is_there("cloud-init")
            || self.tree.has("etc/cloud/cloud-init.disabled")
            || cloud_is_off(texts.iter().map(String::as_str))
    }

    /// A program by its name, or a file by its path. Of a copy of a host's configuration without its programs, those are
    /// taken for granted.
    pub(super) fn is_there(&self, what: &str) -> bool {
        let folders = ["usr/sbin", "usr/bin", "sbin", "bin", "usr/local/sbin", "usr/local/bin"];
        let has_programs = self.tree.is_here() || folders.iter().any(|folder| self.tree.has(folder));
        match what.strip_prefix('/') {
            Some(path) => self.tree.has(path) || (path == BRIDGE_UTILS && !has_programs),
            None => !has_programs || folders.iter().any(|folder| self.tree.has(&format!("{folder}/{what}"))),
        }
    }

    /// Are the devices known? Of a copy of another host's configuration they may not be.
    pub(super) fn knows_devices(&self) -> bool {
        self.tree.is_here() || !self.seen.is_empty()
    }

    fn host_device(&self, seen: &Seen) -> HostDevice {
        let link = &seen.nic.link;
        let lower = |mac: &Option<String>| mac.as_ref().map(|mac| mac.to_ascii_lowercase());
        let addresses = link.addresses.iter().flatten().filter_map(|address| {
            let net = address.cidr.parse().ok()?;
            Some(Address { net, is_link: address.scope == "link", is_dynamic: address.is_dynamic })
        });
        // As NetworkManager notes it down; by the device's number, so of this host only.
        let path = format!("run/NetworkManager/devices/{}", link.index);
        let state = self.tree.word(&path).filter(|_| self.tree.is_here()).unwrap_or_default();
        let state = ini(&state);
        let of_manager = |section: &str, key: &str| state.get(section, key).map(String::from);
        HostDevice {
            name: link.name.clone(),
            altnames: link.altnames.clone(),
            kind: seen.kind,
            index: link.index,
            mac: lower(&link.mac),
            permanent_mac: lower(&link.permanent_mac),
            driver: seen.nic.driver.clone(),
            mtu: link.mtu,
            master: link.master.clone(),
            below: seen.below().map(Into::into),
            is_up: link.is_up,
            addresses: addresses.collect(),
            dhcp_client_id: self.client_id(link.index),
            nm_connection: of_manager("device", "connection-uuid"),
            nm_dhcp: NmDhcp {
                client_id: of_manager("dhcp4", "dhcp4.dhcp_client_identifier"),
                duid: of_manager("dhcp6", "dhcp6.dhcp6_client_id"),
                iaid: of_manager("dhcp6", "dhcp6.iaid"),
            },
        }
    }

    /// As networkd notes it down of its leases; by the device's number, so of this host only.
    fn client_id(&self, index: u32) -> Option<String> {
        let lease =
            self.tree.word(&format!("run/systemd/netif/leases/{index}")).filter(|_| self.tree.is_here())?;
        ini(&lease).get("", "CLIENTID").map(Into::into)
    }
}

/// The files that a backend reads.
fn files(tree: &Tree, backend: &str, unread: &mut Vec<String>) -> Vec<(String, String)> {
    match backend {
        "ifupdown" => {
            let mut files = texts::interfaces(tree, unread);
            // What dhclient knows of its server stands in a file of the device's name.
            files.extend(texts::files(tree, &["/var/lib/dhcp"], ".leases", unread));
            files
        }
        "netplan" => {
            let mut files = texts::netplan(tree, unread);
            files.extend(texts::netplan_additions(tree, unread));
            files
        }
        "networkd" => texts::networkd(tree, unread),
        "networkmanager" => texts::networkmanager(tree, unread),
        _ => Vec::new(),
    }
}
