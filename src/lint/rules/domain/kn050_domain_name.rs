//! A guest without a name, or with one that libvirt refuses.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, instead, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN050",
    name: "domain-name",
    severity: Severity::Error,
    summary: "a guest has no name, or one that libvirt refuses",
    why: "\
libvirt keeps a guest's definition in a file of the guest's name: without <name>, or with an empty one, it refuses the \
definition, and so it does where a QEMU guest's name has a '/' in it, or any guest's a line break: blanks around a name \
belong to it.",
    fixable: true,
    bad: &[
        example!("KN050-domain-name", "bad/slash.xml"),
        example!("KN050-domain-name", "bad/line-break.xml"),
    ],
    good: &[
        example!("KN050-domain-name", "good/slash.xml"),
        example!("KN050-domain-name", "good/line-break.xml"),
    ],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let Some(name) = child(domain.root, "name") else {
        report
            .at(tag(domain.doc, domain.root), "the guest has no name")
            .help("write <name>…</name> in <domain>");
        return;
    };
    let written: String = name.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect();
    let span = inner(domain.doc, name);
    if written.is_empty() {
        report.at(tag(domain.doc, name), "the guest's name is empty").help("write <name>…</name>");
    } else if domain.is_qemu() && written.contains('/') {
        report.at(span, "a guest's name can't have '/' in it").help("write another character there");
    } else if written.contains('\n') {
        let found = report.at(span.clone(), "a guest's name can't have a line break in it");
        found.help("write <name> and </name> beside the name, without blanks");
        let meant = domain.doc.text()[span.clone()].trim();
        if span != tag(domain.doc, name) && !meant.is_empty() && !meant.contains('\n') {
            found.fix(instead(span, meant));
        }
    }
}
