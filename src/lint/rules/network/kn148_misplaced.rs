//! An element where libvirt doesn't look for it.

use super::mistyped::is_near;
use super::words;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN148",
    name: "misplaced",
    severity: Severity::Warning,
    summary: "an element of a network stands where libvirt doesn't read it",
    why: "\
libvirt drops elements that stand where it doesn't look for them, without a word unless it is asked to validate: a \
<dhcp> beside <ip> is no DHCP, a <range> outside <dhcp> no range, an <interface> outside <forward> no device.",
    fixable: false,
    bad: &[example!("KN148-misplaced", "bad/element.xml"), example!("KN148-misplaced", "bad/bridge.xml")],
    good: &[example!("KN148-misplaced", "good/element.xml"), example!("KN148-misplaced", "good/bridge.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    words::walk(network.root, &mut |node, place| {
        if node.tag_name().name() == "forward" && node.has_attribute("bridge") {
            report
                .at(value(network.doc, node, "bridge"), "libvirt drops 'bridge' of <forward>")
                .label("dropped")
                .help("write <bridge name='…'/> in <network>");
        }
        for child in elements(node) {
            let name = child.tag_name().name();
            if place.knows(name)
                || words::FREE.contains(&name)
                || place.children().any(|known| is_near(name, known))
            {
                continue;
            }
            let homes = words::homes(name);
            if homes.is_empty() {
                continue;
            }
            report
                .at(
                    tag(network.doc, child),
                    format!("libvirt drops <{name}> in <{}>", node.tag_name().name()),
                )
                .label("dropped")
                .help(format!("it belongs in {}", homes.join(" or ")));
        }
    });
}
