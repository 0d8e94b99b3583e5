//! A port profile on a network that isn't behind such a switch.

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Asks, Set, SetReport};

use super::kinds::{Kind, shown};
use crate::model::Setting;

pub(super) static RULE: Rule = Rule {
    code: "KN204",
    name: "virtualport-on-network",
    severity: Severity::Error,
    summary: "a guest has a <virtualport> that its network can't have",
    why: "\
Which switch a NIC is plugged into, its network decides: a bridge of the host may be one of Open vSwitch, macvtap and host \
devices may be behind one that speaks 802.1Qbg or 802.1Qbh, and the networks that libvirt makes itself are plain Linux \
bridges. With a <virtualport> of another switch, or one of which neither guest nor network says the type, libvirt takes the \
guest's definition, and doesn't start it.",
    fixable: false,
    bad: &[
        example!("KN204-virtualport-on-network", "bad/lab.xml"),
        example!("KN204-virtualport-on-network", "bad/web1.xml"),
    ],
    good: &[
        example!("KN204-virtualport-on-network", "good/lab.xml"),
        example!("KN204-virtualport-on-network", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    for (net, nic) in set.asked() {
        let Some(kind) = Kind::of(net) else { continue };
        for port in &nic.asks {
            let Asks::Virtualport(named) = &port.what else { continue };
            let group = nic.source.what.detail.as_deref();
            // What the guest doesn't say, the network or its portgroup may.
            let inherited = || net.network.all_inherited(group, Setting::Virtualport).find_map(type_of);
            let fits = match (kind, named.as_deref().or_else(inherited)) {
                (Kind::Virtual, _) | (_, None) => false,
                (Kind::Bridge, Some(named)) => named == "openvswitch",
                (_, Some(named)) => matches!(named, "802.1Qbg" | "802.1Qbh"),
            };
            if fits {
                continue;
            }
            let of = match named {
                Some(named) => format!("of type {}", named.escape_debug()),
                None => "without a type".into(),
            };
            let what = format!("network '{}' {}: it has no <virtualport> {of}", shown(net), kind.words());
            report
                .at(&port.mark, what)
                .label("the guest doesn't start")
                .also(&net.name, "the network")
                .help("remove it, or put the guest on a network that has such ports");
        }
    }
}

/// The type of a `<virtualport>` that a network brings.
fn type_of(port: &str) -> Option<&str> {
    let (tag, _) = port.split_once('>')?;
    Some(tag.split_once(" type='")?.1.split_once('\'')?.0)
}
