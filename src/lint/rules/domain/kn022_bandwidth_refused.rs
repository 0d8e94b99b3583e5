//! A bandwidth that libvirt refuses.

use roxmltree::Node;

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
    let Some(bandwidth) = nic.child("bandwidth") else { return };
    let inbound = child(bandwidth, "inbound");
    let outbound = child(bandwidth, "outbound");
    if nic.kind == "hostdev" && nic.is_qemu && inbound.or(outbound).is_some() {
        report
            .at(tag(nic.doc, bandwidth), "libvirt limits no host device: the guest doesn't start")
            .help("remove it");
        return;
    }
    if bandwidth.has_attribute("classID") {
        report
            .at(value(nic.doc, bandwidth, "classID"), "libvirt refuses a classID in a guest's definition")
            .help("it is libvirt's own note about a port: remove it")
            .fix(without_attribute(nic.doc, bandwidth, "classID"));
    }
    for rate in [inbound, outbound].into_iter().flatten() {
        judge(nic, rate, report);
    }
}

fn judge(nic: &Nic<'_>, rate: Node<'_, '_>, report: &mut Report) {
    let has = |attribute: &str| rate.has_attribute(attribute);
    let name = rate.tag_name().name();
    if !has("average") && !has("floor") {
        report
            .at(tag(nic.doc, rate), format!("<{name}> needs an average"))
            .help("write average='…', in kilobytes per second");
        return;
    }
    let extra = ["peak", "burst"].into_iter().find(|extra| has(extra) && !has("average"));
    if let Some(extra) = extra {
        report
            .at(value(nic.doc, rate, extra), format!("'{extra}' needs an average"))
            .help("write average='…', in kilobytes per second");
    }
    if has("floor") && (name == "outbound" || nic.kind != "network") {
        let what = match name {
            "outbound" => "<outbound> has no floor: that is for inbound traffic".to_string(),
            _ => format!("a NIC of type {} has no floor", nic.kind.escape_debug()),
        };
        let found = report.at(value(nic.doc, rate, "floor"), what);
        found.help("only <inbound> of a NIC of type network can have one");
        if has("average") {
            found.fix(without_attribute(nic.doc, rate, "floor"));
        }
    }
}
