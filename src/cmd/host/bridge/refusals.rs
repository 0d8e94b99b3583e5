//! What can't be taken back or can't work, refused before anything is planned.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Result;
use ipnet::IpNet;

use super::by_hand::{Unwritten, unwritten};
use super::guests;
use super::look::Looked;
use crate::cmd::host::seen::Seen;
use crate::host::Kind;
use crate::host::bridge::{Addresses, Ask, Backend, Found, Host, Recipe, WayOut};
use crate::problem::Problem;
use crate::sys::answers::answers;
use crate::sys::{netstate, routes, terminal};

/// Can these become ports of that bridge?
pub(super) fn ports(looked: &Looked, bridge: &str, ports: &[String]) -> Result<()> {
    for (n, name) in ports.iter().enumerate() {
        if ports[..n].contains(name) {
            return Err(Problem::new(format!("port {name} is given twice"), "name each NIC once"));
        }
        if !looked.knows_devices() {
            continue;
        }
        let Some(seen) = looked.device(name) else {
            let there: Vec<&str> =
                looked.seen.iter().filter(|s| is_cable(s)).map(|s| s.nic.link.name.as_str()).collect();
            let help = match there.as_slice() {
                [] => "'kvmnet host nics' lists the devices".into(),
                there => format!("NICs here: {}", there.join(", ")),
            };
            return Err(Problem::new(format!("this host has no network device '{name}'"), help));
        };
        port(seen, bridge, name)?;
        beside(looked, &seen.nic.link.name)?;
    }
    Ok(())
}

/// Is a macvlan, macvtap or ipvlan on it? The kernel gives a device's frames to one taker only: to those, or to a bridge
/// (netdev_rx_handler_register).
fn beside(looked: &Looked, nic: &str) -> Result<()> {
    let is_taker = |seen: &&Seen| {
        matches!(seen.kind, Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan)
            && seen.nic.link.below.as_deref() == Some(nic)
    };
    let takers: Vec<&Seen> = looked.seen.iter().filter(is_taker).collect();
    let Some(first) = takers.first() else { return Ok(()) };
    let names: Vec<&str> = takers.iter().map(|seen| seen.nic.link.name.as_str()).collect();
    let guests = guests::on_nic(&looked.tree, nic).guests;
    let help = match guests.first() {
        Some(guest) => format!(
            "shut down the guests on {nic} ({}), or move them to a network first: kvmnet convert {} --to-network default",
            guests.join(", "),
            crate::cmd::walk::quoted(guest)
        ),
        None => format!("take it away first (ip link del {})", first.nic.link.name),
    };
    let what = format!("{nic} can't become a port of a bridge: {} takes its frames", names.join(", "));
    Err(Problem::new(what, help))
}

fn is_cable(seen: &Seen) -> bool {
    matches!(seen.kind, Kind::Ethernet | Kind::Veth | Kind::Bond | Kind::Team | Kind::Vlan)
}

fn port(seen: &Seen, bridge: &str, name: &str) -> Result<()> {
    let refused = |why: &str, help: &str| {
        Err(Problem::new(format!("{name} can't become a port of a bridge: {why}"), help))
    };
    match seen.kind {
        Kind::Wifi => {
            return refused(
                "it is a Wi-Fi station, and an access point takes no frames with the guests' MAC addresses from it",
                "bridge a cable; or give the guests a network of their own: kvmnet net create --mode nat",
            );
        }
        Kind::Wwan | Kind::Tun | Kind::Tunnel | Kind::Infiniband | Kind::Ipvlan => {
            return refused(
                "its frames aren't Ethernet's",
                "kvmnet net create --mode nat makes a network behind it",
            );
        }
        Kind::Loopback => {
            return refused("it is the loopback device", "name a NIC: 'kvmnet host nics' lists them");
        }
        Kind::Bridge | Kind::OpenVSwitch => {
            return refused(
                "it is a bridge itself",
                "guests can use it as it is: kvmnet convert GUEST --to-bridge BRIDGE",
            );
        }
        Kind::Tap | Kind::Macvtap => {
            return refused("it is a guest's", "name a NIC: 'kvmnet host nics' lists them");
        }
        _ => {}
    }
    match seen.nic.link.master.as_deref() {
        Some(master) if master != bridge => Err(Problem::new(
            format!("{name} is a port of {master} already"),
            format!("guests can use {master} as it is; or take {name} out of it first"),
        )),
        _ => Ok(()),
    }
}

/// Without a cable nothing of a bridge with addresses could be verified.
pub(super) fn cable(looked: &Looked, ask: &Ask) -> Result<()> {
    let first = ask.ports.first().and_then(|port| looked.device(port));
    match first {
        Some(seen)
            if seen.nic.link.has_carrier == Some(false)
                && looked.tree.is_here()
                && ask.addresses != Addresses::None =>
        {
            Err(Problem::new(
                format!("{} has no carrier: is its cable in?", seen.nic.link.name),
                "with none it couldn't be seen whether the bridge works, and all would be put back; --address none makes a \
                 bridge without addresses of its own",
            ))
        }
        _ => Ok(()),
    }
}

/// Is the name free, or that of a bridge of the host's?
pub(super) fn name(looked: &Looked, bridge: &str, ports: &[String]) -> Result<()> {
    // The files, the tools and the kernel each see something else in other signs: an option, a pattern, a number to fill in.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if let Some(odd) = bridge.chars().find(|c| !is_plain(*c)) {
        return Err(Problem::new(
            format!(
                "a bridge can't be called '{}': what configures networks trips over {odd:?}",
                bridge.escape_debug()
            ),
            "use letters, digits, '-' and '_', such as br0",
        ));
    }
    let (digits, radix) = match bridge.get(..2) {
        Some("0x" | "0X") => (&bridge[2..], 16),
        Some("0b" | "0B") => (&bridge[2..], 2),
        Some("0o" | "0O") => (&bridge[2..], 8),
        _ => (bridge, 10),
    };
    if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Problem::new(
            format!("a bridge can't be called '{bridge}': systemd takes it for a device's number"),
            "begin with a letter, such as br0",
        ));
    }
    let is_vlan = |(_, number): (&str, &str)| number.bytes().all(|b| b.is_ascii_digit());
    if !bridge.starts_with(|c: char| c.is_ascii_alphanumeric())
        || bridge.rsplit_once('.').is_some_and(is_vlan)
    {
        let what = if bridge.contains('.') { "a VLAN or a hidden file" } else { "an option" };
        return Err(Problem::new(
            format!("a bridge can't be called '{bridge}': it looks like {what}"),
            "begin with a letter and use letters, digits, '-' and '_', such as br0",
        ));
    }
    if matches!(bridge, "all" | "default") {
        // Their settings would stand in for those of every device (/proc/sys/net/ipv4/conf/all, …/default).
        let what =
            format!("no device can be called '{bridge}': the kernel keeps that name for the settings of all");
        return Err(Problem::new(what, "choose another name, such as br0"));
    }
    if ports.iter().any(|port| port == bridge) {
        return Err(Problem::new(
            "a bridge can't be its own port",
            "name a NIC with --port: 'kvmnet host nics' lists them",
        ));
    }
    if let Some(network) = guests::network_of(&looked.tree, bridge) {
        return Err(Problem::new(
            format!("{bridge} is the bridge of libvirt's network '{network}', whether that runs or not"),
            "choose another name, such as br0",
        ));
    }
    if let Some(seen) = looked.device(bridge) {
        if let Some(owner) = seen.owners.iter().find(|owner| owner.backend == "libvirt") {
            let file = owner.file.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
            return Err(Problem::new(
                format!("{bridge} is the bridge of one of libvirt's networks{file}"),
                "choose another name, such as br0",
            ));
        }
        if seen.kind != Kind::Bridge {
            return Err(Problem::new(
                format!("the name {bridge} is taken: it is a device of kind {}", seen.kind.as_str()),
                "choose another name, such as br0",
            ));
        }
    }
    Ok(())
}

/// What leads out of the host by another device than these, as the files say: `gateway` of it, and where.
fn other_ways(ask: &Ask, ways: &[WayOut]) -> Vec<(bool, String)> {
    let is_touched = |name: &String| *name == ask.bridge || ask.ports.contains(name);
    let others = ways.iter().filter(|way| !way.devices.iter().any(is_touched));
    let said = |way: &WayOut| {
        let words = format!("{} gives {} one through {}", way.file, way.devices.join(", "), way.gateway);
        (way.gateway.is_ipv4(), words)
    };
    others.map(said).collect()
}

/// A second default route would compete with the one that is there, or that the files give another device.
pub(super) fn gateways(looked: &Looked, ask: &Ask, ways: &[WayOut]) -> Result<()> {
    for gateway in &ask.gateways {
        let other = other_ways(ask, ways).into_iter().find(|(is_ipv4, _)| *is_ipv4 == gateway.is_ipv4());
        let live =
            || uplink(looked, ask, gateway.is_ipv4()).map(|dev| format!("this host's goes through {dev}"));
        if let Some(other) = other.map(|(_, words)| words).or_else(live) {
            return Err(Problem::new(
                format!(
                    "--gateway {gateway}: there is a default route already, and a second one would compete with it: {other}"
                ),
                "leave --gateway out, or take the other one away first",
            ));
        }
    }
    Ok(())
}

/// The device, another than these, that this host's default route goes through.
fn uplink(looked: &Looked, ask: &Ask, is_ipv4: bool) -> Option<String> {
    let dev = looked.tree.is_here().then(|| routes::uplink(if is_ipv4 { "-4" } else { "-6" }))??;
    (!ask.ports.contains(&dev) && dev != ask.bridge).then_some(dev)
}

/// What DHCP may add to what leads out of the host already.
pub(super) fn two_ways_out(looked: &Looked, ask: &Ask, ways: &[WayOut]) -> Option<String> {
    if ask.addresses != Addresses::Dhcp {
        return None;
    }
    let other = other_ways(ask, ways).into_iter().find(|(is_ipv4, _)| *is_ipv4).map(|(_, words)| words);
    let live = || uplink(looked, ask, true).map(|dev| format!("this host's goes through {dev}"));
    let other = other.or_else(live)?;
    Some(format!("if the DHCP server names a router there will be two default routes: {other}"))
}

/// Is everything there that the commands need?
pub(super) fn tools(looked: &Looked, backend: &str, recipe: &Recipe) -> Result<()> {
    let point = recipe.checkpoint.iter().map(|point| &point.take);
    let ways = [&recipe.make, &recipe.unmake].into_iter().flat_map(|way| way.before.iter().chain(&way.after));
    for argv in ways.chain(point) {
        if let Some(program) = argv.first().filter(|program| !looked.is_there(program)) {
            return Err(Problem::new(
                format!("{program} isn't installed, and {backend} needs it: {}", argv.join(" ")),
                "install it, or name what else configures this host's network with --backend",
            ));
        }
    }
    let (service, runs) = match backend {
        "networkd" => ("systemd-networkd", "run/systemd/netif/state"),
        "networkmanager" => ("NetworkManager", "run/NetworkManager"),
        _ => return Ok(()),
    };
    if looked.tree.is_here() && !recipe.files.is_empty() && !looked.tree.has(runs) {
        return Err(Problem::new(
            format!("{service} doesn't run, so it can make no bridge"),
            format!(
                "systemctl enable --now {service}\nor name what configures this host's network with --backend"
            ),
        ));
    }
    Ok(())
}

/// Is a bridge of that name somebody else's: Docker's, a container manager's, one made by hand?
pub(super) fn foreign(looked: &Looked, backend: &dyn Backend, host: &Host, bridge: &str) -> Result<()> {
    match looked.device(bridge) {
        Some(seen) if !backend.defines(host, bridge) => Err(Problem::new(
            format!(
                "the name {bridge} is taken: {} is a bridge already, and none of {}'s files makes it, so it is somebody \
                 else's",
                seen.nic.link.name,
                backend.name()
            ),
            "choose another name, such as br0; or say with --backend whose files make it",
        )),
        _ => Ok(()),
    }
}

/// What was set by hand on these devices, goes with their addresses and stands in no file.
///
/// # Errors
/// The kernel can't be asked.
pub(super) fn by_hand(
    looked: &Looked,
    devices: &[String],
    host: &Host,
    found: &Found,
) -> Result<Vec<Unwritten>> {
    if !looked.tree.is_here() {
        return Ok(Vec::new());
    }
    Ok(unwritten(&netstate::look(devices)?, devices, &host.files, found))
}

/// Would anything be lost that no file holds, or contradict what is there?
pub(super) fn addresses(looked: &Looked, host: &Host, ask: &Ask, recipe: &Recipe) -> Result<()> {
    let Some(seen) = ask.ports.first().and_then(|port| looked.device(port)) else { return Ok(()) };
    let port = &seen.nic.link.name;
    if let Addresses::Static(nets) = &ask.addresses {
        taken(looked, ask, nets)?;
    }
    if ask.addresses == Addresses::Keep {
        let held = seen.nic.link.addresses.iter().flatten().filter(|a| a.scope == "global" && !a.is_dynamic);
        let lost = held.filter(|a| {
            !a.cidr.parse().is_ok_and(|net| recipe.found.addresses.contains(&net)) && !is_hooks(host, &a.cidr)
        });
        let lost: Vec<&str> = lost.map(|a| a.cidr.as_str()).collect();
        if let (Some(first), true) = (lost.first(), looked.tree.is_here()) {
            return Err(Problem::new(
                format!(
                    "{port} has an address that isn't in the files that configure it and would be lost: {}",
                    lost.join(", ")
                ),
                format!(
                    "write it there first, or take it away (ip addr del {first} dev {port}), or say what the bridge shall have: --address CIDR"
                ),
            ));
        }
    }
    Ok(())
}

/// Does a command in ifupdown's files add that address? It moves with its stanza.
fn is_hooks(host: &Host, cidr: &str) -> bool {
    let ip = cidr.split('/').next().unwrap_or_default();
    let lines = host.files.iter().flat_map(|file| file.text.lines().map(str::trim));
    let mut hooks = lines.filter(|line| {
        line.split_whitespace().next().is_some_and(|key| matches!(key, "up" | "post-up" | "pre-up"))
    });
    hooks.any(|line| line.split_whitespace().any(|word| word == cidr || word == ip))
}

/// Has another device of this host, or another host of the LAN, one of these addresses?
fn taken(looked: &Looked, ask: &Ask, nets: &[IpNet]) -> Result<()> {
    let is_concerned = |name: &String| *name == ask.bridge || ask.ports.contains(name);
    let mut own: Vec<IpAddr> = Vec::new();
    for seen in &looked.seen {
        let name = &seen.nic.link.name;
        let held = seen.nic.link.addresses.iter().flatten().filter_map(|a| a.cidr.parse::<IpNet>().ok());
        let held: Vec<IpAddr> = held.map(|net| net.addr()).collect();
        if is_concerned(name) {
            own.extend(held);
        } else if let Some(net) = nets.iter().find(|net| held.contains(&net.addr())) {
            return Err(Problem::new(
                format!("--address {}: {name} has that address", net.addr()),
                "give the bridge one of its own",
            ));
        }
    }
    let Some(port) = ask.ports.first().filter(|_| looked.tree.is_here() && terminal::is_root()) else {
        return Ok(());
    };
    let is_theirs =
        |net: &&IpNet| !own.contains(&net.addr()) && answers(net.addr(), port, Duration::from_millis(300));
    match nets.iter().find(is_theirs) {
        Some(net) => Err(Problem::new(
            format!("--address {}: another host on the LAN of {port} answers for it", net.addr()),
            "give the bridge an address that is free",
        )),
        None => Ok(()),
    }
}
