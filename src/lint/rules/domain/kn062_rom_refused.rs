//! A boot ROM, or a number for the guest's names of NICs, that a NIC can't have.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::machine::is_x86;
use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, Nic, tag, value};

pub(super) static RULE: Rule = Rule {
    code: "KN062",
    name: "rom-refused",
    severity: Severity::Error,
    summary: "a NIC has a boot ROM that is off and set, or an ACPI index that it can't have",
    why: "\
<rom enabled='no'/> says that there is no boot ROM: libvirt refuses a file or a bar of it. <acpi index='…'/>, from 1 to \
16383 and each once in a guest, is what the guest names the NIC after (eno1); an x86 guest with another one doesn't start.",
    fixable: false,
    bad: &[
        example!("KN062-rom-refused", "bad/rom.xml"),
        example!("KN062-rom-refused", "bad/zero.xml"),
        example!("KN062-rom-refused", "bad/large.xml"),
        example!("KN062-rom-refused", "bad/twice.xml"),
    ],
    good: &[example!("KN062-rom-refused", "good.xml")],
    check: Check::Domain(check),
};

/// The largest index that QEMU takes (`ONBOARD_INDEX_MAX`).
const LARGEST: u64 = 16383;

fn check(domain: &Domain<'_>, report: &mut Report) {
    let mut first: HashMap<u64, &Nic<'_>> = HashMap::new();
    for nic in &domain.nics {
        rom(nic, report);
        let Some(node) = nic.child("acpi") else { continue };
        let Some(index) = node.attribute("index").and_then(number::read) else { continue };
        let span = value(nic.doc, node, "index");
        if index == 0 || (index > LARGEST && is_judged(nic)) {
            report
                .at(span, format!("the ACPI index of a NIC can't be {index}"))
                .help(format!("it is a number from 1 to {LARGEST}; without <acpi> the NIC has none"));
            continue;
        }
        match first.entry(index) {
            Entry::Vacant(entry) => {
                entry.insert(nic);
            }
            Entry::Occupied(other) if is_judged(nic) => {
                let other = *other.get();
                let theirs = other.child("acpi").map_or(other.tag(), |node| value(other.doc, node, "index"));
                report
                    .at(span, "another NIC has this ACPI index: the guest doesn't start")
                    .also(theirs, format!("of NIC {}", other.position))
                    .help("give each NIC an index of its own, or none");
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// Does QEMU surely look at the index? That is done where PCI devices are plugged by ACPI.
fn is_judged(nic: &Nic<'_>) -> bool {
    nic.is_qemu && is_x86(nic)
}

fn rom(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("rom").filter(|node| node.attribute("enabled") == Some("no")) else { return };
    if node.has_attribute("file") || node.has_attribute("bar") {
        report
            .at(tag(nic.doc, node), "a boot ROM that is off has no file and no bar")
            .help("write <rom enabled='no'/>, or remove enabled='no'");
    }
}
