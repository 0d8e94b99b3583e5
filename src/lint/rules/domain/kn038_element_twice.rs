//! An element of which libvirt reads the first one only.

use std::collections::HashMap;

use roxmltree::Node;

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
    let text = nic.doc.text();
    // Twice the same says nothing else than once.
    for (first, node) in twins(nic).filter(|(first, node)| text[first.range()] != text[node.range()]) {
        report
            .at(tag(nic.doc, node), format!("libvirt reads the first <{}> only", node.tag_name().name()))
            .label("dropped")
            .also(tag(nic.doc, first), "this one is read")
            .help("leave the one that is meant");
    }
}

/// The elements that stand there a second time, behind the one that libvirt reads.
pub(in crate::lint) fn twins<'d>(nic: &Nic<'d>) -> impl Iterator<Item = (Node<'d, 'd>, Node<'d, 'd>)> {
    let mut seen = HashMap::new();
    elements(nic.node).filter_map(move |node| {
        let name = node.tag_name().name();
        let first = *seen.entry(name).or_insert(node);
        let is_known = || ELEMENTS.iter().any(|(known, _)| *known == name) && !MANY.contains(&name);
        (first != node && is_known()).then_some((first, node))
    })
}
