//! A MAC address that isn't the house's.

use super::allowed;
use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::rules::mac;
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN304",
    name: "house-mac-prefix",
    severity: Severity::Error,
    summary: "a NIC's MAC address begins with what the policy doesn't allow",
    why: "\
A rule of the house: 'mac-prefixes' below [house] in kvmnet.toml lists what MAC addresses may begin with, as whole bytes: \
52:54:00 is what libvirt begins its own with. A NIC of a QEMU guest that has no address, or one of zeros, gets one of those \
from libvirt, and is found unless all of them are allowed.",
    fixable: false,
    bad: &[
        example!("KN304-house-mac-prefix", "bad/kvmnet.toml"),
        example!("KN304-house-mac-prefix", "bad/web1.xml"),
    ],
    good: &[
        example!("KN304-house-mac-prefix", "good/kvmnet.toml"),
        example!("KN304-house-mac-prefix", "good/web1.xml"),
    ],
    check: Check::House(check),
};

/// What the addresses that libvirt makes for QEMU's guests begin with (`QEMU_MAC_PREFIX` there).
const LIBVIRT: &str = "52:54:00";

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let Some(words) = &house.mac_prefixes else { return };
    // What libvirt doesn't read as an address is another rule's.
    let read = nic.child("mac").and_then(|node| Some((node, node.attribute("address")?)));
    let written = match read.map(|(node, written)| (node, mac::read(written))) {
        Some((_, None)) => return,
        Some((node, Some(mac))) if !mac::is_zero(mac) => Some((node, mac)),
        _ => None,
    };
    let found = match written {
        Some((node, mac)) => {
            let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
            if words.words().iter().any(|prefix| mac.starts_with(prefix)) {
                return;
            }
            let what = "this MAC address begins otherwise than the policy allows";
            report.at(value(nic.doc, node, "address"), what)
        }
        None if !nic.is_qemu || words.words().iter().any(|prefix| LIBVIRT.starts_with(prefix)) => return,
        None => report
            .at(nic.tag(), "this NIC has no MAC address, and the policy wants a certain kind")
            .label("libvirt makes one up that begins with 52:54:00"),
    };
    found.help(allowed(house, words, "MAC address"));
}
