//! A type of NIC that there isn't.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead, value};

pub(super) static RULE: Rule = Rule {
    code: "KN016",
    name: "interface-type",
    severity: Severity::Error,
    summary: "a NIC's type is none that libvirt knows, or none that QEMU has",
    why: "\
libvirt refuses a NIC whose type it doesn't know. The usual ones are network (a libvirt network), bridge (a bridge of the \
host), direct (macvtap), user (no rights needed, no way in) and ethernet (a tap device that others connect). 'null' and \
'vds' are other hypervisors': libvirt defines a QEMU guest with them, which then doesn't start.",
    fixable: true,
    bad: &[example!("KN016-interface-type", "bad.xml")],
    good: &[example!("KN016-interface-type", "good.xml")],
    check: Check::Nic(check),
};

/// libvirt's types (`virDomainNetType`).
pub(in crate::lint) const TYPES: &[&str] = &[
    "user",
    "ethernet",
    "vhostuser",
    "server",
    "client",
    "mcast",
    "network",
    "bridge",
    "internal",
    "direct",
    "hostdev",
    "udp",
    "vdpa",
    "null",
    "vds",
];

/// What other programs call them.
const OTHERS: &[(&str, &str)] =
    &[("macvtap", "direct"), ("macvlan", "direct"), ("nat", "network"), ("tap", "ethernet"), ("vhost-user", "vhostuser")];

/// What libvirt calls what others call that.
pub(in crate::lint) fn called(word: &str) -> Option<&'static str> {
    let lower = word.trim().to_lowercase();
    OTHERS.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours)
}

/// Is there such a type?
pub(in crate::lint) fn is_known(kind: &str) -> bool {
    TYPES.contains(&kind)
}

fn check(nic: &Nic<'_>, report: &mut Report) {
    if is_known(nic.kind) {
        if nic.is_qemu && nic.is_any(&["null", "vds"]) {
            let what = format!("QEMU has no NICs of type {}: the guest doesn't start", nic.kind);
            report.at(value(nic.doc, nic.node, "type"), what);
        }
        return;
    }
    let span = value(nic.doc, nic.node, "type");
    let found = report.at(span.clone(), format!("there is no NIC of type '{}'", nic.kind.escape_debug()));
    let lower = nic.kind.trim().to_lowercase();
    let mut near = TYPES.iter().filter(|known| known.len() > 3 && strsim::osa_distance(known, &lower) <= 2);
    match (called(nic.kind), near.next(), near.next()) {
        (Some(ours), ..) => found.help(format!("libvirt calls it {ours}")),
        (None, Some(near), None) => found.help(format!("did you mean {near}?")).fix(instead(span, near)),
        _ => found.help("network, bridge, direct, user and ethernet are the usual ones"),
    };
}
