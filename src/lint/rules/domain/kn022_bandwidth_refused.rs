//! A bandwidth that libvirt refuses.

use super::bandwidth;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value, without_attribute};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN022",
    name: "bandwidth-refused",
    severity: Severity::Error,
    summary: "a NIC's bandwidth lacks what it needs, or asks for what it can't have",
    why: "\
<inbound> and <outbound> need an average; peak and burst belong to one. A floor, the share that a guest gets at least, is \
given out by a libvirt network: only a NIC of type network can have one, and only inbound. A host device that is passed \
through has no bandwidth that libvirt could limit.",
    fixable: true,
    bad: &[example!("KN022-bandwidth-refused", "bad.xml")],
    good: &[example!("KN022-bandwidth-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("bandwidth") else { return };
    let inbound = child(node, "inbound");
    let outbound = child(node, "outbound");
    if nic.kind == "hostdev" && nic.is_qemu && inbound.or(outbound).is_some() {
        report
            .at(tag(nic.doc, node), "libvirt limits no host device: the guest doesn't start")
            .help("remove it");
        return;
    }
    if node.has_attribute("classID") {
        report
            .at(value(nic.doc, node, "classID"), "libvirt refuses a classID in a guest's definition")
            .help("it is libvirt's own note about a port: remove it")
            .fix(without_attribute(nic.doc, node, "classID"));
    }
    for rate in [inbound, outbound].into_iter().flatten() {
        let no_floor = match rate.tag_name().name() {
            "outbound" => Some("<outbound> has no floor: that is for inbound traffic".to_string()),
            _ if nic.kind != "network" => {
                Some(format!("a NIC of type {} has no floor", nic.kind.escape_debug()))
            }
            _ => None,
        };
        bandwidth::check(nic.doc, rate, no_floor, report);
    }
}
