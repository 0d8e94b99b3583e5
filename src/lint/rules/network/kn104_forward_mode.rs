//! A forward mode that there isn't.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, value, without};

pub(super) static RULE: Rule = Rule {
    code: "KN104",
    name: "forward-mode",
    severity: Severity::Error,
    summary: "a network has a forward mode that libvirt doesn't know",
    why: "\
libvirt knows the modes nat, route, open, bridge, private, vepa, passthrough and hostdev. A network whose guests reach \
each other and the host only has no <forward> at all.",
    fixable: true,
    bad: &[
        example!("KN104-forward-mode", "bad/bridged.xml"),
        example!("KN104-forward-mode", "bad/isolated.xml"),
    ],
    good: &[
        example!("KN104-forward-mode", "good/bridged.xml"),
        example!("KN104-forward-mode", "good/isolated.xml"),
    ],
    check: Check::Network(check),
};

const MODES: &[&str] = &["nat", "route", "open", "bridge", "private", "vepa", "passthrough", "hostdev"];

/// What people write for them.
const MEANT: &[(&str, &str)] = &[
    ("routed", "route"),
    ("bridged", "bridge"),
    ("opened", "open"),
    ("masquerade", "nat"),
    ("passthru", "passthrough"),
];

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(node) = network.child("forward").filter(|_| network.mode.is_none()) else { return };
    let Some(word) = network.attr("forward", "mode") else { return };
    let span = value(network.doc, node, "mode");
    let found = report.at(span.clone(), format!("there is no forward mode '{}'", word.escape_debug()));
    let lower = word.trim().to_lowercase();
    if matches!(lower.as_str(), "isolated" | "none") {
        found.help("an isolated network has no <forward>: remove it");
        // What stands in it means more than that.
        if node.attributes().count() == 1 && !node.has_children() {
            found.fix(without(network.doc, node));
        }
        return;
    }
    let is_near = |known: &&&str| **known == lower || strsim::osa_distance(known, &lower) == 1;
    let meant = MEANT.iter().find(|(written, _)| *written == lower).map(|(_, meant)| *meant);
    match meant.or_else(|| MODES.iter().find(is_near).copied()) {
        Some(meant) => found.help(format!("did you mean {meant}?")).fix(instead(span, meant)),
        None => found.help(format!("one of: {}; an isolated network has no <forward>", MODES.join(", "))),
    };
}
