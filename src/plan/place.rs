//! The places where texts stand that kvmnet replaces.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::running;
use crate::sys::files;
use crate::sys::hypervisor::Hypervisor;
use crate::xml;

/// A place where one text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The definition that a guest starts from next.
    Definition {
        /// The guest's UUID.
        uuid: String,
    },
    /// The XML in a guest's saved memory image. What was replaced by nothing (the image thrown away) can't come back.
    SavedImage {
        /// The guest's UUID.
        uuid: String,
    },
    /// One NIC of a running guest, as its `<interface>`; what is put there lasts until the guest ends.
    RunningNic {
        /// The guest's UUID.
        uuid: String,
        /// The NIC's MAC address.
        mac: String,
        /// Is the guest's link taken down and up again, so that it asks for a new address?
        bounce: bool,
    },
    /// A file.
    File {
        /// Its absolute path.
        #[serde(with = "super::path")]
        path: PathBuf,
        /// The mode that it gets if it is new; without one the umask decides.
        mode: Option<u32>,
    },
}

/// The outside as the places need it.
#[derive(Clone, Copy, Default)]
pub struct World<'a> {
    /// The connection to libvirt, if there is one.
    pub host: Option<&'a dyn Hypervisor>,
}

impl<'a> World<'a> {
    fn host(&self) -> Result<&'a dyn Hypervisor> {
        self.host.context("there is no connection to libvirt")
    }
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("host", &self.host.map(|h| h.uri().to_string())).finish()
    }
}

impl Place {
    /// What the place is called in a message.
    pub fn what(&self) -> String {
        match self {
            Place::Definition { .. } => "the stored definition".into(),
            Place::SavedImage { .. } => "the saved memory image".into(),
            Place::RunningNic { mac, .. } => format!("the running guest's NIC {mac}"),
            Place::File { path, .. } => path.display().to_string(),
        }
    }

    /// What stands there now, `None` for nothing.
    ///
    /// # Errors
    /// libvirt or the file can't be read, or the file isn't text any more.
    pub fn read(&self, world: &World<'_>) -> Result<Option<String>> {
        match self {
            Place::Definition { uuid } => world.host()?.definition(uuid),
            Place::SavedImage { uuid } => world.host()?.saved(uuid),
            Place::RunningNic { uuid, mac, .. } => running::read(world.host()?, uuid, mac),
            Place::File { path, .. } => match files::read_if_there(path) {
                Ok(None) => Ok(None),
                Ok(Some(bytes)) => match String::from_utf8(bytes) {
                    Ok(text) => Ok(Some(text)),
                    Err(_) => bail!("{} is no UTF-8 text any more", path.display()),
                },
                Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
            },
        }
    }

    /// Puts a text there, or nothing.
    ///
    /// # Errors
    /// libvirt refuses it, or the file can't be written; the old text then still stands.
    pub fn put(&self, world: &World<'_>, text: Option<&str>) -> Result<()> {
        match (self, text) {
            (Place::Definition { .. }, Some(xml)) => {
                world.host()?.define(xml).context("libvirt refuses the new definition")
            }
            (Place::Definition { .. }, None) => Err(anyhow!("kvmnet never removes a guest's definition")),
            (Place::SavedImage { uuid }, Some(xml)) => world
                .host()?
                .define_saved(uuid, xml)
                .context("libvirt refuses to change the saved memory image"),
            (Place::SavedImage { uuid }, None) => {
                world.host()?.discard_saved(uuid).context("cannot discard the saved memory image")
            }
            (Place::RunningNic { uuid, mac, bounce }, Some(interface)) => {
                running::put(world.host()?, (uuid, mac), interface, *bounce)
            }
            (Place::RunningNic { .. }, None) => Err(anyhow!("kvmnet never unplugs a guest's NIC")),
            (Place::File { path, mode }, Some(text)) => files::replace(path, text.as_bytes(), *mode)
                .with_context(|| format!("cannot write {}; it stays as it was", path.display())),
            (Place::File { path, .. }, None) => {
                files::remove(path).with_context(|| format!("cannot remove {}", path.display()))
            }
        }
    }

    /// Is `stored` what was asked for when `before` gave way to `after`? libvirt may format what it stores, and say so
    /// with the bytes of an announced NIC; a file's bytes are all or nothing.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn agrees(
        &self,
        before: Option<&str>,
        after: Option<&str>,
        stored: Option<&str>,
    ) -> Result<(), String> {
        match (self, before, after, stored) {
            (_, _, after, stored) if after == stored => Ok(()),
            (Place::File { .. }, ..) => Err("it holds something else".into()),
            (Place::RunningNic { .. }, _, Some(after), Some(stored)) => running::agrees(after, stored),
            (_, Some(before), Some(after), Some(stored)) => xml::only_where_announced(before, after, stored),
            (_, _, _, None) => Err("it is gone".into()),
            _ => Err("it is there".into()),
        }
    }
}
