//! Two networks of one name.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport, same};

use super::ONE_HOST;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN220",
    name: "network-name-twice",
    severity: Severity::Error,
    summary: "two networks have one name",
    why: "\
A host has one network of a name: libvirt refuses the second, unless both have one UUID as well. Without a <uuid>, a definition \
is a new network to libvirt, which makes a UUID for it.\n\
Every host of a fleet has its own 'default'. Which files are for one host, kvmnet.toml says: sets = ['hosts/*'] makes a set \
of each folder in 'hosts'. Without it, all files of a run are taken for one host's, except where a file named after what it \
defines is in two folders: 'a/default.xml' and 'b/default.xml' are for two hosts, and all else in these folders is as well.",
    fixable: false,
    bad: &[
        example!("KN220-network-name-twice", "bad/lab.xml"),
        example!("KN220-network-name-twice", "bad/test.xml"),
    ],
    good: &[
        example!("KN220-network-name-twice", "good/lab.xml"),
        example!("KN220-network-name-twice", "good/test.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for (first, later) in twice(set.networks().map(|net| (net.network.name.as_str(), net))) {
        if same(&first.uuid, &later.uuid) {
            continue;
        }
        report
            .at(&later.name, format!("another network has the name '{}'", later.network.name.escape_debug()))
            .label("libvirt refuses the second")
            .also(&first.name, "the other one")
            .help(ONE_HOST);
    }
}
