//! A socket's address that QEMU can't use.

use std::net::Ipv4Addr;

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN063",
    name: "socket-address",
    severity: Severity::Error,
    summary: "a NIC of type server, client, mcast or udp has an address that QEMU can't use",
    why: "\
The sockets of these types are QEMU's own, and speak IPv4 only. libvirt defines a guest with any address in them; with one \
of IPv6, one that is none, or, for type mcast, one that isn't a group's, the guest doesn't start.",
    fixable: false,
    bad: &[
        example!("KN063-socket-address", "bad/mcast.xml"),
        example!("KN063-socket-address", "bad/server.xml"),
        example!("KN063-socket-address", "bad/client.xml"),
        example!("KN063-socket-address", "bad/udp.xml"),
    ],
    good: &[example!("KN063-socket-address", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    ends(nic).for_each(|end| judge(nic, end, report));
}

/// The ends of a socket of QEMU's own: what it is told to listen at, or to connect to; none of NICs of other types.
pub(super) fn ends<'d>(nic: &Nic<'d>) -> impl Iterator<Item = Node<'d, 'd>> {
    let is_socket = nic.is_qemu && nic.is_any(&["server", "client", "mcast", "udp"]);
    let source = nic.child("source").filter(|_| is_socket);
    let local = source.filter(|_| nic.kind == "udp").and_then(|source| child(source, "local"));
    source.into_iter().chain(local)
}

fn judge(nic: &Nic<'_>, end: Node<'_, '_>, report: &mut Report) {
    let Some(address) = end.attribute("address") else { return };
    let span = || value(nic.doc, end, "address");
    if address.contains(':') {
        report
            .at(span(), "QEMU's sockets have no addresses of IPv6: the guest doesn't start")
            .help("write one of IPv4");
    } else if is_too_large(address) {
        let what = format!("'{}' is no address of IPv4: the guest doesn't start", address.escape_debug());
        report.at(span(), what).help("each of its four numbers is 255 at most");
    } else if nic.kind == "mcast" && address.parse().is_ok_and(|address: Ipv4Addr| !address.is_multicast()) {
        report
            .at(span(), "this is one host's address, and a NIC of type mcast needs a group's: the guest doesn't start")
            .help("those begin with 224 to 239, as in 230.0.0.1");
    }
}

/// Is it four numbers, one of which surely doesn't fit? Other words may be names, or be written as C does.
fn is_too_large(address: &str) -> bool {
    let is_decimal = |part: &str| part == "0" || (!part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()));
    let parts = || address.split('.');
    parts().count() == 4
        && parts().all(|part| !part.is_empty() && is_decimal(part))
        && parts().any(|part| part.parse::<u8>().is_err())
}

#[cfg(test)]
mod tests {
    use super::is_too_large;

    #[test]
    fn what_surely_is_no_address() {
        for bad in ["256.0.0.1", "127.0.0.300", "1.1.1.99999999999999999999"] {
            assert!(is_too_large(bad), "{bad}");
        }
        for other in ["127.0.0.1", "10.1", "0x7f.0.0.1", "127.0.0.0377", "host", "a.b.c.999", "300", "1..2.300", ""] {
            assert!(!is_too_large(other), "{other}");
        }
    }
}
