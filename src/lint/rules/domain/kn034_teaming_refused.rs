//! A pair of NICs that can't be one.

use super::machine::is_surely_not_virtio;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, tag, value};

pub(super) static RULE: Rule = Rule {
    code: "KN034",
    name: "teaming-refused",
    severity: Severity::Error,
    summary: "a NIC's half of a pair is none that libvirt takes",
    why: "\
<teaming> makes a pair: a NIC that stays (type='persistent', of model virtio) and one that is taken away while the guest \
migrates (type='transient', a host device, which names the other by its alias). libvirt refuses anything else.",
    fixable: false,
    bad: &[example!("KN034-teaming-refused", "bad.xml")],
    good: &[example!("KN034-teaming-refused", "good.xml")],
    check: Check::Nic(check),
};

fn check(nic: &Nic<'_>, report: &mut Report) {
    let Some(team) = nic.child("teaming") else { return };
    let partner = team.attribute("persistent").is_some_and(|alias| !alias.is_empty());
    match team.attribute("type").unwrap_or_default() {
        "persistent" if partner => {
            report
                .at(value(nic.doc, team, "persistent"), "the NIC that stays names no other")
                .help("remove it: the transient NIC names this one");
        }
        "persistent" if nic.is_qemu && is_surely_not_virtio(nic) => {
            report
                .at(tag(nic.doc, team), "the NIC that stays must be of model virtio")
                .help("write <model type='virtio'/>");
        }
        "transient" if !partner => {
            report
                .at(tag(nic.doc, team), "it doesn't say which NIC stays when this one goes")
                .help("write persistent='ua-…', with the alias of that NIC");
        }
        "transient" if nic.is_qemu && !nic.is_any(&["hostdev", "network"]) => {
            let what = format!("a NIC of type {} can't be taken away for a migration", nic.kind.escape_debug());
            report
                .at(tag(nic.doc, team), what)
                .help("it must be a host device: type='hostdev', or a network that hands them out");
        }
        "" if partner => {
            report.at(tag(nic.doc, team), "it doesn't say its type").help("write type='transient'");
        }
        _ => {}
    }
}
