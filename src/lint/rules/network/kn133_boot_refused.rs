//! What guests are to boot, where libvirt refuses it.

use super::places::of_dhcp;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag};
use crate::model::read_address;
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN133",
    name: "boot-refused",
    severity: Severity::Error,
    summary: "a network offers files to boot in a way that libvirt refuses",
    why: "\
<bootp> names the file that guests boot over the network, and so it needs 'file'. <tftp>, the server for such files, \
is one of IPv4: in an <ip> of IPv6 libvirt refuses it.",
    fixable: false,
    bad: &[example!("KN133-boot-refused", "bad/file.xml"), example!("KN133-boot-refused", "bad/six.xml")],
    good: &[example!("KN133-boot-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for ip in network.ips() {
        let Some(address) = ip.attribute("address").and_then(read_address) else { continue };
        if let Some(tftp) = child(ip, "tftp").filter(|_| address.is_ipv6()) {
            report
                .at(tag(network.doc, tftp), "a subnet of IPv6 has no <tftp>")
                .help("move it to an <ip> of IPv4");
        }
        let bootp = of_dhcp(ip, "bootp").next().filter(|bootp| !bootp.has_attribute("file"));
        if let Some(bootp) = bootp.filter(|_| address.is_ipv4()) {
            report.at(tag(network.doc, bootp), "<bootp> names no file").help("write file='…'");
        }
    }
}
