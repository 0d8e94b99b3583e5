//! The `.netdev` file, which makes the bridge.

use super::text::Text;
use crate::host::bridge::Ask;

/// A new one.
pub(super) fn new(ask: &Ask, mtu: Option<&str>) -> Text {
    let mut text = Text::read("");
    text.push("NetDev", "Name", &ask.bridge, None);
    text.push("NetDev", "Kind", "bridge", None);
    text.push("NetDev", "MACAddress", &ask.mac, None);
    if let Some(mtu) = mtu {
        text.push("NetDev", "MTUBytes", mtu, None);
    }
    text.push("Bridge", "STP", yes_no(ask.stp), None);
    text.push("Bridge", "ForwardDelaySec", &ask.forward_delay.to_string(), None);
    text
}

fn yes_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// systemd's words for yes and no.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// What it says of the spanning tree; the kernel's own values where it says nothing.
pub(super) fn stp(text: &Text) -> bool {
    text.get("Bridge", "STP").and_then(truth).unwrap_or_default()
}

/// In seconds.
pub(super) fn forward_delay(text: &Text) -> Option<u32> {
    let value = text.get("Bridge", "ForwardDelaySec")?;
    value.strip_suffix("sec").or_else(|| value.strip_suffix('s')).unwrap_or(value).trim().parse().ok()
}

/// The same with what is asked: STP, delay, MAC address.
pub(super) fn changed(text: &Text, ask: &Ask) -> Text {
    let mut out = text.clone();
    let mac = text.get("NetDev", "MACAddress").unwrap_or_default();
    if !mac.replace('-', ":").eq_ignore_ascii_case(&ask.mac) {
        out.set("NetDev", "MACAddress", &ask.mac);
    }
    let has_stp = text.get("Bridge", "STP").and_then(truth) == Some(ask.stp);
    if !has_stp {
        out.set("Bridge", "STP", yes_no(ask.stp));
    }
    if forward_delay(text) != Some(ask.forward_delay) {
        out.set("Bridge", "ForwardDelaySec", &ask.forward_delay.to_string());
    }
    out
}

/// The commands that tell a bridge that stands already: networkd never changes one (networkctl(1), `reload`).
pub(super) fn commands(bridge: &str, from: &Text, to: &Text) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut set = |what: &[&str]| {
        let words = ["ip", "link", "set", "dev", bridge];
        out.push(words.iter().chain(what).map(ToString::to_string).collect::<Vec<String>>());
    };
    let mac = |text: &Text| text.get("NetDev", "MACAddress").map(|mac| mac.replace('-', ":").to_lowercase());
    if let Some(new) = mac(to).filter(|new| mac(from).as_ref() != Some(new)) {
        set(&["address", &new]);
    }
    let delay = (forward_delay(to).unwrap_or(15) * 100).to_string();
    let is_delay = forward_delay(from) != forward_delay(to);
    let stp = if stp(to) { "1" } else { "0" };
    let is_stp = self::stp(from) != self::stp(to);
    // With the protocol on, the kernel takes 2 to 30 seconds only (br_set_forward_delay).
    if is_stp && stp == "0" {
        set(&["type", "bridge", "stp_state", stp]);
    }
    if is_delay {
        set(&["type", "bridge", "forward_delay", &delay]);
    }
    if is_stp && stp == "1" {
        set(&["type", "bridge", "stp_state", stp]);
    }
    out
}
