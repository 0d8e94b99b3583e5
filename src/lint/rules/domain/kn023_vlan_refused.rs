//! A VLAN that can't be.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN023",
    name: "vlan-refused",
    severity: Severity::Error,
    summary: "a NIC has a VLAN where it can have none, or one that is none",
    why: "\
libvirt sets the VLAN of a port of Open vSwitch, of a Linux bridge (from libvirt 11.0 on, and only if the bridge filters \
VLANs), of macvtap in mode passthrough and of a host device. On any other NIC it takes <vlan> at definition, and then doesn't \
start the guest. A <vlan> has at least one <tag id='…'/> from 0 to 4095; more than one make a trunk, which a device with \
SR-IOV can't be.",
    fixable: false,
    bad: &[example!("KN023-vlan-refused", "bad.xml")],
    good: &[example!("KN023-vlan-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(vlan) = nic.child("vlan") else { return };
    if !is_whole(nic, vlan, report) || !nic.is_qemu {
        return;
    }
    let is_passthrough = nic.attr("source", "mode") == Some("passthrough");
    let port = nic.child("virtualport").and_then(|port| port.attribute("type"));
    let what = match nic.kind {
        "network" => return,
        "hostdev" => None,
        "direct" if is_passthrough => None,
        "direct" => Some("macvtap has VLANs only in mode passthrough".to_string()),
        "bridge" => match port {
            None | Some("openvswitch") => return,
            Some(port) => Some(format!("a port of type {} has no VLAN", port.escape_debug())),
        },
        other => Some(format!("a NIC of type {} has no VLAN", other.escape_debug())),
    };
    let mut tags = children(vlan, "tag");
    let is_trunk = vlan.attribute("trunk").is_some_and(|t| t.eq_ignore_ascii_case("yes"));
    let is_several = is_trunk || (tags.next().is_some() && tags.next().is_some());
    let span = tag(nic.doc, vlan);
    match what {
        Some(what) => {
            let help = match nic.kind {
                "direct" => "make a VLAN device of the parent on the host, and name that one; or use a bridge",
                _ => "remove it, or use a bridge that has VLANs",
            };
            report.at(span, what + ": the guest doesn't start").help(help);
        }
        None if is_several && port != Some("802.1Qbh") => {
            report
                .at(span, "a device of the host can be in one VLAN only, not on a trunk")
                .help("leave one <tag>, and no trunk='yes'");
        }
        None => {}
    }
}

/// What libvirt's reader asks of any `<vlan>` (`virNetDevVlanParse`).
fn is_whole(nic: &Nic<'_>, vlan: Node<'_, '_>, report: &mut Report) -> bool {
    let mut natives = 0;
    let mut tags = 0;
    for node in children(vlan, "tag") {
        tags += 1;
        let Some(id) = node.attribute("id") else {
            report.at(tag(nic.doc, node), "a VLAN's tag needs an id").help("write <tag id='…'/>");
            return false;
        };
        if id.trim_start().parse::<u32>().ok().is_none_or(|id| id > 4095) {
            let what = format!("'{}' is no number of a VLAN", id.escape_debug());
            report.at(value(nic.doc, node, "id"), what).help("it is a number from 0 to 4095");
            return false;
        }
        natives += u32::from(node.has_attribute("nativeMode"));
        if natives > 1 {
            report
                .at(value(nic.doc, node, "nativeMode"), "only one VLAN of a trunk can be the native one")
                .help("remove nativeMode from all tags but one");
            return false;
        }
    }
    if tags == 0 {
        report
            .at(tag(nic.doc, vlan), "a <vlan> needs at least one tag")
            .help("write <tag id='…'/> inside it");
        return false;
    }
    let Some(trunk) = vlan.attribute("trunk").filter(|trunk| !trunk.is_empty()) else { return true };
    let (is_yes, is_no) = (trunk.eq_ignore_ascii_case("yes"), trunk.eq_ignore_ascii_case("no"));
    let span = || value(nic.doc, vlan, "trunk");
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
