//! What a team wants checked: `kvmnet.toml`.
//!
//! What a policy says stands here; how one is read in `read`, from the parts of its `text`, some of them `patterns`.

mod patterns;
mod read;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::rule::{Rule, Severity};
use super::rules;

pub use patterns::{Names, Paths, Words};
pub use text::PolicyError;

/// Which rules are on, and how bad their findings are: of a policy, of an override, or of a command line.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only these; all rules if nothing is selected.
    pub select: Option<Vec<&'static str>>,
    /// None of these.
    pub ignore: Vec<&'static str>,
    /// How bad the findings of some are.
    pub severity: BTreeMap<&'static str, Severity>,
}

/// What goes for some files only.
#[derive(Debug, Clone)]
pub struct Override {
    /// Which ones.
    pub paths: Paths,
    /// What goes for them on top of the rest.
    pub choice: Choice,
}

/// A policy.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Which rules are on.
    pub choice: Choice,
    /// What goes for some files only; the last one that names a rule decides.
    pub overrides: Vec<Override>,
    /// Files that aren't checked when they are found in a folder.
    pub exclude: Paths,
    /// Folders whose files belong together, and to no other: the hosts of a fleet. Without any, all files do.
    pub sets: Paths,
    /// Networks that hosts have though no file defines them.
    pub known_networks: Names,
    /// The house's own rules.
    pub house: House,
}

/// The house's own rules: what NICs may be. A rule without a word here finds nothing.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// The policy's name, for messages.
    pub policy: String,
    /// The bridges that guests may be on.
    pub bridges: Option<Words>,
    /// The networks that guests may be on.
    pub networks: Option<Words>,
    /// The models that NICs may have, in lower case.
    pub models: Option<Words>,
    /// What MAC addresses may begin with: whole bytes, in lower case, as in `52:54:00`.
    pub mac_prefixes: Option<Words>,
    /// Must every NIC that can have one have a filter, and which ones will do?
    pub filters: Option<Words>,
    /// The types that NICs must not have.
    pub forbidden_types: Option<Words>,
}

impl House {
    /// Where the policy says something: `kvmnet.toml line 7`.
    pub(super) fn place(&self, words: &Words) -> String {
        format!("{} line {}", self.policy, words.line())
    }
}

impl Choice {
    /// Is the rule on, and how bad are its findings, if this goes on top of what held before?
    fn on_top_of(&self, (is_on, severity): (bool, Severity), rule: &'static Rule) -> (bool, Severity) {
        let is_selected = self.select.as_ref().map_or(is_on, |select| select.contains(&rule.code));
        let is_ignored = self.ignore.contains(&rule.code);
        (is_selected && !is_ignored, self.severity.get(rule.code).copied().unwrap_or(severity))
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// It isn't TOML, or has a key, a value, a code or a pattern that isn't known.
    pub fn read(text: &str) -> Result<Policy, PolicyError> {
        read::policy(text)
    }

    /// The overrides that go for a file, by their numbers: files with the same ones have the same settings. Paths are
    /// those from the policy's folder on.
    pub fn overrides_of(&self, path: &Path) -> Vec<usize> {
        let all = self.overrides.iter().zip(0..);
        all.filter(|(over, _)| over.paths.cover(path)).map(|(_, number)| number).collect()
    }

    /// Is a file left out when it is found in a folder?
    pub fn excludes(&self, path: &Path) -> bool {
        self.exclude.cover(path)
    }

    /// The folder whose files belong together with this one; empty for all files that are in no set.
    pub fn set_of(&self, path: &Path) -> PathBuf {
        let folders = path.ancestors().skip(1).filter(|folder| *folder != Path::new(""));
        let mut named = folders.filter(|folder| self.sets.has(folder));
        named.next().map(Path::to_path_buf).unwrap_or_default()
    }

    /// How bad the findings of each rule are for files with these overrides; rules that are off aren't among them. What
    /// was typed goes before what is written down.
    pub fn severities(&self, overrides: &[usize], typed: &Choice) -> BTreeMap<&'static str, Severity> {
        let overrides = overrides.iter().filter_map(|number| self.overrides.get(*number));
        let choices: Vec<&Choice> =
            std::iter::once(&self.choice).chain(overrides.map(|o| &o.choice)).chain([typed]).collect();
        let of = |rule: &&'static Rule| {
            let first = (true, rule.severity);
            let (is_on, severity) = choices.iter().fold(first, |held, choice| choice.on_top_of(held, rule));
            is_on.then_some((rule.code, severity))
        };
        rules::all().iter().filter_map(of).collect()
    }
}
