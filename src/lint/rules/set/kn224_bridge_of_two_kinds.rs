//! A bridge that libvirt makes, and that the host is to have.

use std::collections::HashMap;

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::ONE_HOST;
use super::kinds::shown;

pub(super) static RULE: Rule = Rule {
    code: "KN224",
    name: "bridge-of-two-kinds",
    severity: Severity::Warning,
    summary: "one network has libvirt make a bridge, and another takes it for one of the host's",
    why: "\
A network with mode='bridge' puts guests on a bridge that the host has. An isolated network, or one of mode nat, route or \
open, has libvirt make its bridge. Defined after the other, libvirt refuses the one that makes it, \"bridge name already in \
use\"; before it, it takes both, and guests of the second are on the first's bridge, past that network. Where it is defined and the host does have the bridge, starting it fails and takes the \
host's bridge away, with the connections of all that is on it. Mostly mode='bridge' was forgotten in one of them.",
    fixable: false,
    bad: &[
        example!("KN224-bridge-of-two-kinds", "bad/nat.xml"),
        example!("KN224-bridge-of-two-kinds", "bad/lan.xml"),
    ],
    good: &[
        example!("KN224-bridge-of-two-kinds", "good/lan.xml"),
        example!("KN224-bridge-of-two-kinds", "good/nat.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let mut of_host = HashMap::new();
    for net in set.networks() {
        if let Some(bridge) = net.host_bridge() {
            of_host.entry(bridge.what.as_str()).or_insert((net, bridge));
        }
    }
    for net in set.networks() {
        let Some(bridge) = net.virtual_bridge() else { continue };
        let Some((other, at)) = of_host.get(bridge.what.as_str()).filter(|(other, _)| !net.is_also(other)) else {
            continue;
        };
        let what = format!(
            "libvirt is to make the bridge '{}', and network '{}' takes it for the host's",
            bridge.what.escape_debug(),
            shown(other)
        );
        let help = format!("if the host has it, write <forward mode='bridge'/> here; else give it another name; {ONE_HOST}");
        report
            .at(&bridge.mark, what)
            .label("if the host has it, libvirt deletes it")
            .also(&at.mark, "there")
            .help(help);
    }
}
