//! What is written down of a change of the host's network while it isn't confirmed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::host::bridge::{Checkpoint, Command, Way};
use crate::sys::answers::Ssh;
use crate::sys::armed::{Alarm, Alive, Armed, Boot};
use crate::sys::aside::Aside;
use crate::sys::clock;
use crate::sys::kept::Kept;
use crate::sys::netstate::NetState;

/// How far a window has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is being made.
    Making,
    /// It is made and verified, and waits to be confirmed.
    Waiting,
    /// It is being put back.
    PuttingBack,
    /// It stays; what is left of the way back is being taken away.
    Confirmed,
    /// It is put back; what is left of the way back is being taken away.
    PutBack,
}

/// A change of the host's network that isn't confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Tells it from others.
    pub id: String,
    /// The bridge that it is about.
    pub bridge: String,
    /// What it does, in words.
    pub headline: String,
    /// What configures the host.
    pub backend: String,
    /// How far it has come.
    pub phase: Phase,
    /// When it is put back unless it is confirmed, in seconds since 1970.
    pub deadline: u64,
    /// Who makes it, as long as it does.
    pub maker: Option<Alive>,
    /// Who puts it back.
    #[serde(default)]
    pub putter: Option<Alive>,
    /// The files.
    pub files: Vec<Kept>,
    /// What others may write meanwhile.
    #[serde(default)]
    pub asides: Vec<Aside>,
    /// The commands around putting the files back.
    pub unmake: Way,
    /// The backend's own way back, with its name once it is taken.
    pub checkpoint: Option<(Checkpoint, Option<String>)>,
    /// Those at boot, after the files were put back and before the network is configured.
    pub boot: Vec<Command>,
    /// The devices that it is about.
    pub devices: Vec<String>,
    /// What the kernel had of them.
    pub before: NetState,
    /// The admin's connection.
    pub ssh: Option<Ssh>,
    /// The start of the host's in which it is made.
    #[serde(default)]
    pub boot_of: Option<Boot>,
    /// What waits for the moment, once it does.
    pub alarm: Option<Alarm>,
    /// Was anything touched? Until then there is nothing to put back but names that were added.
    pub begun: bool,
    /// The folder of the journal in which it stands.
    pub journal: Option<PathBuf>,
    /// Commands that are said after it is confirmed.
    pub next: Vec<String>,
}

impl Window {
    /// That which is written down in a folder.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn read(armed: &Armed) -> Result<Option<Window>> {
        let Some(text) = armed.record().context("what waits to be confirmed can't be read")? else {
            return Ok(None);
        };
        let window = serde_json::from_str(&text).with_context(|| {
            format!("{}: what waits to be confirmed can't be understood", armed.folder().display())
        })?;
        Ok(Some(window))
    }

    /// Writes it down.
    ///
    /// # Errors
    /// The disk is full, or the folder can't be written to.
    pub(super) fn write(&self, armed: &Armed) -> Result<()> {
        let folder = armed.folder().display();
        armed
            .write(&serde_json::to_string(self)?)
            .with_context(|| format!("the way back can't be written down in {folder}"))
    }

    /// How it stands, in a sentence.
    pub fn state(&self) -> String {
        let is_armed = || self.alarm.as_ref().is_none_or(Alarm::is_armed);
        let (what, left) = (&self.headline, self.left(clock::unix()));
        match self.phase {
            Phase::PuttingBack => format!("{what}: that is being put back"),
            _ if !is_armed() => format!(
                "not confirmed yet: {what}; nothing puts it back by itself any more: 'kvmnet host bridge confirm' keeps \
                 it, 'kvmnet host bridge revert' puts it back"
            ),
            _ => format!(
                "not confirmed yet: {what}; it is put back in {left} s unless 'kvmnet host bridge confirm' is run"
            ),
        }
    }

    /// Seconds until it is put back.
    pub fn left(&self, now: u64) -> u64 {
        self.deadline.saturating_sub(now)
    }
}
