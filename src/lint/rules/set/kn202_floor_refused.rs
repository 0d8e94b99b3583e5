//! A guaranteed share of nothing.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Asks, Set, SetReport};

use super::kinds::{Kind, shown};

pub(super) static RULE: Rule = Rule {
    code: "KN202",
    name: "floor-refused",
    severity: Severity::Error,
    summary: "a guest is to get a share of its network's bandwidth at least, and there is none, or less, to share out",
    why: "\
<inbound floor='…'/> is a share of what the network's own <bandwidth><inbound average='…'/></bandwidth> says that there is. \
libvirt shares out the bandwidth of the networks that it makes itself (isolated, nat, route, open), and only of those that \
say how much they have, and no more than that. On any other it takes the guest's definition, and doesn't start it.",
    fixable: false,
    bad: &[
        example!("KN202-floor-refused", "bad/lab.xml"),
        example!("KN202-floor-refused", "bad/web1.xml"),
    ],
    good: &[
        example!("KN202-floor-refused", "good/lab.xml"),
        example!("KN202-floor-refused", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for (net, nic) in set.asked() {
        let Some(kind) = Kind::of(net) else { continue };
        for floor in &nic.asks {
            let Asks::Floor(wanted) = floor.what else { continue };
            let (what, help) = match (kind, wanted, net.inbound) {
                (Kind::Virtual, Some(wanted), Some(most)) if wanted > most => (
                    format!("network '{}' has {most} KB/s to share out, and this is more", shown(net)),
                    "ask for less, or write a higher average='…' into the network's <inbound>",
                ),
                (Kind::Virtual, ..) if net.network.has_inbound => continue,
                (Kind::Virtual, ..) => (
                    format!("network '{}' has no inbound bandwidth to give a share of", shown(net)),
                    "write <bandwidth><inbound average='…'/></bandwidth> into the network, or remove the floor",
                ),
                (kind, ..) => (
                    format!("network '{}' {}: libvirt doesn't share it out", shown(net), kind.words()),
                    "remove the floor",
                ),
            };
            let found = &mut report.at(&floor.mark, what.as_str());
            found.label("the guest doesn't start").also(&net.name, "the network").help(help);
        }
    }
}
