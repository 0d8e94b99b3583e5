//! `kvmnet net show`: all that an administrator would gather by hand.

use anyhow::Result;
use serde_json::{Value, json};

use super::cut_off::{self, Fault};
use super::leases::{self, Given};
use super::{cell, guests, network, no_such, pending};
use crate::cmd::walk::{print, print_json};
use crate::cmd::{Context, connect};
use crate::convert::nics;
use crate::model::{ForwardMode, Network, Nic};
use crate::net;
use crate::plan::Standing;
use crate::report::Sections;
use crate::sys::dnsmasq::{self, Dnsmasq};
use crate::sys::firewall::{self, Rule};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{self, Device, Kernel, Kind, sysctl};
use crate::sys::routes;
use crate::xml::{Doc, child};

/// Shows one network.
pub(super) fn run(name: &str, context: &mut Context) -> Result<u8> {
    let host = connect::to_look(context)?;
    let host = host.as_ref();
    let Some(seen) = Seen::look(host, name)? else { return Err(no_such(host, name, &host.networks()?)) };
    if context.is_json() {
        print_json(&json!({ "network": seen.json() }))?;
        return Ok(0);
    }
    print(&seen.text(), "the network")?;
    Ok(0)
}

/// A device by which a guest, or a cable, is on the network: a port of its bridge, or a macvtap device.
struct Port {
    device: String,
    guest: Option<(String, String)>,
}

/// A running guest's NIC.
struct Tap {
    device: String,
    guest: String,
    mac: String,
    network: Option<String>,
}

/// What the host itself shows, where it can be seen.
struct HostView {
    bridge: Option<Device>,
    /// Who has the name of the bridge that is made when the network starts, and keeps it from starting.
    in_the_way: Option<String>,
    /// The devices of a pool, and whether they are there.
    pool: Vec<(String, Option<Device>)>,
    ports: Vec<Port>,
    dnsmasq: Option<Dnsmasq>,
    rules: Option<Vec<Rule>>,
    sysctls: Vec<(String, String)>,
    uplinks: Vec<(&'static str, Option<String>)>,
}

struct Seen {
    name: String,
    standing: Standing,
    /// What counts now: what runs if it runs.
    network: Network,
    pending: Vec<String>,
    guests: Vec<guests::Attached>,
    /// What is wrong with the connection of running guests.
    faults: Vec<Fault>,
    leases: Option<Vec<Given>>,
    host: Option<HostView>,
    around: net::Surroundings,
}

impl Seen {
    fn look(host: &dyn Hypervisor, name: &str) -> Result<Option<Seen>> {
        let Some(standing) = Standing::read(host, name)? else { return Ok(None) };
        let Some(state) = host.network(name)? else { return Ok(None) };
        let network = network(&state.xml)?;
        let pending = if standing.is_active && standing.is_persistent {
            pending::lines(&standing.xml, &state.xml)
        } else {
            Vec::new()
        };
        let leases = if standing.is_active { leases::read(host, name, Some(&network))? } else { None };
        let view = (Reach::of_uri(host.uri()) != Reach::Remote)
            .then(|| HostView::look(host, &network, standing.is_active))
            .transpose()?;
        let guests = guests::on(host, name)?;
        let mut faults = cut_off::look(host, name, (&network, standing.is_active), &guests)?;
        let served = view.as_ref().and_then(|_| dnsmasq::served());
        if cut_off::is_unserved(&network, standing.is_active, served.as_ref()) {
            faults.push(cut_off::unserved(name, &guests));
        }
        faults.extend(view.as_ref().and_then(|_| cut_off::harmful(host, &state)));
        let mut around = super::around::look(host, &host.networks()?).unwrap_or_default();
        if standing.is_active {
            super::around::of_running(&mut around);
        }
        let host = view;
        Ok(Some(Seen { name: name.into(), standing, network, pending, guests, faults, leases, host, around }))
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
        out.line("reaches", &net::reachability(network, &self.around).iter().map(cell).collect::<Vec<_>>());
        out.line("notes", &net::notes(network, &self.around));
        out.line("pending", &self.pending);
        out.line("subnets", &network.addresses.iter().map(|a| a.ip.to_string()).collect::<Vec<_>>());
        out.line("guests", &self.guests.iter().map(attached).collect::<Vec<_>>());
        out.line("faults", &cut_off::lines(&self.faults));
        match (&self.host, network.bridge.as_deref()) {
            (Some(view), Some(bridge)) if !network.has_pool => {
                let is_made = network.mode.is_virtual() && !self.standing.is_active;
                out.line(
                    "bridge",
                    &[match &view.in_the_way {
                        Some(device) => taken_line(bridge, device),
                        None => bridge_line(bridge, view.bridge.as_ref(), is_made),
                    }],
                );
            }
            (Some(view), _) => {
                let devices = view.pool.iter().map(|(dev, device)| bridge_line(dev, device.as_ref(), false));
                out.line("devices", &devices.collect::<Vec<_>>());
            }
            (None, _) if network.has_pool => out.line("devices", &network.pool),
            (None, bridge) => out.line("bridge", bridge.map(String::from).as_slice()),
        }
        if let Some(view) = &self.host {
            out.line("ports", &view.ports.iter().map(port_line).collect::<Vec<_>>());
        }
        let leases = self.leases.iter().filter(|leases| !leases.is_empty());
        out.line(
            "leases",
            &leases
                .flat_map(|l| leases::table(l).lines().map(String::from).collect::<Vec<_>>())
                .collect::<Vec<_>>(),
        );
        match &self.host {
            Some(view) => view.write(&mut out, network, self.standing.is_active),
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
            "reachability": super::reachability(network, &self.around),
            "notes": net::notes(network, &self.around),
            "pending": self.pending,
            "subnets": network.addresses.iter().map(|a| a.ip.to_string()).collect::<Vec<_>>(),
            "guests": self.guests.iter().map(|a| json!({ "name": a.guest.name, "running": a.runs_on_it(), "bridges": a.bridges() })).collect::<Vec<_>>(),
            "faults": self.faults.iter().map(Fault::json).collect::<Vec<_>>(),
            "leases": self.leases.as_ref().map(|leases| leases.iter().map(leases::as_json).collect::<Vec<_>>()),
            "bridge": network.bridge,
            "devices": network.pool,
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
            "uplinks": host.map(|view| view.uplinks.iter().map(|(family, dev)| json!({
                "family": Some(family).filter(|f| !f.is_empty()), "device": dev,
            })).collect::<Vec<_>>()),
            "xml": self.standing.xml,
        })
    }
}

impl HostView {
    fn look(host: &dyn Hypervisor, network: &Network, is_active: bool) -> Result<HostView> {
        let kernel = Kernel::default();
        let bridge = network.bridge.as_deref().filter(|_| !network.has_pool);
        // A bridge that libvirt makes isn't there before the network starts; what has its name is somebody else's.
        let is_to_come = network.mode.is_virtual() && !is_active;
        let in_the_way = bridge.filter(|_| is_to_come).and_then(kernel::holder);
        let bridge = bridge.filter(|_| !is_to_come).and_then(|bridge| kernel.device(bridge));
        let taps = taps(host)?;
        let port = |device: &String| {
            let tap = taps.iter().find(|tap| tap.device == *device);
            Port { device: device.clone(), guest: tap.map(|tap| (tap.guest.clone(), tap.mac.clone())) }
        };
        let ports = match &bridge {
            Some(bridge) => bridge.ports.iter().map(port).collect(),
            None => {
                let own = taps.iter().filter(|tap| tap.network.as_deref() == Some(network.name.as_str()));
                let macvtaps = own.filter(|_| network.has_pool);
                macvtaps.map(|tap| port(&tap.device)).collect::<Vec<_>>()
            }
        };
        let is_virtual = network.mode.is_virtual();
        let mut words: Vec<String> = network.bridge.iter().cloned().collect();
        words.extend(network.addresses.iter().map(|a| a.ip.trunc().to_string()));
        let mut sysctls = vec!["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
        sysctls.extend(["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"]);
        Ok(HostView {
            pool: network.pool.iter().map(|dev| (dev.clone(), kernel.device(dev))).collect(),
            dnsmasq: dnsmasq::of_network(&network.name).filter(|_| is_virtual),
            // Before it starts there are none; those that hold its subnet are another network's.
            rules: if is_virtual && is_active { firewall::of_libvirt(&words) } else { Some(Vec::new()) },
            sysctls: sysctls
                .into_iter()
                .filter_map(|path| Some((path.replace('/', "."), sysctl(path)?)))
                .collect(),
            uplinks: uplinks(network, &kernel, &ports),
            ports,
            bridge,
            in_the_way,
        })
    }

    fn write(&self, out: &mut Sections, network: &Network, is_active: bool) {
        let is_virtual = network.mode.is_virtual();
        let dnsmasq = self.dnsmasq.iter().map(|d| format!("process {}, from {}", d.pid, d.conf.display()));
        let dnsmasq: Vec<String> = dnsmasq.collect();
        match is_active && is_virtual && !network.addresses.is_empty() && dnsmasq.is_empty() {
            true => out.line("dnsmasq", &["doesn't run".into()]),
            false => out.line("dnsmasq", &dnsmasq),
        }
        match &self.rules {
            _ if !is_virtual || network.mode == ForwardMode::Open => {
                out.line("rules", &["libvirt makes none in this mode".into()]);
            }
            None => out.line("rules", &["can't be read (that takes root and iptables or nft)".into()]),
            Some(rules) if rules.is_empty() && !is_active => {
                out.line("rules", &["none while it isn't active".into()]);
            }
            Some(rules) if rules.is_empty() => out.line("rules", &["none of libvirt's names it".into()]),
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
        let sysctls = self.sysctls.iter().map(|(name, value)| format!("{name} = {value}"));
        out.line("sysctls", &sysctls.collect::<Vec<_>>());
        let uplinks = self.uplinks.iter().map(|(family, dev)| match dev {
            Some(dev) if family.is_empty() => dev.clone(),
            Some(dev) => format!("{family}: {dev}"),
            None if family.is_empty() => "none: the bridge has no other port than guests'".into(),
            None => format!("{family}: none, the host has no default route"),
        });
        out.line("uplink", &uplinks.collect::<Vec<_>>());
    }
}

/// Where the guests' packets leave the host, for each family of addresses that they have; empty where none do. On a
/// bridge of the host's, its ports that are nobody's tap.
fn uplinks(network: &Network, kernel: &Kernel, ports: &[Port]) -> Vec<(&'static str, Option<String>)> {
    if network.has_pool {
        return Vec::new();
    }
    if !network.mode.is_virtual() {
        let is_tap = |port: &Port| kernel.device(&port.device).is_some_and(|device| device.kind == Kind::Tap);
        let others: Vec<_> = ports.iter().filter(|p| p.guest.is_none() && !is_tap(p)).collect();
        let named = others.into_iter().map(|port| ("", Some(port.device.clone()))).collect::<Vec<_>>();
        return if named.is_empty() { vec![("", None)] } else { named };
    }
    if network.mode == ForwardMode::Isolated {
        return Vec::new();
    }
    let has = |is_four: bool| network.addresses.iter().any(|a| a.ip.addr().is_ipv4() == is_four);
    [("IPv4", "-4", true), ("IPv6", "-6", false)]
        .into_iter()
        .filter(|(.., is_four)| has(*is_four))
        .map(|(family, flag, _)| (family, network.forward_dev.clone().or_else(|| routes::uplink(flag))))
        .collect()
}

/// The host's devices of all running guests' NICs.
fn taps(host: &dyn Hypervisor) -> Result<Vec<Tap>> {
    let mut out = Vec::new();
    for guest in host.guests()?.into_iter().filter(|guest| guest.is_active) {
        let Ok(xml) = host.running(&guest.uuid) else { continue };
        let Ok(doc) = Doc::parse(&xml) else { continue };
        let network = |nic: &Nic| child(doc.node(nic.node)?, "source")?.attribute("network").map(Into::into);
        out.extend(nics(&doc).into_iter().filter_map(|nic| {
            Some(Tap {
                network: network(&nic),
                device: nic.target?,
                guest: guest.name.clone(),
                mac: nic.mac.unwrap_or_default(),
            })
        }));
    }
    Ok(out)
}

fn attached(attached: &guests::Attached) -> String {
    let state = match (attached.runs_on_it(), attached.guest.is_active) {
        (true, _) => "running",
        (false, true) => "running elsewhere; here from its next start",
        (false, false) => "not running",
    };
    let by: String =
        attached.bridges().into_iter().map(|bridge| format!("; it names bridge {bridge}")).collect();
    format!("{} ({state}{by})", attached.guest.name)
}

fn taken_line(bridge: &str, device: &str) -> String {
    let who = match bridge == device {
        true => "a device of this host has that name".to_string(),
        false => format!("device '{device}' has that name too"),
    };
    format!("{bridge} ({who}: the network can't start)")
}

fn bridge_line(name: &str, device: Option<&Device>, is_made_later: bool) -> String {
    match device {
        None if is_made_later => format!("{name} (made when the network starts)"),
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
