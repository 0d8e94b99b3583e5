//! A word that is nearly one of libvirt's.

use std::collections::HashSet;

use roxmltree::Node;

use super::mistyped::{attributes, elements_in, is_near, is_short_slip, long_attributes, renamed};
use super::words;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
use crate::xml::{child, elements};

pub(super) static RULE: Rule = Rule {
    code: "KN037",
    name: "mistyped",
    severity: Severity::Warning,
    summary: "a NIC has an element or attribute that libvirt doesn't know, and that nearly is one that it knows",
    why: "\
libvirt drops elements and attributes that it doesn't know, without a word unless it is asked to validate: <mac adress='…'/> \
is a NIC with a random MAC address, <bandwith> is no limit, <filterRef> no filter. Only words are found that are one \
slip away from a known one, and of short ones only those that can't be meant otherwise.",
    fixable: true,
    bad: &[example!("KN037-mistyped", "bad/long.xml"), example!("KN037-mistyped", "bad/short.xml")],
    good: &[example!("KN037-mistyped", "good/long.xml"), example!("KN037-mistyped", "good/short.xml")],
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
    long_attributes(nic.doc, nic.node, OF_INTERFACE, report);
    let mut names: HashSet<&str> = elements(nic.node).map(|node| node.tag_name().name()).collect();
    for node in elements(nic.node) {
        let name = node.tag_name().name();
        if let Some((_, known)) = ELEMENTS.iter().find(|(known, _)| *known == name) {
            if name == "filterref" {
                parameters(nic, node, report);
            }
            match name {
                "bandwidth" | "vlan" | "virtualport" => words::walk_nic(node, &mut |part, place| {
                    attributes(nic.doc, part, place.attributes, report);
                    elements_in(nic.doc, part, place, report);
                }),
                // A missing attribute of the source is another rule's, which says what is needed.
                "source" if node.attributes().count() <= 1 => {}
                "source" | "driver" => long_attributes(nic.doc, node, known, report),
                _ if !known.is_empty() => attributes(nic.doc, node, known, report),
                _ => {}
            }
        } else if !OTHERS.contains(&name)
            && let Some((near, _)) = ELEMENTS.iter().find(|(known, inside)| is_meant(node, known, inside))
        {
            let what = format!("libvirt drops <{name}>, which it doesn't know");
            let found = report.at(tag(nic.doc, node), what).help(format!("did you mean <{near}>?"));
            // Of two, libvirt would read the first.
            if names.insert(near) {
                found.fix(renamed(nic.doc, node, near));
            }
        }
    }
}

/// What a filter is told, such as the address that it lets a guest have.
fn parameters(nic: &Nic<'_>, filter: Node<'_, '_>, report: &mut Report) {
    for wrong in elements(filter).filter(|node| node.tag_name().name() != "parameter") {
        let name = wrong.tag_name().name();
        if is_near(name, "parameter") {
            report
                .at(tag(nic.doc, wrong), format!("libvirt drops <{name}>, which it doesn't know"))
                .help("did you mean <parameter>?")
                .fix(renamed(nic.doc, wrong, "parameter"));
        }
    }
}

/// Is an element nearly one that is known; or a slip of one with a short name, that looks like it inside?
fn is_meant(node: Node<'_, '_>, known: &str, inside: &[&str]) -> bool {
    let name = node.tag_name().name();
    let looks_so = || {
        let mut given = node.attributes();
        let has_any = given.len() > 0 || (known == "vlan" && child(node, "tag").is_some());
        has_any && given.all(|a| a.namespace().is_none() && inside.contains(&a.name()))
    };
    is_near(name, known) || (is_short_slip(name, known) && looks_so())
}
