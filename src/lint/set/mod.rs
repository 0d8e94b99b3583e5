//! All files together: what each of them adds, and where rules about all of them say what they find.

mod facts;
mod hosts;
mod place;
mod report;
mod take;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::rule::{Check, Rule};
use super::settings::Settings;
use crate::model::MacAddr;

pub(super) use facts::same;
pub use facts::{Asks, At, Facts, Guest, GuestNic, Mark, Net, Part};
pub use place::{Placed, place};
pub use report::{SetFinding, SetFound, SetReport};
pub(super) use take::Taker;

/// What is known of a set besides its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Does the policy say that these files are for one host? Else it is to be guessed.
    pub is_declared: bool,
    /// Are these surely all of its files? What isn't in them may stand in another one else.
    pub is_whole: bool,
}

/// The files that belong together: those for one host.
#[derive(Debug)]
pub struct Set<'s> {
    /// Their parts, by file.
    facts: Vec<&'s Facts>,
    networks: HashMap<&'s str, Named<'s>>,
    /// Networks that are there for every set.
    common: Vec<&'s Net>,
    all: &'s All<'s>,
}

/// What files for other hosts have to do with it, as long as hosts are guessed, and those that are for several.
#[derive(Debug)]
struct All<'s> {
    is_whole: bool,
    networks: HashSet<&'s str>,
    macs: HashSet<MacAddr>,
    settings: Vec<&'s Settings>,
}

/// The networks of one name.
#[derive(Debug)]
enum Named<'s> {
    One(&'s Net),
    Several,
}

impl<'s> Set<'s> {
    /// With networks that are there for every set, unless it has one of that name itself.
    fn new(facts: Vec<&'s Facts>, common: &[&'s Net], all: &'s All<'s>) -> Set<'s> {
        let mut set = Set { facts, networks: HashMap::new(), common: common.to_vec(), all };
        let mut networks = HashMap::new();
        for net in set.networks() {
            let named = networks.entry(net.network.name.as_str());
            named.and_modify(|named| *named = Named::Several).or_insert(Named::One(net));
        }
        let mut lent = HashMap::new();
        for net in common.iter().copied().filter(|net| !networks.contains_key(net.network.name.as_str())) {
            let named = lent.entry(net.network.name.as_str());
            named.and_modify(|named| *named = Named::Several).or_insert(Named::One(net));
        }
        networks.extend(lent);
        set.networks = networks;
        set
    }

    /// Its guests.
    pub fn guests(&self) -> impl Iterator<Item = &'s Guest> {
        self.facts.iter().filter_map(|facts| guest(facts))
    }

    /// Its networks.
    pub fn networks(&self) -> impl Iterator<Item = &'s Net> {
        self.facts.iter().filter_map(|facts| network(facts))
    }

    /// Its networks, and those that are there for every set.
    pub fn networks_at_hand(&self) -> impl Iterator<Item = &'s Net> {
        self.networks().chain(self.common.iter().copied())
    }

    /// The network of that name, if the set has just one.
    pub fn network(&self, name: &str) -> Option<&'s Net> {
        match self.networks.get(name)? {
            Named::One(net) => Some(net),
            Named::Several => None,
        }
    }

    /// The network that a NIC is on, if the set has just one of that name.
    pub fn network_of(&self, nic: &GuestNic) -> Option<&'s Net> {
        let source = &nic.source.what;
        self.network(&source.name).filter(|_| source.kind == "network")
    }

    /// What NICs of QEMU's guests ask of networks that the set has.
    pub fn asked(&self) -> impl Iterator<Item = (&'s Net, &'s GuestNic)> {
        let nics = self.guests().filter(|guest| guest.driver.is_none()).flat_map(|guest| &guest.nics);
        nics.filter_map(|nic| Some((self.network_of(nic)?, nic)))
    }

    /// Can it be said that something stands in no file?
    pub fn is_whole(&self) -> bool {
        self.all.is_whole
    }

    /// The names of all networks that any file defines, be it for another host.
    pub fn names(&self) -> &HashSet<&'s str> {
        &self.all.networks
    }

    /// Has any guest this address, be it on another host?
    pub fn has_mac(&self, mac: MacAddr) -> bool {
        self.all.macs.contains(&mac)
    }

    /// Is it said of this network that hosts have it, though no file defines it?
    pub fn is_known(&self, network: &str) -> bool {
        self.all.settings.iter().any(|settings| settings.knows_network(network))
    }
}

fn guest(facts: &Facts) -> Option<&Guest> {
    match &facts.part {
        Part::Guest(guest) => Some(guest),
        Part::Network(_) => None,
    }
}

fn network(facts: &Facts) -> Option<&Net> {
    match &facts.part {
        Part::Network(network) => Some(network),
        Part::Guest(_) => None,
    }
}

/// What the rules about sets find in the files that belong together, in whatever order these come. Each file's own
/// policy decides about what is found in it. What stands in files `beside` is known only: that it is there somewhere; or, of
/// a declared set, what networks for all sets its guests use.
pub(super) fn check(
    facts: &[Facts],
    beside: &[&[Facts]],
    extent: Extent,
    rules: &[&'static Rule],
) -> Vec<SetFound> {
    let mut facts: Vec<&Facts> = facts.iter().collect();
    facts.sort_by(|a, b| a.file.cmp(&b.file));
    let mut settings: Vec<&Settings> = Vec::new();
    let mut seen = HashSet::new();
    settings.extend(facts.iter().filter(|f| seen.insert(Arc::as_ptr(&f.settings))).map(|f| &*f.settings));
    let known = || facts.iter().copied().chain(beside.iter().copied().flatten());
    let nics = known().filter_map(guest).flat_map(|guest| &guest.nics);
    let all = All {
        is_whole: extent.is_whole,
        networks: known().filter_map(|facts| Some(network(facts)?.network.name.as_str())).collect(),
        macs: nics.filter_map(|nic| Some(nic.mac.as_ref()?.what)).collect(),
        settings,
    };
    let of: HashMap<&Path, &Settings> = facts.iter().map(|facts| (&*facts.file, &*facts.settings)).collect();
    let hosts = if extent.is_declared { vec![facts] } else { hosts::split(&facts).into_values().collect() };
    let lent = beside.iter().copied().flatten().filter(|_| extent.is_declared);
    let common: Vec<&Net> = lent.filter_map(network).collect();
    let sets: Vec<Set<'_>> = hosts.into_iter().map(|facts| Set::new(facts, &common, &all)).collect();
    let mut out = Vec::new();
    for rule in rules {
        let Check::Set(check) = rule.check else { continue };
        if all.settings.iter().all(|settings| settings.severity(rule.code).is_none()) {
            continue;
        }
        let mut report = SetReport { rule, found: Vec::new() };
        sets.iter().for_each(|set| check(set, &mut report));
        out.append(&mut report.found);
    }
    out.retain_mut(|found| {
        let severity = of.get(&**found.file()).and_then(|settings| settings.severity(found.rule.code));
        found.severity = severity.unwrap_or(found.severity);
        severity.is_some()
    });
    out
}

/// The folders that are taken to be a host's each, where no policy says so, in order; none if the files are for one.
pub(super) fn guessed_hosts(facts: &[Facts]) -> Vec<&Path> {
    hosts::split(&facts.iter().collect::<Vec<_>>()).into_keys().flatten().collect()
}

#[cfg(test)]
mod tests;
