//! `kvmnet net show`: all that an administrator would gather by hand.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::leases::{self, Given};
use super::{cell, guests, network, no_such};
use crate::cmd::walk::print_json;
use crate::cmd::{Context, connect};
use crate::convert::nics;
use crate::model::Network;
use crate::net;
use crate::plan::Standing;
use crate::report::Sections;
use crate::sys::dnsmasq::{self, Dnsmasq};
use crate::sys::firewall::{self, Rule};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{Device, Kernel, sysctl};
use crate::sys::routes;
use crate::xml::{Doc, diff, kept};

/// Shows one network.
pub(super) fn run(name: &str, context: &mut Context) -> Result<u8> {
    let host = connect::to_look(context)?;
    let host = host.as_ref();
    let Some(seen) = Seen::look(host, name)? else { return Err(no_such(name, &host.networks()?)) };
    if context.is_json() {
        print_json(&json!({ "network": seen.json() }))?;
        return Ok(0);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(seen.text().as_bytes())?;
    out.flush()?;
    Ok(0)
}

/// What the definition says and the running network doesn't yet, as lines of a diff.
pub(super) fn pending(definition: &str, running: &str) -> Vec<String> {
    if kept(definition, running).is_ok() {
        return Vec::new();
    }
    let lines = diff("running", running, "definition", definition);
    let is_change =
        |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++ ") && !line.starts_with("--- ");
    lines.lines().filter(is_change).map(Into::into).collect()
}

/// One port of the network's bridge.
struct Port {
    device: String,
    guest: Option<(String, String)>,
}

/// What the host itself shows, where it can be seen.
struct HostView {
    bridge: Option<Device>,
    ports: Vec<Port>,
    dnsmasq: Option<Dnsmasq>,
    rules: Option<Vec<Rule>>,
    sysctls: Vec<(String, String)>,
    uplinks: Vec<(&'static str, String)>,
}

struct Seen {
    name: String,
    standing: Standing,
    /// What counts now: what runs if it runs.
    network: Network,
    pending: Vec<String>,
    guests: Vec<guests::Attached>,
    leases: Option<Vec<Given>>,
    host: Option<HostView>,
}

impl Seen {
    fn look(host: &dyn Hypervisor, name: &str) -> Result<Option<Seen>> {
        let Some(standing) = Standing::read(host, name)? else { return Ok(None) };
        let Some(state) = host.network(name)? else { return Ok(None) };
        let network = network(&state.xml)?;
        let pending = if standing.is_active && standing.is_persistent {
            pending(&standing.xml, &state.xml)
        } else {
            Vec::new()
        };
        let leases = if standing.is_active { leases::read(host, name)? } else { None };
        let view = (Reach::of_uri(host.uri()) != Reach::Remote)
            .then(|| HostView::look(host, &network))
            .transpose()?;
        let guests = guests::on(host, name)?;
        Ok(Some(Seen { name: name.into(), standing, network, pending, guests, leases, host: view }))
    }

    fn state(&self) -> String {
        let Standing { is_active, autostarts, is_persistent, .. } = self.standing;
        format!(
            "{}, {}",
            if is_active { "active" } else { "inactive" },
            match (is_persistent, autostarts) {
                (false, _) => "without a definition: stopped, it is gone",
                (true, true) => "starts with libvirt",
                (true, false) => "doesn't start with libvirt",
            }
        )
    }

    fn text(&self) -> String {
        let mut out = Sections::new(10);
        let network = &self.network;
        out.line("network", std::slice::from_ref(&self.name));
        out.line("uuid", network.uuid.as_slice());
        out.line("state", &[self.state()]);
        out.line("mode", &[network.mode.as_str().into()]);
        out.line("meaning", &net::meaning(network));
        out.line("reaches", &net::reachability(network).iter().map(cell).collect::<Vec<_>>());
        out.line("notes", &net::notes(network));
        out.line("pending", &self.pending);
        out.line("subnets", &network.addresses.iter().map(|a| a.ip.to_string()).collect::<Vec<_>>());
        out.line("guests", &self.guests.iter().map(attached).collect::<Vec<_>>());
        let bridge = network.bridge.clone().unwrap_or_default();
        if let Some(view) = &self.host {
            out.line("bridge", &[bridge_line(&bridge, view.bridge.as_ref())]);
            out.line("ports", &view.ports.iter().map(port_line).collect::<Vec<_>>());
        } else {
            out.line("bridge", network.bridge.as_slice());
        }
        let leases = self.leases.iter().filter(|leases| !leases.is_empty());
        out.line(
            "leases",
            &leases
                .flat_map(|l| leases::table(l).lines().map(String::from).collect::<Vec<_>>())
                .collect::<Vec<_>>(),
        );
        match &self.host {
            Some(view) => view.write(&mut out, network),
            None => out.line("host", &["its devices and rules can't be seen over this connection".into()]),
        }
        out.into_text()
    }

    fn json(&self) -> Value {
        let network = &self.network;
        let host = self.host.as_ref();
        json!({
            "name": self.name,
            "uuid": network.uuid,
            "mode": network.mode.as_str(),
            "active": self.standing.is_active,
            "persistent": self.standing.is_persistent,
            "autostart": self.standing.autostarts,
            "meaning": net::meaning(network),
            "reachability": super::reachability(network),
            "notes": net::notes(network),
            "pending": self.pending,
            "subnets": network.addresses.iter().map(|a| a.ip.to_string()).collect::<Vec<_>>(),
            "guests": self.guests.iter().map(|a| json!({ "name": a.guest.name, "running": a.runs_on_it })).collect::<Vec<_>>(),
            "leases": self.leases.as_ref().map(|leases| leases.iter().map(leases::as_json).collect::<Vec<_>>()),
            "bridge": network.bridge,
            "ports": host.map(|view| view.ports.iter().map(|port| json!({
                "device": port.device,
                "guest": port.guest.as_ref().map(|(guest, _)| guest),
                "mac": port.guest.as_ref().map(|(_, mac)| mac),
            })).collect::<Vec<_>>()),
            "dnsmasq": host.and_then(|view| view.dnsmasq.as_ref()).map(|d| json!({ "pid": d.pid, "conf": d.conf.display().to_string() })),
            "rules": host.and_then(|view| view.rules.as_ref()).map(|rules| rules.iter().map(|rule| json!({
                "tool": rule.tool, "table": rule.table, "rule": rule.text, "packets": rule.packets,
            })).collect::<Vec<_>>()),
            "sysctls": host.map(|view| view.sysctls.iter().cloned().collect::<std::collections::BTreeMap<_, _>>()),
            "uplinks": host.map(|view| view.uplinks.iter().map(|(family, dev)| json!({ "family": family, "device": dev })).collect::<Vec<_>>()),
            "xml": self.standing.xml,
        })
    }
}

impl HostView {
    fn look(host: &dyn Hypervisor, network: &Network) -> Result<HostView> {
        let kernel = Kernel::default();
        let bridge = network.bridge.as_deref().and_then(|bridge| kernel.device(bridge));
        let taps = taps(host)?;
        let ports = bridge.iter().flat_map(|bridge| &bridge.ports).map(|device| Port {
            device: device.clone(),
            guest: taps
                .iter()
                .find(|(tap, ..)| tap == device)
                .map(|(_, guest, mac)| (guest.clone(), mac.clone())),
        });
        let is_virtual = network.mode.is_virtual();
        let mut words: Vec<String> = network.bridge.iter().cloned().collect();
        words.extend(network.addresses.iter().map(|a| a.ip.trunc().to_string()));
        let mut sysctls = vec!["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
        sysctls.extend(["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"]);
        let uplinks = [("IPv4", "-4"), ("IPv6", "-6")].into_iter().filter_map(|(family, flag)| {
            Some((family, network.forward_dev.clone().or_else(|| routes::uplink(flag))?))
        });
        Ok(HostView {
            ports: ports.collect(),
            dnsmasq: dnsmasq::of_network(&network.name).filter(|_| is_virtual),
            rules: if is_virtual { firewall::of_libvirt(&words) } else { Some(Vec::new()) },
            sysctls: sysctls
                .into_iter()
                .filter_map(|path| Some((path.replace('/', "."), sysctl(path)?)))
                .collect(),
            uplinks: if is_virtual { uplinks.collect() } else { Vec::new() },
            bridge,
        })
    }

    fn write(&self, out: &mut Sections, network: &Network) {
        if !network.mode.is_virtual() {
            return;
        }
        let dnsmasq = self.dnsmasq.iter().map(|d| format!("process {}, from {}", d.pid, d.conf.display()));
        let dnsmasq: Vec<String> = dnsmasq.collect();
        out.line("dnsmasq", if dnsmasq.is_empty() { &[] } else { &dnsmasq });
        match &self.rules {
            None => out.line("rules", &["can't be read (that takes root and iptables or nft)".into()]),
            Some(rules) => {
                let lines: Vec<String> = rules
                    .iter()
                    .map(|rule| {
                        format!("{:>8} packets  {} {}: {}", rule.packets, rule.tool, rule.table, rule.text)
                    })
                    .collect();
                out.line("rules", &lines);
            }
        }
        out.line(
            "sysctls",
            &self.sysctls.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>(),
        );
        out.line(
            "uplink",
            &self.uplinks.iter().map(|(family, dev)| format!("{family}: {dev}")).collect::<Vec<_>>(),
        );
    }
}

/// The taps of all running guests: device, guest, MAC address.
fn taps(host: &dyn Hypervisor) -> Result<Vec<(String, String, String)>> {
    let mut out = Vec::new();
    for guest in host.guests()?.into_iter().filter(|guest| guest.is_active) {
        let Ok(xml) = host.running(&guest.uuid) else { continue };
        let Ok(doc) = Doc::parse(&xml) else { continue };
        let nics = nics(&doc).into_iter();
        out.extend(
            nics.filter_map(|nic| Some((nic.target?, guest.name.clone(), nic.mac.unwrap_or_default()))),
        );
    }
    Ok(out)
}

fn attached(attached: &guests::Attached) -> String {
    let state = match (attached.runs_on_it, attached.guest.is_active) {
        (true, _) => "running",
        (false, true) => "running elsewhere; here from its next start",
        (false, false) => "not running",
    };
    format!("{} ({state})", attached.guest.name)
}

fn bridge_line(name: &str, device: Option<&Device>) -> String {
    match device {
        _ if name.is_empty() => "none".into(),
        None => format!("{name} (isn't there)"),
        Some(device) => {
            let mtu = device.mtu.map(|mtu| format!(", MTU {mtu}")).unwrap_or_default();
            format!("{name} ({}{mtu})", if device.is_up { "up" } else { "down" })
        }
    }
}

fn port_line(port: &Port) -> String {
    match &port.guest {
        Some((guest, mac)) => format!("{}: guest '{guest}' ({mac})", port.device),
        None => port.device.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_restart() {
        let definition = "<network>\n  <name>a</name>\n  <mtu size='9000'/>\n</network>\n";
        let running = "<network>\n  <name>a</name>\n</network>\n";
        assert_eq!(pending(definition, running), ["+  <mtu size='9000'/>"]);
        assert!(pending("<network/>", "<network connections='1'/>").is_empty());
    }
}
