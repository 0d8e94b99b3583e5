//! A lease time that can't be.

use super::places::leases;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN128",
    name: "lease-refused",
    severity: Severity::Error,
    summary: "a DHCP lease has a time that libvirt refuses",
    why: "\
A <lease> has its time in 'expiry', a number of minutes; of seconds or hours, if 'unit' says so. Two minutes are the \
least that dnsmasq does; 0 is for ever.",
    fixable: false,
    bad: &[
        example!("KN128-lease-refused", "bad/short.xml"),
        example!("KN128-lease-refused", "bad/days.xml"),
        example!("KN128-lease-refused", "bad/word.xml"),
    ],
    good: &[example!("KN128-lease-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    for lease in leases(network) {
        let Some(written) = lease.attribute("expiry") else { continue };
        let doc = network.doc;
        let Some(time) = super::number::read_c(written) else {
            report
                .at(value(doc, lease, "expiry"), format!("'{}' is no number", written.escape_debug()))
                .help("write digits here, and seconds, minutes or hours in unit='…'");
            continue;
        };
        let least = match lease.attribute("unit").unwrap_or("minutes") {
            "seconds" => 120,
            "minutes" => 2,
            "hours" => 1,
            unit => {
                report
                    .at(value(doc, lease, "unit"), format!("there is no unit '{}'", unit.escape_debug()))
                    .help("one of: seconds, minutes, hours");
                continue;
            }
        };
        if (1..least).contains(&time) {
            report
                .at(value(doc, lease, "expiry"), "a lease of less than two minutes")
                .help("write at least two minutes; 0 is for ever");
        }
    }
}
