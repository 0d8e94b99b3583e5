//! The rules, one file each.
//!
//! Codes: `KN0..` one domain (the first of them any file), `KN1..` one network, `KN2..` all files together, `KN3..` the
//! house's own, which only look where the policy says so. What several rules ask stands beside the families.

mod bandwidth;
mod device;
mod domain;
mod file;
mod house;
mod mac;
mod mistyped;
mod mtu;
mod network;
mod number;
mod pci;
mod set;
mod text;
mod uuid;
mod virtualport;
mod vlan;
mod word;
mod words;

use std::sync::LazyLock;

use super::rule::Rule;

pub(super) use domain::{OF_ANY_TYPE, is_known_type, twins as twins_of_nic};
pub(super) use domain::{TYPES as NIC_TYPES, called as nic_type_called};
pub(super) use file::{NOT_WELL_FORMED, PREFIX_UNDECLARED, SCHEMA, UNKNOWN_IGNORE};
pub(super) use network::twins as twins_of_network;

/// All rules, by code.
static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let all = [file::RULES, domain::RULES, network::RULES, set::RULES, house::RULES];
    let mut all: Vec<&'static Rule> = all.into_iter().flatten().copied().collect();
    all.sort_by_key(|rule| rule.code);
    all
});

/// All rules, by code.
pub fn all() -> &'static [&'static Rule] {
    &RULES
}

/// The rule of that code, in whatever case.
pub fn named(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code)).copied()
}

/// The codes that a word means: one code, or how several begin (`KN1`), or all of them (`KN`).
///
/// # Errors
/// There is none; the code that somebody may have meant.
pub fn codes(word: &str) -> Result<Vec<&'static str>, Option<&'static str>> {
    let begins = |rule: &&&Rule| {
        word.len() >= 2 && rule.code.get(..word.len()).is_some_and(|code| code.eq_ignore_ascii_case(word))
    };
    let codes: Vec<_> = RULES.iter().filter(begins).map(|rule| rule.code).collect();
    if codes.is_empty() { Err(nearest(word)) } else { Ok(codes) }
}

/// The code that somebody may have meant: a code that differs in one character, or the code of a rule's name.
pub fn nearest(word: &str) -> Option<&'static str> {
    let close = |rule: &&Rule| {
        rule.name.eq_ignore_ascii_case(word)
            || strsim::osa_distance(rule.code, &word.to_ascii_uppercase()) == 1
    };
    RULES.iter().copied().find(close).map(|rule| rule.code)
}

/// The rules of a family: their modules, and a list of them.
macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The rules of this family, by code.
        pub(super) static RULES: &[&crate::lint::Rule] = &[$(&$module::RULE),*];
    };
}
use rules;
