//! A word that is nearly one of libvirt's.

use std::collections::HashSet;

use super::mistyped::{attributes, is_near, renamed};
use super::words;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN149",
    name: "network-mistyped",
    severity: Severity::Warning,
    summary: "a network has an element or attribute that libvirt doesn't know, and that nearly is one that it knows",
    why: "\
libvirt drops elements and attributes that it doesn't know, without a word unless it is asked to validate: <portGroup> \
is no portgroup, <ranges> no range, and localptr='yes' no localPtr. Only words are found that are one slip away from a \
known one.",
    fixable: true,
    bad: &[example!("KN149-network-mistyped", "bad.xml")],
    good: &[example!("KN149-network-mistyped", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    words::walk(network.root, &mut |node, place| {
        attributes(network.doc, node, place.attributes, report);
        let mut names: HashSet<&str> = elements(node).map(|node| node.tag_name().name()).collect();
        for wrong in elements(node) {
            let name = wrong.tag_name().name();
            if place.knows(name) || words::FREE.contains(&name) {
                continue;
            }
            let Some(near) = place.children().find(|known| is_near(name, known)) else { continue };
            let what = format!("libvirt drops <{name}>, which it doesn't know");
            let found = report.at(tag(network.doc, wrong), what).help(format!("did you mean <{near}>?"));
            // Of two, libvirt would read the first.
            if !place.once.contains(&near) || names.insert(near) {
                found.fix(renamed(network.doc, wrong, near));
            }
        }
    });
}
