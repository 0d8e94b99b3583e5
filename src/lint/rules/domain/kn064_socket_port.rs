//! A socket's port that becomes another one.

use roxmltree::Node;

use super::kn063_socket_address::ends;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN064",
    name: "socket-port",
    severity: Severity::Warning,
    summary: "a NIC of type server, client, mcast or udp has a port that there isn't",
    why: "\
A port is a number up to 65535. libvirt hands any other to QEMU, which takes what is left of it in 16 bits: 70000 is port \
4464, and the other end waits at another one, without any message.",
    fixable: false,
    bad: &[example!("KN064-socket-port", "bad.xml")],
    good: &[example!("KN064-socket-port", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    ends(nic).for_each(|end| judge(nic, end, report));
}

fn judge(nic: &Nic<'_>, end: Node<'_, '_>, report: &mut Report) {
    let Some(port) = end.attribute("port").and_then(|port| port.trim_start().parse::<i32>().ok()) else { return };
    if !(0..=0xffff).contains(&port) {
        report
            .at(value(nic.doc, end, "port"), format!("there is no port {port}"))
            .label(format!("QEMU takes {}", port & 0xffff))
            .help("it is a number up to 65535");
    }
}
