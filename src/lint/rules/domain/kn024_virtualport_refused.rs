//! A port profile that can't be.

use super::virtualport;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN024",
    name: "virtualport-refused",
    severity: Severity::Error,
    summary: "a NIC has a <virtualport> where it can have none, or one that doesn't fit",
    why: "\
A <virtualport> says how a NIC is plugged into a switch that knows more than a Linux bridge does. Only NICs of type network, \
bridge, direct and hostdev have one; on the last three it must say its type and all that the type needs: 802.1Qbg managerid, \
typeid and typeidversion; 802.1Qbh a profileid; midonet an interfaceid. 802.1Qbg and 802.1Qbh are for macvtap: with \
one of them on a bridge, libvirt starts the guest without a word and connects its tap to nothing.",
    fixable: false,
    bad: &[example!("KN024-virtualport-refused", "bad.xml")],
    good: &[example!("KN024-virtualport-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(port) = nic.child("virtualport") else { return };
    if !nic.is_any(&["network", "bridge", "direct", "hostdev"]) {
        let what = format!("a NIC of type {} has no <virtualport>", nic.kind.escape_debug());
        report.at(tag(nic.doc, port), what).help("remove it");
        return;
    }
    let Some(kind) = port.attribute("type") else {
        if nic.kind == "network" {
            virtualport::values(nic.doc, port, report);
        } else {
            let what = format!("on a NIC of type {}, a <virtualport> must say its type", nic.kind);
            let help = match nic.kind {
                "bridge" => "write type='openvswitch', if the bridge is one of Open vSwitch; else remove it",
                _ => "write type='802.1Qbg' or type='802.1Qbh', or remove it",
            };
            report.at(tag(nic.doc, port), what).help(help);
        }
        return;
    };
    let Some(kind) = virtualport::kind(nic.doc, port, kind, report) else { return };
    let place = child(port, "parameters").unwrap_or(port);
    let missing = kind.needs.iter().find(|name| place.attribute(**name).is_none_or(str::is_empty));
    if let Some(missing) = missing.filter(|_| nic.kind != "network") {
        let what = format!("a <virtualport> of type {} needs '{missing}'", kind.name);
        report.at(tag(nic.doc, place), what).help(format!("write <parameters {missing}='…'/> inside it"));
    }
    virtualport::extras(nic.doc, port, kind, report);
    virtualport::values(nic.doc, port, report);
    if !nic.is_qemu {
        return;
    }
    let what = match (nic.kind, kind.name) {
        ("bridge", "802.1Qbg" | "802.1Qbh") => {
            format!("libvirt connects a guest's tap with {} to nothing: a bridge doesn't speak it", kind.name)
        }
        ("hostdev", "802.1Qbg" | "openvswitch") => {
            format!("a host device has no <virtualport> of type {}: the guest doesn't start", kind.name)
        }
        _ => return,
    };
    report.at(value(nic.doc, port, "type"), what).help("remove the <virtualport>, or change the NIC's type");
}
