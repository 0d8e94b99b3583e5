//! A guest in a portgroup that its network doesn't have.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::kinds::shown;

pub(super) static RULE: Rule = Rule {
    code: "KN201",
    name: "portgroup-unknown",
    severity: Severity::Warning,
    summary: "a guest names a portgroup that its network doesn't have",
    why: "\
A portgroup brings a VLAN, a bandwidth or a port profile. If the network has none of that name, libvirt starts the guest all \
the same and without a word: with no portgroup at all, not even the default one. The guest is then in the wrong VLAN, or \
without its limit.",
    fixable: false,
    bad: &[
        example!("KN201-portgroup-unknown", "bad/lan.xml"),
        example!("KN201-portgroup-unknown", "bad/web1.xml"),
    ],
    good: &[
        example!("KN201-portgroup-unknown", "good/lan.xml"),
        example!("KN201-portgroup-unknown", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for nic in set.guests().flat_map(|guest| &guest.nics) {
        let Some(net) = set.network_of(nic) else { continue };
        let Some(group) = nic.source.what.detail.as_deref().filter(|group| !group.is_empty()) else { continue };
        let groups = &net.network.portgroups;
        if groups.iter().any(|known| known.name == group) {
            continue;
        }
        let what = format!("network '{}' has no portgroup '{}'", shown(net), group.escape_debug());
        let names: Vec<String> = groups.iter().map(|g| format!("'{}'", g.name.escape_debug())).take(8).collect();
        let help = match names.as_slice() {
            [] => "it has none at all: remove portgroup='…', or write the <portgroup> into the network".into(),
            names => format!("it has {}", names.join(", ")),
        };
        report
            .at(&nic.source.mark, what)
            .label("libvirt starts the guest without any")
            .also(&net.name, "the network")
            .help(help);
    }
}
