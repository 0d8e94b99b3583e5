//! Isolation that a network can't give.

use super::places::{Pool, pool};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN153",
    name: "network-isolation",
    severity: Severity::Error,
    summary: "a network is to isolate its guests, and they aren't ports of a Linux bridge",
    why: "\
<port isolated='yes'/> keeps a network's guests from each other on a Linux bridge. libvirt defines and starts other networks \
with it, too: those that share out NICs or host devices, and those on a bridge of Open vSwitch. Then it starts no guest on \
them. macvtap has mode='private' for it; Open vSwitch needs flow rules.",
    fixable: false,
    bad: &[
        example!("KN153-network-isolation", "bad/pool.xml"),
        example!("KN153-network-isolation", "bad/switch.xml"),
    ],
    good: &[
        example!("KN153-network-isolation", "good/pool.xml"),
        example!("KN153-network-isolation", "good/bridge.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(mode) = network.mode.filter(|mode| !mode.is_virtual()) else { return };
    let Some(port) = network.child("port").filter(|port| port.attribute("isolated") == Some("yes")) else {
        return;
    };
    let doc = network.doc;
    let profile = network.child("virtualport").filter(|profile| profile.has_attribute("type"));
    if pool(network) != Pool::None {
        let what = format!("a network of mode {} that shares out devices isolates nobody", mode.as_str());
        let found = report.at(tag(doc, port), what).label("no guest on it starts");
        found.help("remove it; a macvtap network isolates its guests with mode='private'");
    } else if let Some(profile) = profile.filter(|_| network.attr("bridge", "name").is_some()) {
        report
            .at(tag(doc, port), "only ports of a Linux bridge can be isolated")
            .label("no guest on it starts")
            .also(tag(doc, profile), "its ports")
            .help("remove it; Open vSwitch needs flow rules");
    }
}
