//! An address of another family than it says.

use std::net::IpAddr;

use roxmltree::Node;

use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, value};
use crate::model::read_address;
use crate::xml::{Edits, StartTag, children};

pub(super) static RULE: Rule = Rule {
    code: "KN113",
    name: "family-wrong",
    severity: Severity::Error,
    summary: "an address isn't of the family that is given, or that libvirt takes where none is given",
    why: "\
An <ip> or <route> without 'family' is one of IPv4: libvirt refuses addresses of IPv6 in it, and wants family='ipv6'. \
The words are ipv4 and ipv6, in this spelling.",
    fixable: true,
    bad: &[
        example!("KN113-family-wrong", "bad/none.xml"),
        example!("KN113-family-wrong", "bad/other.xml"),
        example!("KN113-family-wrong", "bad/word.xml"),
        example!("KN113-family-wrong", "bad/route.xml"),
    ],
    good: &[example!("KN113-family-wrong", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for node in network.ips().chain(children(network.root, "route")) {
        let Some(address) = node.attribute("address").and_then(read_address) else { continue };
        let wanted = match address {
            IpAddr::V4(_) => "ipv4",
            IpAddr::V6(_) => "ipv6",
        };
        // An empty one is none to <ip>.
        let is_ip = node.tag_name().name() == "ip";
        let family = node.attribute("family").filter(|family| !is_ip || !family.is_empty());
        let what = match family {
            None if wanted == "ipv4" => continue,
            Some(family) if family == wanted => continue,
            None => "this is an address of IPv6, and without 'family' libvirt wants one of IPv4".to_string(),
            Some(family @ ("ipv4" | "ipv6")) => {
                format!(
                    "this is an address of {}, and 'family' says {family}",
                    if wanted == "ipv4" { "IPv4" } else { "IPv6" }
                )
            }
            Some(family) => format!("there is no family '{}'", family.escape_debug()),
        };
        let place = if matches!(family, None | Some("ipv4" | "ipv6")) { "address" } else { "family" };
        let found = report.at(value(network.doc, node, place), what);
        found.help(format!("write family='{wanted}'")).fix(with_family(network, node, wanted));
    }
}

/// The splice that gives it a family.
fn with_family(network: &Network<'_>, node: Node<'_, '_>, family: &str) -> Edits {
    if node.has_attribute("family") {
        return instead(value(network.doc, node, "family"), family);
    }
    let mut fix = Edits::default();
    if !mistyped::has_near(node, "family")
        && let Some(start) = StartTag::read(network.doc.text(), node.range().start) {
        fix.push(start.name.end..start.name.end, format!(" family='{family}'"));
    }
    fix
}
