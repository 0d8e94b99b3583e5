//! What a DHCP server knows the host by, where networkd is the client: see [`super::super::networkd`]. netplan has no word
//! for it but `dhcp-identifier: mac`, by which the host would be a stranger too, so a file beside netplan's says it.

use super::defs::{Def, Files};
use super::yaml::Value;
use crate::host::bridge::networkd::{WORDS, iaid, move_drops};
use crate::host::bridge::{FileChange, HostDevice};

fn unit(id: &str) -> String {
    format!("10-netplan-{id}.network")
}

fn pinned(id: &str) -> String {
    format!("/etc/systemd/network/{}.d/iaid.conf", unit(id))
}

/// What `from` shows to the DHCP server, `to` will show. Gives a note if that isn't known.
pub(super) fn pin(
    files: &mut Files<'_>,
    value: &Value,
    renderer: &str,
    from: &HostDevice,
    to: &str,
) -> Option<String> {
    let dhcp4 = value.at(&["dhcp4"]).is_some_and(Value::is_yes);
    let is_mac = value.at(&["dhcp-identifier"]).is_some_and(|id| id.word() == "mac");
    let has_v6 =
        from.addresses.iter().any(|a| a.net.addr().is_ipv6() && a.is_dynamic && a.net.prefix_len() == 128);
    let dhcp6 = value.at(&["dhcp6"]).is_some_and(Value::is_yes) || has_v6;
    if renderer == "NetworkManager" {
        return dhcp6.then(|| {
            "NetworkManager's identifier for DHCPv6 comes of the device's name: the IPv6 address changes."
                .into()
        });
    }
    let dhcp4 = dhcp4 && !is_mac;
    let is_mac_only = from.dhcp_client_id.as_ref().is_some_and(|id| id.starts_with("01"));
    if !dhcp4 && !dhcp6 || is_mac_only {
        return None;
    }
    let Some(iaid) = from.dhcp_client_id.as_deref().and_then(iaid) else {
        let name = &from.name;
        return dhcp4.then(|| {
            format!("What {name} shows to the DHCP server isn't known here, so the server may give another address.")
        });
    };
    let path = pinned(to);
    if files.beside.iter().any(|change| change.after.as_ref().is_some_and(|text| text.contains("IAID="))) {
        return None;
    }
    let mut text = format!("# as {} {WORDS}\n", from.name);
    for (section, _) in [("DHCPv4", dhcp4), ("DHCPv6", dhcp6)].iter().filter(|(_, is)| *is) {
        let space = if text.contains('[') { "\n" } else { "" };
        text.push_str(&format!("{space}[{section}]\nIAID={iaid}\n"));
    }
    let before = files.host.text(&path).map(str::to_string);
    if before.as_ref() != Some(&text) {
        files.beside.push(FileChange { path, before, after: Some(text), mode: 0o644 });
    }
    None
}

/// Takes out what [`pin`] wrote. Was there anything?
pub(super) fn unpin(files: &mut Files<'_>, id: &str) -> bool {
    let path = pinned(id);
    let Some(text) = files.host.text(&path).filter(|text| text.contains(WORDS)) else { return false };
    files.beside.push(FileChange { path, before: Some(text.into()), after: None, mode: 0o644 });
    true
}

/// Moves what stands beside netplan's files from one definition to another.
pub(super) fn move_beside(files: &mut Files<'_>, from: &str, to: &str) {
    files.beside.extend(move_drops(files.host, &unit(from), &unit(to)));
}

/// Does the definition need anything beside?
pub(super) fn is_networkd(def: &Def) -> bool {
    def.renderer != "NetworkManager"
}
