//! Ports that nobody forwards.

use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::model::read_address;
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN033",
    name: "port-forward-refused",
    severity: Severity::Error,
    summary: "a NIC forwards ports, but isn't passt's, or ports or addresses that are none",
    why: "\
<portForward> is what passt does, the program that libvirt runs behind a NIC of type user or vhostuser with \
<backend type='passt'/>. libvirt refuses it on NICs of any other type, without a protocol, and with ports and \
addresses that are none. Guests on a libvirt network with NAT get forwarded ports from \
the host's firewall; those on a bridge need none.",
    fixable: false,
    bad: &[example!("KN033-port-forward-refused", "bad.xml")],
    good: &[example!("KN033-port-forward-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(first) = nic.child("portForward") else { return };
    if !nic.is_any(&["user", "vhostuser"]) {
        let what = format!("a NIC of type {} forwards no ports", nic.kind.escape_debug());
        report.at(tag(nic.doc, first), what).help("remove it, or write type='user' and <backend type='passt'/>");
        return;
    }
    // Where QEMU was built without a network of its own, passt is behind a NIC of type user without being named.
    if nic.kind == "vhostuser" && !nic.has_passt() {
        report
            .at(tag(nic.doc, first), "only passt forwards ports")
            .help("write <backend type='passt'/> beside it");
        return;
    }
    for forward in children(nic.node, "portForward") {
        if !forward.has_attribute("proto") {
            report
                .at(tag(nic.doc, forward), "<portForward> doesn't say of which protocol")
                .help("write proto='tcp' or proto='udp'");
        }
        // A zone makes an address of a device's.
        let address = forward.attribute("address").filter(|address| !address.contains('%'));
        if let Some(address) = address.filter(|address| read_address(address).is_none()) {
            let what = format!("'{}' is no address to forward ports from", address.escape_debug());
            report
                .at(value(nic.doc, forward, "address"), what)
                .help("it is one of the host's, in digits; without it, all of them are");
        }
        for range in children(forward, "range") {
            for name in ["start", "end", "to"] {
                let Some(written) = range.attribute(name) else { continue };
                if number::read(written).is_none_or(|port| port == 0 || port > u32::MAX.into()) {
                    report
                        .at(value(nic.doc, range, name), format!("'{}' is no port", written.escape_debug()))
                        .help("it is a number from 1 to 65535");
                }
            }
            let is_open = ["end", "to", "exclude"].iter().any(|name| range.has_attribute(*name));
            if is_open && !range.has_attribute("start") {
                report.at(tag(nic.doc, range), "a range of ports needs a start").help("write start='…'");
            }
        }
    }
}
