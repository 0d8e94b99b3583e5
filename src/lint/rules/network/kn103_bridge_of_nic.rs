//! A bridge that libvirt is to make, called like one of the host's own devices.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN103",
    name: "bridge-of-nic",
    severity: Severity::Warning,
    summary: "a network makes a bridge with the name of a NIC",
    why: "\
Networks without <forward>, and those of mode nat, route and open, make the bridge that they name. If a device of that \
name is there already, the network doesn't start; and while libvirt cleans up after that, it sets the device down and \
deletes it, or leaves it down where it can't be deleted. With the name of the NIC that leads to the LAN, the host \
drops off the network. To put guests on a bridge of the host's, write <forward mode='bridge'/>; to share out a NIC, \
<forward mode='bridge'> with <interface dev='…'/> in it; to let guests out by a certain NIC, <forward mode='nat' \
dev='…'/>.",
    fixable: false,
    bad: &[example!("KN103-bridge-of-nic", "bad/eth0.xml")],
    good: &[
        example!("KN103-bridge-of-nic", "good/none.xml"),
        example!("KN103-bridge-of-nic", "good/dev.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(node), Some(name)) = (network.child("bridge"), network.attr("bridge", "name")) else { return };
    if !network.is_virtual() || !is_nic(name) {
        return;
    }
    let what = format!("libvirt is to make a bridge called '{name}', as hosts call their own NICs");
    report
        .at(value(network.doc, node, "name"), what)
        .label("where such a device is, libvirt deletes it or sets it down")
        .help("leave the name out, and libvirt takes a free one; a NIC is named in <forward>");
}

/// A name that hosts give to NICs: the kernel's own, and those of systemd.net-naming-scheme(7), with or without a VLAN.
fn is_nic(name: &str) -> bool {
    let name = match name.rsplit_once('.') {
        Some((device, vlan)) if is_number(vlan) => device,
        _ => name,
    };
    ["eth", "wlan", "wwan", "bond"].iter().any(|kind| name.strip_prefix(kind).is_some_and(is_number))
        || ["en", "wl", "ww"].iter().any(|kind| name.strip_prefix(kind).is_some_and(is_place))
}

/// What follows the kind of NIC: `o1` on the board, `s3` in a slot, `p0s31f6` on a bus, `x` and a MAC address.
fn is_place(place: &str) -> bool {
    let Some(kind) = place.chars().next().filter(|kind| matches!(kind, 'o' | 's' | 'p' | 'x')) else {
        return false;
    };
    let rest = &place[1..];
    if kind == 'x' {
        return rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (first, mut more) = rest.split_at(number(rest));
    let is_on_bus = kind != 'p' || more.strip_prefix('s').is_some_and(|slot| number(slot) > 0);
    // Function, device, port, virtual function: each a letter or two, and a number.
    while let Some(after) =
        ["np", "f", "d", "n", "s", "u", "v", "i"].iter().find_map(|part| more.strip_prefix(part))
    {
        if number(after) == 0 {
            break;
        }
        more = &after[number(after)..];
    }
    !first.is_empty() && is_on_bus && more.is_empty()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_nic;

    #[test]
    fn names_of_nics() {
        for nic in [
            "eth0",
            "eth0.42",
            "enp4s0",
            "enp0s31f6",
            "enp2s0f0np0",
            "ens3f0v1",
            "eno1",
            "eno1np0",
            "ens3",
            "enx525400123456",
            "wlp3s0",
            "wlan0",
            "bond0",
        ] {
            assert!(is_nic(nic), "{nic}");
        }
        for other in [
            "virbr0", "br0", "eth", "ethernet", "entry", "engine0", "ensemble", "enp", "enp4", "lo0", "lan0",
            "bonding", "wlan", "eth0x", "enxy", "enlab1", "ens1lab", "eno", "enä1", "br0.42", "lo", "",
        ] {
            assert!(!is_nic(other), "{other}");
        }
    }
}
