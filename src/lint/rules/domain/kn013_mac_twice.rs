//! One MAC address for two NICs of a guest that are on the same network.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::mac;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN013",
    name: "mac-twice",
    severity: Severity::Error,
    summary: "two NICs of a guest on the same network have one MAC address",
    why: "\
libvirt doesn't compare MAC addresses. A bridge learns behind which port an address is: with two ports that have the same one, \
it sends every frame to the port that spoke last, and both NICs lose frames, mostly without any message. Two macvtap \
devices on one parent can't have the same address at all: the guest doesn't start. Such a pair is wanted only where it is \
declared as one, with <teaming>.",
    fixable: false,
    bad: &[example!("KN013-mac-twice", "bad.xml")],
    good: &[example!("KN013-mac-twice", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let mut seen: HashMap<_, &Nic<'_>> = HashMap::new();
    for nic in &domain.nics {
        let (Some(mac), Some(segment)) = (address(nic), segment(nic)) else { continue };
        let first = match seen.entry((mac, segment)) {
            Entry::Occupied(first) => *first.get(),
            Entry::Vacant(entry) => {
                entry.insert(nic);
                continue;
            }
        };
        let span = |nic: &Nic<'_>| nic.child("mac").map_or(nic.tag(), |node| value(nic.doc, node, "address"));
        report
            .at(span(nic), "two NICs on the same network have this MAC address")
            .label(format!("of NIC {}", nic.position))
            .also(span(first), format!("and of NIC {}", first.position))
            .help("give each NIC an address of its own");
    }
}

fn address(nic: &Nic<'_>) -> Option<[u8; 6]> {
    nic.attr("mac", "address").and_then(mac::read).filter(|mac| !mac::is_zero(*mac))
}

/// What two NICs have in common that surely lead to the same segment: type, source and portgroup. VLANs make several of
/// one, as portgroups may, which bring VLANs.
fn segment<'d>(nic: &Nic<'d>) -> Option<(&'d str, &'d str, Option<&'d str>)> {
    let attribute = match nic.kind {
        "network" => "network",
        "bridge" => "bridge",
        "direct" => "dev",
        _ => return None,
    };
    let is_alone = nic.child("teaming").is_none()
        && nic.child("vlan").is_none()
        && nic.attr("link", "state") != Some("down");
    let source = nic.attr("source", attribute).filter(|_| is_alone)?;
    Some((nic.kind, source, nic.attr("source", "portgroup")))
}
