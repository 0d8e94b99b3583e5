//! What a DHCP server knows the host by.
//!
//! networkd shows it a DUID, the host's, and an IAID, which it makes of the device's predictable name (udev's
//! `ID_NET_NAME_…`), and where there is none, as with a bridge, of its MAC address (`dhcp_identifier_set_iaid` in systemd).
//! So a bridge with the NIC's own MAC address would still be a stranger, and get another address. `IAID=` is what keeps it.

use super::net::dhcp;
use super::text::Text;
use crate::host::bridge::HostDevice;

/// By these words in the comment the line is known again, and goes when the bridge does.
pub(crate) const WORDS: &str = "had it, so that the DHCP server knows the host again";

/// The IAID in a client identifier of the kind that networkd shows: 255, IAID, DUID (RFC 4361).
pub(crate) fn iaid(client_id: &str) -> Option<u32> {
    let digits: String = client_id.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let iaid = digits.strip_prefix("ff").or_else(|| digits.strip_prefix("FF"))?.get(..8)?;
    u32::from_str_radix(iaid, 16).ok()
}

/// Writes down the IAID that a device has, where DHCP is asked for. Gives a note if it isn't known.
pub(super) fn pin(main: &mut Text, drops: &[Text], device: &HostDevice) -> Option<String> {
    let (v4, v6) = dhcp(std::iter::once(&*main).chain(drops));
    let is_long = |length: u8| length == 128;
    let has_v6 = device
        .addresses
        .iter()
        .any(|a| a.net.addr().is_ipv6() && a.is_dynamic && is_long(a.net.prefix_len()));
    let get = |main: &Text, section: &str, key: &str| {
        let all = std::iter::once(main).chain(drops);
        all.rev().find_map(|text| text.get(section, key)).map(str::to_string)
    };
    let is_mac = |main: &Text| {
        let id = get(main, "DHCPv4", "ClientIdentifier").or_else(|| get(main, "DHCP", "ClientIdentifier"));
        id.is_some_and(|id| id.eq_ignore_ascii_case("mac"))
    };
    let has = |main: &Text, section: &str| get(main, section, "IAID").is_some();
    let needs_v4 = v4 && !is_mac(main) && !has(main, "DHCPv4") && !has(main, "DHCP");
    let needs_v6 = (v6 || has_v6) && !has(main, "DHCPv6");
    let is_mac_only = device.dhcp_client_id.as_ref().is_some_and(|id| id.starts_with("01"));
    if !needs_v4 && !needs_v6 || is_mac_only {
        return None;
    }
    let Some(iaid) = device.dhcp_client_id.as_deref().and_then(iaid) else {
        let name = &device.name;
        return needs_v4.then(|| {
            format!("What {name} shows to the DHCP server isn't known here, so the server may give another address.")
        });
    };
    let comment = format!("as {} {WORDS}", device.name);
    for (section, _) in [("DHCPv4", needs_v4), ("DHCPv6", needs_v6)].iter().filter(|(_, is)| *is) {
        main.push(section, "IAID", &iaid.to_string(), Some(&comment));
    }
    None
}

/// Takes out what [`pin`] wrote.
pub(super) fn unpin(text: &mut Text) {
    text.take(|_, item| item.key == "IAID" && item.raw.contains(WORDS));
}
