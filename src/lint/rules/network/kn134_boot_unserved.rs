//! What guests are to boot, and nobody tells them.

use super::places::{of_dhcp, subnets};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};

pub(super) static RULE: Rule = Rule {
    code: "KN134",
    name: "boot-unserved",
    severity: Severity::Warning,
    summary: "a network names a file to boot, but libvirt's DHCP server doesn't say so",
    why: "\
<bootp> is part of what DHCP says in a subnet of IPv4. libvirt drops it in one of IPv6, and where <dhcp> has neither a \
range nor a host, so that there is no DHCP at all.",
    fixable: false,
    bad: &[example!("KN134-boot-unserved", "bad.xml")],
    good: &[example!("KN134-boot-unserved", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        let Some(bootp) = of_dhcp(subnet.node, "bootp").next() else { continue };
        let (what, help) = if !subnet.is_four() {
            ("libvirt drops <bootp> in a subnet of IPv6", "move it to an <ip> of IPv4")
        } else if !subnet.has_dhcp() {
            ("there is no DHCP here, and nobody names the file", "write a <range> beside it, or a <host>")
        } else {
            continue;
        };
        report.at(tag(network.doc, bootp), what).label("never used").help(help);
    }
}
