//! What is in the way of a network's start.
//!
//! libvirt deletes a device of the host that happens to have the name of the bridge that a network is about to make
//! (reference §5.5), so that name is looked at in the kernel just before a start. A libvirtd that was killed while it
//! started or stopped a network leaves that network's own bridge, with guests' taps on it, and takes the network for
//! inactive.

use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;

use super::network::{Standing, network_of};
use super::taps;
use crate::model::{Code, Network, Warning};
use crate::problem::{Problem, message};
use crate::sys::dnsmasq;
use crate::sys::hypervisor::{Hypervisor, Reach, is_elsewhere};
use crate::sys::kernel::{self, Kernel, Kind};
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, child};

/// Refuses a network whose bridge would have the name of a device that is there, but for `own`, the bridge that it has
/// now and gives up first.
pub(super) fn not_in_the_way(host: &dyn Hypervisor, wanted: &str, own: Option<&str>) -> Result<()> {
    let network = network_of(wanted)?;
    let bridge = network.bridge.as_deref().filter(|name| network.mode.is_virtual() && own != Some(*name));
    let Some(bridge) = bridge else { return Ok(()) };
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return told_of(host, &network, bridge);
    }
    // By whatever of its names: libvirt's deletion finds it by each of them.
    let Some(name) = kernel::holder(bridge).filter(|device| own != Some(device.as_str())) else {
        return Ok(());
    };
    // It may have been on its way a moment ago: libvirt says how it stands once that is over.
    let runs = host.network(&network.name)?.filter(|state| state.is_active);
    if runs.and_then(|state| network_of(&state.xml).ok()?.bridge).as_deref() == Some(name.as_str()) {
        return Err(Problem::new(
            "somebody else has started it just now",
            "run the same command again and look at the new preview",
        ));
    }
    if let Some(other) = maker(host, &name)? {
        return Err(Problem::new(
            format!("'{name}' is the bridge of network '{other}', which somebody else has made just now"),
            "run the same command again; without --bridge it takes a name that is free",
        ));
    }
    let kernel = Kernel::default();
    let device = kernel.device(&name);
    let kind = device.as_ref().map_or(Kind::Other, |device| device.kind);
    let is_own = name == bridge && is_of(wanted, bridge, kind);
    let ports = device.iter().flat_map(|device| &device.ports);
    if is_own && ports.clone().all(|port| kernel.device(port).is_none_or(|port| port.kind == Kind::Tap)) {
        return Err(left_over(&network.name, bridge));
    }
    let also = if name == bridge { String::new() } else { format!(", for '{name}' is called that too") };
    let is_bridge = kind == Kind::Bridge && !is_own;
    Err(Problem::new(
        format!(
            "this host has a device '{bridge}'{also}, and the network would make a bridge of that name: libvirt would \
             fail, and then delete that device"
        ),
        way_out(host, &network, bridge, (&name, is_bridge))?,
    ))
}

/// The network that runs on a bridge of that name which libvirt has made for it.
fn maker(host: &dyn Hypervisor, bridge: &str) -> Result<Option<String>> {
    let is_made =
        |xml: &str| network_of(xml).is_ok_and(|n| n.mode.is_virtual() && n.bridge.as_deref() == Some(bridge));
    Ok(host
        .networks()?
        .into_iter()
        .find(|state| state.is_active && is_made(&state.xml))
        .map(|state| state.name))
}

/// The same by what libvirt tells of another host's devices.
fn told_of(host: &dyn Hypervisor, network: &Network, bridge: &str) -> Result<()> {
    match host.tells_of_device(bridge) {
        true => Err(Problem::new(
            format!(
                "that host has a device '{bridge}', and the network would make a bridge of that name: libvirt would fail, and \
                 then delete that device"
            ),
            way_out(host, network, bridge, (bridge, false))?,
        )),
        false => Ok(()),
    }
}

/// Whether another host has a device of the bridge's name already, nobody can tell from here for sure.
pub(super) fn unseen(host: &dyn Hypervisor, wanted: &Network, is_new: bool) -> Option<Warning> {
    let bridge = wanted.bridge.as_deref().filter(|_| wanted.mode.is_virtual() && is_elsewhere(host.uri()))?;
    let or = if is_new { "; without --bridge libvirt chooses a name that is free" } else { "" };
    let what = format!(
        "whether that host has a device '{bridge}' can't be seen over this connection: if so, libvirt would fail to make the \
         network's bridge, and then delete that device; 'ip link show {bridge}' there tells, and kvmnet run there looks{or}"
    );
    Some(Warning::stop(Code::TargetUnseen, what))
}

/// What to do where the name of a network's bridge is a device's; is that a bridge which its guests can be put on?
fn way_out(
    host: &dyn Hypervisor,
    network: &Network,
    bridge: &str,
    (device, is_bridge): (&str, bool),
) -> Result<String> {
    let (name, mode) = (&network.name, network.mode.as_str());
    if host.network(name)?.is_none() {
        return Ok(format!(
            "give '{device}' another name, or take it away, if it is nobody's (ip link shows it); or make the network anew, \
             with a bridge of another name (kvmnet net create {name} --mode {mode})"
        ));
    }
    let mut help =
        format!("kvmnet net set-mode {name} --mode {mode} --bridge OTHER gives its bridge another name");
    if is_bridge {
        help.push_str(&format!(
            "\nkvmnet net set-mode {name} --mode bridge --bridge {device} puts its guests on the bridge that is there"
        ));
    }
    if device != bridge {
        help.push_str(&format!(
            "\nip link property del dev {device} altname {bridge} takes that name from it"
        ));
    }
    Ok(help)
}

/// Is the host's device of that name the bridge which libvirt made for this network: because it runs, or left by a libvirtd
/// that was killed?
pub fn has_made(state: &NetworkState, bridge: &str) -> bool {
    let kind = || Kernel::default().device(bridge).map_or(Kind::Other, |device| device.kind);
    state.is_active || is_of(&state.xml, bridge, kind())
}

/// Is that device the bridge which libvirt made for this definition? It has its name, and the MAC address that libvirt made
/// up for it.
fn is_of(xml: &str, bridge: &str, kind: Kind) -> bool {
    let Ok(doc) = Doc::parse(xml) else { return false };
    let said = |element: &str, attribute: &str| child(doc.root(), element)?.attribute(attribute);
    let mac = Kernel::default().mac(bridge);
    let has_mac = |said: &str| mac.as_ref().is_some_and(|mac| mac.eq_ignore_ascii_case(said));
    kind == Kind::Bridge
        && said("bridge", "name") == Some(bridge)
        && said("mac", "address").is_some_and(has_mac)
}

/// What to do about it.
fn left_over(name: &str, bridge: &str) -> anyhow::Error {
    // Its DHCP and DNS server would keep the new one from its ports.
    let kill = dnsmasq::of_network(name).map(|dnsmasq| format!("kill {}; ", dnsmasq.pid)).unwrap_or_default();
    Problem::new(
        format!(
            "'{bridge}' is there, though the network isn't active: it is the network's own bridge, left there when libvirtd \
             was killed or crashed"
        ),
        format!(
            "{kill}ip link delete {bridge}; then 'kvmnet net start {name}', or 'kvmnet undo' after a run that was cut short: \
             either plugs running guests back"
        ),
    )
}

/// A user's own libvirt has no more rights than the user, and so makes no bridge.
pub(super) fn may_make_bridges(host: &dyn Hypervisor) -> Result<()> {
    match taps::not_permitted().filter(|_| Reach::of_uri(host.uri()) == Reach::Session) {
        Some(_) => Err(Problem::new(
            format!("{} is your own libvirt, which has no right to make the network's bridge", host.uri()),
            "the system's libvirt has: -c qemu:///system",
        )),
        None => Ok(()),
    }
}

/// That libvirt can't start a network, with what is known to be in the way, and what to do about it.
pub(super) fn cannot_start(host: &dyn Hypervisor, wanted: &Standing, error: anyhow::Error) -> anyhow::Error {
    let (mut why, mut help) = (vec!["libvirt can't start the network"], Vec::new());
    if message(&error).contains("action csum") {
        why.push(
            "its nftables backend takes a kernel with act_csum ('modprobe act_csum'; else firewall_backend = \"iptables\" in \
             /etc/libvirt/network.conf)",
        );
    }
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Problem::because(error, why.join("; "), "");
    }
    if network_of(&wanted.xml).is_ok_and(|network| network.mode.is_virtual())
        && kernel::sysctls_are_read_only()
    {
        why.push("/proc/sys is read-only here, where it has to switch the bridge's IPv6 and ip_forward");
    }
    let needs_dnsmasq = needs_dnsmasq(&wanted.xml);
    if needs_dnsmasq && !dnsmasq::is_installed() {
        why.push("dnsmasq, which gives out its addresses, isn't installed");
        help.push("install dnsmasq (Debian: dnsmasq-base)");
    }
    // Of a subnet that is another network's, that network's own server has the address.
    let other = network_of(&wanted.xml).ok().and_then(|network| overlapped(host, &network));
    let dns = other.is_none().then(|| port_53_taken(&wanted.xml, &[])).flatten();
    why.extend(other.as_deref().or(dns.as_deref()));
    help.extend(dns.as_ref().map(|_| "free that port, or do without the network's DNS server ('kvmnet net create --no-dns'; <dns enable='no'/>)"));
    // libvirt ends the one that it started itself. Of a network of a user's own it may be that of the system's.
    let left = network_of(&wanted.xml).ok().filter(|_| Reach::of_uri(host.uri()) == Reach::System);
    let left = left.and_then(|network| dnsmasq::of_network(&network.name));
    let left = left
        .map(|left| format!("process {0} is a dnsmasq left of the network's last run (kill {0})", left.pid));
    why.extend(left.as_deref());
    Problem::because(error, why.join("; "), help.join("\n"))
}

/// The network that runs and has addresses of this one's subnet, in words.
fn overlapped(host: &dyn Hypervisor, network: &Network) -> Option<String> {
    let others = host.networks().ok()?.into_iter().filter(|n| n.is_active && n.name != network.name);
    others.filter_map(|state| network_of(&state.xml).ok()).find_map(|other| {
        let meets = |a: IpNet, b: IpNet| a.contains(&b.network()) || b.contains(&a.network());
        let own = network.addresses.iter().map(|a| a.ip);
        let net = own.into_iter().find(|net| other.addresses.iter().any(|a| meets(a.ip, *net)))?;
        Some(format!("its subnet {} overlaps that of network '{}'", net.trunc(), other.name))
    })
}

/// Who has the port of the network's DNS server, in words, on other addresses than its `own` that it has already.
fn port_53_taken(xml: &str, own: &[IpAddr]) -> Option<String> {
    let network = network_of(xml).ok().filter(|network| network.mode.is_virtual() && network.has_dns)?;
    let mut wanted: Vec<_> = network.addresses.iter().map(|address| address.ip.addr()).collect();
    wanted.retain(|address| !own.contains(address));
    if wanted.is_empty() {
        return None;
    }
    let taken = dnsmasq::dns_port_taken(&wanted)?;
    let who = match &taken.process {
        Some((pid, name)) => format!("process {pid} ({name})"),
        None => "another program of this host".into(),
    };
    Some(match taken.address.is_unspecified() {
        true => format!("{who} has port 53 on all addresses (have it listen on its own only)"),
        false => format!(
            "{who} has port 53 on {}, the network's own address, where its DNS server has to listen",
            taken.address
        ),
    })
}

/// A network that works, as it `runs`, isn't stopped when it couldn't start again.
pub(super) fn can_start_again(host: &dyn Hypervisor, runs: &Network, wanted: &Standing) -> Result<()> {
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Ok(());
    }
    if needs_dnsmasq(&wanted.xml) && !dnsmasq::is_installed() && !dnsmasq::runs_from_file(&runs.name) {
        return Err(Problem::new(
            "dnsmasq, which gives out its addresses, isn't installed: stopped, it couldn't start again",
            "install dnsmasq (Debian: dnsmasq-base); nothing was stopped",
        ));
    }
    // Where its own DNS server listens now, it can again.
    let own: &[_] = if runs.mode.is_virtual() && runs.has_dns { &runs.addresses } else { &[] };
    let own: Vec<_> = own.iter().map(|address| address.ip.addr()).collect();
    match port_53_taken(&wanted.xml, &own) {
        Some(who) => Err(Problem::new(
            format!("{who}: stopped, the network couldn't start again"),
            "nothing was stopped; make that program listen elsewhere, or do without the network's DNS server (<dns enable='no'/>)",
        )),
        None => Ok(()),
    }
}

fn needs_dnsmasq(xml: &str) -> bool {
    network_of(xml).is_ok_and(|network| network.needs_dnsmasq())
}
