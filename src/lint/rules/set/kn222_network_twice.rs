//! One network in two files.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::ONE_HOST;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN222",
    name: "network-twice",
    severity: Severity::Warning,
    summary: "one network is in two files",
    why: "\
Both have the same name and UUID: to libvirt they are one network, and the definition that comes last replaces the other \
without a word. Somebody will change the one that isn't used.",
    fixable: false,
    bad: &[example!("KN222-network-twice", "bad/copy.xml"), example!("KN222-network-twice", "bad/lab.xml")],
    good: &[example!("KN222-network-twice", "good/copy.xml"), example!("KN222-network-twice", "good/lab.xml")],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let known = set.networks().filter_map(|net| {
        let uuid = net.uuid.as_ref()?;
        Some(((net.network.name.as_str(), uuid.what.as_str()), net))
    });
    for (first, later) in twice(known) {
        report
            .at(&later.name, format!("the network '{}' is in another file too", later.network.name.escape_debug()))
            .label("libvirt keeps the one that is defined last")
            .also(&first.name, "the other one")
            .help(format!("keep one of them; {ONE_HOST}"));
    }
}
