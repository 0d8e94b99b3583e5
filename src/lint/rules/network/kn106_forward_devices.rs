//! Host devices in `<forward>` that libvirt refuses.

use std::collections::HashSet;

use super::pci;
use super::places::{Pool, pool};
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, tag, value};
use crate::model::ForwardMode as M;
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN106",
    name: "forward-devices",
    severity: Severity::Error,
    summary: "a network names host devices in a way that libvirt refuses",
    why: "\
Mode nat and route are tied to one device at most. The modes that share out NICs list them by name, <interface \
dev='…'/>, or name the one whose virtual functions are shared out, <pf dev='…'/>; mode hostdev lists PCI addresses \
instead of names. No device stands in the list twice, and what <forward dev='…'> repeats is the first of them. A \
network is either on a bridge or on NICs: with a bridge's name there are no devices.",
    fixable: false,
    bad: &[
        example!("KN106-forward-devices", "bad/nat.xml"),
        example!("KN106-forward-devices", "bad/bridge-and-device.xml"),
        example!("KN106-forward-devices", "bad/twice.xml"),
        example!("KN106-forward-devices", "bad/other-first.xml"),
        example!("KN106-forward-devices", "bad/nameless.xml"),
        example!("KN106-forward-devices", "bad/hostdev.xml"),
        example!("KN106-forward-devices", "bad/addresses.xml"),
        example!("KN106-forward-devices", "bad/slot.xml"),
        example!("KN106-forward-devices", "bad/address-twice.xml"),
        example!("KN106-forward-devices", "bad/two-pfs.xml"),
        example!("KN106-forward-devices", "bad/dev-and-pf.xml"),
    ],
    good: &[
        example!("KN106-forward-devices", "good/nat.xml"),
        example!("KN106-forward-devices", "good/bridge.xml"),
        example!("KN106-forward-devices", "good/list.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let Some(forward) = network.child("forward") else { return };
    let doc = network.doc;
    let dev = network.attr("forward", "dev");
    let interfaces: Vec<_> = children(forward, "interface").collect();
    let functions: Vec<_> = children(forward, "pf").collect();
    let addresses: Vec<_> = children(forward, "address").collect();
    if let (Some(_), Some(other)) = (dev, addresses.first().or(functions.first())) {
        let what = format!("'dev' and <{}> are two ways to name devices", other.tag_name().name());
        report
            .at(value(doc, forward, "dev"), what)
            .also(tag(doc, *other), "the other")
            .help("leave one of them");
    }
    let mut seen = HashSet::new();
    for (at, node) in interfaces.iter().enumerate() {
        let Some(name) = node.attribute("dev") else {
            report.at(tag(doc, *node), "<interface> names no device").help("write <interface dev='…'/>");
            continue;
        };
        if let Some(dev) = dev.filter(|dev| at == 0 && *dev != name) {
            let what = format!("<forward dev='{}'> isn't the first device of the list", dev.escape_debug());
            report
                .at(value(doc, forward, "dev"), what)
                .also(value(doc, *node, "dev"), "the first one")
                .help("leave 'dev' out: libvirt writes it by itself");
        }
        if !seen.insert(name) {
            let what = format!("'{}' is in the list twice", name.escape_debug());
            report.at(value(doc, *node, "dev"), what).help("remove one");
        }
    }
    match pool(network) {
        Pool::Functions => match functions[..] {
            [_, second, ..] => {
                report
                    .at(tag(doc, second), "there can be one <pf> only")
                    .help("make a network of its own for each");
            }
            [one] if !one.has_attribute("dev") => {
                report.at(tag(doc, one), "<pf> names no device").help("write <pf dev='…'/>");
            }
            _ => {}
        },
        Pool::Addresses => {
            let mut seen = HashSet::new();
            for node in &addresses {
                let place = pci::numbers(*node).filter(|place| *place != [0; 4]);
                if place.is_some_and(|place| !seen.insert(place)) {
                    report.at(tag(doc, *node), "this device is in the list twice").help("remove one");
                }
                match node.attribute("type") {
                    None => {
                        report.at(tag(doc, *node), "the address has no type").help("write type='pci'");
                    }
                    Some("pci") => pci::check(doc, *node, report),
                    Some(_) => {
                        report
                            .at(value(doc, *node, "type"), "only PCI devices are shared out")
                            .help("write type='pci'");
                    }
                }
            }
        }
        Pool::Names | Pool::None => {}
    }
    of_mode(network, report);
}

/// What the mode says of them.
fn of_mode(network: &Network<'_>, report: &mut Report) {
    let (Some(mode), Some(forward)) = (network.mode, network.child("forward")) else { return };
    let (doc, pool) = (network.doc, pool(network));
    let first = ["interface", "address", "pf"].iter().find_map(|name| crate::xml::child(forward, name));
    let place = match network.attr("forward", "dev") {
        Some(_) => value(doc, forward, "dev"),
        None => first.map_or(tag(doc, forward), |node| tag(doc, node)),
    };
    let count = match pool {
        Pool::Names => children(forward, "interface").count().max(1),
        Pool::Addresses => children(forward, "address").count(),
        _ => 0,
    };
    let word = mode.as_str();
    match mode {
        M::Nat | M::Route if count > 1 => {
            let second = children(forward, "interface").chain(children(forward, "address")).nth(1);
            let what = format!("a network of mode {word} is tied to one device at most");
            let span = second.map_or(place, |node| tag(doc, node));
            report.at(span, what).help("name one, or none: then the host's routes decide");
        }
        // An open one has a rule of its own for 'dev'.
        M::Open if count > 0 && network.attr("forward", "dev").is_none() => {
            report.at(place, "an open network can't be tied to a device").help("remove it");
        }
        M::Hostdev if pool == Pool::Names => {
            report
                .at(place, "a network of mode hostdev names no devices: it lists PCI addresses")
                .help("write <pf dev='…'/> for its virtual functions, or <address type='pci' …/> for each");
        }
        M::Nat | M::Route | M::Isolated | M::Open | M::Hostdev => {}
        _ if pool == Pool::Addresses => {
            report
                .at(place, format!("a network of mode {word} lists no PCI addresses"))
                .help("write <interface dev='…'/>, or mode='hostdev'");
        }
        M::Bridge if pool != Pool::None && network.attr("bridge", "name").is_some() => {
            let bridge = network.child("bridge").map_or(place.clone(), |node| value(doc, node, "name"));
            report
                .at(place, "a network is on a bridge or on devices, not on both")
                .also(bridge, "the bridge")
                .help("guests on the bridge: remove the device; macvtap on the device: remove <bridge>");
        }
        _ => {}
    }
}
