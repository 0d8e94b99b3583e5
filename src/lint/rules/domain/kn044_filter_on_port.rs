//! A filter where a switch has none.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN044",
    name: "filter-on-port",
    severity: Severity::Error,
    summary: "a NIC has a filter and a <virtualport>",
    why: "\
libvirt's filters are rules of the host's firewall about a port of a Linux bridge. A port of Open vSwitch or another switch \
isn't one: libvirt defines such a guest, and then doesn't start it. Filter with the switch's own rules, or use a Linux \
bridge.",
    fixable: false,
    bad: &[example!("KN044-filter-on-port", "bad.xml")],
    good: &[example!("KN044-filter-on-port", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    if !nic.is_qemu || !nic.is_any(&["network", "bridge"]) {
        return;
    }
    let filter = nic.child("filterref").filter(|node| node.has_attribute("filter"));
    let port = nic.child("virtualport").filter(|port| port.has_attribute("type"));
    if let (Some(filter), Some(port)) = (filter, port) {
        report
            .at(tag(nic.doc, filter), "libvirt filters ports of a Linux bridge only: the guest doesn't start")
            .also(tag(nic.doc, port), "a port of another switch")
            .help("remove it, and filter with the switch's own rules");
    }
}
