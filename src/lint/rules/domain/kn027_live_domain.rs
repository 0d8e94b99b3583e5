//! A guest as it runs.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag, value};
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN027",
    name: "live-domain",
    severity: Severity::Warning,
    summary: "the file shows a guest as it ran once, not as it is defined",
    why: "\
<domain id='7'> and security labels that were made up for one run are in what 'virsh dumpxml' prints of a running guest. \
libvirt drops them from a definition. What is worse: the same dump shows what else was true for that run only, such as a \
network's bridge or the names of taps, and what was changed for the next start isn't in it. Keep what \
'virsh dumpxml --inactive' prints; with --security-info where passwords must not be lost.",
    fixable: false,
    bad: &[example!("KN027-live-domain", "bad.xml")],
    good: &[example!("KN027-live-domain", "good.xml")],
    check: Check::Domain(check),
};

const HELP: &str = "keep what 'virsh dumpxml --inactive' prints";

fn check(domain: &Domain<'_>, report: &mut Report) {
    if domain.root.has_attribute("id") {
        let what = "this is a running guest's XML, not its definition";
        report.at(value(domain.doc, domain.root, "id"), what).label("the number of one run").help(HELP);
        return;
    }
    let made_up = children(domain.root, "seclabel")
        .filter(|label| label.attribute("type") == Some("dynamic"))
        .find_map(|label| child(label, "label").or_else(|| child(label, "imagelabel")));
    if let Some(label) = made_up {
        let what = "libvirt made up this label for one run, and drops it from a definition";
        report.at(tag(domain.doc, label), what).help(HELP);
    }
}
