//! A `<vlan>`, of a NIC or of a network.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::view::{tag, value};
use crate::xml::{Doc, children};

/// What libvirt's reader asks of any `<vlan>` (`virNetDevVlanParse`). It says what is missing.
pub(super) fn is_whole(doc: &Doc<'_>, vlan: Node<'_, '_>, report: &mut Report) -> bool {
    let mut natives = 0;
    let mut tags = 0;
    for node in children(vlan, "tag") {
        tags += 1;
        let Some(id) = node.attribute("id") else {
            report.at(tag(doc, node), "a VLAN's tag needs an id").help("write <tag id='…'/>");
            return false;
        };
        if id.trim_start().parse::<u32>().ok().is_none_or(|id| id > 4095) {
            let what = format!("'{}' is no number of a VLAN", id.escape_debug());
            report.at(value(doc, node, "id"), what).help("it is a number from 0 to 4095");
            return false;
        }
        natives += u32::from(node.has_attribute("nativeMode"));
        if natives > 1 {
            report
                .at(value(doc, node, "nativeMode"), "only one VLAN of a trunk can be the native one")
                .help("remove nativeMode from all tags but one");
            return false;
        }
    }
    if tags == 0 {
        report.at(tag(doc, vlan), "a <vlan> needs at least one tag").help("write <tag id='…'/> inside it");
        return false;
    }
    let Some(trunk) = vlan.attribute("trunk").filter(|trunk| !trunk.is_empty()) else { return true };
    let (is_yes, is_no) = (trunk.eq_ignore_ascii_case("yes"), trunk.eq_ignore_ascii_case("no"));
    let span = || value(doc, vlan, "trunk");
    if !is_yes && !is_no {
        let what = format!("'{}' is neither yes nor no", trunk.escape_debug());
        report.at(span(), what).help("several tags are a trunk without it");
    } else if is_no && tags > 1 {
        report.at(span(), "several VLANs are a trunk").help("write trunk='yes', or leave one tag");
    } else if is_no && natives > 0 {
        report.at(span(), "only a trunk has a native VLAN").help("write trunk='yes', or remove nativeMode");
    } else {
        return true;
    }
    false
}
