//! An address with leading zeros.

use std::net::{IpAddr, Ipv4Addr};

use super::places::addresses;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, value};
use crate::model::read_address;

pub(super) static RULE: Rule = Rule {
    code: "KN111",
    name: "address-octal",
    severity: Severity::Warning,
    summary: "an address has leading zeros, so that libvirt reads another one",
    why: "\
libvirt reads addresses as C does: a number that begins with 0 is octal. 192.168.010.1 is 192.168.8.1 to it, while \
most people, and other programs, read 192.168.10.1.",
    fixable: true,
    bad: &[example!("KN111-address-octal", "bad.xml")],
    good: &[example!("KN111-address-octal", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for (node, name) in addresses(network) {
        let written = node.attribute(name).unwrap_or_default();
        let Some(IpAddr::V4(read)) = read_address(written) else { continue };
        let Some(looks) = as_it_looks(written).filter(|looks| *looks != read) else { continue };
        let span = value(network.doc, node, name);
        report
            .at(span.clone(), format!("libvirt reads {written} as {read}: a leading zero means octal"))
            .help(format!("write {looks}"))
            .fix(instead(span, &looks.to_string()));
    }
}

/// The address that its four numbers are, read as people do.
fn as_it_looks(written: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u8> = written.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    <[u8; 4]>::try_from(numbers).ok().map(Ipv4Addr::from)
}
