//! A guest without a name.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN050",
    name: "domain-name",
    severity: Severity::Error,
    summary: "a guest has no name, or one that libvirt refuses",
    why: "\
libvirt keeps a guest's definition in a file of the guest's name: without <name>, or with an empty one, it refuses the \
definition, and so it does where a QEMU guest's name has a '/' in it.",
    fixable: false,
    bad: &[example!("KN050-domain-name", "bad.xml")],
    good: &[example!("KN050-domain-name", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let Some(name) = child(domain.root, "name") else {
        report
            .at(tag(domain.doc, domain.root), "the guest has no name")
            .help("write <name>…</name> in <domain>");
        return;
    };
    let mut texts = name.descendants().filter(Node::is_text).filter_map(|n| n.text()).peekable();
    if texts.peek().is_none() {
        report.at(tag(domain.doc, name), "the guest's name is empty").help("write <name>…</name>");
    } else if domain.is_qemu() && texts.any(|text| text.contains('/')) {
        report
            .at(inner(domain.doc, name), "a guest's name can't have '/' in it")
            .help("write another character there");
    }
}
