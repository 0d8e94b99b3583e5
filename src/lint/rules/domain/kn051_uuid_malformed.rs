//! A UUID that is none.

use super::uuid;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Domain;

pub(super) static RULE: Rule = Rule {
    code: "KN051",
    name: "uuid-malformed",
    severity: Severity::Error,
    summary: "a guest's UUID is none",
    why: "\
A UUID has 32 hexadecimal digits, mostly with hyphens after the 8th, 12th, 16th and 20th of them. libvirt refuses anything \
else. Where the guest is new, leave <uuid> out: libvirt makes one.",
    fixable: false,
    bad: &[example!("KN051-uuid-malformed", "bad.xml")],
    good: &[example!("KN051-uuid-malformed", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    uuid::check(domain.doc, domain.root, report);
}
