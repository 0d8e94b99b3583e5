//! Settings: whose they are, and how new ones are written.

use super::Flavour;
use super::config::{Config, Sheet, Stanza};
use crate::host::bridge::Ask;

/// Is a setting of this name about the NIC itself rather than about its addresses? Those of the packages ethtool, ifenslave
/// and vlan, and of ifupdown2's addons of the same names.
pub(super) fn is_nics_own(key: &str) -> bool {
    const PREFIXES: &[&str] =
        &["ethernet-", "ethtool-", "hardware-", "link-", "offload-", "ring-", "bond-", "vlan-"];
    const NAMES: &[&str] =
        &["driver-message-level", "slaves", "rx-vlan-filter", "tx-vlan-offload", "rx-vlan-offload"];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || key.ends_with("-offload") || NAMES.contains(&key)
}

/// Is a setting of this name one that makes a bridge?
pub(super) fn is_bridges(key: &str) -> bool {
    key.starts_with("bridge-")
}

/// The MAC address of `hwaddress ether 52:54:…`.
pub(super) fn mac(value: &str) -> String {
    value.split_whitespace().last().unwrap_or_default().to_ascii_lowercase()
}

/// How far the settings of a stanza are indented; of others in its file, if it has none.
pub(super) fn indent(config: &Config, stanza: &Stanza) -> String {
    let of = |sheet: &Sheet, line: usize| {
        let line = sheet.lines.get(line)?;
        let first = line.words.first()?;
        let before = sheet.text.get(line.at.start..first.start)?;
        // Not what stands before a word that comes after a line's end.
        before.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then(|| before.to_string())
    };
    let sheet = config.sheet(stanza);
    let others = config.stanzas.iter().filter(|other| other.sheet == stanza.sheet && other.name != "lo");
    let mut lines = stanza.settings.iter().chain(others.flat_map(|other| other.settings.first()));
    lines.next().and_then(|line| of(sheet, *line)).unwrap_or_else(|| "    ".to_string())
}

/// The settings that make a stanza a bridge's.
pub(super) fn of_bridge(flavour: Flavour, ask: &Ask, is_pinned: bool) -> Vec<String> {
    let mut out = vec![
        format!("{} {}", flavour.key("bridge_ports", "bridge-ports"), ask.ports.join(" ")),
        format!("{} {}", flavour.key("bridge_stp", "bridge-stp"), on(ask.stp)),
        format!("{} {}", flavour.key("bridge_fd", "bridge-fd"), delay(ask)),
    ];
    if !is_pinned {
        out.push(format!("{} {}", flavour.pin(), ask.mac));
    }
    out
}

/// `on`, `off`.
pub(super) fn on(stp: bool) -> &'static str {
    if stp { "on" } else { "off" }
}

/// The forward delay in seconds.
pub(super) fn delay(ask: &Ask) -> u32 {
    if ask.stp { ask.forward_delay } else { 0 }
}

/// Lines, each indented and ended.
pub(super) fn lines(indent: &str, eol: &str, settings: &[String]) -> String {
    settings.iter().map(|setting| format!("{indent}{setting}{eol}")).collect()
}
