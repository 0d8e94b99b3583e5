//! A guest without memory, or with an amount that libvirt can't read.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, raw, tag, text, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN052",
    name: "memory-missing",
    severity: Severity::Error,
    summary: "a guest has no memory, or an amount of it that libvirt can't read",
    why: "\
libvirt refuses a guest that says neither <memory> nor how much each of its NUMA nodes has. The amount is a whole number, in KiB or in the unit that is \
written beside it: KiB, MiB, GiB.",
    fixable: false,
    bad: &[
        example!("KN052-memory-missing", "bad/none.xml"),
        example!("KN052-memory-missing", "bad/zero.xml"),
        example!("KN052-memory-missing", "bad/suffix.xml"),
        example!("KN052-memory-missing", "bad/unit.xml"),
    ],
    good: &[
        example!("KN052-memory-missing", "good/none.xml"),
        example!("KN052-memory-missing", "good/unit.xml"),
    ],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    if !domain.is_qemu() {
        return;
    }
    let has_numa = child(domain.root, "cpu").and_then(|cpu| child(cpu, "numa")).is_some();
    let memory = child(domain.root, "memory");
    let is_none = |written: &String| written.bytes().all(|b| b == b'0');
    match memory {
        None if !has_numa => {
            report
                .at(tag(domain.doc, domain.root), "the guest has no memory")
                .help("write <memory unit='MiB'>…</memory> in <domain>");
        }
        Some(memory) if !has_numa && text(memory).as_ref().is_none_or(is_none) => {
            report
                .at(inner(domain.doc, memory), "the guest has no memory")
                .help("write <memory unit='MiB'>…</memory>");
        }
        _ => {}
    }
    for amount in memory.into_iter().chain(child(domain.root, "currentMemory")) {
        let is_number =
            |written: &str| written.strip_prefix('+').unwrap_or(written).bytes().all(|b| b.is_ascii_digit());
        // Blanks may stand before the number, and not behind it.
        let written = raw(amount).trim_start().to_string();
        if !written.is_empty() && !is_number(&written) {
            let what = format!("'{}' is no amount of memory", written.escape_debug());
            report.at(inner(domain.doc, amount), what).help("write a whole number, and its unit in unit='…'");
        }
        if let Some(unit) = amount.attribute("unit").filter(|unit| !is_unit(unit)) {
            let what = format!("'{}' is no unit of memory", unit.escape_debug());
            report.at(value(domain.doc, amount, "unit"), what).help("write KiB, MiB, GiB or TiB");
        }
    }
}

/// A unit that libvirt can read, in any case (`virScaleInteger`).
fn is_unit(written: &str) -> bool {
    let unit = written.to_ascii_lowercase();
    matches!(unit.as_str(), "" | "b" | "byte" | "bytes")
        || unit
            .strip_prefix(['k', 'm', 'g', 't', 'p', 'e'])
            .is_some_and(|rest| matches!(rest, "" | "b" | "ib"))
}
