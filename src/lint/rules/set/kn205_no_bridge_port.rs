//! What only a port of a Linux bridge has, on a network without any.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Asks, GuestNic, Net, Set, SetReport};

use super::kinds::{Kind, shown};
use crate::model::Setting;

pub(super) static RULE: Rule = Rule {
    code: "KN205",
    name: "no-bridge-port",
    severity: Severity::Error,
    summary: "a guest asks for what only a port of a Linux bridge can do, and its network has none",
    why: "\
A NIC of type network is what its network makes of it: a port of a Linux bridge, a macvtap device, or a host device. A filter, \
isolation and a tap device of one's own are for ports of Linux bridges, and host devices have no bandwidth that libvirt could \
limit. Since the guest doesn't say which it gets, libvirt takes its definition, and doesn't start it. A network of macvtap \
with mode='private' isolates its guests itself. Nor is a port of Open vSwitch filtered or isolated.",
    fixable: false,
    bad: &[
        example!("KN205-no-bridge-port", "bad/lan.xml"),
        example!("KN205-no-bridge-port", "bad/web1.xml"),
    ],
    good: &[
        example!("KN205-no-bridge-port", "good/lan.xml"),
        example!("KN205-no-bridge-port", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for (net, nic) in set.asked() {
        let Some(kind) = Kind::of(net) else { continue };
        if kind == Kind::Bridge {
            switch(net, nic, report);
        }
        if matches!(kind, Kind::Virtual | Kind::Bridge) {
            continue;
        }
        for asks in &nic.asks {
            let (why, help) = match asks.what {
                Asks::Filter => {
                    ("libvirt filters nothing there", "remove it and filter on the switch, or take a network over a bridge")
                }
                Asks::Isolation => {
                    ("no port is isolated there", "remove it; a macvtap network isolates all its guests with mode='private'")
                }
                Asks::Tap => ("no guest has a tap device there", "remove it"),
                Asks::Bandwidth if kind == Kind::Hostdev => ("libvirt limits nothing there", "remove it"),
                _ => continue,
            };
            report
                .at(&asks.mark, format!("network '{}' {}: {why}", shown(net), kind.words()))
                .label("the guest doesn't start")
                .also(&net.name, "the network")
                .help(help);
        }
    }
}

/// A bridge that is a switch: the network says what its ports are.
fn switch(net: &Net, nic: &GuestNic, report: &mut SetReport) {
    let group = nic.source.what.detail.as_deref();
    let mut profiles = net.network.all_inherited(group, Setting::Virtualport);
    if !profiles.any(|profile| profile.contains(" type=")) {
        return;
    }
    for asks in &nic.asks {
        let help = match asks.what {
            Asks::Isolation => "remove it; Open vSwitch needs flow rules",
            Asks::Filter => "remove it, and filter with the switch's own rules",
            _ => continue,
        };
        report
            .at(&asks.mark, format!("the ports of network '{}' aren't a Linux bridge's", shown(net)))
            .label("the guest doesn't start")
            .also(&net.name, "the network")
            .help(help);
    }
}
