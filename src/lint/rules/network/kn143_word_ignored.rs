//! A word that libvirt takes for another one.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, value};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN143",
    name: "word-ignored",
    severity: Severity::Warning,
    summary: "an attribute of a network has a word that libvirt takes for another one",
    why: "\
Three attributes of a network take any word at all: stp of <bridge> is on unless it is 'off'; default of <portgroup> \
and managed of <forward> are no unless they are 'yes'. So stp='no' switches it on, and default='true' makes no \
default.",
    fixable: true,
    bad: &[example!("KN143-word-ignored", "bad.xml")],
    good: &[example!("KN143-word-ignored", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let mut judge = |node: Node<'_, '_>, name: &str, meant: &str, taken: &str| {
        let written = node.attribute(name).unwrap_or_default();
        let span = value(network.doc, node, name);
        report
            .at(span.clone(), format!("libvirt takes '{}' for '{taken}' here", written.escape_debug()))
            .help(format!("write {name}='{meant}'"))
            .fix(instead(span, meant));
    };
    let says = |node: &Node<'_, '_>, name: &str, words: &[&str]| {
        node.attribute(name).is_some_and(|word| words.contains(&word.trim().to_lowercase().as_str()))
    };
    const YES: &[&str] = &["true", "on", "1", "enabled"];
    if let Some(bridge) = network.child("bridge")
        && network.is_virtual()
        && bridge.attribute("stp") != Some("off")
        && says(&bridge, "stp", &["no", "off", "false", "0", "disabled"])
    {
        judge(bridge, "stp", "off", "on");
    }
    children(network.root, "portgroup")
        .filter(|g| says(g, "default", YES))
        .for_each(|group| judge(group, "default", "yes", "no"));
    if let Some(forward) = network.child("forward").filter(|forward| says(forward, "managed", YES)) {
        judge(forward, "managed", "yes", "no");
    }
}
