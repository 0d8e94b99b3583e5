//! Host devices in `<forward>` that libvirt doesn't read.

use super::places::{Pool, pool};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN109",
    name: "pool-half-read",
    severity: Severity::Warning,
    summary: "a network names host devices in two ways, of which libvirt reads one only",
    why: "\
A network shares out NICs by name, by PCI address, or as the virtual functions of one of them. Where there are several \
of these, libvirt reads the names, else the addresses, and drops the rest without a word. 'virsh net-dumpxml' of a \
network that runs shows <pf> together with the functions that were found; keep what 'virsh net-dumpxml --inactive' \
prints.",
    fixable: false,
    bad: &[example!("KN109-pool-half-read", "bad.xml")],
    good: &[example!("KN109-pool-half-read", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(forward) = network.child("forward") else { return };
    let (read, dropped): (_, &[&str]) = match pool(network) {
        // With the attribute, libvirt refuses them.
        Pool::Names if network.attr("forward", "dev").is_some() => return,
        Pool::Names => ("interface", &["address", "pf"]),
        Pool::Addresses => ("address", &["pf"]),
        Pool::Functions | Pool::None => return,
    };
    for node in dropped.iter().filter_map(|name| child(forward, name)) {
        let found = report.at(
            tag(network.doc, node),
            format!("libvirt drops <{}> beside <{read}>", node.tag_name().name()),
        );
        found
            .label("dropped")
            .help("leave the one that is meant; as a rule <pf>, which says the same for every host");
    }
}
