//! A word where libvirt knows only certain ones.

use roxmltree::Node;

use super::number;
use super::word::{self, ON_OFF, YES_NO};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, inner, tag};
use crate::xml::{child, children, elements};

pub(super) static RULE: Rule = Rule {
    code: "KN040",
    name: "bad-value",
    severity: Severity::Error,
    summary: "an attribute of a NIC has a value that libvirt refuses",
    why: "\
Many attributes take one of a few words: yes or no, on or off, up or down, a mode. Others take a number. libvirt refuses \
the guest over any other value; also over 'true', 'enabled', and words in another case.",
    fixable: true,
    bad: &[example!("KN040-bad-value", "bad.xml")],
    good: &[example!("KN040-bad-value", "good.xml")],
    check: Check::Nic(check),
};

/// Where a device can be in a guest (`virDomainDeviceAddressTypeFromString`; libvirt refuses virtio-s390, which is one, too).
const ADDRESSES: &[&str] = &[
    "pci",
    "drive",
    "virtio-serial",
    "ccid",
    "usb",
    "spapr-vio",
    "ccw",
    "virtio-mmio",
    "isa",
    "dimm",
    "unassigned",
];

/// Where one of model virtio can be (`qemuBuildVirtioDevProps`).
const VIRTIO_ADDRESSES: &[&str] = &["pci", "ccw", "virtio-mmio"];

/// What holds a host's device while it is passed through (`virDeviceHostdevPCIDriverName`).
const HOST_DRIVERS: &[&str] = &["vfio", "kvm", "xen"];

/// What can be passed through (`virDomainHostdevSubsysTypeFromString`).
const HOST_DEVICES: &[&str] = &["pci", "usb", "scsi", "scsi_host", "mdev"];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let mut words = |node: Option<Node<'_, '_>>, name: &str, known: &[&'static str]| {
        if let Some(node) = node {
            word::check(nic.doc, node, name, known, report);
        }
    };
    words(Some(nic.node), "trustGuestRxFilters", YES_NO);
    words(nic.child("mac"), "type", &["generated", "static"]);
    words(nic.child("mac"), "check", YES_NO);
    words(nic.child("target"), "managed", YES_NO);
    words(nic.child("port"), "isolated", YES_NO);
    words(nic.child("backend"), "type", &["default", "passt"]);
    words(nic.child("rom"), "enabled", YES_NO);
    words(nic.child("rom"), "bar", ON_OFF);
    let address = nic.child("address").filter(|address| address.attribute("type") == Some("pci"));
    words(address, "multifunction", ON_OFF);
    // Of a NIC that is passed through, the model means nothing.
    let is_own = nic.is_qemu && nic.kind != "hostdev";
    words(nic.child("address"), "type", if is_own && nic.is_virtio() { VIRTIO_ADDRESSES } else { ADDRESSES });

    let source = nic.child("source").filter(|_| nic.kind == "hostdev").and_then(|source| child(source, "address"));
    words(source.filter(|address| address.attribute("type") != Some("")), "type", HOST_DEVICES);
    if source.is_some_and(|address| address.attribute("type") == Some("pci")) {
        words(nic.child("source"), "writeFiltering", YES_NO);
        words(nic.child("driver"), "name", HOST_DRIVERS);
    }
    // An empty word is none to libvirt here.
    words(nic.child("link").filter(|link| link.attribute("state") != Some("")), "state", &["up", "down"]);
    let teaming = nic.child("teaming").filter(|team| team.attribute("type") != Some(""));
    words(teaming, "type", &["persistent", "transient"]);
    match nic.kind {
        "direct" => words(nic.child("source"), "mode", &["bridge", "vepa", "private", "passthrough"]),
        "vhostuser" => words(nic.child("source"), "mode", &["client", "server"]),
        _ => {}
    }
    for tag in nic.child("vlan").into_iter().flat_map(|vlan| children(vlan, "tag")) {
        words(Some(tag), "nativeMode", &["tagged", "untagged"]);
    }
    for forward in children(nic.node, "portForward") {
        words(Some(forward), "proto", &["tcp", "udp"]);
    }
    let driver = nic.child("driver");
    for name in ["iommu", "ats", "packed", "page_per_vq"] {
        words(driver, name, ON_OFF);
    }
    let driver = driver.filter(|_| nic.is_virtio() && nic.kind != "hostdev");
    words(driver, "name", &["qemu", "vhost"]);
    words(driver, "txmode", &["iothread", "timer"]);
    for name in ["ioeventfd", "event_idx", "rss", "rss_hash_report"] {
        words(driver, name, ON_OFF);
    }
    let offloads = driver.into_iter().flat_map(elements);
    for side in offloads.filter(|node| matches!(node.tag_name().name(), "host" | "guest")) {
        for name in ["csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf"] {
            // The guest's side has fewer of them.
            if side.tag_name().name() == "host" || !matches!(name, "gso" | "mrg_rxbuf") {
                words(Some(side), name, ON_OFF);
            }
        }
    }
    let bandwidth = nic.child("bandwidth");
    let rates = ["inbound", "outbound"].map(|name| bandwidth.and_then(|b| child(b, name)));
    for rate in rates {
        for name in ["average", "peak", "burst", "floor"] {
            word::count(nic.doc, rate, name, u64::MAX, report);
        }
    }
    for name in ["queues", "rx_queue_size", "tx_queue_size"] {
        word::count(nic.doc, driver, name, u32::MAX.into(), report);
    }
    word::number(nic.doc, nic.child("mtu").filter(|mtu| mtu.attribute("size") != Some("")), "size", report);
    word::count(nic.doc, nic.child("acpi"), "index", u32::MAX.into(), report);
    let source = nic.child("source").filter(|_| nic.is_any(&["server", "client", "mcast", "udp"]));
    word::number(nic.doc, source, "port", report);
    let local = source.filter(|_| nic.kind == "udp").and_then(|source| child(source, "local"));
    word::number(nic.doc, local, "port", report);
    let coalesced = nic.child("coalesce").and_then(|node| child(node, "rx")).and_then(|rx| child(rx, "frames"));
    let coalesced = coalesced.filter(|frames| frames.attribute("max") != Some(""));
    word::count(nic.doc, coalesced, "max", u32::MAX.into(), report);
    if let Some(address) = nic.child("address").filter(|address| !address.has_attribute("type")) {
        report.at(tag(nic.doc, address), "<address> doesn't say of what type it is").help("write type='pci'");
    }
    send_buffer(nic, report);
}

/// The one number that stands as text; without any it is none.
fn send_buffer(nic: &Nic<'_>, report: &mut Report) {
    let Some(node) = nic.child("tune").and_then(|tune| child(tune, "sndbuf")) else { return };
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    if !text.is_empty() && number::read(&text).is_none() {
        let what = format!("<sndbuf> is a number of bytes, and not '{}'", text.escape_debug());
        report.at(inner(nic.doc, node), what).help("write it in digits, without a unit, and nothing around it");
    }
}
