//! A DHCP host's name that dnsmasq doesn't take for one.

use std::net::Ipv4Addr;

use super::places::subnets;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN127",
    name: "dhcp-host-name",
    severity: Severity::Warning,
    summary: "a DHCP host has a name over which it is dropped, or that means something else to dnsmasq",
    why: "\
libvirt hands the names of DHCP hosts to dnsmasq as they stand. That drops the whole host over a name with anything \
but letters, digits, '-', '_' and dots in it; it splits a name at a comma; a number, with or without a unit (90, 12h), or \
'infinite', is a lease time to it, 'ignore' means that the guest is to get nothing, and an \
address is what the guest gets, whatever ip='…' says. And a file of its own libvirt can't read again with ', & or < in it.",
    fixable: false,
    bad: &[example!("KN127-dhcp-host-name", "bad.xml")],
    good: &[example!("KN127-dhcp-host-name", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for subnet in subnets(network) {
        for host in subnet.hosts() {
            let Some(name) = host.attribute("name").filter(|name| !name.is_empty()) else { continue };
            let as_address = "is an address to dnsmasq, which gives it to the guest in place of any other";
            let is_address = subnet.is_four() && name.parse::<Ipv4Addr>().is_ok();
            let what = if is_address { Some(as_address.to_string()) } else { misread(name) };
            let Some(what) = what else { continue };
            report
                .at(value(network.doc, host, "name"), format!("'{}' {what}", name.escape_debug()))
                .help("letters, digits, '-', and dots between them are fine");
        }
    }
}

fn misread(name: &str) -> Option<String> {
    let unit = name.strip_suffix(['s', 'm', 'h', 'd', 'w']).unwrap_or(name);
    if name == "ignore" {
        Some("tells dnsmasq to give the guest nothing".into())
    } else if name == "infinite" || (!unit.is_empty() && unit.bytes().all(|b| b.is_ascii_digit())) {
        Some("is a lease time to dnsmasq, not a name".into())
    } else if name.contains(',') {
        Some("is several words to dnsmasq".into())
    } else {
        // What dnsmasq makes of one '"' depends on where the next one is.
        let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '"');
        let bad = name.chars().find(|c| !is_fine(*c))?;
        let why = match bad {
            '\'' | '&' | '<' => "libvirt writes it where it can't read it again, and the network doesn't start",
            _ => "dnsmasq drops the host",
        };
        Some(format!("has {bad:?} in it: {why}"))
    }
}
