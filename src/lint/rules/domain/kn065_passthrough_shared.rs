//! A device of the host's that one NIC of macvtap is to have for itself, and another one uses, too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, Nic, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN065",
    name: "passthrough-shared",
    severity: Severity::Error,
    summary: "a NIC is to have a device of the host's for itself, and another NIC of the guest is on it",
    why: "\
In mode passthrough, macvtap takes the whole device: the kernel lets no other macvtap be on it, of whatever mode, and the \
guest doesn't start. Several NICs can share a device in mode bridge.",
    fixable: false,
    bad: &[
        example!("KN065-passthrough-shared", "bad/twice.xml"),
        example!("KN065-passthrough-shared", "bad/mixed.xml"),
    ],
    good: &[example!("KN065-passthrough-shared", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let is_whole = |nic: &Nic<'_>| nic.attr("source", "mode") == Some("passthrough");
    let on_device = domain.nics.iter().filter(|nic| nic.is_qemu && nic.kind == "direct");
    let mut first: HashMap<&str, &Nic<'_>> = HashMap::new();
    for nic in on_device {
        let Some(source) = nic.child("source") else { continue };
        let Some(device) = source.attribute("dev").filter(|device| !device.is_empty()) else { continue };
        match first.entry(device) {
            Entry::Vacant(entry) => {
                entry.insert(nic);
            }
            Entry::Occupied(entry) if is_whole(nic) || is_whole(entry.get()) => {
                let other = *entry.get();
                let theirs = other.child("source").map_or(other.tag(), |source| tag(other.doc, source));
                report
                    .at(tag(nic.doc, source), "two NICs can't be on a device in mode passthrough: the guest doesn't start")
                    .label(format!("NIC {}", nic.position))
                    .also(theirs, format!("NIC {}", other.position))
                    .help("write mode='bridge' in both, or give each a device of its own");
            }
            Entry::Occupied(_) => {}
        }
    }
}
