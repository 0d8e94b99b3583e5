//! Options for dnsmasq that libvirt doesn't read.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, tag, value};
use crate::xml::namespace;

pub(super) static RULE: Rule = Rule {
    code: "KN145",
    name: "dnsmasq-options",
    severity: Severity::Warning,
    summary: "a network's options for dnsmasq aren't in the namespace that libvirt reads",
    why: "\
Options for dnsmasq stand in <dnsmasq:options>, and the network says what dnsmasq: means: \
xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'. With another namespace, or none, libvirt drops them \
without a word.",
    fixable: true,
    bad: &[
        example!("KN145-dnsmasq-options", "bad/old.xml"),
        example!("KN145-dnsmasq-options", "bad/other.xml"),
    ],
    good: &[example!("KN145-dnsmasq-options", "good.xml")],
    check: Check::Network(check),
};

/// Where libvirt looks for them.
pub(super) const NAMESPACE: &str = "http://libvirt.org/schemas/network/dnsmasq/1.0";

fn check(network: &Network<'_>, report: &mut Report) {
    let is_options = |node: &roxmltree::Node<'_, '_>| {
        node.is_element() && matches!(node.tag_name().name(), "options" | "option")
    };
    for node in network.root.children().filter(is_options) {
        let space = namespace(node);
        let is_whole = node.tag_name().name() == "options";
        let has_any = !is_whole || node.children().any(|node| is_options(&node));
        // What is in somebody else's namespace is somebody else's. Of libvirt's own, a network's has no other.
        let is_meant = space.is_none_or(|space| space.contains("//libvirt.org/"));
        if !has_any || !is_meant || (is_whole && space == Some(NAMESPACE)) {
            continue;
        }
        let what = match (space, is_whole) {
            (Some(NAMESPACE), _) => "libvirt drops an option outside <dnsmasq:options>",
            (None, _) => "libvirt drops options for dnsmasq that aren't in its namespace",
            (Some(_), _) => "libvirt drops options for dnsmasq in this namespace",
        };
        let found = report.at(tag(network.doc, node), what);
        found.help(format!(
            "write <network xmlns:dnsmasq='{NAMESPACE}'>, and <dnsmasq:options> with them inside"
        ));
        let declared = whole_declaration(network, space);
        if let Some(span) = declared.filter(|_| is_whole) {
            found.fix(instead(span, NAMESPACE));
        }
    }
}

/// The bytes of the namespace, where the network declares it with the usual prefix.
fn whole_declaration(network: &Network<'_>, space: Option<&str>) -> Option<std::ops::Range<usize>> {
    let span = value(network.doc, network.root, "xmlns:dnsmasq");
    let declared = space.filter(|space| *space != NAMESPACE && network.doc.text()[span.clone()] == **space);
    declared.map(|_| span)
}
