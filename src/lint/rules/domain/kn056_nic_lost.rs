//! A NIC that libvirt doesn't see.

use roxmltree::Node;

use super::mistyped::{is_near, renamed};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag};
use crate::xml::{children, elements};

pub(super) static RULE: Rule = Rule {
    code: "KN056",
    name: "nic-lost",
    severity: Severity::Warning,
    summary: "a guest has a NIC that libvirt doesn't see, for its element is mistyped or stands elsewhere",
    why: "\
libvirt looks for NICs in one place: <interface> in <devices> in <domain>. What is called otherwise, or stands elsewhere, it \
drops without a word unless it is asked to validate: the guest starts without this NIC.",
    fixable: true,
    bad: &[
        example!("KN056-nic-lost", "bad/mistyped.xml"),
        example!("KN056-nic-lost", "bad/wrapped.xml"),
        example!("KN056-nic-lost", "bad/outside.xml"),
        example!("KN056-nic-lost", "bad/device.xml"),
    ],
    good: &[example!("KN056-nic-lost", "good/interface.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    for node in elements(domain.root) {
        match node.tag_name().name() {
            "devices" => {}
            "interface" => {
                report
                    .at(
                        tag(domain.doc, node),
                        "libvirt drops <interface> in <domain>: the guest has no such NIC",
                    )
                    .help("it belongs in <devices>");
            }
            name if is_near(name, "devices") && children(node, "interface").next().is_some() => {
                let what = format!("libvirt drops <{name}>, which it doesn't know, with the NICs in it");
                report
                    .at(tag(domain.doc, node), what)
                    .help("did you mean <devices>?")
                    .fix(renamed(domain.doc, node, "devices"));
            }
            _ => {}
        }
    }
    for node in domain.devices().filter(is_slip) {
        let name = node.tag_name().name();
        let what = format!("libvirt drops <{name}>, which it doesn't know: the guest has no such NIC");
        let found = report.at(tag(domain.doc, node), what);
        if children(node, "interface").next().is_some() {
            found.help("take it away from around the NICs: they belong right in <devices>");
        } else {
            found.help("did you mean <interface>?").fix(renamed(domain.doc, node, "interface"));
        }
    }
}

/// Is it nearly called `interface`, and is there anything in it that could be lost?
fn is_slip(node: &Node<'_, '_>) -> bool {
    let name = node.tag_name().name();
    let says_something = || node.attributes().len() > 0 || elements(*node).next().is_some();
    name != "interface" && is_near(name, "interface") && says_something()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    #[test]
    fn an_empty_slip_loses_nothing() {
        let found = |devices: &str| {
            let text = format!("<domain type='kvm'><devices>{devices}</devices></domain>");
            let doc = Doc::parse(&text).unwrap();
            let mut report = Report::default();
            check(&Domain::read(&doc, doc.root()), report.by(&RULE));
            report.found.len()
        };
        assert_eq!(found("<interfaces/><interfce></interfce>"), 0);
        assert_eq!(found("<interfce type='user'/><interfaces><interface type='user'/></interfaces>"), 2);
    }
}
