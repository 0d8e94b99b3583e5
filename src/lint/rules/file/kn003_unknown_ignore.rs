//! A comment to kvmnet that names no rule.

use crate::lint::rule::{Check, Rule, Severity, example};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN003",
    name: "unknown-ignore",
    severity: Severity::Warning,
    summary: "a comment asks kvmnet to ignore a rule that doesn't exist",
    why: "\
<!-- kvmnet: ignore KN012 --> silences a rule for the element behind it; several codes may stand there, with commas or \
blanks between them. Behind an element on its last line it is about that element, before the root element about the whole \
file. A code that doesn't exist silences nothing, and what was meant to be silent isn't.",
    fixable: false,
    bad: &[example!("KN003-unknown-ignore", "bad.xml")],
    good: &[example!("KN003-unknown-ignore", "good.xml")],
    check: Check::Reading,
};
