//! A NIC of a type that the policy forbids.

use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN306",
    name: "house-forbidden-type",
    severity: Severity::Error,
    summary: "a NIC is of a type that the policy forbids",
    why: "\
A rule of the house: 'forbidden-types' below [house] in kvmnet.toml lists types of NICs that guests must not have, such as \
user, whose guests nobody reaches, or direct, whose guests don't reach their host. A NIC that names no type is of type user.",
    fixable: false,
    bad: &[
        example!("KN306-house-forbidden-type", "bad/kvmnet.toml"),
        example!("KN306-house-forbidden-type", "bad/web1.xml"),
    ],
    good: &[
        example!("KN306-house-forbidden-type", "good/kvmnet.toml"),
        example!("KN306-house-forbidden-type", "good/web1.xml"),
    ],
    check: Check::House(check),
};

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let Some(words) = &house.forbidden_types else { return };
    if words.words().iter().any(|forbidden| forbidden == nic.kind) {
        let help = format!("the policy forbids {} ({})", words.list(), house.place(words));
        let what = format!("NICs may not be of type {} here", nic.kind);
        report.at(value(nic.doc, nic.node, "type"), what).help(help);
    }
}
