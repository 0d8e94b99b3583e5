//! It isn't XML.

use crate::lint::rule::{Check, Rule, Severity, example};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN001",
    name: "not-well-formed",
    severity: Severity::Error,
    summary: "the text isn't well-formed XML",
    why: "\
A tag that isn't closed, a quote or an ampersand that stands alone, a text that ends in the middle: no XML parser reads \
such a text, and libvirt's doesn't either. kvmnet says where the text stops making sense; what is wrong may stand a little \
before that.",
    fixable: false,
    bad: &[example!("KN001-not-well-formed", "bad.xml")],
    good: &[example!("KN001-not-well-formed", "good.xml")],
    check: Check::Reading,
};
