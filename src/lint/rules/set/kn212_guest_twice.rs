//! One guest in two files.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::ONE_HOST;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN212",
    name: "guest-twice",
    severity: Severity::Warning,
    summary: "one guest is in two files",
    why: "\
Both have the same name and UUID: to libvirt they are one guest, and the definition that comes last replaces the other \
without a word. Somebody will change the one that isn't used. It happens when a file is copied and not changed yet, or when \
a dump of the running guest lies beside its definition.",
    fixable: false,
    bad: &[example!("KN212-guest-twice", "bad/copy.xml"), example!("KN212-guest-twice", "bad/web1.xml")],
    good: &[example!("KN212-guest-twice", "good/copy.xml"), example!("KN212-guest-twice", "good/web1.xml")],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let known = set.guests().filter_map(|guest| {
        let (name, uuid) = (guest.name.as_ref()?, guest.uuid.as_ref()?);
        Some(((&guest.driver, name.what.as_str(), uuid.what.as_str()), name))
    });
    for (first, later) in twice(known) {
        report
            .at(&later.mark, format!("the guest '{}' is in another file too", later.what.escape_debug()))
            .label("libvirt keeps the one that is defined last")
            .also(&first.mark, "the other one")
            .help(format!("keep one of them; {ONE_HOST}"));
    }
}
