//! Devices that all want to be booted from.

use std::collections::HashMap;
use std::ops::Range;

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, tag, value};
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN025",
    name: "boot-order",
    severity: Severity::Error,
    summary: "two devices have the same boot order, or there are two ways of saying it",
    why: "\
Either <os> says what is booted from (<boot dev='hd'/>), or the devices do (<boot order='1'/>): libvirt refuses both together, \
two devices with one number, and numbers below 1.",
    fixable: false,
    bad: &[example!("KN025-boot-order", "bad.xml")],
    good: &[example!("KN025-boot-order", "good.xml")],
    check: Check::Domain(check),
};

/// The devices of which libvirt reads a boot order.
const BOOTABLE: &[&str] = &["disk", "filesystem", "interface", "redirdev", "hostdev"];

fn check(domain: &Domain<'_>, report: &mut Report) {
    let doc = domain.doc;
    let mut first: Option<Range<usize>> = None;
    let mut seen = HashMap::new();
    for boot in boots(domain) {
        let Some(written) = boot.attribute("order") else {
            let what = "a <boot> of a device needs an order";
            report.at(tag(doc, boot), what).help("write <boot order='1'/>");
            continue;
        };
        let span = value(doc, boot, "order");
        let Some(order) = number(written) else {
            let what = format!("'{}' is no boot order", written.escape_debug());
            report.at(span, what).help("it is a number from 1 on");
            continue;
        };
        let other = *seen.entry(order).or_insert(boot);
        if other != boot {
            report
                .at(span.clone(), format!("boot order {order} belongs to another device already"))
                .also(value(doc, other, "order"), "this one")
                .help("give each device a number of its own");
        }
        first.get_or_insert(span);
    }
    let os = child(domain.root, "os");
    let is_hvm = os.and_then(|os| child(os, "type")).and_then(|t| t.text()).is_some_and(|t| t.trim() == "hvm");
    let Some(first) = first.filter(|_| is_hvm && domain.is_qemu()) else { return };
    if let Some(boot) = os.and_then(|os| children(os, "boot").next()) {
        report
            .at(tag(doc, boot), "libvirt refuses <boot> in <os> beside boot orders of devices")
            .label("here for the guest")
            .also(first, "here for a device")
            .help("leave one of the two ways");
    }
}

fn boots<'d>(domain: &Domain<'d>) -> impl Iterator<Item = Node<'d, 'd>> {
    let devices = domain.devices().filter(|device| BOOTABLE.contains(&device.tag_name().name()));
    devices.filter_map(|device| child(device, "boot"))
}

fn number(written: &str) -> Option<u32> {
    written.trim_start().parse().ok().filter(|order| *order > 0)
}
