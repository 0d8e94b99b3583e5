//! Guests for the lab, and a view of what changed in a definition.

use similar::{ChangeTag, TextDiff};

/// A guest that starts in a second: 32 MiB, emulated, no disk, these NICs, and `extra` among its devices.
pub(crate) fn guest(name: &str, nics: &[String], extra: &str) -> String {
    let nics = nics.concat();
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64'>hvm</type></os><devices>{nics}{extra}</devices></domain>"
    )
}

/// A NIC, its MAC address ending in `n`, with `inner` elements besides.
pub(crate) fn nic_with(kind: &str, source: &str, n: u8, inner: &str) -> String {
    let mac = mac(n);
    format!(
        "<interface type='{kind}'><mac address='{mac}'/><source {source}/><model type='virtio'/>{inner}</interface>"
    )
}

/// A NIC on the network `name`.
pub(crate) fn on_network(name: &str, n: u8) -> String {
    nic_with("network", &format!("network='{name}'"), n, "")
}

/// A NIC on the bridge `name`.
pub(crate) fn on_bridge(name: &str, n: u8) -> String {
    nic_with("bridge", &format!("bridge='{name}'"), n, "")
}

/// The MAC address of NIC number `n`.
pub(crate) fn mac(n: u8) -> String {
    format!("52:54:00:00:00:{n:02x}")
}

/// A guest named `name` with `count` NICs on `default`.
pub(crate) fn plain(name: &str, count: u8) -> String {
    let nics: Vec<_> = (1..=count).map(|n| on_network("default", n)).collect();
    guest(name, &nics, "")
}

/// The lines that differ, without their indentation: those gone as `-line`, those new as `+line`.
/// Lines that differ in their blanks only are given with them, so that they are noticed.
pub(crate) fn changes(before: &str, after: &str) -> Vec<String> {
    TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter_map(|c| match c.tag() {
            ChangeTag::Equal => None,
            ChangeTag::Delete => Some(format!("-{}", c.value().trim())),
            ChangeTag::Insert => Some(format!("+{}", c.value().trim())),
        })
        .collect()
}

/// What [`changes`] gives for one NIC that moved from the network `default` to the bridge `br0`, and nothing else.
pub(crate) const MOVED: [&str; 4] = [
    "-<interface type='network'>",
    "+<interface type='bridge'>",
    "-<source network='default'/>",
    "+<source bridge='br0'/>",
];
