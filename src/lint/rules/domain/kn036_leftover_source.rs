//! What a NIC kept of the type that it had before.

use super::kn016_interface_type::is_known;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value, without_attribute};

pub(super) static RULE: Rule = Rule {
    code: "KN036",
    name: "leftover-source",
    severity: Severity::Warning,
    summary: "a NIC's source has attributes of another type, which libvirt drops",
    why: "\
Of <source>, libvirt reads what belongs to the NIC's type, and drops the rest without a word, also with --validate: a portgroup \
on a bridge, a bridge on macvtap, a network beside a bridge. Mostly the type was changed and the rest was left behind: \
then the file shows a VLAN, a limit or a network that the guest doesn't have.\n\
A network and its port (portid) on a NIC of another type are what 'virsh dumpxml' prints of a running guest on a network of \
mode bridge: defined from that, the guest leaves its network for good. There the type is what is to be changed back.",
    fixable: true,
    bad: &[example!("KN036-leftover-source", "bad.xml")],
    good: &[example!("KN036-leftover-source", "good.xml")],
    check: Check::Nic(check),
};

/// Which attributes of `<source>` belong to which types. Others are nobody's, or belong to a newer libvirt.
const OWNERS: &[(&str, &[&str], &str)] = &[
    ("network", &["network"], "network"),
    ("portgroup", &["network"], "network"),
    ("portid", &["network", "vds"], "network"),
    // A network's bridge is in what 'virsh dumpxml' prints of a running guest: another rule's.
    ("bridge", &["bridge", "network"], "bridge"),
    ("dev", &["direct", "user", "vhostuser", "vdpa", "ethernet", "hostdev"], "direct"),
    ("mode", &["direct", "vhostuser"], "direct"),
];

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(source) = nic.child("source").filter(|_| is_known(nic.kind) && nic.node.has_attribute("type")) else {
        return;
    };
    // Where its own is missing, it isn't known what is left over.
    let own = match nic.kind {
        "network" => "network",
        "bridge" => "bridge",
        "direct" => "dev",
        _ => "",
    };
    if !own.is_empty() && !source.has_attribute(own) {
        return;
    }
    let network = source.attribute("network").filter(|_| nic.kind != "network" && source.has_attribute("portid"));
    for (name, owners, owner) in OWNERS {
        if source.has_attribute(*name) && !owners.contains(&nic.kind) {
            let what = format!("libvirt drops '{name}' from a NIC of type {}", nic.kind);
            let found = report.at(value(nic.doc, source, name), what).label(format!("belongs to type {owner}"));
            match network {
                Some(network) => found.help(as_defined(network, source.attribute("portgroup"))),
                None => found
                    .help("remove it, or change the NIC's type back")
                    .fix(without_attribute(nic.doc, source, name)),
            };
        }
    }
    if nic.kind == "user" && !nic.has_passt() && source.has_attribute("dev") {
        report
            .at(value(nic.doc, source, "dev"), "libvirt drops 'dev' from a NIC of type user without passt")
            .help("write <backend type='passt'/>, or remove it");
    }
}

/// What stands in the definition of a guest that runs on a network.
fn as_defined(network: &str, portgroup: Option<&str>) -> String {
    let portgroup = portgroup.map(|name| format!(" portgroup='{}'", name.escape_debug())).unwrap_or_default();
    let network = network.escape_debug();
    format!("this is a running guest's: write type='network' and <source network='{network}'{portgroup}/>")
}
