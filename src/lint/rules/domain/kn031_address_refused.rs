//! Addresses and routes that QEMU can't give to a guest.

use roxmltree::Node;

use super::number;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::model::read_address;
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN031",
    name: "address-refused",
    severity: Severity::Error,
    summary: "a NIC has addresses or routes that libvirt refuses",
    why: "\
QEMU gives no addresses to a guest: the guest asks for one by DHCP or has it written down inside. libvirt refuses <ip> and \
<route> in a QEMU guest's NIC, but for one <ip> of each family on a NIC of type user, which says what its own little network \
is. What is no address, or no prefix, it refuses on any NIC. \
Inside <source> they are addresses of the host's end of the tap, which only a NIC of type ethernet has.",
    fixable: false,
    bad: &[example!("KN031-address-refused", "bad.xml")],
    good: &[example!("KN031-address-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let of_host = nic.child("source").into_iter().flat_map(|source| children(source, "ip"));
    for ip in of_host.chain(children(nic.node, "ip")) {
        malformed(nic, ip, report);
    }
    let source = nic.child("source").filter(|_| nic.kind != "ethernet");
    if let Some(node) = source.and_then(|source| child(source, "ip").or_else(|| child(source, "route"))) {
        let what = format!("the host's end of a NIC of type {} has no address of its own", nic.kind.escape_debug());
        report.at(tag(nic.doc, node), what).help("only a NIC of type ethernet has one: remove it");
    }
    if !nic.is_qemu {
        return;
    }
    if let Some(route) = nic.child("route") {
        report
            .at(tag(nic.doc, route), "QEMU gives a guest no routes")
            .help("remove it; DHCP or the guest itself sets routes");
    }
    let has_own_network = nic.kind == "user" || (nic.kind == "vhostuser" && nic.has_passt());
    let mut seen: [Option<Node<'_, '_>>; 2] = [None; 2];
    for ip in children(nic.node, "ip") {
        if !has_own_network {
            report
                .at(tag(nic.doc, ip), "QEMU gives a guest no address")
                .help("remove it; DHCP or the guest itself sets addresses");
            return;
        }
        let is_v6 = ip.attribute("address").is_some_and(|address| address.contains(':'));
        if let Some(first) = seen[usize::from(is_v6)] {
            report
                .at(tag(nic.doc, ip), "a NIC of type user has one address of each family")
                .also(tag(nic.doc, first), "the first one")
                .help("remove one of them");
        }
        seen[usize::from(is_v6)].get_or_insert(ip);
        if ip.has_attribute("peer") {
            report.at(value(nic.doc, ip, "peer"), "a guest's end has no peer").help("remove it");
        }
        let most = if is_v6 { 128 } else { 32 };
        let prefix = ip.attribute("prefix").and_then(number::read).filter(|prefix| (1..=most).contains(prefix));
        let wanted = match (is_v6, prefix) {
            (false, Some(prefix)) if !(4..=27).contains(&prefix) => "from 4 to 27",
            (true, Some(prefix)) if prefix != 64 => "64",
            _ => continue,
        };
        report
            .at(value(nic.doc, ip, "prefix"), format!("the prefix of such a network is {wanted}"))
            .help("the address may be any in it");
    }
}

/// What libvirt can't read as an address, of whatever type the NIC is (`virDomainNetIPParseXML`).
fn malformed(nic: &Nic<'_>, ip: Node<'_, '_>, report: &mut Report) {
    let Some(written) = ip.attribute("address") else {
        report.at(tag(nic.doc, ip), "<ip> has no address").help("write address='…', or remove it");
        return;
    };
    let help = "write it in digits, as in 192.0.2.7 or 2001:db8::7";
    // A zone makes an address of a device's.
    let read = match read_address(written) {
        None if written.contains('%') => return,
        None => {
            let what = format!("'{}' is no address", written.escape_debug());
            report.at(value(nic.doc, ip, "address"), what).help(help);
            return;
        }
        Some(address) => address,
    };
    let wanted = match ip.attribute("family") {
        Some("ipv4") if read.is_ipv6() => Some("ipv4"),
        Some("ipv6") if read.is_ipv4() => Some("ipv6"),
        _ => None,
    };
    if let Some(family) = wanted {
        report
            .at(value(nic.doc, ip, "address"), format!("this is no address of family {family}"))
            .also(value(nic.doc, ip, "family"), "it is to be one")
            .help("remove family='…': libvirt sees which one it is");
        return;
    }
    // What is an address, but of the other family, libvirt doesn't take for the peer's either.
    if let Some(peer) = ip.attribute("peer").filter(|peer| !peer.contains('%'))
        && read_address(peer).is_none_or(|peer| peer.is_ipv6() != read.is_ipv6())
    {
        let what = format!("'{}' is no address of the peer's", peer.escape_debug());
        report.at(value(nic.doc, ip, "peer"), what).help("write one of the family of 'address'");
        return;
    }
    let most = if read.is_ipv6() { 128 } else { 32 };
    if let Some(prefix) = ip.attribute("prefix")
        && number::read(prefix).is_none_or(|prefix| prefix > most)
    {
        report
            .at(value(nic.doc, ip, "prefix"), format!("'{}' is no prefix", prefix.escape_debug()))
            .help(format!("it is a number from 0 to {most}"));
    }
}
