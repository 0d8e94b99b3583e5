//! Addresses, gateways and name servers that are asked for.

use std::net::IpAddr;

use super::Flavour;
use super::config::{Config, Stanza};
use super::edits::Edits;
use super::settings;
use crate::host::bridge::{Addresses, Ask, Fault};

/// A stanza to be written: what stands behind its name, and its settings.
#[derive(Debug, Clone)]
pub(super) struct New {
    /// `inet static`.
    pub(super) how: String,
    /// Its settings.
    pub(super) settings: Vec<String>,
}

/// The stanzas of a bridge that takes nothing over.
pub(super) fn fresh(flavour: Flavour, ask: &Ask) -> Result<Vec<New>, Fault> {
    let mut out: Vec<New> = Vec::new();
    let new = |how: &str, settings: Vec<String>| New { how: how.to_string(), settings };
    match &ask.addresses {
        Addresses::Keep => out.push(new("inet manual", Vec::new())),
        Addresses::None => {
            // Without this the kernel takes an IPv6 address from any router's advertisement.
            let quiet = "up sysctl -q -w net/ipv6/conf/$IFACE/disable_ipv6=1 || true".to_string();
            out.push(new("inet manual", vec![quiet]));
        }
        Addresses::Dhcp => {
            out.push(new("inet dhcp", Vec::new()));
            // ifupdown2 has no such method, and the kernel does the same by itself.
            if flavour == Flavour::One {
                out.push(new("inet6 auto", Vec::new()));
            }
        }
        Addresses::Static(nets) => {
            for net in nets {
                let family = if net.addr().is_ipv4() { "inet" } else { "inet6" };
                let mut settings = vec![format!("address {net}")];
                let is_first = !out.iter().any(|new| new.how.starts_with(&format!("{family} ")));
                let gateway = ask.gateways.iter().find(|gateway| gateway.is_ipv4() == net.addr().is_ipv4());
                if let (true, Some(gateway)) = (is_first, gateway) {
                    settings.push(format!("gateway {gateway}"));
                }
                out.push(new(&format!("{family} static"), settings));
            }
        }
    }
    let is_given = |gateway: &IpAddr| match &ask.addresses {
        Addresses::Static(nets) => nets.iter().any(|net| net.addr().is_ipv4() == gateway.is_ipv4()),
        _ => false,
    };
    if let Some(gateway) = ask.gateways.iter().find(|gateway| !is_given(gateway)) {
        return Err(no_address_for(*gateway));
    }
    if let (false, Some(first)) = (ask.dns.is_empty(), out.first_mut()) {
        first.settings.push(format!("dns-nameservers {}", joined(&ask.dns)));
    }
    Ok(out)
}

fn no_address_for(gateway: IpAddr) -> Fault {
    Fault::new(
        format!(
            "the gateway {gateway} needs an address of its family that is written down, and there is none"
        ),
        "give the addresses with --address, or leave the gateway to DHCP or the router",
    )
}

/// Puts the gateways and name servers that are asked for in the place of those that the stanzas have.
pub(super) fn replaced(
    config: &Config,
    edits: &mut Edits,
    stanzas: &[&Stanza],
    ask: &Ask,
) -> Result<(), Fault> {
    for gateway in &ask.gateways {
        let family = if gateway.is_ipv4() { "inet" } else { "inet6" };
        let of_family = || stanzas.iter().filter(|s| s.family == family && s.method == "static");
        let first = of_family().next().ok_or_else(|| no_address_for(*gateway))?;
        let lines = of_family().flat_map(|s| s.settings.iter().map(move |line| (*s, *line)));
        let there: Vec<_> = lines.filter(|(s, line)| config.sheet(s).key(*line) == "gateway").collect();
        put(config, edits, first, &there, "gateway", &gateway.to_string());
    }
    if let (false, Some(first)) = (ask.dns.is_empty(), stanzas.first()) {
        let lines = stanzas.iter().flat_map(|s| s.settings.iter().map(move |line| (*s, *line)));
        let is_dns = |key: &str| matches!(key, "dns-nameservers" | "dns-nameserver");
        let there: Vec<_> = lines.filter(|(s, line)| is_dns(&config.sheet(s).key(*line))).collect();
        put(config, edits, first, &there, "dns-nameservers", &joined(&ask.dns));
    }
    Ok(())
}

/// Writes the value into the first of these lines, or a new one, and takes the others away.
fn put(
    config: &Config,
    edits: &mut Edits,
    stanza: &Stanza,
    there: &[(&Stanza, usize)],
    key: &str,
    value: &str,
) {
    let Some((owner, line)) = there.first() else {
        let sheet = config.sheet(stanza);
        let last = stanza.settings.last().copied().unwrap_or(stanza.head);
        let end = sheet.lines.get(last).map_or(0, |line| line.at.end);
        let text = format!("{}{key} {value}{}", settings::indent(config, stanza), sheet.eol());
        edits.insert(stanza.sheet, end, text);
        return;
    };
    let words = config.sheet(owner).lines.get(*line).map_or(&[][..], |line| &line.words);
    if let (Some(second), Some(last)) = (words.get(1), words.last()) {
        edits.replace(owner.sheet, second.start..last.end, value);
    }
    for (owner, line) in there.iter().skip(1) {
        edits.remove_line(config, owner.sheet, *line);
    }
}

fn joined(servers: &[IpAddr]) -> String {
    servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
