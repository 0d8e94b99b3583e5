//! libvirt's schema doesn't allow it.

use crate::lint::rule::{Check, Rule, Severity, example};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN004",
    name: "schema",
    severity: Severity::Error,
    summary: "libvirt's schema doesn't allow it (with --schema)",
    why: "\
libvirt brings a RELAX NG schema of its documents along. 'virsh define --validate' refuses what the schema doesn't allow; \
without --validate libvirt drops most of it without a word, so that a mistyped element has no effect. The schema is that of \
the libvirt installed where kvmnet runs: an older one doesn't know what newer releases have added.",
    fixable: false,
    bad: &[example!("KN004-schema", "bad.xml")],
    good: &[example!("KN004-schema", "good.xml")],
    check: Check::Schema,
};
