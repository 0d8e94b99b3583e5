//! A network with nothing that its guests could be plugged into.

use super::places::{Pool, pool};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::model::ForwardMode;

pub(super) static RULE: Rule = Rule {
    code: "KN107",
    name: "nothing-behind",
    severity: Severity::Error,
    summary: "a network of mode bridge, private, vepa, passthrough or hostdev names neither a bridge nor a device",
    why: "\
In these modes libvirt makes nothing: guests are plugged into a bridge of the host's, or get a macvtap device or a \
virtual function of one of its NICs. Without either libvirt defines the network and starts it, and no guest on it.",
    fixable: false,
    bad: &[
        example!("KN107-nothing-behind", "bad/bridge.xml"),
        example!("KN107-nothing-behind", "bad/vepa.xml"),
    ],
    good: &[
        example!("KN107-nothing-behind", "good/bridge.xml"),
        example!("KN107-nothing-behind", "good/vepa.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(mode), Some(forward)) = (network.mode, network.child("forward")) else { return };
    let is_bridge = mode == ForwardMode::Bridge;
    if mode.is_virtual() || pool(network) != Pool::None || network.attr("bridge", "name").is_some() {
        return;
    }
    let what = match is_bridge {
        true => "the network names neither a bridge nor a device: no guest on it starts",
        false => "the network names no device: no guest on it starts",
    };
    let help = match mode {
        ForwardMode::Bridge => "write <bridge name='…'/> beside it, or <interface dev='…'/> in it",
        ForwardMode::Hostdev => {
            "write <pf dev='…'/> in it, or <address type='pci' …/> for each virtual function"
        }
        _ => "write <interface dev='…'/> in it",
    };
    report.at(tag(network.doc, forward), what).help(help);
}
