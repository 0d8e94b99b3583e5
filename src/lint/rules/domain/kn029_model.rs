//! A model of NIC that there isn't.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead, value};

pub(super) static RULE: Rule = Rule {
    code: "KN029",
    name: "model",
    severity: Severity::Error,
    summary: "a NIC's model is none of QEMU's, or doesn't fit its type",
    why: "\
libvirt takes any word for a NIC's model and hands it to QEMU, which knows the device or doesn't start. NICs of type vhostuser \
and vdpa share the guest's memory with somebody else: they are always virtio, and libvirt refuses any other model.",
    fixable: true,
    bad: &[
        example!("KN029-model", "bad/model.xml"),
        example!("KN029-model", "bad/foreign.xml"),
        example!("KN029-model", "bad/letters.xml"),
    ],
    good: &[example!("KN029-model", "good/model.xml"), example!("KN029-model", "good/foreign.xml")],
    check: Check::Nic(check),
};

/// The models that people write, and that a mistyped one may mean.
const COMMON: &[&str] = &[
    "virtio",
    "virtio-transitional",
    "virtio-non-transitional",
    "e1000",
    "e1000e",
    "igb",
    "rtl8139",
    "vmxnet3",
    "usb-net",
    "ne2k_pci",
    "pcnet",
    "spapr-vlan",
];

/// Others that a QEMU may have, and that look like one of those.
const OTHERS: &[&str] = &[
    "ne2k_isa", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "igbvf", "pcnet32", "virtio-net",
    "virtio-net-pci", "virtio-ccw", "virtio-pci", "usbnet", "lance",
];

/// Those of other hypervisors, which libvirt knows by name, with QEMU's that is nearest (`virDomainNetModel`).
const FOREIGN: &[(&str, &str)] = &[
    ("netfront", "virtio"),
    ("vmxnet", "vmxnet3"),
    ("vmxnet2", "vmxnet3"),
    ("vlance", "pcnet"),
    ("Am79C970A", "pcnet"),
    ("Am79C973", "pcnet"),
    ("82540EM", "e1000"),
    ("82543GC", "e1000"),
    ("82545EM", "e1000"),
];

fn check(nic: &Nic<'_>, report: &mut Report) {
    if !nic.is_qemu {
        return;
    }
    if nic.is_any(&["vhostuser", "vdpa"]) {
        let Some(model) = nic.child("model").filter(|_| nic.model_type().is_some() && !nic.is_virtio()) else {
            return;
        };
        let span = value(nic.doc, model, "type");
        let what = format!("a NIC of type {} must be of model virtio", nic.kind);
        report.at(span.clone(), what).help("write <model type='virtio'/>").fix(instead(span, "virtio"));
        return;
    }
    let (Some(written), Some(node)) = (nic.model_type(), nic.child("model")) else { return };
    let known = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(written));
    if known(COMMON) || known(OTHERS) {
        return;
    }
    if !written.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        let span = value(nic.doc, node, "type");
        let what = format!("'{}' can't be a model: libvirt refuses it", written.escape_debug());
        let found = report.at(span.clone(), what).help("it has letters, digits, '_' and '-' only");
        let meant = written.trim();
        if let Some(meant) = COMMON.iter().find(|known| **known == meant) {
            found.fix(instead(span, meant));
        }
        return;
    }
    if let Some((foreign, own)) = FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(written)) {
        report
            .at(
                value(nic.doc, node, "type"),
                format!("'{foreign}' is another hypervisor's: the guest doesn't start"),
            )
            .help(format!("{own} is the nearest that QEMU has"));
        return;
    }
    // Long names may have more mistakes in them; of short ones, many are one letter apart.
    let is_near = |known: &&&str| {
        let most = if known.len() >= 6 { 2 } else { usize::from(known.len() > 3) };
        strsim::osa_distance(known, &written.to_lowercase()) <= most
    };
    if let Some(near) = COMMON.iter().find(is_near) {
        let span = value(nic.doc, node, "type");
        report
            .at(span.clone(), format!("QEMU has no NIC '{}': the guest doesn't start", written.escape_debug()))
            .help(format!("did you mean {near}?"))
            .fix(instead(span, near));
    }
}
