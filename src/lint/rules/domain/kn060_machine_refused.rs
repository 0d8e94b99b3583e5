//! A machine that libvirt can't make.

use roxmltree::Node;

use super::word;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, raw, tag, text, value};
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
        example!("KN060-machine-refused", "bad/current.xml"),
        example!("KN060-machine-refused", "bad/blank.xml"),
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
    if let Some(kind) = kind.filter(|kind| text(*kind).is_some()) {
        let written = raw(kind);
        if !MACHINES.contains(&written.as_str()) {
            let what = format!("libvirt knows no machine of type '{}'", written.escape_debug());
            report.at(inner(domain.doc, kind), what).help("write hvm, and nothing around it");
        }
        if written == "hvm" {
            // It reads no more of them.
            for boot in os.into_iter().flat_map(|os| children(os, "boot")).take(4) {
                if !boot.has_attribute("dev") {
                    let what = "<boot> doesn't say from what";
                    report.at(tag(domain.doc, boot), what).help("write dev='hd', or another kind of device");
                }
                word::check(domain.doc, boot, "dev", &["hd", "cdrom", "network", "fd"], report);
            }
        }
    }
    if let Some(vcpu) = child(domain.root, "vcpu") {
        processors(domain, vcpu, report);
    }
}

fn processors(domain: &Domain<'_>, vcpu: Node<'_, '_>, report: &mut Report) {
    let written = raw(vcpu);
    let Some(most) = count(&written).filter(|most| *most > 0) else {
        let what = format!("'{}' is no number of processors", written.escape_debug());
        report.at(inner(domain.doc, vcpu), what).help("write it in digits");
        return;
    };
    let Some(current) = vcpu.attribute("current") else { return };
    if count(current).is_none_or(|current| current > most) {
        let what = format!("of {most} processors, '{}' can't be there at first", current.escape_debug());
        report
            .at(value(domain.doc, vcpu, "current"), what)
            .help(format!("write a number from 1 to {most}, or remove current='…'"));
    }
}

/// What libvirt's parser knows (`virDomainOSType`).
const MACHINES: &[&str] = &["hvm", "xen", "linux", "exe", "uml", "xenpvh"];

/// As libvirt reads such numbers (`virStrToLong_ui`): blanks may stand before one, and nothing behind it.
fn count(written: &str) -> Option<u32> {
    let number = written.trim_start();
    let digits = number.strip_prefix('+').unwrap_or(number);
    digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}
