//! A NIC without the filter that the policy wants.

use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};

pub(super) static RULE: Rule = Rule {
    code: "KN305",
    name: "house-filter",
    severity: Severity::Error,
    summary: "a NIC doesn't have a filter that the policy wants it to have",
    why: "\
A rule of the house: 'filters' below [house] in kvmnet.toml lists filters, by name or pattern, one of which every NIC must name in \
its <filterref> that can have one: those of type network, bridge and ethernet. What other types may have is not for this rule: \
'forbidden-types' forbids them.",
    fixable: false,
    bad: &[example!("KN305-house-filter", "bad/kvmnet.toml"), example!("KN305-house-filter", "bad/web1.xml")],
    good: &[example!("KN305-house-filter", "good/kvmnet.toml"), example!("KN305-house-filter", "good/web1.xml")],
    check: Check::House(check),
};

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let Some(words) = &house.filters else { return };
    if !nic.is_any(&["network", "bridge", "ethernet"]) {
        return;
    }
    let help = format!("the policy wants {} ({})", words.list(), house.place(words));
    match nic.child("filterref").map(|node| (node, node.attribute("filter"))) {
        Some((_, Some(filter))) if words.mean(filter) => {}
        Some((node, Some(filter))) => {
            let what = format!("the filter '{}' isn't one that the policy wants", filter.escape_debug());
            report.at(value(nic.doc, node, "filter"), what).help(help);
        }
        Some((node, None)) => {
            report.at(tag(nic.doc, node), "this names no filter, and the policy wants one").help(help);
        }
        None => {
            report.at(nic.tag(), "this NIC has no filter, and the policy wants one").help(help);
        }
    }
}
