//! What NetworkManager makes of a device's name or type, or of a profile's UUID, stays as it is for the NIC: it is written
//! down in the bridge's profile, and taken out when the bridge goes.

use std::net::{IpAddr, Ipv6Addr};

use super::id;
use super::keyfile::Keyfile;
use super::port::{self, Port, has_rival};
use super::profile::Profile;
use crate::host::bridge::{Address, Ask, Host, HostDevice};

/// How the comment above what was written down begins; what stood there before follows.
fn note(bridge: &str) -> String {
    format!("before {bridge}")
}

fn is_auto(keys: &Keyfile, family: &str) -> bool {
    matches!(keys.get(family, "method"), None | Some("auto" | "dhcp"))
}

/// Writes it down in the sections of a new bridge.
pub(super) fn pin(keys: &mut Keyfile, host: &Host, ask: &Ask, first: &Port<'_>, notes: &mut Vec<String>) {
    // What is called stable comes of the profile's UUID, unless the profile says what it shall come of.
    let stable_id = first.old.and_then(|old| old.of("stable-id"));
    let is_of_profile = stable_id.is_none_or(|id| id.contains("${"));
    if is_auto(keys, "ipv4") {
        client(keys, ask, &first.device, is_of_profile, notes);
    }
    if is_auto(keys, "ipv6") {
        leased(keys, ask, &first.device, is_of_profile, notes);
        advertised(keys, ask, &first.device, notes);
    }
    if let Some(metric) = first.metric().filter(|_| has_rival(host, ask)) {
        for family in ["ipv4", "ipv6"] {
            let has_routes = matches!(keys.get(family, "method"), Some("auto" | "manual" | "dhcp"));
            if has_routes && keys.get(family, "route-metric").is_none() {
                keys.set(family, "route-metric", metric);
            }
        }
    }
}

/// Who the DHCP server of IPv4 sees.
fn client(keys: &mut Keyfile, ask: &Ask, device: &HostDevice, is_of_profile: bool, notes: &mut Vec<String>) {
    let name = &ask.bridge;
    let is = keys.get("ipv4", "dhcp-client-id").unwrap_or_default().to_string();
    let is_other_mac = device.mac.as_ref().is_some_and(|mac| *mac != ask.mac.to_ascii_lowercase());
    let of_mac = device.mac.as_ref().map(|mac| format!("01:{mac}"));
    let shown = device.nm_dhcp.client_id.clone();
    let kept = match is.as_str() {
        // A bridge has no permanent one.
        "perm-mac" => device.permanent_mac.as_ref().map(|mac| format!("01:{mac}")),
        "stable" if !is_of_profile => None,
        // Of the last two the IAID in it comes of the device's name.
        "stable" | "duid" | "ipv6-duid" => shown,
        // A default for all profiles.
        "" => shown.filter(|shown| Some(shown) != of_mac.as_ref()),
        _ => None,
    };
    match (kept, is.as_str()) {
        (Some(id), _) => keys.set_noted("ipv4", "dhcp-client-id", &id, &note(name)),
        (None, "stable") if is_of_profile => notes.push(format!(
            "The DHCP server sees another client: dhcp-client-id=stable comes of the profile, and {name}'s is a \
             new one. It may give another address."
        )),
        (None, "" | "mac") if is_other_mac => notes.push(format!(
            "The DHCP server sees another client, for {name} has another MAC address than {}. It will give \
             another address.",
            device.name
        )),
        _ => {}
    }
}

/// Who that of IPv6 sees.
fn leased(keys: &mut Keyfile, ask: &Ask, device: &HostDevice, is_of_profile: bool, notes: &mut Vec<String>) {
    if !device.addresses.iter().any(|a| a.is_dynamic && a.net.prefix_len() == 128) {
        return;
    }
    let name = &ask.bridge;
    let by_name = id::iaid(&device.name);
    let shown =
        device.nm_dhcp.iaid.as_ref().and_then(|iaid| u32::from_str_radix(&iaid.replace(':', ""), 16).ok());
    let iaid = shown.unwrap_or(by_name);
    if !keys.has("ipv6") {
        keys.set_noted("ipv6", "method", "auto", &note(name));
    }
    match keys.get("ipv6", "dhcp-iaid") {
        None if iaid == by_name => keys.set("ipv6", "dhcp-iaid", &iaid.to_string()),
        None | Some("ifname" | "perm-mac" | "stable") => {
            keys.set_noted("ipv6", "dhcp-iaid", &iaid.to_string(), &note(name));
        }
        Some(_) => {}
    }
    let duid = keys.get("ipv6", "dhcp-duid").unwrap_or_default().to_string();
    if duid.starts_with("stable-") && is_of_profile {
        match &device.nm_dhcp.duid {
            Some(shown) => keys.set_noted("ipv6", "dhcp-duid", shown, &note(name)),
            None => notes.push(format!(
                "The DHCPv6 server sees another client: dhcp-duid={duid} comes of the profile, and {name}'s is a new \
                 one. It will give another address."
            )),
        }
    }
}

/// What it makes of a router's advertisement.
fn advertised(keys: &mut Keyfile, ask: &Ask, device: &HostDevice, notes: &mut Vec<String>) {
    const ENDS: u128 = u64::MAX as u128;
    let end_of = |address: &Address| match address.net.addr() {
        IpAddr::V6(ip) if address.is_dynamic && !address.is_link && address.net.prefix_len() < 128 => {
            Some(u128::from(ip) & ENDS)
        }
        _ => None,
    };
    let mut ends: Vec<u128> = device.addresses.iter().filter_map(end_of).collect();
    ends.sort_unstable();
    ends.dedup();
    // In a file that doesn't say, this is eui64.
    let mode = keys.get("ipv6", "addr-gen-mode").unwrap_or("eui64").to_string();
    if ends.is_empty() || !["stable-privacy", "default", "1", "3"].contains(&mode.as_str()) {
        return;
    }
    match ends.as_slice() {
        [end] if keys.get("ipv6", "token").is_none() => {
            let note = note(&ask.bridge);
            keys.set_noted("ipv6", "addr-gen-mode", "eui64", &note);
            keys.set_noted("ipv6", "token", &Ipv6Addr::from(*end).to_string(), &note);
        }
        // One for each prefix, or one for a time beside it.
        _ => notes.push(format!(
            "The IPv6 addresses that {} makes for itself will be others: with addr-gen-mode={mode} they come of the \
             device's name.",
            device.name
        )),
    }
}

/// Takes out what was written down.
pub(super) fn unpin(keys: &mut Keyfile, bridge: &Profile, port: &Profile, device: &HostDevice) {
    if keys.get("ipv6", "dhcp-iaid") == Some(&id::iaid(&device.name).to_string()) {
        keys.remove("ipv6", "dhcp-iaid");
    }
    for family in ["ipv4", "ipv6"] {
        keys.take_back(family, &note(bridge.of("interface-name").unwrap_or_default()));
        if keys.get(family, "route-metric").is_some_and(|metric| port::metric(port.kind()) == Some(metric)) {
            keys.remove(family, "route-metric");
        }
    }
}
