//! A socket that vhostuser can't be.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead, tag, value};
use crate::xml::child;

pub(super) static RULE: Rule = Rule {
    code: "KN058",
    name: "vhostuser-refused",
    severity: Severity::Error,
    summary: "a NIC of type vhostuser is to use a socket in a way that libvirt refuses",
    why: "\
A NIC of type vhostuser speaks to its switch through a socket of type unix: there is no other. If the guest is the client \
(mode='client'), <reconnect enabled='yes' timeout='…'/> says after how many seconds it tries again; a server waits for others, \
and libvirt refuses <reconnect> there.",
    fixable: true,
    bad: &[example!("KN058-vhostuser-refused", "bad.xml")],
    good: &[example!("KN058-vhostuser-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(source) = nic.child("source").filter(|_| nic.kind == "vhostuser" && !nic.has_passt()) else {
        return;
    };
    if let Some(kind) = source.attribute("type").filter(|kind| *kind != "unix") {
        let span = value(nic.doc, source, "type");
        let found = report.at(span.clone(), "the socket of a NIC of type vhostuser is of type unix");
        found
            .label(format!("not '{}'", kind.escape_debug()))
            .help("write type='unix'")
            .fix(instead(span, "unix"));
    }
    let reconnect = child(source, "reconnect").filter(|node| node.attribute("enabled") == Some("yes"));
    let Some(reconnect) = reconnect.filter(|_| nic.is_qemu) else { return };
    if source.attribute("mode") == Some("server") {
        report
            .at(tag(nic.doc, reconnect), "a server waits for others, and can't connect again")
            .help("remove <reconnect>, or write mode='client'");
    } else if !reconnect.has_attribute("timeout") {
        report
            .at(tag(nic.doc, reconnect), "<reconnect> doesn't say after how many seconds")
            .help("write timeout='10'");
    }
}
