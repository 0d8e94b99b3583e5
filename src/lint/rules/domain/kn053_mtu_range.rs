//! An MTU that a NIC can't have.

use super::mtu::TAP;
use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN053",
    name: "mtu-range",
    severity: Severity::Error,
    summary: "a NIC's MTU is none that it can have",
    why: "\
libvirt takes any number for the MTU of a NIC, and gives it to the tap on the host and to QEMU when the guest starts. The \
kernel takes 68 to 65521 for a tap, QEMU 65535 at most for a NIC of model virtio: with any other the guest doesn't start.",
    fixable: false,
    bad: &[
        example!("KN053-mtu-range", "bad/large.xml"),
        example!("KN053-mtu-range", "bad/tap.xml"),
        example!("KN053-mtu-range", "bad/small.xml"),
        example!("KN053-mtu-range", "bad/negative.xml"),
    ],
    good: &[example!("KN053-mtu-range", "good.xml")],
    check: Check::Nic(check),
};

/// The largest that fits into what QEMU has for it.
const LARGEST: u64 = 65535;

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("mtu").filter(|_| nic.is_qemu) else { return };
    // What is no number at all is another rule's.
    let Some(written) = node.attribute("size").filter(|size| !number::is_none(size)) else { return };
    let limits = match nic.kind {
        "bridge" => TAP,
        // The network may be one of macvtap.
        "network" => *TAP.start()..=LARGEST,
        "ethernet" if nic.attr("target", "managed") != Some("no") => TAP,
        "ethernet" | "vhostuser" | "user" if nic.is_virtio() => 0..=LARGEST,
        "ethernet" | "vhostuser" | "user" => 0..=u64::from(u32::MAX),
        _ => return,
    };
    let size = number::read(written);
    // 0 is none.
    if size.is_none_or(|size| size != 0 && !limits.contains(&size)) {
        report
            .at(value(nic.doc, node, "size"), format!("a NIC can't have an MTU of {}", written.trim()))
            .help(format!("{} to {}; 1500 is Ethernet's", TAP.start(), limits.end()));
    }
}
