//! A NIC without a type.

use super::kn016_interface_type::is_known;
use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, attribute_like, instead};

pub(super) static RULE: Rule = Rule {
    code: "KN043",
    name: "type-missing",
    severity: Severity::Warning,
    summary: "a NIC names a network or a bridge, but not its type, and so is of type user",
    why: "\
An <interface> without a type is one of type user to libvirt, unless it is asked to validate: the guest is alone behind QEMU's \
own little NAT, and the <source> that stands there means nothing.",
    fixable: true,
    bad: &[example!("KN043-type-missing", "bad.xml")],
    good: &[example!("KN043-type-missing", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(source) = nic.child("source").filter(|_| !nic.node.has_attribute("type")) else { return };
    let is_there = |attribute: &&str| source.attribute(*attribute).is_some_and(|value| !value.is_empty());
    let named: Vec<&str> = ["network", "bridge", "dev"].into_iter().filter(is_there).collect();
    if named.is_empty() || named == ["dev"] && nic.has_passt() {
        return;
    }
    let span = nic.tag();
    if let Some(slip) = mistyped::slip(nic.node, "type") {
        // One in another case is another rule's.
        if !mistyped::is_near(slip.name(), "type") {
            let what = format!("libvirt drops '{}', and a NIC without a type is of type user", slip.name());
            let found = report.at(span, what).help("did you mean type?");
            if is_known(slip.value()) {
                found.fix(mistyped::attribute_renamed(nic.doc, nic.node, slip.name(), "type"));
            }
        }
        return;
    }
    let what = "a NIC without a type is of type user: its <source> means nothing";
    let found = report.at(span.clone(), what);
    match named[..] {
        [kind @ ("network" | "bridge")] => {
            let behind_name = span.start + "<interface".len();
            let word = attribute_like(nic.doc, nic.node, "type", kind);
            found.help(format!("write type='{kind}'")).fix(instead(behind_name..behind_name, &word))
        }
        ["dev"] => found.help("write the type that is meant: direct for macvtap, ethernet for a tap, vdpa"),
        _ => found.help("write the type that is meant, and leave the rest out of <source>"),
    };
}
