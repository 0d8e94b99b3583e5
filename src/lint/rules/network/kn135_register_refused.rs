//! A domain to be registered that isn't the network's alone.

use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, attribute_like, value};
use crate::xml::{Edits, StartTag};

pub(super) static RULE: Rule = Rule {
    code: "KN135",
    name: "register-refused",
    severity: Severity::Error,
    summary: "a network's domain is to be registered, but not answered by the network alone",
    why: "\
<domain register='yes'> tells the host's systemd-resolved to ask the network's DNS server for names of the domain. \
That server would ask the host about names that it doesn't know, and so on: libvirt wants localOnly='yes' beside it.",
    fixable: true,
    bad: &[example!("KN135-register-refused", "bad.xml")],
    good: &[example!("KN135-register-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(domain) = network.child("domain") else { return };
    if domain.attribute("register") != Some("yes") || domain.attribute("localOnly") == Some("yes") {
        return;
    }
    // Where it says no, nobody knows which of the two is meant.
    let mut fix = Edits::default();
    if !domain.has_attribute("localOnly")
        && !mistyped::has_near(domain, "localOnly")
        && let Some(start) = StartTag::read(network.doc.text(), domain.range().start)
    {
        fix.push(
            start.name.end..start.name.end,
            attribute_like(network.doc, domain, "localOnly", "yes"),
        );
    }
    report
        .at(value(network.doc, domain, "register"), "a domain is registered only with localOnly='yes'")
        .help("write localOnly='yes' beside it")
        .fix(fix);
}
