//! Parts that only a network that runs has.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value, without_attribute};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN146",
    name: "live-network",
    severity: Severity::Warning,
    summary: "the file shows a network as it ran once, not as it is defined",
    why: "\
'virsh net-dumpxml' of a network that runs also counts the guests on it: connections='2'. libvirt drops that from a \
definition, and every new dump differs. Keep what 'virsh net-dumpxml --inactive' prints.",
    fixable: true,
    bad: &[example!("KN146-live-network", "bad.xml")],
    good: &[example!("KN146-live-network", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let devices = network.child("forward").into_iter().flat_map(elements);
    let devices = devices.filter(|node| matches!(node.tag_name().name(), "interface" | "address" | "pf"));
    let all = std::iter::once(network.root).chain(devices);
    for node in all.filter(|node: &Node<'_, '_>| node.has_attribute("connections")) {
        report
            .at(value(network.doc, node, "connections"), "libvirt drops it: the guests of one moment")
            .help("remove it")
            .fix(without_attribute(network.doc, node, "connections"));
    }
}
