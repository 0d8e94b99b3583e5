//! A model that the policy doesn't allow.

use super::allowed;
use crate::lint::policy::House;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, value};

pub(super) static RULE: Rule = Rule {
    code: "KN303",
    name: "house-model",
    severity: Severity::Error,
    summary: "a NIC is of a model that the policy doesn't allow",
    why: "\
A rule of the house: 'models' below [house] in kvmnet.toml lists the models that NICs may be of, in any case. A NIC that names no \
model is found too: libvirt chooses one by the machine, an rtl8139 of 1999 on most PCs. Not so those of type vhostuser and \
vdpa, which are virtio where they name none, and those of type hostdev, which are the hardware itself.",
    fixable: false,
    bad: &[example!("KN303-house-model", "bad/kvmnet.toml"), example!("KN303-house-model", "bad/web1.xml")],
    good: &[example!("KN303-house-model", "good/kvmnet.toml"), example!("KN303-house-model", "good/web1.xml")],
    check: Check::House(check),
};

fn check(nic: &Nic<'_>, house: &House, report: &mut Report) {
    let Some(words) = house.models.as_ref().filter(|_| nic.kind != "hostdev") else { return };
    let is_virtual = nic.is_any(&["vhostuser", "vdpa"]);
    let model = nic.model_type().or(is_virtual.then_some("virtio"));
    let found = match model.map(str::to_lowercase) {
        Some(model) if words.mean(&model) => return,
        Some(model) => {
            let span = nic.child("model").map_or(nic.tag(), |node| value(nic.doc, node, "type"));
            report.at(span, format!("NICs may not be of model '{}' here", model.escape_debug()))
        }
        None => report
            .at(nic.tag(), "this NIC names no model, and the policy wants a certain one")
            .label("libvirt chooses the model by the machine"),
    };
    found.help(allowed(house, words, "model"));
}
