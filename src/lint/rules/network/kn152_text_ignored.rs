//! What stands as text where libvirt reads attributes.

use super::text;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Network;

pub(super) static RULE: Rule = Rule {
    code: "KN152",
    name: "network-text-ignored",
    severity: Severity::Warning,
    summary: "a part of a network says as text what libvirt reads in an attribute",
    why: "\
libvirt reads text in a network's <name>, <uuid>, <title> and <description>; all else stands in attributes, and text there it \
drops without a word unless it is asked to validate: <forward>route</forward> is mode nat, <bridge>virbr7</bridge> a bridge \
whose name libvirt chooses.",
    fixable: false,
    bad: &[example!("KN152-network-text-ignored", "bad.xml")],
    good: &[example!("KN152-network-text-ignored", "good.xml")],
    check: Check::Network(check),
};

/// The elements, and the attribute that each is there for.
const PARTS: &[(&str, &str)] =
    &[("bridge", "name"), ("domain", "name"), ("forward", "mode"), ("mac", "address"), ("mtu", "size")];

fn check(network: &Network<'_>, report: &mut Report) {
    for (name, attribute) in PARTS {
        if let Some(node) = network.child(name) {
            text::check(network.doc, node, attribute, report);
        }
    }
}
