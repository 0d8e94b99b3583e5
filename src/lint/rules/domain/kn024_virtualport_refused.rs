//! A port profile that can't be.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::xml::child;

use super::{number, uuid};

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

/// A type of port: what it needs, and what it may not have (`virNetDevVPortProfileCheckComplete` and `…CheckNoExtras`).
type Kind = (&'static str, &'static [&'static str], &'static [&'static str]);

const KINDS: &[Kind] = &[
    ("802.1Qbg", &["managerid", "typeid", "typeidversion"], &["profileid", "interfaceid"]),
    ("802.1Qbh", &["profileid"], &["managerid", "typeid", "typeidversion", "instanceid", "interfaceid"]),
    ("openvswitch", &[], &["managerid", "typeid", "typeidversion", "instanceid"]),
    ("midonet", &["interfaceid"], &[]),
];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(port) = nic.child("virtualport") else { return };
    if !nic.is_any(&["network", "bridge", "direct", "hostdev"]) {
        let what = format!("a NIC of type {} has no <virtualport>", nic.kind.escape_debug());
        report.at(tag(nic.doc, port), what).help("remove it");
        return;
    }
    let Some(kind) = port.attribute("type") else {
        if nic.kind != "network" {
            let what = format!("on a NIC of type {}, a <virtualport> must say its type", nic.kind);
            let help = match nic.kind {
                "bridge" => "write type='openvswitch', if the bridge is one of Open vSwitch; else remove it",
                _ => "write type='802.1Qbg' or type='802.1Qbh', or remove it",
            };
            report.at(tag(nic.doc, port), what).help(help);
        }
        return;
    };
    let Some((kind, needs, never)) = KINDS.iter().find(|(known, ..)| *known == kind) else {
        let what = format!("there is no <virtualport> of type '{}'", kind.escape_debug());
        let found = report.at(value(nic.doc, port, "type"), what);
        match KINDS.iter().find(|(known, ..)| strsim::osa_distance(&known.to_lowercase(), &kind.to_lowercase()) <= 2)
        {
            Some((near, ..)) => found.help(format!("did you mean {near}?")),
            None => found.help("openvswitch, 802.1Qbg, 802.1Qbh and midonet are those that there are"),
        };
        return;
    };
    let parameters = child(port, "parameters");
    let given = |name: &str| parameters.and_then(|p| p.attribute(name));
    let place = parameters.unwrap_or(port);
    let missing = needs.iter().find(|name| given(name).is_none_or(str::is_empty));
    if let Some(missing) = missing.filter(|_| nic.kind != "network") {
        let what = format!("a <virtualport> of type {kind} needs '{missing}'");
        report.at(tag(nic.doc, place), what).help(format!("write <parameters {missing}='…'/> inside it"));
    }
    for name in never.iter().filter(|name| given(name).is_some_and(|v| **name != "profileid" || !v.is_empty())) {
        let what = format!("a <virtualport> of type {kind} has no '{name}'");
        report.at(value(nic.doc, place, name), what).help("remove it");
    }
    if let Some(parameters) = parameters {
        values(nic, parameters, report);
    }
    if !nic.is_qemu {
        return;
    }
    let what = match (nic.kind, *kind) {
        ("bridge", "802.1Qbg" | "802.1Qbh") => {
            format!("libvirt connects a guest's tap with {kind} to nothing: a bridge doesn't speak it")
        }
        ("hostdev", "802.1Qbg" | "openvswitch") => {
            format!("a host device has no <virtualport> of type {kind}: the guest doesn't start")
        }
        _ => return,
    };
    report.at(value(nic.doc, port, "type"), what).help("remove the <virtualport>, or change the NIC's type");
}

/// Parameters that libvirt can't read.
fn values(nic: &Nic<'_>, parameters: Node<'_, '_>, report: &mut Report) {
    for (name, most) in [("managerid", 0xff), ("typeid", 0xff_ffff), ("typeidversion", 0xff)] {
        let Some(written) = parameters.attribute(name) else { continue };
        if number::c_like(written).is_none_or(|n| n > most) {
            let what = format!("'{}' is no {name}", written.escape_debug());
            report
                .at(value(nic.doc, parameters, name), what)
                .help(format!("it is a number from 0 to {most}"));
        }
    }
    for name in ["instanceid", "interfaceid"] {
        if parameters.attribute(name).is_some_and(|written| uuid::read(written).is_none()) {
            report
                .at(value(nic.doc, parameters, name), format!("the {name} is no UUID"))
                .help("it has 32 hexadecimal digits; leave it out, and libvirt makes one");
        }
    }
    // As long as the field for it, with its end (`LIBVIRT_IFLA_VF_PORT_PROFILE_MAX`).
    if parameters.attribute("profileid").is_some_and(|id| id.len() > 39) {
        report
            .at(value(nic.doc, parameters, "profileid"), "the profileid is too long")
            .help("it has 39 bytes at most");
    }
}
