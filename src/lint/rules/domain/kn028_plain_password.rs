//! A password that everybody reads.

use std::ops::Range;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, value};
use crate::xml::masks;

pub(super) static RULE: Rule = Rule {
    code: "KN028",
    name: "plain-password",
    severity: Severity::Warning,
    summary: "a password stands in the file in plain text",
    why: "\
Whoever reads the file, or its history, knows the password from then on. Leave it out and set it when the guest runs \
('virsh qemu-monitor-command', 'virsh update-device'), let the display listen on 127.0.0.1 or a socket only and go \
through SSH, or put a placeholder there that is filled in where the guest is defined. A secret of QEMU's belongs into a file \
(file=… instead of data=…). Change a password that was committed.",
    fixable: false,
    bad: &[example!("KN028-plain-password", "bad.xml")],
    good: &[example!("KN028-plain-password", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let doc = domain.doc;
    if !doc.text().contains("passw") && !doc.text().contains("data=") {
        return;
    }
    for graphics in domain.devices().filter(|device| device.tag_name().name() == "graphics") {
        if graphics.attribute("passwd").is_some_and(is_secret) {
            report
                .at(value(doc, graphics, "passwd"), "the display's password stands here in plain text")
                .help("leave it out and set it when the guest runs; change it if others have seen the file");
        }
    }
    let arguments = || domain.root.descendants().filter(|n| n.is_element() && n.tag_name().name() == "arg");
    if arguments().next().is_none() {
        return;
    }
    let masks = masks(doc);
    for argument in arguments() {
        let Some(given) = argument.attribute("value").filter(|given| is_secret(given)) else { continue };
        // With a key's name it is encrypted.
        if given.contains("keyid=") {
            continue;
        }
        let span = value(doc, argument, "value");
        let inside = |mask: &Range<usize>| span.start <= mask.start && mask.end <= span.end;
        if let Some(mask) = masks.iter().map(|mask| mask.range.clone()).find(inside) {
            report
                .at(mask, "a secret stands here in plain text")
                .help("write file=… with the path of a file that only QEMU reads; change it if others have seen this");
        }
    }
}

/// Is it more than a placeholder, which something else fills in?
fn is_secret(written: &str) -> bool {
    const PLACEHOLDERS: [&str; 6] = ["${", "{{", "<%", "%(", "@@", "__"];
    !written.trim().is_empty() && !PLACEHOLDERS.iter().any(|mark| written.contains(mark))
}
