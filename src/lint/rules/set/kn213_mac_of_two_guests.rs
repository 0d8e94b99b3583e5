//! One MAC address for two guests on the same network.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::segment::segment;
use super::twice::twice;

pub(super) static RULE: Rule = Rule {
    code: "KN213",
    name: "mac-of-two-guests",
    severity: Severity::Error,
    summary: "two guests on the same network, or a guest by way of two networks, have one MAC address",
    why: "\
libvirt doesn't compare MAC addresses. With two guests that have the same one, a bridge sends every frame to the one that \
spoke last, and a DHCP server gives both the same address: each loses its connections whenever the other speaks, mostly \
without any message. Of two macvtap devices on one parent, the second doesn't even start. It happens when a file is copied. Two \
networks on one bridge are the same network here, also for two NICs of one guest.\n\
On two networks that have nothing to do with each other one address does no harm, and isn't found; nor is it on a NIC that has \
a VLAN of its own or whose link is down. Guests that are never to run at the same time may have one on purpose: say so with \
<!-- kvmnet: ignore KN213 -->.",
    fixable: false,
    bad: &[
        example!("KN213-mac-of-two-guests", "bad/web1.xml"),
        example!("KN213-mac-of-two-guests", "bad/web2.xml"),
    ],
    good: &[
        example!("KN213-mac-of-two-guests", "good/web1.xml"),
        example!("KN213-mac-of-two-guests", "good/web2.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    let nics = set.guests().flat_map(|guest| guest.nics.iter().map(move |nic| (guest, nic)));
    let known = nics.filter_map(|(guest, nic)| {
        let mac = nic.mac.as_ref()?;
        Some(((mac.what, segment(set, nic)?), (guest, nic, mac)))
    });
    for ((first, its, at), (later, nic, mac)) in twice(known) {
        if std::ptr::eq(first, later) {
            // What a file alone shows is another rule's.
            let (its, own) = (&its.source.what, &nic.source.what);
            if its != own && !(its.kind == "direct" && own.kind == "direct") {
                report
                    .at(&mac.mark, "another NIC of this guest has this MAC address, and their networks are one")
                    .also(&at.mark, "there")
                    .help("give each NIC an address of its own, or leave it out: libvirt makes one");
            }
            continue;
        }
        // Of one guest in two files, this is the least.
        if first.is_also(later) {
            continue;
        }
        let name = first.name.as_ref().map_or("another guest".into(), |name| format!("'{}'", name.what.escape_debug()));
        report
            .at(&mac.mark, format!("{name} has this MAC address on the same network"))
            .also(&at.mark, "there")
            .help("give each guest an address of its own, or leave it out: libvirt makes one");
    }
}
