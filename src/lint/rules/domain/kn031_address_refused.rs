//! Addresses and routes that QEMU can't give to a guest.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN031",
    name: "address-refused",
    severity: Severity::Error,
    summary: "a NIC has addresses or routes that libvirt refuses",
    why: "\
QEMU gives no addresses to a guest: the guest asks for one by DHCP or has it written down inside. libvirt refuses <ip> and \
<route> in a QEMU guest's NIC, but for one <ip> of each family on a NIC of type user, which says what its own little network \
is. Inside <source> they are addresses of the host's end of the tap, which only a NIC of type ethernet has.",
    fixable: false,
    bad: &[example!("KN031-address-refused", "bad.xml")],
    good: &[example!("KN031-address-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
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
        let prefix = ip.attribute("prefix").and_then(|prefix| prefix.parse::<u8>().ok()).filter(|p| *p > 0);
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
