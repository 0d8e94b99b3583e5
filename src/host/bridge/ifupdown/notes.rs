//! What will be different afterwards and isn't seen in the files.

use ipnet::IpNet;

use super::config::{Config, base};
use super::lines::Kind;
use super::{Flavour, hooks};
use crate::host::bridge::{Addresses, Ask, Host};

/// Lines of others that name the NIC.
pub(super) fn of_others(config: &Config, nic: &str, bridge: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for stanza in config.stanzas.iter().filter(|stanza| base(&stanza.name) != nic) {
        let sheet = config.sheet(stanza);
        let is_vlan = stanza.name.strip_prefix(nic).is_some_and(|rest| rest.starts_with('.'))
            || config.value(&stanza.name, "vlan-raw-device") == Some(nic);
        if is_vlan && !notes.iter().any(|note: &String| note.contains(&format!("{} ", stanza.name))) {
            notes.push(format!(
                "The VLAN {} stays on {nic}: the kernel takes its frames off before the bridge, so guests on {bridge} don't \
                 see them.",
                stanza.name
            ));
        }
        for line in stanza.settings.iter().filter(|line| hooks::is_hook(&sheet.key(**line))) {
            if hooks::names(sheet.value(*line), nic) {
                notes.push(format!(
                    "{}: “{}” names {nic} and stays as it is; see whether it should name {bridge}.",
                    sheet.place(*line),
                    sheet.value(*line)
                ));
            }
        }
    }
    notes
}

/// ifupdown2 turns forwarding on for a bridge with an address (`_set_bridge_forwarding` in its addons/address.py, which heeds
/// no `ip6-forward`), and a device that forwards takes no router's advertisements.
pub(super) fn of_advertised(
    host: &Host,
    config: &Config,
    ask: &Ask,
    nic: &str,
) -> (Vec<IpNet>, Option<String>) {
    let is_fixed = !config.found(nic).addresses.is_empty();
    if config.flavour != Flavour::Two || ask.addresses != Addresses::Keep || !is_fixed {
        return Default::default();
    }
    let held = host.device(nic).into_iter().flat_map(|device| &device.addresses);
    let advertised =
        held.filter(|a| a.is_dynamic && !a.is_link && a.net.addr().is_ipv6() && a.net.prefix_len() < 128);
    let lost: Vec<IpNet> = advertised.map(|address| address.net).collect();
    let (bridge, all) = (&ask.bridge, lost.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let note = format!(
        "{bridge} will not have {all}, which {nic} made of a router's advertisement: ifupdown2 turns forwarding on for a bridge \
         with an address, and then the kernel takes no advertisements (“post-up sysctl -w net.ipv6.conf.{bridge}.accept_ra=2” \
         in its stanza has it take them)."
    );
    let is_any = !lost.is_empty();
    (lost, is_any.then_some(note))
}

/// Who reads name servers in the files?
pub(super) fn of_dns(host: &Host, ask: &Ask) -> Option<String> {
    let is_read = host.has("resolvconf") || host.has("resolvectl");
    (!ask.dns.is_empty() && !is_read).then(|| {
        "Name servers in the files are read by resolvconf or systemd-resolved, of which none is installed: \
         /etc/resolv.conf stays as it is."
            .to_string()
    })
}

/// With `auto`, the system waits for the bridge at boot.
pub(super) fn of_hotplug(config: &Config, nic: &str, bridge: &str) -> Option<String> {
    let mut lines = config.lines(Kind::Hotplug);
    let is_hotplug = lines.any(|(sheet, line)| config.sheets[sheet].words(line).contains(&nic));
    is_hotplug.then(|| {
        format!("{bridge} comes up with networking.service (auto); {nic} came up when it was found (allow-hotplug).")
    })
}
