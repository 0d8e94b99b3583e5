//! What a rule is.

use std::fmt;

use super::House;
use super::report::Report;
use super::set::{Set, SetReport};
use super::view::{Domain, File, Network, Nic};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// libvirt takes it, and it works otherwise than it reads.
    Warning,
    /// libvirt refuses it, at definition or at start; or the guest's network can't work.
    Error,
}

impl Severity {
    /// The word for it, in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file of a rule's example: its name and its text.
pub type Example = (&'static str, &'static str);

/// One rule. Each stands in a file of its own, with its fixtures in `fixtures/lint/CODE-NAME/`.
#[derive(Debug)]
pub struct Rule {
    /// Its stable code, `KN` and three digits.
    pub code: &'static str,
    /// Its name, in words with hyphens.
    pub name: &'static str,
    /// How bad its findings are, unless the policy says otherwise.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why that is wrong, and what to do: what `--explain` prints.
    pub why: &'static str,
    /// Do its findings, or some of them, come with a fix?
    pub fixable: bool,
    /// Files in which it finds something.
    pub bad: &'static [Example],
    /// The same files as they should be: no rule finds anything in them.
    pub good: &'static [Example],
    /// What it looks at.
    pub check: Check,
}

/// What a rule looks at. The functions see one such part, and say what they find.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// The reader itself finds it.
    Reading,
    /// Any document.
    File(fn(&File<'_>, &mut Report)),
    /// Each NIC of a domain.
    Nic(fn(&Nic<'_>, &mut Report)),
    /// A domain.
    Domain(fn(&Domain<'_>, &mut Report)),
    /// A network.
    Network(fn(&Network<'_>, &mut Report)),
    /// All files together.
    Set(fn(&Set<'_>, &mut SetReport)),
    /// A rule of the house: each NIC, and what the policy says of NICs.
    House(fn(&Nic<'_>, &House, &mut Report)),
    /// A rule of the house: a network, and what the policy says of NICs.
    HouseNetwork(fn(&Network<'_>, &House, &mut Report)),
    /// libvirt's schema says so (`--schema`).
    Schema,
}

/// A file of a rule's fixtures, as an [`Example`].
macro_rules! example {
    ($folder:literal, $file:literal) => {
        ($file, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lint/", $folder, "/", $file)))
    };
}
pub(super) use example;
