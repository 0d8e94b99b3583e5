//! A guest on a network that nobody defines.

use std::collections::HashMap;

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

pub(super) static RULE: Rule = Rule {
    code: "KN200",
    name: "network-unknown",
    severity: Severity::Error,
    summary: "a guest is on a network that no file defines",
    why: "\
libvirt takes a guest whose network doesn't exist, and says 'Network not found' when it is to start. The network may have \
another name, or its file is missing.\n\
Where no file defines any network, they are made elsewhere, and this rule finds nothing. It also finds nothing while some \
files of a folder are checked and others aren't, or some can't be read: one of those may define it. What files in none of the \
policy's 'sets' define is there for every set. libvirt brings along the \
network 'default'; other networks that hosts have without a file are named in kvmnet.toml: known-networks = ['corp-*'].",
    fixable: false,
    bad: &[
        example!("KN200-network-unknown", "bad/lab.xml"),
        example!("KN200-network-unknown", "bad/web1.xml"),
    ],
    good: &[
        example!("KN200-network-unknown", "good/lab.xml"),
        example!("KN200-network-unknown", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

/// With more networks than these, none is looked for that may have been meant.
const MOST: usize = 200;

fn check(set: &Set<'_>, report: &mut SetReport) {
    if !set.is_whole() || set.names().is_empty() {
        return;
    }
    let mut near = HashMap::new();
    for nic in set.guests().flat_map(|guest| &guest.nics) {
        let name = nic.source.what.name.as_str();
        if nic.source.what.kind != "network" || name.is_empty() || set.names().contains(name) || set.is_known(name) {
            continue;
        }
        let what = format!("no file defines a network '{}'", name.escape_debug());
        let help = match near.entry(name).or_insert_with(|| nearest(set, name)) {
            Some(near) => format!("did you mean '{}'?", near.escape_debug()),
            None => {
                let name = name.escape_debug();
                format!("if the host has it without a file, say so in kvmnet.toml: known-networks = ['{name}']")
            }
        };
        report.at(&nic.source.mark, what).label("the guest doesn't start").help(help);
    }
}

/// The network whose name differs least, if it differs little.
fn nearest<'s>(set: &Set<'s>, name: &str) -> Option<&'s str> {
    let known = set.names().iter().take(MOST).map(|known| (strsim::osa_distance(known, name), *known));
    known.filter(|(distance, known)| *distance <= 2 && *distance < known.chars().count().max(2)).min().map(|(_, known)| known)
}
