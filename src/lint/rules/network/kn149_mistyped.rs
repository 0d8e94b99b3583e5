//! A word that is nearly one of libvirt's.

use roxmltree::Node;

use super::mistyped::{attribute_renamed, attributes, elements_in};
use super::words;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};
use crate::model::ForwardMode;

pub(super) static RULE: Rule = Rule {
    code: "KN149",
    name: "network-mistyped",
    severity: Severity::Warning,
    summary: "a network has an element or attribute that libvirt doesn't know, and that nearly is one that it knows",
    why: "\
libvirt drops elements and attributes that it doesn't know, without a word unless it is asked to validate: <portGroup> \
is no portgroup, <ranges> no range, and localptr='yes' no localPtr. Only words are found that are one slip away from a \
known one, and of short ones only those that can't be meant otherwise.",
    fixable: true,
    bad: &[
        example!("KN149-network-mistyped", "bad/long.xml"),
        example!("KN149-network-mistyped", "bad/short.xml"),
        example!("KN149-network-mistyped", "bad/type.xml"),
    ],
    good: &[
        example!("KN149-network-mistyped", "good/long.xml"),
        example!("KN149-network-mistyped", "good/short.xml"),
        example!("KN149-network-mistyped", "good/type.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    words::walk(network.root, &mut |node, place| {
        attributes(network.doc, node, place.attributes, report);
        elements_in(network.doc, node, place, report);
    });
    // A type there is a mode surely, if it is a mode's word.
    let forward = network.child("forward").filter(|forward| !forward.has_attribute("mode"));
    let is_mode = |forward: &Node<'_, '_>| forward.attribute("type").and_then(ForwardMode::read).is_some();
    if let Some(forward) = forward.filter(is_mode) {
        report
            .at(value(network.doc, forward, "type"), "libvirt drops 'type' of <forward>, and the mode is nat")
            .help("did you mean mode?")
            .fix(attribute_renamed(network.doc, forward, "type", "mode"));
    }
}
