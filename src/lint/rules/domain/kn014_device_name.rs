//! A name that no device of the host can have.

use super::device;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN014",
    name: "device-name",
    severity: Severity::Error,
    summary: "a bridge or device has a name that the kernel takes for none",
    why: "\
The name of a network device has 1 to 15 bytes, no blank, no '/' and no ':', and isn't '.' or '..'; 'all' and \
'default' are taken by the kernel itself, and 'lo' leads nowhere. libvirt defines a guest \
with any other name too, but nothing can have it, so that the guest doesn't start. A pattern for a tap's name has one \
%d in it, and nothing else with %.",
    fixable: false,
    bad: &[example!("KN014-device-name", "bad.xml")],
    good: &[example!("KN014-device-name", "good.xml")],
    check: Check::Nic(check),
};

/// What libvirt makes up itself, and forgets when it reads a definition (`virDomainNetDefParseXML`).
pub(super) const MADE_UP: &[&str] = &["vnet", "macvtap", "macvlan"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    if !nic.is_qemu {
        return;
    }
    let source = match nic.kind {
        "bridge" => Some("bridge"),
        "direct" => Some("dev"),
        _ => None,
    };
    if let (Some(attribute), Some(node)) = (source, nic.child("source"))
        && let Some(name) = node.attribute(attribute).filter(|name| !name.is_empty())
    {
        let span = || value(nic.doc, node, attribute);
        if name == "lo" {
            report
                .at(span(), "'lo' is the host's loopback device, which leads nowhere: the guest doesn't start")
                .help("name a bridge, or a NIC of the host's with type='direct'");
        } else {
            device::check(name, span, report);
        }
    }
    let Some(node) = nic.child("target").filter(|_| nic.is_any(&["network", "bridge", "direct", "ethernet"]))
    else {
        return;
    };
    let Some(name) = node.attribute("dev").filter(|name| !name.is_empty()) else { return };
    let is_made_up = MADE_UP.iter().any(|prefix| name.starts_with(prefix));
    if is_made_up && node.attribute("managed") != Some("no") {
        return;
    }
    let span = || value(nic.doc, node, "dev");
    match name.split_once('%') {
        None => device::check(name, span, report),
        Some((before, after)) if after.starts_with('d') && !after.contains('%') => {
            // With the shortest number that libvirt may write there.
            device::check(&[before, "0", &after[1..]].concat(), span, report);
        }
        Some(_) => {
            let what = format!("'{}' is no name of a device, and no pattern for one", name.escape_debug());
            report.at(span(), what).help("one %d stands for a number, as in tap%d");
        }
    }
}
