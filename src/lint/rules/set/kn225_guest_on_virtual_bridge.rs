//! A guest on a network's bridge, past the network.

use std::collections::{HashMap, HashSet};

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{Set, SetReport};

use super::kinds::shown;

pub(super) static RULE: Rule = Rule {
    code: "KN225",
    name: "guest-on-virtual-bridge",
    severity: Severity::Warning,
    summary: "a guest names a bridge as the host's that libvirt makes for a network",
    why: "\
A NIC of type bridge is meant for a bridge that the host has, with a way to the LAN. On the bridge of an isolated, nat, \
route or open network the guest gets that network all the same, past libvirt: without what the network brings (isolation, \
VLAN, bandwidth, rights), and when the network is started anew, libvirt doesn't know that this guest was on it. If the host does \
have a bridge of that name, it is worse: starting the network fails, and takes the host's bridge away.\n\
Write type='network'. Guests of qemu:///session can't, they reach a network of the system's by its bridge only: ignore the \
rule for them, with <!-- kvmnet: ignore KN225 --> or in kvmnet.toml.",
    fixable: false,
    bad: &[
        example!("KN225-guest-on-virtual-bridge", "bad/lab.xml"),
        example!("KN225-guest-on-virtual-bridge", "bad/web1.xml"),
    ],
    good: &[
        example!("KN225-guest-on-virtual-bridge", "good/lab.xml"),
        example!("KN225-guest-on-virtual-bridge", "good/web1.xml"),
    ],
    check: Check::Set(check),
};

fn check(set: &Set<'_>, report: &mut SetReport) {
    // Where networks disagree about a bridge, that is said of them.
    let of_host: HashSet<&str> = set.networks_at_hand().filter_map(|net| Some(net.host_bridge()?.what.as_str())).collect();
    let mut made = HashMap::new();
    for net in set.networks_at_hand() {
        if let Some(bridge) = net.virtual_bridge().filter(|bridge| !of_host.contains(bridge.what.as_str())) {
            made.entry(bridge.what.as_str()).or_insert((net, bridge));
        }
    }
    for nic in set.guests().flat_map(|guest| &guest.nics).filter(|nic| nic.source.what.kind == "bridge") {
        let name = nic.source.what.name.as_str();
        let Some((net, bridge)) = made.get(name) else { continue };
        let instead = format!("write <interface type='network'> and <source network='{}'/>", shown(net));
        let help = match name.starts_with("virbr") {
            true => instead,
            false => format!(
                "if the host has a bridge '{}', write <forward mode='bridge'/> into the network: as it is, starting it \
                 deletes the host's bridge; else {instead}",
                name.escape_debug()
            ),
        };
        report
            .at(&nic.source.mark, format!("'{}' is the bridge that libvirt makes for network '{}'", name.escape_debug(), shown(net)))
            .label("past that network")
            .also(&bridge.mark, "there")
            .help(help);
    }
}
