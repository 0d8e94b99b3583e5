//! `kvmnet check`: rules about domain and network XML, without libvirt.
//!
//! How it fits together: [`check_file`] reads one file, shows it to every rule that its [`Settings`] have on, and takes down
//! what the file adds to the set; [`check_set`] shows the set to the rules about all files together. A rule is a constant
//! in a file of its own under `rules`: its code, why it is there, its fixtures, and a function that sees a part of a
//! document (a [`Nic`], a [`Domain`], a [`Network`], a [`Set`]) and says what it finds to a [`Report`]. What it finds
//! becomes a [`Finding`]: with file, line and column, the lines themselves (secrets masked), and splices where it can be
//! mended. A [`Policy`] decides which rules look at which files. Nothing here reads a file.
//!
//! A rule is an error where libvirt refuses what is written, at definition or at start, or the guest's network can't work;
//! a warning where it does otherwise than it reads. What libvirt takes, starts, and does as it reads is never a finding.
//!
//! A rule that looks at text of which libvirt makes nothing (an unknown element, a stray attribute) is quiet unless the
//! text is surely a mistake: newer releases know more words.
//!
//! To add a rule: take the next free code of its family, write `rules/FAMILY/knNNN_name.rs` after one of its neighbours, name
//! the module in `rules/FAMILY/mod.rs`, and put `bad.xml` and `good.xml` into `fixtures/lint/KNNNN-name/`; for a rule about
//! the set, folders `bad` and `good`. `tests/lint.rs` runs whatever stands there.

use std::path::Path;

mod file;
mod finding;
mod harmless;
mod ignored;
mod mend;
mod policy;
mod positions;
mod report;
mod rule;
mod rules;
mod set;
mod settings;
mod suspects;
mod view;

pub use file::{Checked, check_file, schema_finding};
pub use finding::{Finding, Place, Splice};
pub use mend::{Mended, mend};
pub use policy::{Choice, House, Names, Override, Paths, Policy, PolicyError, Words};
pub use report::{Found, Report};
pub use rule::{Check, Example, Rule, Severity};
pub use rules::{all as rules, codes, named as rule, nearest};
pub use set::{
    Asks, At, Extent, Facts, Guest, GuestNic, Mark, Net, Part, Placed, Set, SetFinding, SetFound, SetReport,
    place,
};
pub use settings::Settings;
pub use suspects::{Suspect, Trial};
pub use view::{Domain, File, Kind, Network, Nic};

/// What the rules about sets find in the files of one set. What is defined in files `beside`, which may be for its host
/// too, isn't missing. [`place`] shows where.
pub fn check_set(facts: &[Facts], beside: &[&[Facts]], extent: Extent) -> Vec<SetFound> {
    set::check(facts, beside, extent, rules::all())
}

/// The folders whose files are taken to be for a host each, in order, where no policy says which ones are; none if all
/// files are taken to be for one host.
pub fn guessed_hosts(facts: &[Facts]) -> Vec<&Path> {
    set::guessed_hosts(facts)
}
