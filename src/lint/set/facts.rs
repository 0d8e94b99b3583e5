//! What each file adds to the set, with the places where it stands. Of ten thousand files all facts are in memory at once:
//! nothing is taken down that no rule asks for.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::lint::settings::Settings;
use crate::model::{self, MacAddr, Source};

/// What a rule about the set may point at, and which rules are to be quiet there. Few are ever pointed at: only then is
/// their file looked into again, for the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub(super) file: Arc<Path>,
    pub(super) span: Range<usize>,
    pub(super) quiet: Vec<&'static str>,
}

/// Something with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// What stands there.
    pub what: T,
    /// Where.
    pub mark: Mark,
}

/// What one file adds to the set.
#[derive(Debug)]
pub struct Facts {
    /// The file.
    pub file: Arc<Path>,
    /// What is to be said about it, and how.
    pub(in crate::lint) settings: Arc<Settings>,
    /// Its part of the set.
    pub part: Part,
}

/// A guest or a network.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A guest.
    Guest(Guest),
    /// A network.
    Network(Box<Net>),
}

/// What the set knows of a guest.
#[derive(Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its name.
    pub name: Option<At<String>>,
    /// Its UUID, in lower case without hyphens.
    pub uuid: Option<At<String>>,
    /// The driver of libvirt's that runs it, if that isn't QEMU's: each has names and UUIDs of its own.
    pub driver: Option<Box<str>>,
    /// Its NICs.
    pub nics: Vec<GuestNic>,
}

/// What the set knows of a NIC.
#[derive(Debug, PartialEq, Eq)]
pub struct GuestNic {
    /// Its MAC address, if libvirt doesn't make one for it.
    pub mac: Option<At<MacAddr>>,
    /// Where it leads, at its `<source>`.
    pub source: At<Source>,
    /// Its own VLAN.
    pub vlan: Option<Mark>,
    /// Is its cable pulled out (`<link state='down'/>`)?
    pub is_down: bool,
    /// What it asks of its network, besides; empty on NICs of other types.
    pub asks: Vec<At<Asks>>,
}

/// What a NIC of type network may ask for, and not every network can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// A guaranteed share of the network's bandwidth (`floor`), so much if it can be read.
    Floor(Option<u64>),
    /// Any limit of its bandwidth.
    Bandwidth,
    /// A virtual port, of that type if it says so.
    Virtualport(Option<Box<str>>),
    /// To be kept from its neighbours.
    Isolation,
    /// A filter.
    Filter,
    /// A tap device of its own kind (`<backend tap='…'/>`).
    Tap,
}

/// What the set knows of a network.
#[derive(Debug, PartialEq, Eq)]
pub struct Net {
    /// All of it.
    pub network: model::Network,
    /// Its name.
    pub name: Mark,
    /// Its UUID, in lower case without hyphens.
    pub uuid: Option<At<String>>,
    /// Its bridge's name.
    pub bridge: Option<At<String>>,
    /// How much bandwidth it has to share out: its peak, or else its average.
    pub inbound: Option<u64>,
    /// The `<ip>` elements that can be read, in order.
    pub addresses: Vec<At<ipnet::IpNet>>,
    /// The MAC addresses that its DHCP server knows.
    pub hosts: Vec<At<MacAddr>>,
}

impl Guest {
    /// Do both files say that they are about one and the same guest? With one UUID and two names they are about two: of a
    /// copy only the name was changed.
    pub fn is_also(&self, other: &Guest) -> bool {
        let is_same = match (&self.name, &other.name) {
            (Some(_), Some(_)) => same(&self.name, &other.name),
            _ => same(&self.uuid, &other.uuid),
        };
        self.driver == other.driver && is_same
    }
}

impl Net {
    /// Do both files say that they are about one and the same network, be it by its name or by its UUID?
    pub fn is_also(&self, other: &Net) -> bool {
        self.network.name == other.network.name || same(&self.uuid, &other.uuid)
    }

    /// The bridge that libvirt makes for it, if it says which.
    pub fn virtual_bridge(&self) -> Option<&At<String>> {
        // What stands for a number that libvirt chooses is no name.
        self.bridge.as_ref().filter(|bridge| self.network.mode.is_virtual() && !bridge.what.contains('%'))
    }

    /// The bridge of the host that it puts guests on.
    pub fn host_bridge(&self) -> Option<&At<String>> {
        let is_bridged = self.network.mode == model::ForwardMode::Bridge && !self.network.has_pool;
        self.bridge.as_ref().filter(|_| is_bridged)
    }
}

/// Are both there, and the same?
pub(in crate::lint) fn same<T: PartialEq>(one: &Option<At<T>>, other: &Option<At<T>>) -> bool {
    one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one.what == other.what)
}
