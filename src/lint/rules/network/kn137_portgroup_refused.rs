//! Portgroups that libvirt can't tell apart.

use std::collections::HashMap;

use super::places::is_default;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN137",
    name: "portgroup-refused",
    severity: Severity::Error,
    summary: "a portgroup has no name, or the name of another one, or is a second default",
    why: "\
A guest names the portgroup that it gets; one that names none gets the default one. So each has a name of its own, and \
one of them at most is the default.",
    fixable: false,
    bad: &[
        example!("KN137-portgroup-refused", "bad/nameless.xml"),
        example!("KN137-portgroup-refused", "bad/same.xml"),
        example!("KN137-portgroup-refused", "bad/defaults.xml"),
    ],
    good: &[example!("KN137-portgroup-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (mut names, mut default) = (HashMap::new(), None);
    for group in children(network.root, "portgroup") {
        let Some(name) = group.attribute("name").filter(|name| !name.is_empty()) else {
            report.at(tag(network.doc, group), "the portgroup has no name").help("write name='…'");
            continue;
        };
        let other = *names.entry(name).or_insert(group);
        if other != group {
            let what = format!("two portgroups are called '{}'", name.escape_debug());
            report
                .at(value(network.doc, group, "name"), what)
                .also(value(network.doc, other, "name"), "the other one")
                .help("give each a name of its own");
        }
        if !is_default(group) {
            continue;
        }
        let other = *default.get_or_insert(group);
        if other != group {
            report
                .at(value(network.doc, group, "default"), "a network has one default portgroup only")
                .also(value(network.doc, other, "default"), "the first one")
                .help("leave default='yes' at one of them");
        }
    }
}
