//! A limit that nobody sets.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN045",
    name: "bandwidth-ignored",
    severity: Severity::Warning,
    summary: "a NIC has a bandwidth, but no device that libvirt could limit",
    why: "\
libvirt limits a NIC's bandwidth at its tap or macvtap device. NICs of type user, vhostuser, vdpa and of sockets have none: \
libvirt takes <bandwidth>, starts the guest, and says only in its own log that nothing is limited.",
    fixable: false,
    bad: &[example!("KN045-bandwidth-ignored", "bad.xml")],
    good: &[example!("KN045-bandwidth-ignored", "good.xml")],
    check: Check::Nic(check),
};

/// Types whose NICs have no device on the host (`virNetDevSupportsBandwidth`).
const WITHOUT: &[&str] = &["user", "vhostuser", "vdpa", "server", "client", "mcast", "udp", "internal"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(bandwidth) = nic.child("bandwidth").filter(|_| nic.is_qemu && nic.is_any(WITHOUT)) else { return };
    if ["inbound", "outbound"].iter().any(|name| child(bandwidth, name).is_some()) {
        let what = format!("libvirt limits nothing on a NIC of type {}", nic.kind);
        report.at(tag(nic.doc, bandwidth), what).label("no limit").help("remove it, or limit it elsewhere");
    }
}
