//! A VLAN on a network that has none.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::kinds::{Kind, shown};

pub(super) static RULE: Rule = Rule {
    code: "KN203",
    name: "vlan-on-network",
    severity: Severity::Error,
    summary: "a guest has a VLAN of its own on a network whose ports can have none",
    why: "\
libvirt sets a VLAN on ports of Open vSwitch and of the host's bridges (mode='bridge' with a <bridge>), on macvtap in mode \
passthrough and on host devices. The networks that it makes itself, isolated or with mode nat, route or open, have no VLANs, \
nor has macvtap in other modes: libvirt takes the guest's definition, and doesn't start it.",
    fixable: false,
    bad: &[
        example!("KN203-vlan-on-network", "bad/lab.xml"),
        example!("KN203-vlan-on-network", "bad/web1.xml"),
    ],
    good: &[
        example!("KN203-vlan-on-network", "good/lab.xml"),
        example!("KN203-vlan-on-network", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for (net, nic) in set.asked() {
        let Some(vlan) = &nic.vlan else { continue };
        let Some(kind @ (Kind::Virtual | Kind::Macvtap)) = Kind::of(net) else { continue };
        let what = format!("network '{}' {}: a port there has no VLAN", shown(net), kind.words());
        report
            .at(vlan, what)
            .label("the guest doesn't start")
            .also(&net.name, "the network")
            .help("remove it, or put the guest on a network over a bridge that has VLANs");
    }
}
