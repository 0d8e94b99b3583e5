//! A DHCP host that libvirt refuses.

use std::net::IpAddr;

use roxmltree::Node;

use super::mac;
use super::places::of_dhcp;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, tag, value};
use crate::model::read_address;

pub(super) static RULE: Rule = Rule {
    code: "KN124",
    name: "dhcp-host-refused",
    severity: Severity::Error,
    summary: "a DHCP host lacks what it is known by, or has what it can't have",
    why: "\
A <host> of DHCP has the 'ip' that it gets, and what it is known by. In a subnet of IPv4 that is its MAC address, in \
libvirt's spelling and not a group's, or the name that it sends; in one of IPv6 its DUID ('id', hexadecimal digits and \
colons) or name, and never a MAC address: DHCPv6 doesn't know it. Names begin with a letter or digit.",
    fixable: true,
    bad: &[
        example!("KN124-dhcp-host-refused", "bad/hyphens.xml"),
        example!("KN124-dhcp-host-refused", "bad/group.xml"),
        example!("KN124-dhcp-host-refused", "bad/nobody.xml"),
        example!("KN124-dhcp-host-refused", "bad/no-address.xml"),
        example!("KN124-dhcp-host-refused", "bad/name.xml"),
        example!("KN124-dhcp-host-refused", "bad/mac6.xml"),
        example!("KN124-dhcp-host-refused", "bad/id.xml"),
    ],
    good: &[
        example!("KN124-dhcp-host-refused", "good/four.xml"),
        example!("KN124-dhcp-host-refused", "good/six.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for ip in network.ips() {
        let is_four = match ip.attribute("address").and_then(read_address) {
            Some(IpAddr::V4(_)) => true,
            Some(IpAddr::V6(_)) => false,
            None => continue,
        };
        of_dhcp(ip, "host").for_each(|host| judge(network, host, is_four, report));
    }
}

fn judge(network: &Network<'_>, host: Node<'_, '_>, is_four: bool, report: &mut Report) {
    let doc = network.doc;
    let (known_by, known) = match is_four {
        true => ("a MAC address or a name", ["mac", "name"]),
        false => ("a DUID ('id') or a name", ["id", "name"]),
    };
    if let Some(written) = host.attribute("mac") {
        let span = value(doc, host, "mac");
        match mac::read(written) {
            _ if !is_four => {
                report
                    .at(span, "DHCPv6 knows no MAC addresses")
                    .help("write the guest's DUID, id='…', or its name");
                return;
            }
            None => {
                let what = format!("'{}' is no MAC address to libvirt", written.escape_debug());
                let found = report.at(span.clone(), what);
                match mac::with_colons(written) {
                    Some(meant) => found.help(format!("write {meant}")).fix(instead(span, &meant)),
                    None => found.help("write it as in 52:54:00:12:34:56"),
                };
            }
            Some(mac) if mac[0] & 1 == 1 => {
                report
                    .at(
                        span,
                        format!("'{}' is a group's MAC address, which no guest has", written.escape_debug()),
                    )
                    .help("write the guest's own");
            }
            Some(_) => {}
        }
    }
    if let Some(id) = host.attribute("id")
        && let Some(c) = id.chars().find(|c| !c.is_ascii_hexdigit() && *c != ':')
    {
        report
            .at(value(doc, host, "id"), format!("a DUID can't have '{}' in it", c.escape_debug()))
            .help("it is hexadecimal digits with colons");
    }
    if host.attribute("name").is_some_and(|name| !name.starts_with(|c: char| c.is_ascii_alphanumeric())) {
        report
            .at(value(doc, host, "name"), "a host's name begins with a letter or digit")
            .help("write the name that the guest has");
    }
    if !known.iter().any(|name| host.has_attribute(*name)) {
        report
            .at(tag(doc, host), format!("a host is known by {known_by}"))
            .help(format!("write {}='…'", known[0]));
    }
    if !host.has_attribute("ip") {
        report.at(tag(doc, host), "the host gets no address").help("write ip='…'");
    }
}
