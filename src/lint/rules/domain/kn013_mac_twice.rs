//! One MAC address for two NICs of a guest that are on the same network.

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
    for (at, nic) in domain.nics.iter().enumerate() {
        let Some(mac) = address(nic) else { continue };
        let Some(first) = domain.nics[..at].iter().find(|n| address(n) == Some(mac) && same_network(n, nic))
        else {
            continue;
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

/// Do both surely lead to the same segment? VLANs and portgroups, which may bring VLANs, make several of one.
fn same_network(one: &Nic<'_>, other: &Nic<'_>) -> bool {
    let attribute = match one.kind {
        "network" => "network",
        "bridge" => "bridge",
        "direct" => "dev",
        _ => return false,
    };
    let alone = |nic: &Nic<'_>| {
        nic.child("teaming").is_none()
            && nic.child("vlan").is_none()
            && nic.attr("link", "state") != Some("down")
    };
    let same = |attribute| one.attr("source", attribute) == other.attr("source", attribute);
    one.kind == other.kind
        && one.attr("source", attribute).is_some()
        && same(attribute)
        && same("portgroup")
        && alone(one)
        && alone(other)
}
