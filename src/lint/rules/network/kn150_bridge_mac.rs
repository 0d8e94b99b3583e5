//! A bridge's MAC address that is none, or a group's.

use super::mac;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, value};

pub(super) static RULE: Rule = Rule {
    code: "KN150",
    name: "bridge-mac",
    severity: Severity::Error,
    summary: "the MAC address of a network's bridge is none, or a group's",
    why: "\
<mac> is the address of the bridge that libvirt makes: six numbers of one or two hexadecimal digits with colons \
between them. The first number is even: the odd ones are groups. All of them 0 is no address. Without <mac>, libvirt \
makes an address.",
    fixable: true,
    bad: &[
        example!("KN150-bridge-mac", "bad/hyphens.xml"),
        example!("KN150-bridge-mac", "bad/zero.xml"),
        example!("KN150-bridge-mac", "bad/group.xml"),
    ],
    good: &[example!("KN150-bridge-mac", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(node), Some(written)) = (network.child("mac"), network.attr("mac", "address")) else { return };
    let span = value(network.doc, node, "address");
    match mac::read(written) {
        None => {
            let found =
                report.at(span.clone(), format!("'{}' is no MAC address to libvirt", written.escape_debug()));
            match mac::with_colons(written) {
                Some(meant) => found.help(format!("write {meant}")).fix(instead(span, &meant)),
                None => found.help("write it as in 52:54:00:12:34:56, or leave it out"),
            };
        }
        Some(mac) if mac[0] & 1 == 1 => {
            report
                .at(
                    span,
                    format!(
                        "'{}' is a group's MAC address, which no bridge can have",
                        written.escape_debug()
                    ),
                )
                .label("its first number is odd")
                .help("write one that begins with 52:54:00, or leave it out");
        }
        // Without <mac> libvirt makes one up; this one it keeps, and the kernel takes it for none.
        Some(mac) if mac::is_zero(mac) && network.is_virtual() => {
            report.at(span, "no device has this MAC address: the network doesn't start").help("leave it out");
        }
        Some(_) => {}
    }
}
