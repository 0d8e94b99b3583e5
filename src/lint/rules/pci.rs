//! PCI addresses as libvirt reads them.

use roxmltree::Node;

use super::number;
use crate::lint::report::Report;
use crate::lint::view::value;
use crate::xml::Doc;

/// The parts of an address, with the most that each can be; the domain may be any number (`virPCIDeviceAddressIsValid`).
const PARTS: [(&str, u32); 4] = [("domain", u32::MAX), ("bus", 0xff), ("slot", 0x1f), ("function", 7)];

/// Says which parts of a PCI `<address>` libvirt refuses.
pub(super) fn check(doc: &Doc<'_>, address: Node<'_, '_>, report: &mut Report) {
    let read = |name: &str| address.attribute(name).map_or(Some(0), number::c_like);
    // Where domain, bus and slot are 0, it is none: libvirt finds one, and doesn't look at the function.
    let is_empty = ["domain", "bus", "slot"].iter().all(|name| read(name) == Some(0));
    for (name, most) in PARTS {
        let Some(written) = address.attribute(name) else { continue };
        let is_refused = match number::c_like(written) {
            Some(number) => number > most && !is_empty,
            None => is_no_number(written),
        };
        if is_refused {
            let what = format!("'{}' is no {name} of a PCI address", written.escape_debug());
            let help = match name {
                "domain" => "it is a number, as in 0x0000".to_string(),
                _ => format!("it is a number from 0x0 to {most:#x}"),
            };
            report.at(value(doc, address, name), what).help(help);
        }
    }
}

/// Is it surely no number to C, or too large for what libvirt has for it?
fn is_no_number(written: &str) -> bool {
    let digits = written.trim_start();
    number::c_like(digits.strip_prefix('+').unwrap_or(digits)).is_none()
}

/// Domain, bus, slot and function; what an address doesn't say is 0.
pub(super) fn numbers(address: Node<'_, '_>) -> Option<[u32; 4]> {
    let part = |name: &str| match address.attribute(name) {
        None => Some(0),
        Some(written) => number::c_like(written),
    };
    Some([part("domain")?, part("bus")?, part("slot")?, part("function")?])
}
