//! macvtap without a mode.

use super::mistyped;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, attribute_like, tag};
use crate::xml::Edits;

pub(super) static RULE: Rule = Rule {
    code: "KN017",
    name: "direct-without-mode",
    severity: Severity::Warning,
    summary: "a NIC of type direct says no mode, and so gets vepa",
    why: "\
A NIC of type direct (macvtap) without a mode is in mode vepa: every frame goes out to the switch, also those to other \
guests of the same host. Few switches send a frame back to the port that it came from, so that guests of one host don't \
reach each other. What is nearly always meant is mode='bridge'. Where vepa is meant, it should stand there.",
    fixable: true,
    bad: &[example!("KN017-direct-without-mode", "bad.xml")],
    good: &[example!("KN017-direct-without-mode", "good.xml")],
    check: Check::Nic(check),
};

/// The modes that there are.
const MODES: [&str; 4] = ["bridge", "vepa", "private", "passthrough"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(source) = nic.child("source").filter(|_| nic.kind == "direct") else { return };
    // Port profiles are for switches that do send frames back: there vepa is what is meant.
    if !source.has_attribute("dev") || source.has_attribute("mode") || nic.child("virtualport").is_some() {
        return;
    }
    let span = tag(nic.doc, source);
    if let Some(slip) = mistyped::slip(source, "mode") {
        // One in another case is another rule's.
        if !mistyped::is_near(slip.name(), "mode") {
            let what = format!("libvirt drops '{}', and macvtap without a mode is vepa", slip.name());
            let found = report.at(span, what).label("no mode").help("did you mean mode?");
            if MODES.contains(&slip.value()) {
                found.fix(mistyped::attribute_renamed(nic.doc, source, slip.name(), "mode"));
            }
        }
        return;
    }
    let mut edits = Edits::default();
    let text = &nic.doc.text()[span.clone()];
    let end = text.trim_end_matches(['/', '>']).trim_end().len();
    edits.push(span.start + end..span.start + end, attribute_like(nic.doc, source, "mode", "bridge"));
    let found = report.at(span, "macvtap without a mode is vepa: guests of this host don't reach each other");
    found.label("no mode").help("say which one is meant; mostly that is mode='bridge'").fix(edits);
}
