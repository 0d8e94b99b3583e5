//! A VLAN that can't be.

use super::vlan::is_whole;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};
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
    if !is_whole(nic.doc, vlan, report) || !nic.is_qemu {
        return;
    }
    let is_passthrough = nic.attr("source", "mode") == Some("passthrough");
    let port = nic.child("virtualport").and_then(|port| port.attribute("type"));
    let what = match nic.kind {
        "network" => return,
        "hostdev" if port.is_some() => Some("a host device has either a VLAN or a port profile".to_string()),
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
