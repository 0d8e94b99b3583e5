//! What a guest's machine decides about its NICs.

use crate::lint::view::Nic;
use crate::xml::child;

/// Is the guest surely an x86 machine? There a NIC without a model is an old one (`qemuDomainDefaultNetModel`: rtl8139, or
/// e1000); on many others it is virtio. A guest that names no architecture has that of its host.
pub(super) fn is_x86(nic: &Nic<'_>) -> bool {
    // It stands in the domain's <devices>.
    let domain = nic.node.ancestors().nth(2);
    let kind = domain.and_then(|domain| child(domain, "os")).and_then(|os| child(os, "type"));
    kind.and_then(|kind| kind.attribute("arch")).is_some_and(|arch| matches!(arch, "x86_64" | "i686"))
}

/// Is the NIC surely of another model than virtio? Those of type vhostuser and vdpa are virtio where they say nothing.
pub(super) fn is_surely_not_virtio(nic: &Nic<'_>) -> bool {
    match nic.model_type() {
        Some(_) => !nic.is_virtio(),
        None => is_x86(nic) && !nic.is_any(&["vhostuser", "vdpa"]),
    }
}
