//! A PCI address that there can't be.

use roxmltree::Node;

use super::{number, pci};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, value};
use crate::xml::{Doc, child};

pub(super) static RULE: Rule = Rule {
    code: "KN054",
    name: "pci-address-refused",
    severity: Severity::Error,
    summary: "a device's PCI address is none that there can be",
    why: "\
A PCI bus has a number up to 0xff, a slot on it one up to 0x1f, a function in a slot one up to 7. libvirt refuses any \
other, and any domain of the guest's but 0, in the <address> of a NIC or another device and in that of the host's device in its <source>. Numbers are read as \
in C: 0x10 and 020 are 16. Without <address> libvirt finds a free place.",
    fixable: false,
    bad: &[
        example!("KN054-pci-address-refused", "bad/slot.xml"),
        example!("KN054-pci-address-refused", "bad/function.xml"),
        example!("KN054-pci-address-refused", "bad/word.xml"),
        example!("KN054-pci-address-refused", "bad/source.xml"),
        example!("KN054-pci-address-refused", "bad/devices.xml"),
        example!("KN054-pci-address-refused", "bad/domain.xml"),
    ],
    good: &[example!("KN054-pci-address-refused", "good.xml")],
    check: Check::Domain(check),
};

/// The devices of which libvirt reads an address (`virDomainDeviceInfoParseXML`). Others may have one, and it means nothing.
const DEVICES: &[&str] = &[
    "controller",
    "disk",
    "filesystem",
    "hostdev",
    "input",
    "interface",
    "memballoon",
    "rng",
    "serial",
    "shmem",
    "sound",
    "video",
    "vsock",
    "watchdog",
];

fn check(domain: &Domain<'_>, report: &mut Report) {
    let is_read = |name: &str| DEVICES.contains(&name);
    for device in domain.devices().filter(|device| is_read(device.tag_name().name())) {
        // A device that isn't there stands nowhere.
        if device.attribute("model") == Some("none") {
            continue;
        }
        if let Some(address) = child(device, "address").filter(|a| a.attribute("type") == Some("pci")) {
            pci::check(domain.doc, address, report);
            if domain.is_qemu() && device.tag_name().name() == "interface" {
                elsewhere(domain.doc, address, report);
            }
        }
        let kind = device.attribute("type");
        let source = child(device, "source").and_then(|source| child(source, "address"));
        let source = source.filter(|address| match device.tag_name().name() {
            "interface" => kind == Some("hostdev") && address.attribute("type") == Some("pci"),
            "hostdev" => kind == Some("pci") && device.attribute("mode") == Some("subsystem"),
            _ => false,
        });
        if let Some(address) = source {
            pci::check(domain.doc, address, report);
        }
    }
}

/// All of a guest's buses are in one domain (`virDomainPCIAddressValidate`).
fn elsewhere(doc: &Doc<'_>, address: Node<'_, '_>, report: &mut Report) {
    if address.attribute("domain").and_then(number::c_like).is_some_and(|domain| domain != 0) {
        report
            .at(value(doc, address, "domain"), "a guest has PCI buses in domain 0 only")
            .help("write domain='0x0000'; in <source> it is the host's");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As libvirt reads numbers, and only where it reads an address.
    #[test]
    fn which_addresses() {
        let count = |device: &str| {
            let text = format!("<domain><devices>{device}</devices></domain>");
            let doc = Doc::parse(&text).unwrap();
            let mut report = Report::default();
            check(&Domain::read(&doc, doc.root()), report.by(&RULE));
            report.found.len()
        };
        let nic = |address: &str| count(&format!("<interface><address type='pci' {address}/></interface>"));
        for good in ["slot='+0x1f'", "slot='037'", "slot=' 0X1F'", "slot='+31'", "function='8'", "domain='0x1ffff' slot='1'", ""] {
            assert_eq!(nic(good), 0, "{good}");
        }
        for bad in ["slot='abc'", "bus='99999999999'", "slot='08'", "slot='0x'", "slot='040'", "slot='32'", "slot=''", "slot='1 '", "slot='-1'", "slot='1' function='8'", "bus='256'"] {
            assert_eq!(nic(bad), 1, "{bad}");
        }
        let address = "<address type='pci' slot='0x20'/>";
        assert_eq!(count(&format!("<disk>{address}</disk>")), 1);
        assert_eq!(count(&format!("<interface type='hostdev'><source>{address}</source></interface>")), 1);
        assert_eq!(count(&format!("<memballoon model='none'>{address}</memballoon>")), 0);
        assert_eq!(count(&format!("<graphics>{address}</graphics><disk>{}</disk>", address.replace("pci", "ccw"))), 0);
    }
}
