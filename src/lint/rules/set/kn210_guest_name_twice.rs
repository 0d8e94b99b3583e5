//! Two guests of one name.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport, same};

use super::ONE_HOST;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN210",
    name: "guest-name-twice",
    severity: Severity::Error,
    summary: "two guests have one name",
    why: "\
A host has one guest of a name: libvirt refuses the second, unless both have one UUID as well. It happens when a file is \
copied and the name stays. Without a <uuid>, a definition is a new guest to libvirt, which makes a UUID for it.\n\
Which files are for one host, kvmnet.toml says: sets = ['hosts/*'] makes a set of each folder in 'hosts'. Without it, all \
files of a run are taken for one host's, except where a file named after what it defines is in two folders: \
'a/default.xml' and 'b/default.xml' are for two hosts, and all else in these folders is as well.",
    fixable: false,
    bad: &[
        example!("KN210-guest-name-twice", "bad/web1.xml"),
        example!("KN210-guest-name-twice", "bad/web2.xml"),
    ],
    good: &[
        example!("KN210-guest-name-twice", "good/web1.xml"),
        example!("KN210-guest-name-twice", "good/web2.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let named = set.guests().filter_map(|guest| {
        let name = guest.name.as_ref()?;
        Some(((&guest.driver, name.what.as_str()), (guest, name)))
    });
    for ((first, at), (later, name)) in twice(named) {
        if same(&first.uuid, &later.uuid) {
            continue;
        }
        report
            .at(&name.mark, format!("another guest has the name '{}'", name.what.escape_debug()))
            .label("libvirt refuses the second")
            .also(&at.mark, "the other one")
            .help(ONE_HOST);
    }
}
