//! An address that is kept for a guest that isn't there.

use std::collections::HashMap;

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::kinds::shown;

pub(super) static RULE: Rule = Rule {
    code: "KN227",
    name: "reserved-for-nobody",
    severity: Severity::Warning,
    summary: "a network keeps an address for a MAC address that no guest has",
    why: "\
<host mac='…' ip='…'/> gives the guest with that MAC address the same IP address each time. If no guest has it, it was mistyped, \
or the guest got another one: it is then given any address of the range, and whoever counts on the reserved one waits in vain.\n\
Where no file has a guest on that network, or one of them leaves its MAC address to libvirt, this rule finds nothing: nobody \
can tell. It also finds nothing while some files of a folder are checked and others aren't.",
    fixable: false,
    bad: &[
        example!("KN227-reserved-for-nobody", "bad/lab.xml"),
        example!("KN227-reserved-for-nobody", "bad/web1.xml"),
    ],
    good: &[
        example!("KN227-reserved-for-nobody", "good/lab.xml"),
        example!("KN227-reserved-for-nobody", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    if !set.is_whole() {
        return;
    }
    let made = set.networks().filter_map(|net| Some((net.virtual_bridge()?.what.as_str(), net.network.name.as_str())));
    let made: HashMap<&str, &str> = made.collect();
    // By network: have all guests on it an address that is known?
    let mut guests: HashMap<&str, bool> = HashMap::new();
    for nic in set.guests().flat_map(|guest| &guest.nics) {
        let source = &nic.source.what;
        let on = match source.kind.as_str() {
            "network" => Some(source.name.as_str()),
            "bridge" => made.get(source.name.as_str()).copied(),
            _ => None,
        };
        if let Some(on) = on {
            *guests.entry(on).or_insert(true) &= nic.mac.is_some();
        }
    }
    for net in set.networks() {
        if guests.get(net.network.name.as_str()) != Some(&true) {
            continue;
        }
        for host in net.hosts.iter().filter(|host| !set.has_mac(host.what)) {
            report
                .at(&host.mark, "no guest has this MAC address")
                .label(format!("of all that are on network '{}'", shown(net)))
                .help("write the address that the guest has, or remove the entry");
        }
    }
}
