//! Two networks that libvirt makes on one bridge.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::ONE_HOST;
use super::kinds::shown;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN223",
    name: "bridge-twice",
    severity: Severity::Error,
    summary: "two networks that libvirt makes have one bridge",
    why: "\
An isolated network, or one of mode nat, route or open, has a bridge that libvirt makes for it alone. It refuses the second \
one with the same <bridge name='…'/>: \"bridge name already in use\". Leave <bridge> out: libvirt finds a free name. Several \
networks of mode bridge may share a bridge of the host.",
    fixable: false,
    bad: &[example!("KN223-bridge-twice", "bad/lab.xml"), example!("KN223-bridge-twice", "bad/test.xml")],
    good: &[example!("KN223-bridge-twice", "good/lab.xml"), example!("KN223-bridge-twice", "good/test.xml")],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let made = set.networks().filter_map(|net| {
        let bridge = net.virtual_bridge()?;
        Some((bridge.what.as_str(), (net, bridge)))
    });
    for ((first, at), (later, bridge)) in twice(made) {
        if first.is_also(later) {
            continue;
        }
        report
            .at(&bridge.mark, format!("network '{}' has the bridge '{}'", shown(first), bridge.what.escape_debug()))
            .label("libvirt refuses the second")
            .also(&at.mark, "there")
            .help(format!("leave <bridge> out, and libvirt finds a free name; {ONE_HOST}"));
    }
}
