//! A machine that libvirt can't make.

use super::word;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, tag, text};
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN060",
    name: "machine-refused",
    severity: Severity::Error,
    summary: "a guest's machine, number of processors or order of boot is none",
    why: "\
libvirt refuses a guest without <os><type>…</type></os>: hvm is a whole machine. <boot dev='…'/> in <os> names a kind of \
device: hd, cdrom, network or fd; that of a NIC is network. <vcpu> is a number, at least 1.",
    fixable: true,
    bad: &[
        example!("KN060-machine-refused", "bad/none.xml"),
        example!("KN060-machine-refused", "bad/boot.xml"),
        example!("KN060-machine-refused", "bad/vcpu.xml"),
    ],
    good: &[
        example!("KN060-machine-refused", "good/boot.xml"),
        example!("KN060-machine-refused", "good/vcpu.xml"),
    ],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    if !domain.is_qemu() {
        return;
    }
    let os = child(domain.root, "os");
    let kind = os.and_then(|os| child(os, "type"));
    if kind.and_then(text).is_none() && child(domain.root, "bootloader").is_none() {
        report
            .at(
                tag(domain.doc, kind.or(os).unwrap_or(domain.root)),
                "the guest doesn't say what machine it is",
            )
            .help("write <os><type>hvm</type></os>");
    }
    if kind.and_then(text).as_deref() == Some("hvm") {
        for boot in os.into_iter().flat_map(|os| children(os, "boot")) {
            word::check(domain.doc, boot, "dev", &["hd", "cdrom", "network", "fd"], report);
        }
    }
    let Some(vcpu) = child(domain.root, "vcpu") else { return };
    if let Some(written) = text(vcpu).filter(|written| !is_count(written)) {
        let what = format!("'{}' is no number of processors", written.escape_debug());
        report.at(inner(domain.doc, vcpu), what).help("write it in digits");
    }
}

fn is_count(written: &str) -> bool {
    let digits = written.strip_prefix('+').unwrap_or(written);
    digits.bytes().all(|b| b.is_ascii_digit()) && digits.bytes().any(|b| b != b'0')
}
