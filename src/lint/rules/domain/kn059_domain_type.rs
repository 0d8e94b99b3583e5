//! A guest of no hypervisor.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, instead, tag, value};

pub(super) static RULE: Rule = Rule {
    code: "KN059",
    name: "domain-type",
    severity: Severity::Error,
    summary: "a guest doesn't say its type, or one that is mistyped",
    why: "\
<domain type='…'> says which hypervisor runs the guest: kvm, or qemu where the machine's processor isn't to help. libvirt \
refuses a guest without a type, or with a type that it doesn't know.",
    fixable: true,
    bad: &[example!("KN059-domain-type", "bad/mistyped.xml"), example!("KN059-domain-type", "bad/none.xml")],
    good: &[example!("KN059-domain-type", "good/kvm.xml")],
    check: Check::Domain(check),
};

/// The types that a mistyped one may mean.
const COMMON: &[&str] = &["kvm", "qemu", "hvf"];

/// Others that there are (`virDomainVirtType`). Newer libvirts may have more.
const OTHERS: &[&str] = &[
    "bhyve",
    "hyperv",
    "kqemu",
    "lxc",
    "openvz",
    "parallels",
    "phyp",
    "test",
    "uml",
    "vbox",
    "vmware",
    "vz",
    "xen",
];

fn check(domain: &Domain<'_>, report: &mut Report) {
    let Some(written) = domain.root.attribute("type").filter(|kind| !kind.is_empty()) else {
        report
            .at(tag(domain.doc, domain.root), "the guest doesn't say its type")
            .help("write <domain type='kvm'>");
        return;
    };
    if COMMON.contains(&written) || OTHERS.contains(&written) {
        return;
    }
    let is_near = |known: &&&str| strsim::osa_distance(known, &written.to_ascii_lowercase()) <= 1;
    let mut near = COMMON.iter().filter(is_near);
    let Some(meant) = near.next() else { return };
    let span = value(domain.doc, domain.root, "type");
    let what = format!("libvirt knows no guests of type '{}'", written.escape_debug());
    let found = report.at(span.clone(), what).help(format!("did you mean {meant}?"));
    // 'hvm' is near two of them.
    if near.next().is_none() {
        found.fix(instead(span, meant));
    }
}
