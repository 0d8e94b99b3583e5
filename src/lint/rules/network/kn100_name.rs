//! A network without a name, or with one that libvirt refuses.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, inner, instead, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN100",
    name: "network-name",
    severity: Severity::Error,
    summary: "a network has no name, or a name or title that libvirt refuses",
    why: "\
libvirt keeps a network's definition, and the files of its DHCP server, in files of the network's name. It refuses a \
definition without <name>, or with an empty one, and a name with '/' or a line break in it: blanks around a name \
belong to it. A <title> is one line, too. With more than 245 bytes the network isn't defined, or doesn't start.",
    fixable: true,
    bad: &[
        example!("KN100-network-name", "bad/title.xml"),
        example!("KN100-network-name", "bad/slash.xml"),
        example!("KN100-network-name", "bad/line-break.xml"),
        example!("KN100-network-name", "bad/empty.xml"),
        example!("KN100-network-name", "bad/none.xml"),
        example!("KN100-network-name", "bad/long.xml"),
    ],
    good: &[
        example!("KN100-network-name", "good/slash.xml"),
        example!("KN100-network-name", "good/blank.xml"),
        example!("KN100-network-name", "good/long.xml"),
    ],
    check: Check::Network(check),
};

/// What a name may have so that the files named after it are named at all: 255 bytes are the kernel's limit, and the longest
/// ending is `.addnhosts`. Without a DHCP server it is `.xml`.
const LONGEST: usize = 245;
const LONGEST_ALONE: usize = 251;

fn check(network: &Network<'_>, report: &mut Report) {
    if let Some(title) = network.child("title").filter(|title| words(*title).contains('\n')) {
        report
            .at(inner(network.doc, title), "a network's title is one line")
            .help("write it in one line; <description> can have more");
    }
    let Some(node) = network.child("name") else {
        report
            .at(tag(network.doc, network.root), "the network has no name")
            .help("write <name>…</name> in <network>");
        return;
    };
    let name = words(node);
    let longest = if network.ips().next().is_some() { LONGEST } else { LONGEST_ALONE };
    let span = inner(network.doc, node);
    if name.is_empty() {
        report.at(tag(network.doc, node), "the network's name is empty").help("write <name>…</name>");
    } else if name.contains('/') {
        report.at(span, "a network's name can't have '/' in it").help("write another character there");
    } else if name.contains('\n') {
        let found = report.at(span.clone(), "a network's name can't have a line break in it");
        found.help("write <name> and </name> beside the name, without blanks");
        let meant = network.doc.text()[span.clone()].trim();
        if span != tag(network.doc, node) && !meant.is_empty() && !meant.contains('\n') {
            found.fix(instead(span, meant));
        }
    } else if name.len() > longest {
        let what = format!("the network's name has {} bytes, and {longest} is the limit", name.len());
        report.at(span, what).help("libvirt names files after the network: take a shorter name");
    }
}

/// All text of an element.
fn words(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect()
}
