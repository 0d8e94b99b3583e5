//! An MTU that a bridge can't have.

use super::mtu::TAP;
use super::number;
use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};
use crate::net::{MTU, MTU6};

pub(super) static RULE: Rule = Rule {
    code: "KN144",
    name: "network-mtu",
    severity: Severity::Error,
    summary: "a network's MTU is none that its bridge, or its guests' taps, can have",
    why: "\
libvirt gives the network's MTU to the bridge that it makes, and to the taps of guests. The kernel takes 68 to 65535 for a \
bridge and 65521 at most for a tap, so that with more the network starts, and no guest on it. IPv6 needs 1280, and below \
that the network doesn't start with an address of it.",
    fixable: false,
    bad: &[
        example!("KN144-network-mtu", "bad/small.xml"),
        example!("KN144-network-mtu", "bad/unit.xml"),
        example!("KN144-network-mtu", "bad/large.xml"),
        example!("KN144-network-mtu", "bad/tap.xml"),
        example!("KN144-network-mtu", "bad/six.xml"),
    ],
    good: &[example!("KN144-network-mtu", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(node), Some(written)) = (network.child("mtu"), network.attr("mtu", "size")) else { return };
    let span = value(network.doc, node, "size");
    let Some(size) = number::read(written) else {
        report
            .at(span, format!("'{}' is no MTU", written.escape_debug()))
            .help("it is a number of bytes, without a unit");
        return;
    };
    // The other modes refuse any, and 0 is none.
    if !network.is_virtual() || size == 0 {
        return;
    }
    let has_six = subnets(network).any(|subnet| !subnet.is_four());
    if !u32::try_from(size).is_ok_and(|size| MTU.contains(&size)) {
        report.at(span, format!("a bridge can't have an MTU of {size}")).help(format!(
            "{} to {}; 1500 is Ethernet's",
            MTU.start(),
            TAP.end()
        ));
    } else if size > *TAP.end() {
        report
            .at(span, format!("a guest's tap can't have an MTU of {size}: no guest on the network starts"))
            .help(format!("write {} at most", TAP.end()));
    } else if has_six && size < u64::from(MTU6) {
        report
            .at(span, format!("an MTU of {size} is too small for IPv6: the network doesn't start"))
            .help(format!("write {MTU6} at least, or remove the <ip> of IPv6"));
    }
}
