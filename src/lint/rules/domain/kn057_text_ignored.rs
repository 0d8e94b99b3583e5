//! What stands as text where libvirt reads attributes.

use super::{mac, text};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead};

pub(super) static RULE: Rule = Rule {
    code: "KN057",
    name: "text-ignored",
    severity: Severity::Warning,
    summary: "a part of a NIC says as text what libvirt reads in an attribute",
    why: "\
All that libvirt reads of a NIC stands in attributes. It drops text without a word unless it is asked to validate: \
<mac>52:54:00:12:34:56</mac> is a NIC with a random MAC address, <mtu>1400</mtu> one with the usual MTU.",
    fixable: true,
    bad: &[example!("KN057-text-ignored", "bad.xml")],
    good: &[example!("KN057-text-ignored", "good.xml")],
    check: Check::Nic(check),
};

/// The elements, and the attribute that each is there for.
const PARTS: &[(&str, &str)] = &[
    ("filterref", "filter"),
    ("link", "state"),
    ("mac", "address"),
    ("model", "type"),
    ("mtu", "size"),
    ("target", "dev"),
];

fn check(nic: &Nic<'_>, report: &mut Report) {
    for (name, attribute) in PARTS {
        let Some(node) = nic.child(name) else { continue };
        let Some((found, written)) = text::check(nic.doc, node, attribute, report) else { continue };
        if *name == "mac" && node.attributes().len() == 0 && mac::read(&written).is_some() {
            found.fix(instead(node.range(), &format!("<mac address='{written}'/>")));
        }
    }
}
