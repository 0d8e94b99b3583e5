//! Two networks of one UUID.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN221",
    name: "network-uuid-twice",
    severity: Severity::Error,
    summary: "two networks have one UUID",
    why: "\
A UUID is what libvirt knows a network by: it refuses a second one with the same UUID and another name. It happens when a \
file is copied and only the name is changed. Leave <uuid> out of the copy: libvirt makes one. What else is copied, bridge, \
MAC address and subnet, must be its own too.",
    fixable: false,
    bad: &[
        example!("KN221-network-uuid-twice", "bad/lab.xml"),
        example!("KN221-network-uuid-twice", "bad/test.xml"),
    ],
    good: &[
        example!("KN221-network-uuid-twice", "good/lab.xml"),
        example!("KN221-network-uuid-twice", "good/test.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let known = set.networks().filter_map(|net| {
        let uuid = net.uuid.as_ref()?;
        Some((uuid.what.as_str(), (net, uuid)))
    });
    for ((first, at), (later, uuid)) in twice(known) {
        if first.network.name == later.network.name {
            continue;
        }
        report
            .at(&uuid.mark, "another network has this UUID")
            .label("libvirt refuses the second")
            .also(&at.mark, "the other one")
            .help("leave it out of the copy, and libvirt makes one");
    }
}
