//! Parts of a NIC that only a guest that runs has.

use roxmltree::Node;

use super::kn014_device_name::MADE_UP;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value, without, without_attribute};

pub(super) static RULE: Rule = Rule {
    code: "KN026",
    name: "live-only",
    severity: Severity::Warning,
    summary: "a NIC has parts that only a running guest's has",
    why: "\
'virsh dumpxml' of a running guest also shows what libvirt made up for this one run: the name of the tap (vnet0), aliases \
(net0), the port of the network, the address that the guest gave itself. libvirt drops them from a definition, so that the \
file says what isn't so, and every new dump differs. Keep what 'virsh dumpxml --inactive' prints. Names of one's own stay: \
taps called otherwise, and aliases that begin with ua-.",
    fixable: true,
    bad: &[example!("KN026-live-only", "bad.xml")],
    good: &[example!("KN026-live-only", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    if let Some(target) = nic.child("target") {
        let is_made_up = |name: &str| MADE_UP.iter().any(|prefix| name.starts_with(prefix));
        if target.attribute("dev").is_some_and(is_made_up) && target.attribute("managed") != Some("no") {
            let what = "libvirt drops this name: it makes up such ones itself";
            attribute(nic, target, "dev", what, report);
        }
    }
    if let Some(alias) = nic.child("alias").filter(|_| nic.is_qemu)
        && alias.attribute("name").is_some_and(|name| !is_kept(name))
    {
        let what = "libvirt drops this alias: only those that begin with ua- stay, of letters, digits, - and _";
        attribute(nic, alias, "name", what, report);
    }
    if let Some(source) = nic.child("source").filter(|_| nic.kind == "network") {
        for (name, what) in [
            ("portid", "libvirt drops it: the port of one run"),
            ("bridge", "libvirt drops it: the network says which bridge it is"),
            ("macTableManager", "libvirt drops it: the network says who manages the table"),
        ] {
            // Without a network, the bridge is the only word of where the NIC leads.
            if source.has_attribute(name) && source.has_attribute("network") {
                attribute(nic, source, name, what, report);
            }
        }
    }
    if let Some(mac) = nic.child("mac").filter(|mac| mac.has_attribute("currentAddress")) {
        attribute(nic, mac, "currentAddress", "libvirt drops it: the address that a guest gave itself", report);
    }
    if let Some(actual) = nic.child("actual") {
        report
            .at(tag(nic.doc, actual), "libvirt drops it: its own note about a guest that runs")
            .help("remove it")
            .fix(without(nic.doc, actual));
    }
}

/// An alias of the user's own (`virDomainDeviceAliasIsUserAlias`, `USER_ALIAS_CHARS`).
fn is_kept(alias: &str) -> bool {
    alias.starts_with("ua-") && alias.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// An attribute that goes, and its element with it if it had nothing else to say.
fn attribute(nic: &Nic<'_>, node: Node<'_, '_>, name: &str, what: &str, report: &mut Report) {
    let is_all = node.attributes().count() == 1 && !node.has_children() && node.tag_name().name() != "source";
    let fix = if is_all { without(nic.doc, node) } else { without_attribute(nic.doc, node, name) };
    report.at(value(nic.doc, node, name), what).help("remove it").fix(fix);
}
