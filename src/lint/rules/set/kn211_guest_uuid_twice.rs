//! Two guests of one UUID.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport, same};

use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN211",
    name: "guest-uuid-twice",
    severity: Severity::Error,
    summary: "two guests have one UUID",
    why: "\
A UUID is what libvirt knows a guest by: it refuses a second guest with the same one and another name. It happens when a \
file is copied and only the name is changed. The guest sees it as well (DMI), and programs in it take it for their machine's. \
Leave <uuid> out of the copy: libvirt makes one. What else is copied, the MAC addresses above all, must be its own too.",
    fixable: false,
    bad: &[
        example!("KN211-guest-uuid-twice", "bad/web1.xml"),
        example!("KN211-guest-uuid-twice", "bad/web2.xml"),
    ],
    good: &[
        example!("KN211-guest-uuid-twice", "good/web1.xml"),
        example!("KN211-guest-uuid-twice", "good/web2.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let known = set.guests().filter_map(|guest| {
        let uuid = guest.uuid.as_ref()?;
        Some(((&guest.driver, uuid.what.as_str()), (guest, uuid)))
    });
    for ((first, at), (later, uuid)) in twice(known) {
        if same(&first.name, &later.name) {
            continue;
        }
        report
            .at(&uuid.mark, "another guest has this UUID")
            .label("libvirt refuses the second")
            .also(&at.mark, "the other one")
            .help("leave it out of the copy, and libvirt makes one");
    }
}
