//! A bridge of the host's, made or taken down as a whole.
//!
//! As with networks, all of it is one text: whether the bridge is there, and the files that make it. Putting the text
//! opens a window ([`super::window`]).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::journal::journal_dir;
use super::window::{self, Deed, Verified, Want};
use crate::host::bridge::masked;
use crate::host::bridge::{Checkpoint, Command, FileChange, Way};
use crate::problem::{Problem, escaped};
use crate::sys::answers::Ssh;
use crate::sys::armed::Armed;
use crate::sys::files;
use crate::sys::kernel::{Kernel, Kind};
use crate::sys::netstate::{self, DeviceState};

/// What the window of an undo has behind the change's own id.
pub(super) const UNDO: &str = "-undo";

/// A bridge, with how it is made and how it is taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostBridge {
    /// Tells this change from others.
    pub id: String,
    /// The bridge.
    pub bridge: String,
    /// What configures the host.
    pub backend: String,
    /// The files, each with the mode that it gets if it is new.
    pub files: Vec<(String, u32)>,
    /// The devices that it is about.
    pub devices: Vec<String>,
    /// What this change makes of it.
    pub after: Side,
    /// What there was before.
    pub before: Side,
    /// The backend's own way back.
    pub checkpoint: Option<Checkpoint>,
    /// The commands at boot, after files were put back before the network is configured.
    pub boot: Vec<Command>,
    /// Unless it is confirmed within these seconds, everything is put back.
    pub timeout: u64,
    /// The lasting addresses that the preview found on the devices; none if they aren't looked at, as after a change is read
    /// from the journal.
    #[serde(skip)]
    pub lasting: BTreeMap<String, Vec<String>>,
}

/// The addresses of these devices that don't run out. They move with the files, which must have them all.
///
/// # Errors
/// `ip` can't be asked.
pub fn lasting(devices: &[String]) -> Result<BTreeMap<String, Vec<String>>> {
    let of = |device: DeviceState| {
        let all = device.addresses.into_iter().filter(|address| !address.is_dynamic);
        let mut all: Vec<String> = all.map(|address| address.cidr).collect();
        all.sort();
        (device.name, all)
    };
    Ok(netstate::look(devices)?.devices.into_iter().map(of).collect())
}

/// The host's network with or without the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// In words: `makes bridge br0 of enp4s0`.
    pub headline: String,
    /// The texts of the files.
    pub texts: Vec<Option<String>>,
    /// The commands that bring it into force from the other side.
    pub way: Way,
    /// What is found then.
    pub want: Want,
    /// The device that has the addresses on the other side.
    pub takes_over: Option<String>,
    /// Does the admin's connection survive the way here?
    pub ssh_survives: bool,
    /// Commands that are said after it is confirmed.
    pub next: Vec<String>,
}

/// The text of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    bridge: bool,
    files: BTreeMap<String, Option<String>>,
}

impl HostBridge {
    /// The text of a side.
    pub fn text(&self, side: &Side) -> String {
        let paths = self.files.iter().map(|(path, _)| path.clone());
        let files = paths.zip(side.texts.iter().cloned()).collect();
        let bridge = side.want.gone.is_none();
        serde_json::to_string(&Standing { bridge, files }).unwrap_or_default()
    }

    /// As it is now.
    ///
    /// # Errors
    /// A file can't be read.
    pub(super) fn read(&self) -> Result<String> {
        let mut now = BTreeMap::new();
        for (path, _) in &self.files {
            let bytes = files::read_if_there(Path::new(path));
            let bytes = bytes.with_context(|| format!("cannot read {}", escaped(Path::new(path))))?;
            now.insert(path.clone(), bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
        let bridge = Kernel::default().device(&self.bridge).is_some_and(|device| device.kind == Kind::Bridge);
        Ok(serde_json::to_string(&Standing { bridge, files: now })?)
    }

    /// Makes it as the text says.
    ///
    /// # Errors
    /// As [`window::carry_out`].
    pub(super) fn put(&self, text: &str, tell: &dyn Fn(&str)) -> Result<Verified> {
        let forward = text == self.text(&self.after);
        let open = window::open()?.filter(|window| window.id == self.id);
        if let (false, Some(_), Some(armed)) = (forward, open, Armed::found()) {
            window::put_back(&armed, "it was undone")?;
            return Ok(Verified { checks: Vec::new(), deadline: 0 });
        }
        self.is_as_previewed()?;
        let (side, other) = if forward { (&self.after, &self.before) } else { (&self.before, &self.after) };
        let texts = other.texts.iter().cloned().zip(side.texts.iter().cloned());
        let files = self.files.iter().zip(texts).map(|((path, mode), (before, after))| FileChange {
            path: path.clone(),
            before,
            after,
            mode: *mode,
        });
        let deed = Deed {
            id: if forward { self.id.clone() } else { format!("{}{UNDO}", self.id) },
            bridge: self.bridge.clone(),
            headline: side.headline.clone(),
            backend: self.backend.clone(),
            files: files.filter(|file| file.before != file.after).collect(),
            make: side.way.clone(),
            unmake: other.way.clone(),
            checkpoint: self.checkpoint.clone(),
            is_lenient: !forward,
            boot: self.boot.clone(),
            devices: self.devices.clone(),
            want: side.want.clone(),
            takes_over: side.takes_over.clone(),
            ssh: Ssh::of_process().filter(|ssh| side.ssh_survives && ssh.stands()),
            timeout: Duration::from_secs(self.timeout),
            journal: journal_dir().ok(),
            next: side.next.clone(),
        };
        window::carry_out(&deed, tell)
    }

    /// Have the devices the addresses that they had in the preview?
    fn is_as_previewed(&self) -> Result<()> {
        let now = if self.lasting.is_empty() { BTreeMap::new() } else { lasting(&self.devices)? };
        for (device, before) in &self.lasting {
            let now = now.get(device).map_or(&[][..], Vec::as_slice);
            if let Some(new) = now.iter().find(|cidr| !before.contains(cidr)) {
                return Err(Problem::new(
                    format!("{device} has got the address {new} since the preview was made"),
                    "run it again, for a preview of what is there now",
                ));
            }
        }
        Ok(())
    }

    /// A text in words.
    pub(super) fn shown(&self, text: &str) -> String {
        let Ok(standing) = serde_json::from_str::<Standing>(text) else { return String::new() };
        let mut out = format!("bridge {}: {}\n", self.bridge, if standing.bridge { "yes" } else { "no" });
        for (path, text) in &standing.files {
            let _ = match text {
                Some(text) => {
                    write!(
                        out,
                        "{path}:\n{}{}",
                        masked(path, text),
                        if text.ends_with('\n') { "" } else { "\n" }
                    )
                }
                None => writeln!(out, "{path}: not there"),
            };
        }
        out
    }

    /// Is what is found what was asked for?
    ///
    /// # Errors
    /// Says what is wrong.
    pub(super) fn agrees(&self, after: &str, stored: &str) -> Result<(), String> {
        let parse = |text: &str| serde_json::from_str::<Standing>(text).map_err(|e| e.to_string());
        let (after, stored) = (parse(after)?, parse(stored)?);
        if after.bridge != stored.bridge {
            return Err(format!(
                "bridge {} is {}there",
                self.bridge,
                if stored.bridge { "" } else { "not " }
            ));
        }
        match after.files.iter().find(|(path, text)| stored.files.get(*path) != Some(text)) {
            Some((path, _)) => Err(format!("{path} is another")),
            None => Ok(()),
        }
    }
}
