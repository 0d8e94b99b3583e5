//! A name for a NIC's tap that another device has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use roxmltree::Node;

use super::kn014_device_name::MADE_UP;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN061",
    name: "target-taken",
    severity: Severity::Error,
    summary: "a NIC's tap is to have a name that another device has",
    why: "\
<target dev='…'/> is the name of the tap or macvtap that libvirt makes for the NIC, not of what the NIC is plugged into: that \
stands in <source>. A name that a bridge, a NIC of the host's or another NIC of the guest has can't be given to it, and the \
guest doesn't start. Without <target> libvirt finds a free name.",
    fixable: false,
    bad: &[
        example!("KN061-target-taken", "bad/bridge.xml"),
        example!("KN061-target-taken", "bad/direct.xml"),
        example!("KN061-target-taken", "bad/loopback.xml"),
        example!("KN061-target-taken", "bad/copied.xml"),
        example!("KN061-target-taken", "bad/copied-direct.xml"),
    ],
    good: &[example!("KN061-target-taken", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    if !domain.is_qemu() {
        return;
    }
    let mut first: HashMap<&str, &Nic<'_>> = HashMap::new();
    for nic in &domain.nics {
        let Some((node, name)) = made(nic) else { continue };
        let device = match (nic.kind, name) {
            (_, "lo") => Some("the host's loopback device"),
            ("bridge", _) if nic.attr("source", "bridge") == Some(name) => Some("the bridge"),
            ("direct", _) if nic.attr("source", "dev") == Some(name) => Some("the host's NIC"),
            _ => None,
        };
        let span = value(nic.doc, node, "dev");
        if let Some(device) = device {
            let what = format!("'{}' is {device}, and can't be the guest's own device, too", name.escape_debug());
            report
                .at(span, what)
                .label("the name of what libvirt makes for this NIC")
                .help("remove <target>: libvirt finds a free name");
            continue;
        }
        match first.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(nic);
            }
            Entry::Occupied(entry) => {
                let found = report.at(span, "another NIC's device has this name: the guest doesn't start");
                if let Some((other, _)) = made(entry.get()) {
                    found.also(value(nic.doc, other, "dev"), format!("of NIC {}", entry.get().position));
                }
                found.help("remove <target>: libvirt finds a free name");
            }
        }
    }
}

/// The name of the device that libvirt makes for a NIC, where the file gives it one: no pattern, and none that libvirt made up
/// itself and forgets.
fn made<'d>(nic: &Nic<'d>) -> Option<(Node<'d, 'd>, &'d str)> {
    let node = nic.child("target").filter(|_| nic.is_any(&["network", "bridge", "direct", "ethernet"]))?;
    let name = node.attribute("dev").filter(|name| !name.is_empty() && !name.contains('%'))?;
    let is_given = !MADE_UP.iter().any(|prefix| name.starts_with(prefix));
    (is_given && node.attribute("managed") != Some("no")).then_some((node, name))
}
