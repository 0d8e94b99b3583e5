//! Settings of the virtio driver on a NIC that isn't virtio.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::xml::elements;

pub(super) static RULE: Rule = Rule {
    code: "KN030",
    name: "driver-dropped",
    severity: Severity::Warning,
    summary: "a NIC has settings of the virtio driver that libvirt drops",
    why: "\
Queues, ring sizes, offloads and vhost are virtio's. libvirt reads them only if <model> says virtio, and otherwise drops them \
without a word; also where the model is missing and would turn out to be virtio on that machine. Write <model type='virtio'/>, \
or remove them.",
    fixable: false,
    bad: &[example!("KN030-driver-dropped", "bad.xml")],
    good: &[example!("KN030-driver-dropped", "good.xml")],
    check: Check::Nic(check),
};

/// What means nothing to another model (`virDomainNetDefParseXMLDriver`).
const ATTRIBUTES: &[&str] = &[
    "queues",
    "rx_queue_size",
    "tx_queue_size",
    "txmode",
    "ioeventfd",
    "event_idx",
    "rss",
    "rss_hash_report",
];

fn check(nic: &Nic<'_>, report: &mut Report) {
    if !nic.is_qemu || nic.is_virtio() || nic.kind == "hostdev" {
        return;
    }
    let whose = match nic.model_type() {
        Some(model) => format!("a NIC of model {}", model.escape_debug()),
        None => "a NIC that names no model".to_string(),
    };
    let help = "write <model type='virtio'/>, or remove it";
    if let Some(driver) = nic.child("driver") {
        let is_meant = |name: &&&str| {
            // One queue is what every NIC has.
            driver.attribute(**name).is_some_and(|v| **name != "queues" || !matches!(v.trim(), "0" | "1"))
        };
        for name in ATTRIBUTES.iter().filter(is_meant) {
            report
                .at(value(nic.doc, driver, name), format!("libvirt drops '{name}' of {whose}"))
                .help(help);
        }
        if driver.attribute("name") == Some("vhost") {
            report
                .at(value(nic.doc, driver, "name"), format!("libvirt drops vhost of {whose}"))
                .help(help);
        }
        let of_virtio = |n: &roxmltree::Node<'_, '_>| {
            matches!(n.tag_name().name(), "host" | "guest") && n.attributes().next().is_some()
        };
        for offloads in elements(driver).filter(of_virtio) {
            report.at(tag(nic.doc, offloads), format!("libvirt drops the offloads of {whose}")).help(help);
        }
    }
    if let Some(backend) = nic.child("backend").filter(|backend| backend.has_attribute("vhost")) {
        report.at(value(nic.doc, backend, "vhost"), format!("libvirt drops vhost of {whose}")).help(help);
    }
}
