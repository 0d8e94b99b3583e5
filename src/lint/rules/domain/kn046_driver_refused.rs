//! Settings of the driver or backend that a NIC can't have.

use super::machine::is_surely_not_virtio;
use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN046",
    name: "driver-refused",
    severity: Severity::Error,
    summary: "a NIC's driver or backend has settings that libvirt refuses",
    why: "\
iommu, ats, packed and page_per_vq are for virtio only; ring sizes are powers of two from 256 to 1024, for what \
the guest sends mostly 256 alone; several queues need a tap, macvtap, \
vhost-user or vDPA; a tap device's path needs a tap; and passt is the program behind NICs of type user and vhostuser \
alone. libvirt refuses anything else, some of it only when the guest starts.",
    fixable: false,
    bad: &[example!("KN046-driver-refused", "bad.xml")],
    good: &[example!("KN046-driver-refused", "good.xml")],
    check: Check::Nic(check),
};

/// The types that have several queues (`qemuDomainValidateActualNetDef`).
const QUEUES: &[&str] = &["network", "bridge", "direct", "ethernet", "vhostuser", "vdpa"];

/// The types whose device is a tap, unless the network says otherwise.
const TAPS: &[&str] = &["network", "bridge", "ethernet"];

/// So many queues a tap has at most (`MAX_TAP_QUEUES` in Linux).
const TAP_QUEUES: u64 = 256;

/// The types for which QEMU has longer queues of what the guest sends (`virtio_net_max_tx_queue_size`).
const LONG_QUEUES: &[&str] = &["vhostuser", "vdpa"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    if let Some(driver) = nic.child("driver").filter(|_| nic.is_qemu && nic.kind != "hostdev") {
        for name in ["iommu", "ats", "packed", "page_per_vq"] {
            if driver.has_attribute(name) && is_surely_not_virtio(nic) {
                report
                    .at(value(nic.doc, driver, name), format!("'{name}' is for NICs of model virtio only"))
                    .help("write <model type='virtio'/>, or remove it");
            }
        }
        if nic.is_virtio() {
            for name in ["rx_queue_size", "tx_queue_size"] {
                let Some(size) = driver.attribute(name).and_then(number::read) else { continue };
                let most = if name == "rx_queue_size" || nic.is_any(LONG_QUEUES) { 1024 } else { 256 };
                if size > 0 && !(size.is_power_of_two() && (256..=most).contains(&size)) {
                    let what = format!("'{name}' can't be {size} on a NIC of type {}", nic.kind.escape_debug());
                    report.at(value(nic.doc, driver, name), what).help(match most {
                        256 => "QEMU has 256 there, and nothing else; more is for vhostuser and vdpa".to_string(),
                        _ => "256, 512 and 1024 are what QEMU takes".to_string(),
                    });
                }
            }
            let queues = driver.attribute("queues").and_then(number::read);
            if queues.is_some_and(|queues| queues > 1) && !nic.is_any(QUEUES) {
                let what = format!("a NIC of type {} has one queue: the guest doesn't start", nic.kind.escape_debug());
                report.at(value(nic.doc, driver, "queues"), what).help("remove it");
            } else if queues.is_some_and(|queues| queues > TAP_QUEUES) && (nic.is_any(TAPS) || nic.kind == "direct") {
                report
                    .at(value(nic.doc, driver, "queues"), "a tap has 256 queues at most: the guest doesn't start")
                    .help("as many as the guest has processors are enough");
            }
        }
    }
    let Some(backend) = nic.child("backend") else { return };
    if nic.has_passt() && !nic.is_any(&["user", "vhostuser"]) {
        let what = format!("passt isn't for NICs of type {}", nic.kind.escape_debug());
        report.at(value(nic.doc, backend, "type"), what).help("remove it, or write type='user'");
    }
    let is_tap = nic.is_any(TAPS);
    if nic.is_qemu && backend.has_attribute("tap") && !is_tap {
        let what = format!("a NIC of type {} has no tap: the guest doesn't start", nic.kind.escape_debug());
        report.at(value(nic.doc, backend, "tap"), what).help("remove it");
    }
}
