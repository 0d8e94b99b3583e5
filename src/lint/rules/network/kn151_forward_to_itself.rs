//! A network that forwards to its own bridge.

use super::places::forward_device;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};
use crate::model::ForwardMode as M;

pub(super) static RULE: Rule = Rule {
    code: "KN151",
    name: "forward-to-itself",
    severity: Severity::Warning,
    summary: "the device that a network forwards through is its own bridge",
    why: "\
In mode nat and route the device of <forward> is the one through which guests reach other networks: libvirt's firewall \
rules let nothing through any other. With the network's own bridge there, which libvirt makes, guests reach each other and \
the host, and nothing else. The device is a NIC of the host, or a bridge of its own; without one, the host's \
routes decide.",
    fixable: false,
    bad: &[example!("KN151-forward-to-itself", "bad.xml")],
    good: &[example!("KN151-forward-to-itself", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    if !matches!(network.mode, Some(M::Nat | M::Route)) {
        return;
    }
    let (Some(bridge), Some(device)) = (network.child("bridge"), forward_device(network)) else { return };
    let Some(name) = network.attr("bridge", "name").filter(|name| device.attribute("dev") == Some(*name)) else {
        return;
    };
    report
        .at(value(network.doc, device, "dev"), format!("'{}' is the network's own bridge", name.escape_debug()))
        .label("guests reach nothing through it")
        .also(value(network.doc, bridge, "name"), "made by libvirt for this network")
        .help("name the host's NIC or bridge that leads on; or none: then the host's routes decide");
}
