//! The root element is none of libvirt's.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{File, Kind, tag};
use crate::xml::namespace;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN002",
    name: "unknown-root",
    severity: Severity::Error,
    summary: "the root element is none that libvirt knows",
    why: "\
A domain is a <domain>, a network a <network>, both in no namespace. libvirt refuses everything else, with words that \
seldom say why. libvirt's other documents (storage pools, filters, …), and parts that virsh takes alone (a device for \
attach-device, a <host> for net-update), are only looked at as XML; of snapshots and checkpoints, the guest that they keep \
is checked as one in a file of its own. Files that \
aren't libvirt's at all belong into the policy's 'exclude', or aren't named.",
    fixable: false,
    bad: &[example!("KN002-unknown-root", "bad.xml")],
    good: &[example!("KN002-unknown-root", "good.xml")],
    check: Check::File(check),
};

fn check(file: &File<'_>, report: &mut Report) {
    if Kind::of(file.doc) != Kind::Foreign {
        return;
    }
    let name = file.root.tag_name().name();
    let found = report.at(tag(file.doc, file.root), format!("<{name}> is no root element of libvirt's"));
    if namespace(file.root).is_some() {
        found.help("libvirt's elements are in no namespace: remove xmlns='…'");
        return;
    }
    let near = ["domain", "network"].into_iter().find(|word| strsim::osa_distance(word, name) <= 2);
    match near {
        Some(near) => found.help(format!("did you mean <{near}>?")),
        None => found
            .help("<domain> and <network> are what is checked; 'exclude' in kvmnet.toml leaves files out"),
    };
}
