//! An element of which libvirt reads the first one only.

use std::collections::HashMap;

use super::kn037_mistyped::ELEMENTS;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN038",
    name: "element-twice",
    severity: Severity::Warning,
    summary: "a NIC has an element twice of which libvirt reads the first one only",
    why: "\
A NIC has one source, one model, one MAC address, one filter and so on. Where the element stands there twice, libvirt reads \
the first one and drops the other without a word, unless it is asked to validate. Mostly the second one was added to change \
the first.",
    fixable: false,
    bad: &[example!("KN038-element-twice", "bad.xml")],
    good: &[example!("KN038-element-twice", "good.xml")],
    check: Check::Nic(check),
};

/// Of these there may be several.
const MANY: &[&str] = &["ip", "route", "portForward"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let mut seen = HashMap::new();
    for node in elements(nic.node) {
        let name = node.tag_name().name();
        let first = *seen.entry(name).or_insert(node);
        if first == node {
            continue;
        }
        let is_known = ELEMENTS.iter().any(|(known, _)| *known == name) && !MANY.contains(&name);
        // Twice the same says nothing else than once.
        let text = nic.doc.text();
        if is_known && text[first.range()] != text[node.range()] {
            report
                .at(tag(nic.doc, node), format!("libvirt reads the first <{name}> only"))
                .label("dropped")
                .also(tag(nic.doc, first), "this one is read")
                .help("leave the one that is meant");
        }
    }
}
