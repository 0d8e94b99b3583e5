//! The places where texts stand that kvmnet replaces.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::host::HostBridge;
use super::journal::Held;
use super::network::{self, Standing};
use super::window::Verified;
use super::{running, taps};
use crate::problem::escaped;
use crate::sys::files;
use crate::sys::hypervisor::Hypervisor;
use crate::sys::swap::swap;
use crate::sys::tap::Ears;
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
    /// A network, with all that libvirt keeps of it.
    Network {
        /// Its name.
        name: String,
        /// Is it stopped and started again if it runs?
        restart: bool,
        /// What was a port of its own bridge besides its guests' taps: put there again when it starts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ports: Vec<String>,
    },
    /// The host's end of a running guest's NIC: the bridge that its tap is a port of, and whether the NIC's network has it
    /// in its books, in words. What was put right isn't put wrong again.
    Tap {
        /// The guest's UUID.
        uuid: String,
        /// The tap (`vnet0`).
        tap: String,
    },
    /// A bridge of the host's, with the files that make it.
    Host(Box<HostBridge>),
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
    /// The shapes of NICs that libvirt's schema has let pass in this run; without it every definition is checked.
    pub shapes: Option<&'a Shapes>,
    /// Who listens to NICs that move while their guests run, and must hear when they have.
    pub ears: Option<&'a Ears>,
    /// Who is told what is being done to the host's network.
    pub teller: Option<&'a (dyn Fn(&str) + Sync)>,
    /// Where what was found of the host's network is put.
    pub verified: Option<&'a Mutex<Option<Verified>>>,
    /// The lock of the journal's folder, if the plan was made under it already; else it is taken to apply the plan.
    pub held: Option<&'a Held>,
}

/// Shapes of NICs that libvirt's schema has let pass.
///
/// Checking a definition against the schema takes libvirtd several times as long as storing it, for it reads the whole
/// schema anew each time. All of a definition but its NICs is libvirt's own writing, taken back unchanged; so of many
/// guests that differ only in what libvirt itself wrote (MAC and PCI addresses), one is checked for all. What is stored
/// is read back and compared for every one of them.
#[derive(Debug, Default)]
pub struct Shapes(Mutex<HashSet<String>>);

impl Shapes {
    /// Must a definition with NICs of this shape still be checked?
    fn is_new(&self, shape: &str) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(shape)
    }

    fn passed(&self, shape: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shape);
    }
}

impl<'a> World<'a> {
    fn tell(&self, said: &str) {
        if let Some(teller) = self.teller {
            teller(said);
        }
    }

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
            Place::Network { name, .. } => format!("network '{name}'"),
            Place::Tap { tap, .. } => format!("the place of tap {tap}"),
            Place::Host(host) => format!("bridge {}", host.bridge),
            Place::File { path, .. } => escaped(path),
        }
    }

    /// The same in a message on a change: of a network that is all there is, and was named already.
    pub fn what_of_it(&self) -> String {
        match self {
            Place::Network { .. } => "it".into(),
            _ => self.what(),
        }
    }

    /// A text as it is shown: without secrets.
    pub fn shown(&self, text: &str) -> String {
        match self {
            Place::Network { .. } => Standing::parse(text)
                .map(|standing| Standing { xml: xml::masked(&standing.xml), ..standing }.to_string())
                .unwrap_or_default(),
            Place::Tap { .. } => text.into(),
            Place::Host(host) => host.shown(text),
            _ => xml::masked(text),
        }
    }

    /// What it is called in the header of a diff, with a word on which of its texts that is.
    pub fn label(&self, which: &str) -> String {
        match self {
            Place::File { .. } => xml::file_label(&self.what(), which),
            _ => format!("{} {which}", self.what()),
        }
    }

    /// May something of a text that could be put there only in part stand? A bridge of the host's has its own way back.
    pub fn takes_several_calls(&self) -> bool {
        matches!(self, Place::Network { .. })
    }

    /// Can what stood there be put back?
    pub fn can_go_back(&self) -> bool {
        !matches!(self, Place::Tap { .. })
    }

    /// Sees to what is a part of how it was, and stands in no text: that a running network's guests are plugged in.
    ///
    /// # Errors
    /// They can't be.
    pub(super) fn make_whole(&self, world: &World<'_>) -> Result<()> {
        match self {
            Place::Network { name, ports, .. } => network::make_whole(world.host()?, name, ports),
            _ => Ok(()),
        }
    }

    /// Who suffers from it as it stands, in words.
    pub(super) fn harm(&self, world: &World<'_>) -> Option<String> {
        let Place::Network { name, ports, .. } = self else { return None };
        let host = world.host?;
        let named = |what: &str, names: Vec<String>| {
            Some(format!("{what}: '{}'", names.join("', '"))).filter(|_| !names.is_empty())
        };
        let guests = named("running guests are cut off", taps::cut_off(host, name).unwrap_or_default());
        let ports = named("no longer on its bridge", taps::loose(host, ports));
        let harm: Vec<String> = guests.into_iter().chain(ports).collect();
        Some(harm.join("; ")).filter(|harm| !harm.is_empty())
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
            Place::Network { name, .. } => network::read(world.host()?, name),
            Place::Tap { uuid, tap } => taps::read(world.host()?, uuid, tap),
            Place::Host(host) => host.read().map(Some),
            Place::File { path, .. } => match files::read_if_there(path) {
                Ok(None) => Ok(None),
                Ok(Some(bytes)) => match String::from_utf8(bytes) {
                    Ok(text) => Ok(Some(text)),
                    Err(_) => bail!("{} is no UTF-8 text any more", escaped(path)),
                },
                Err(e) => Err(e).with_context(|| format!("cannot read {}", escaped(path))),
            },
        }
    }

    /// Puts a text there, or nothing.
    ///
    /// # Errors
    /// libvirt refuses it, or the file can't be written; the old text then still stands, except where
    /// [`Place::takes_several_calls`].
    pub fn put(&self, world: &World<'_>, text: Option<&str>) -> Result<()> {
        match (self, text) {
            (Place::Definition { .. }, Some(xml)) => {
                let known = world.shapes.and_then(|shapes| Some((shapes, xml::nic_shape(xml)?)));
                let validate = known.as_ref().is_none_or(|(shapes, shape)| shapes.is_new(shape));
                world.host()?.define(xml, validate).context("libvirt refuses the new definition")?;
                if let Some((shapes, shape)) = known {
                    shapes.passed(shape);
                }
                Ok(())
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
                running::put(world.host()?, (uuid, mac), interface, *bounce, world.ears)
            }
            (Place::RunningNic { .. }, None) => Err(anyhow!("kvmnet never unplugs a guest's NIC")),
            (Place::Host(host), Some(text)) => {
                let verified = host.put(text, &|said| world.tell(said))?;
                if let Some(seen) = world.verified {
                    *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
                }
                Ok(())
            }
            (Place::Host(_), None) => Err(anyhow!("a bridge of the host's is never nothing")),
            (Place::Network { name, restart, ports }, text) => {
                network::put(world.host()?, name, text, (*restart, ports))
            }
            (Place::Tap { uuid, tap }, text) => taps::put(world.host()?, (uuid, tap), text),
            (Place::File { .. }, text) => match self.swap(world, self.read(world)?.as_deref(), text)? {
                true => Ok(()),
                false => bail!("somebody else is writing {}", self.what()),
            },
        }
    }

    /// Puts `after` where `before` was read a moment ago. A file is looked at once more, with other runs of kvmnet kept
    /// away; if it holds something else, it is left alone, and the answer is `false`. libvirt has no such way, so that its
    /// places must have been looked at just before.
    ///
    /// # Errors
    /// As [`Place::put`].
    pub fn swap(&self, world: &World<'_>, before: Option<&str>, after: Option<&str>) -> Result<bool> {
        let Place::File { path, mode } = self else { return self.put(world, after).map(|()| true) };
        let swapped = swap(path, before.map(str::as_bytes), after.map(str::as_bytes), *mode);
        swapped.with_context(|| match after {
            Some(_) => format!("cannot write {}; it stays as it was", escaped(path)),
            None => format!("cannot remove {}", escaped(path)),
        })
    }

    /// Is `stored`, which isn't what was asked for when `before` gave way to `after`, what the place made of it? Or did
    /// somebody else write there since?
    pub fn made_of(&self, before: Option<&str>, after: Option<&str>, stored: Option<&str>) -> bool {
        match (self, before, after, stored) {
            (_, _, after, stored) if after == stored => true,
            (Place::File { .. }, ..) | (_, _, _, None) => false,
            // Taps look after that themselves.
            (Place::Tap { .. } | Place::Host(_), ..) => true,
            (Place::RunningNic { .. }, Some(before), _, Some(stored)) => {
                running::agrees(before, stored).is_ok()
            }
            (Place::Network { .. }, Some(before), after, Some(stored)) => {
                network::made_of(before, after, stored)
            }
            (_, Some(before), Some(after), Some(stored)) => xml::made_of(before, after, stored),
            (_, Some(_), None, Some(_)) => false,
            // It was made a moment ago, and nobody else knows of it.
            (_, None, _, Some(_)) => true,
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
            (Place::Tap { .. }, _, _, Some(stored)) => Err(format!("it is on {stored}")),
            (Place::RunningNic { .. }, _, Some(after), Some(stored)) => running::agrees(after, stored),
            (Place::Network { .. }, _, Some(after), Some(stored)) => network::agrees(after, stored),
            (Place::Host(host), _, Some(after), Some(stored)) => host.agrees(after, stored),
            (_, Some(before), Some(after), Some(stored)) => xml::only_where_announced(before, after, stored),
            (_, _, _, None) => Err("it is gone".into()),
            _ => Err("it is there".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sys::fake::{Fake, Storing};

    #[test]
    fn each_shape_of_nic_is_checked_once() {
        let (fake, shapes) = (Fake::default(), Shapes::default());
        let world = World { host: Some(&fake), shapes: Some(&shapes), ..World::default() };
        let put = |world: &World<'_>, uuid: &str, nic: &str| {
            let devices = format!("<devices><interface><mac address='{uuid}'/>{nic}</interface></devices>");
            let xml = format!("<domain><uuid>{uuid}</uuid>{devices}</domain>");
            Place::Definition { uuid: uuid.into() }.put(world, Some(&xml))
        };
        fake.state().storing = Storing::Refused;
        put(&world, "1", "<source bridge='b'/>").unwrap_err();
        fake.state().storing = Storing::Right;
        for (uuid, nic, validated) in [
            ("1", "<source bridge='b'/>", 2),
            ("2", "<source bridge='b'/>", 2),
            ("3", "<source bridge='c'/>", 3),
        ] {
            put(&world, uuid, nic).unwrap();
            assert_eq!(fake.state().validated, validated, "{uuid}");
        }
        put(&World { shapes: None, ..world }, "2", "<source bridge='b'/>").unwrap();
        assert_eq!(fake.state().validated, 4, "without a memory all are checked");
    }
}
