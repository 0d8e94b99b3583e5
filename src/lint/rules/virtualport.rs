//! A `<virtualport>`, of a NIC, a network or a portgroup.

use roxmltree::Node;

use super::{number, uuid};
use crate::lint::report::Report;
use crate::lint::view::value;
use crate::xml::{Doc, child};

/// A type of port: what it needs, and what it may not have (`virNetDevVPortProfileCheckComplete` and `…CheckNoExtras`).
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) needs: &'static [&'static str],
    never: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "802.1Qbg",
        needs: &["managerid", "typeid", "typeidversion"],
        never: &["profileid", "interfaceid"],
    },
    Kind {
        name: "802.1Qbh",
        needs: &["profileid"],
        never: &["managerid", "typeid", "typeidversion", "instanceid", "interfaceid"],
    },
    Kind { name: "openvswitch", needs: &[], never: &["managerid", "typeid", "typeidversion", "instanceid"] },
    Kind { name: "midonet", needs: &["interfaceid"], never: &[] },
];

/// The port's type, by its word; says so where there is no such type.
pub(super) fn kind(
    doc: &Doc<'_>,
    port: Node<'_, '_>,
    word: &str,
    report: &mut Report,
) -> Option<&'static Kind> {
    let known = KINDS.iter().find(|known| known.name == word);
    if known.is_none() {
        let what = format!("there is no <virtualport> of type '{}'", word.escape_debug());
        let found = report.at(value(doc, port, "type"), what);
        let is_near =
            |known: &&Kind| strsim::osa_distance(&known.name.to_lowercase(), &word.to_lowercase()) <= 2;
        match KINDS.iter().find(is_near) {
            Some(near) => found.help(format!("did you mean {}?", near.name)),
            None => found.help("openvswitch, 802.1Qbg, 802.1Qbh and midonet are those that there are"),
        };
    }
    known
}

/// Parameters that a port of that type may not have.
pub(super) fn extras(doc: &Doc<'_>, port: Node<'_, '_>, kind: &Kind, report: &mut Report) {
    let Some(parameters) = child(port, "parameters") else { return };
    // An empty profileid is none.
    let is_there =
        |name: &&&str| parameters.attribute(**name).is_some_and(|v| **name != "profileid" || !v.is_empty());
    for name in kind.never.iter().filter(is_there) {
        let what = format!("a <virtualport> of type {} has no '{name}'", kind.name);
        report.at(value(doc, parameters, name), what).help("remove it");
    }
}

/// Parameters that libvirt can't read.
pub(super) fn values(doc: &Doc<'_>, port: Node<'_, '_>, report: &mut Report) {
    let Some(parameters) = child(port, "parameters") else { return };
    for (name, most) in [("managerid", 0xff), ("typeid", 0xff_ffff), ("typeidversion", 0xff)] {
        let Some(written) = parameters.attribute(name) else { continue };
        if number::c_like(written).is_none_or(|n| n > most) {
            let what = format!("'{}' is no {name}", written.escape_debug());
            report.at(value(doc, parameters, name), what).help(format!("it is a number from 0 to {most}"));
        }
    }
    for name in ["instanceid", "interfaceid"] {
        if parameters.attribute(name).is_some_and(|written| uuid::read(written).is_none()) {
            report
                .at(value(doc, parameters, name), format!("the {name} is no UUID"))
                .help("it has 32 hexadecimal digits; leave it out, and libvirt makes one");
        }
    }
    // As long as the field for it, with its end (`LIBVIRT_IFLA_VF_PORT_PROFILE_MAX`).
    if parameters.attribute("profileid").is_some_and(|id| id.len() > 39) {
        report
            .at(value(doc, parameters, "profileid"), "the profileid is too long")
            .help("it has 39 bytes at most");
    }
}
