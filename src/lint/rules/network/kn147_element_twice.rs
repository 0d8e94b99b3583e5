//! An element of which libvirt reads the first one only.

use std::collections::HashMap;

use roxmltree::Node;

use super::words;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN147",
    name: "network-element-twice",
    severity: Severity::Warning,
    summary: "a network has an element twice of which libvirt reads the first one only",
    why: "\
A network has one name, one bridge, one <forward> and so on; a subnet has one <dhcp>. Where the element stands there \
twice, libvirt reads the first one and drops the other without a word, unless it is asked to validate. Mostly the \
second one was added to change the first.",
    fixable: false,
    bad: &[example!("KN147-network-element-twice", "bad.xml")],
    good: &[example!("KN147-network-element-twice", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let text = network.doc.text();
    // Twice the same says nothing else than once.
    for (first, node) in twins(network).into_iter().filter(|(first, node)| text[first.range()] != text[node.range()]) {
        report
            .at(tag(network.doc, node), format!("libvirt reads the first <{}> only", node.tag_name().name()))
            .label("dropped")
            .also(tag(network.doc, first), "this one is read")
            .help("leave the one that is meant");
    }
}

/// The elements that stand there a second time, behind the one that libvirt reads.
pub(in crate::lint) fn twins<'d>(network: &Network<'d>) -> Vec<(Node<'d, 'd>, Node<'d, 'd>)> {
    let mut out = Vec::new();
    words::walk(network.root, &mut |node, place| {
        let mut firsts = HashMap::new();
        for child in elements(node).filter(|child| place.once.contains(&child.tag_name().name())) {
            let first = *firsts.entry(child.tag_name().name()).or_insert(child);
            if first != child {
                out.push((first, child));
            }
        }
    });
    out
}
