//! What is checked in a file, worked out once for all files that share it.

use std::collections::BTreeMap;

use super::policy::{Choice, House, Names, Policy};
use super::rule::{Check, Rule, Severity};
use super::rules;

/// Which rules look at a file, and how bad their findings are.
#[derive(Debug, Default)]
pub struct Settings {
    severities: BTreeMap<&'static str, Severity>,
    on: Vec<&'static Rule>,
    known_networks: Names,
    pub(super) house: House,
}

impl Settings {
    /// Those for files that these overrides of a policy go for (by number), with what was typed.
    pub fn new(policy: &Policy, overrides: &[usize], typed: &Choice) -> Settings {
        let severities = policy.severities(overrides, typed);
        let on = rules::all().iter().copied().filter(|rule| severities.contains_key(rule.code)).collect();
        Settings {
            severities,
            on,
            known_networks: policy.known_networks.clone(),
            house: policy.house.clone(),
        }
    }

    /// How bad the findings of a rule are; `None` if it is off.
    pub fn severity(&self, code: &str) -> Option<Severity> {
        self.severities.get(code).copied()
    }

    /// Does any rule look at all files together?
    pub fn has_set_rules(&self) -> bool {
        self.on.iter().any(|rule| matches!(rule.check, Check::Set(_)))
    }

    /// Is libvirt's schema asked for its opinion, if it is asked for at all?
    pub fn has_schema(&self) -> bool {
        self.severities.contains_key(rules::SCHEMA.code)
    }

    /// The rules that are on.
    pub(super) fn on(&self) -> &[&'static Rule] {
        &self.on
    }

    /// Do hosts have this network, though no file may define it? libvirt brings `default` along.
    pub(super) fn knows_network(&self, name: &str) -> bool {
        name == "default" || self.known_networks.mean(name)
    }
}
