//! A guest without memory.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN052",
    name: "memory-missing",
    severity: Severity::Error,
    summary: "a guest has no memory",
    why: "\
libvirt refuses a guest that says neither <memory> nor how much each of its NUMA nodes has.",
    fixable: false,
    bad: &[example!("KN052-memory-missing", "bad.xml")],
    good: &[example!("KN052-memory-missing", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let has_numa = child(domain.root, "cpu").and_then(|cpu| child(cpu, "numa")).is_some();
    if domain.is_qemu() && !has_numa && child(domain.root, "memory").is_none() {
        report
            .at(tag(domain.doc, domain.root), "the guest has no memory")
            .help("write <memory unit='MiB'>…</memory> in <domain>");
    }
}
