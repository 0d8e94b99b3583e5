//! Isolation where there can be none.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN021",
    name: "isolated-refused",
    severity: Severity::Error,
    summary: "a NIC is isolated, but not a port of a Linux bridge",
    why: "\
<port isolated='yes'/> keeps the guests on one Linux bridge from each other. Nothing but a Linux bridge can do it: libvirt \
refuses it on NICs of any other type than network and bridge, and together with a <virtualport> of some type. On macvtap, \
mode='private' comes near; Open vSwitch needs flow rules.",
    fixable: false,
    bad: &[example!("KN021-isolated-refused", "bad.xml")],
    good: &[example!("KN021-isolated-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("port") else { return };
    if node.attribute("isolated") != Some("yes") {
        return;
    }
    let span = || tag(nic.doc, node);
    if !nic.is_any(&["network", "bridge"]) {
        let what = format!("libvirt refuses isolation on a NIC of type {}", nic.kind.escape_debug());
        let found = report.at(span(), what);
        if nic.kind == "direct" {
            found.help("macvtap has mode='private' for it");
        }
    } else if let Some(port) = nic.child("virtualport").filter(|port| port.has_attribute("type")) {
        report
            .at(span(), "libvirt refuses isolation on a port that isn't a Linux bridge's")
            .also(tag(nic.doc, port), "its port");
    }
}
