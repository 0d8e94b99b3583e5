//! A word that is nearly one of libvirt's.

use std::collections::HashSet;

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
use crate::xml::{Edits, StartTag, elements};

pub(super) static RULE: Rule = Rule {
    code: "KN037",
    name: "mistyped",
    severity: Severity::Warning,
    summary: "a NIC has an element or attribute that libvirt doesn't know, and that nearly is one that it knows",
    why: "\
libvirt drops elements and attributes that it doesn't know, without a word unless it is asked to validate: <mac adress='…'/> \
is a NIC with a random MAC address, <bandwith> is no limit, <filterRef> no filter. Only words are found that are one \
slip away from a known one.",
    fixable: true,
    bad: &[example!("KN037-mistyped", "bad.xml")],
    good: &[example!("KN037-mistyped", "good.xml")],
    check: Check::Nic(check),
};

/// What may stand in an `<interface>`, and with which attributes. Where the attributes are none of ours to judge, there
/// are none.
pub(super) const ELEMENTS: &[(&str, &[&str])] = &[
    ("acpi", &["index"]),
    ("actual", &[]),
    ("address", &[]),
    ("alias", &["name"]),
    ("backend", &["type", "tap", "vhost", "logFile"]),
    ("backenddomain", &["name"]),
    ("bandwidth", &["classID"]),
    ("boot", &["order", "loadparm"]),
    ("coalesce", &[]),
    ("downscript", &["path"]),
    (
        "driver",
        &[
            "name",
            "queues",
            "rx_queue_size",
            "tx_queue_size",
            "txmode",
            "ioeventfd",
            "event_idx",
            "iommu",
            "ats",
            "packed",
            "page_per_vq",
            "rss",
            "rss_hash_report",
            "model",
        ],
    ),
    ("filterref", &["filter"]),
    ("guest", &["dev", "actual"]),
    ("ip", &["address", "family", "prefix", "peer"]),
    ("link", &["state"]),
    ("mac", &["address", "type", "check", "currentAddress"]),
    ("model", &["type"]),
    ("mtu", &["size"]),
    ("port", &["isolated"]),
    ("portForward", &["proto", "address", "dev"]),
    ("rom", &["bar", "file", "enabled"]),
    ("route", &["family", "address", "netmask", "prefix", "gateway", "metric"]),
    ("script", &["path"]),
    (
        "source",
        &[
            "network",
            "portgroup",
            "portid",
            "bridge",
            "macTableManager",
            "dev",
            "mode",
            "type",
            "path",
            "name",
            "address",
            "port",
            "switchid",
            "portgroupid",
            "connectionid",
            "missing",
        ],
    ),
    ("target", &["dev", "managed"]),
    ("teaming", &["type", "persistent"]),
    ("tune", &[]),
    ("virtualport", &["type"]),
    ("vlan", &["trunk"]),
];

/// Known here and there, or beside those.
const OTHERS: &[&str] = &["master", "privateData", "metadata", "title", "description"];

const OF_INTERFACE: &[&str] = &["type", "managed", "trustGuestRxFilters"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    attributes(nic, nic.node, OF_INTERFACE, report);
    let names: HashSet<&str> = elements(nic.node).map(|node| node.tag_name().name()).collect();
    for node in elements(nic.node) {
        let name = node.tag_name().name();
        if let Some((_, known)) = ELEMENTS.iter().find(|(known, _)| *known == name) {
            // A missing attribute of the source is another rule's, which says what is needed.
            let is_whole = name != "source" || node.attributes().count() > 1;
            if is_whole && !known.is_empty() {
                attributes(nic, node, known, report);
            }
        } else if !OTHERS.contains(&name)
            && let Some((near, _)) = ELEMENTS.iter().find(|(known, _)| is_near(name, known))
        {
            let what = format!("libvirt drops <{name}>, which it doesn't know");
            let found = report.at(tag(nic.doc, node), what).help(format!("did you mean <{near}>?"));
            if !names.contains(near) {
                found.fix(renamed(nic, node, near));
            }
        }
    }
}

fn attributes(nic: &Nic<'_>, node: Node<'_, '_>, known: &[&str], report: &mut Report) {
    for attribute in node.attributes().filter(|a| a.namespace().is_none()) {
        let name = attribute.name();
        if known.contains(&name) {
            continue;
        }
        let Some(near) = known.iter().find(|known| is_near(name, known)) else { continue };
        let Some(start) = StartTag::read(nic.doc.text(), node.range().start) else { continue };
        let Some(written) = start.attr(nic.doc.text(), name) else { continue };
        let what = format!("libvirt drops '{name}' of <{}>, which it doesn't know", node.tag_name().name());
        let found = report.at(written.name.clone(), what).help(format!("did you mean {near}?"));
        if !node.has_attribute(*near) {
            let mut fix = Edits::default();
            fix.push(written.name.clone(), *near);
            found.fix(fix);
        }
    }
}

/// Is it one slip away: another case, or one letter too many, too few, wrong, or two in the wrong order? Of short words, too
/// many are neighbours.
fn is_near(written: &str, known: &str) -> bool {
    written.eq_ignore_ascii_case(known)
        || (known.len() >= 5 && written.len() >= 5 && strsim::osa_distance(written, known) == 1)
}

/// The splices that call an element by another name.
fn renamed(nic: &Nic<'_>, node: Node<'_, '_>, name: &str) -> Edits {
    let mut fix = Edits::default();
    let range = node.range();
    let Some(start) = StartTag::read(nic.doc.text(), range.start) else { return fix };
    fix.push(start.name.clone(), name);
    if !start.is_empty
        && let Some(end) = nic.doc.text()[range.clone()].rfind("</")
    {
        let end = range.start + end + 2;
        fix.push(end..end + start.name.len(), name);
    }
    fix
}
