//! `kvmnet host bridge create`

use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;
use serde_json::json;

use super::change::{Wanted, carry_out, change, side};
use super::look::Looked;
use super::{guests, refusals, ssh};
use crate::cli::{BridgeAddress, BridgeCreate, BridgeMac, OnOff};
use crate::cmd::Context;
use crate::cmd::host::seen::Seen;
use crate::cmd::walk::Walk;
use crate::host::Kind;
use crate::host::bridge::{Addresses, Ask, Fault, Found, HostDevice, Recipe};
use crate::model::{Code, Warning};
use crate::plan::window::Want;
use crate::problem::Problem;
use crate::sys::bridge::Settings;

/// Makes a bridge.
pub(super) fn run(args: &BridgeCreate, context: &mut Context) -> Result<u8> {
    let bridge = args.name.as_str();
    let looked = Looked::for_change(&args.change)?;
    refusals::name(&looked, bridge, &args.port)?;
    refusals::ports(&looked, bridge, &args.port)?;
    let ask = ask(args, &looked)?;
    let first = &ask.ports[0];
    let owner = match looked.device(bridge) {
        // It is there, and its ports may be nobody's but its.
        Some(seen) if !seen.owners.is_empty() => bridge,
        _ => first,
    };
    let backend = looked.backend(owner, args.change.backend)?;
    let mut host = looked.host(backend)?;
    refusals::foreign(&looked, backend, &host, bridge)?;
    if !looked.knows_devices() {
        // Of a copy without them, what was named is taken to be there.
        host.devices.extend(ask.ports.iter().enumerate().map(|(n, name)| HostDevice {
            name: name.clone(),
            kind: Kind::Ethernet,
            mac: (n == 0).then(|| ask.mac.clone()),
            ..HostDevice::default()
        }));
    }
    let recipe = backend.make(&host, &ask).map_err(refused)?;
    gateways(&ask, &recipe.found.addresses, looked.device(first))?;
    let ways = backend.ways_out(&host);
    refusals::addresses(&looked, &host, &ask, &recipe)?;
    let mut lost = Vec::new();
    if !recipe.files.is_empty() {
        refusals::gateways(&looked, &ask, &ways)?;
        refusals::tools(&looked, backend.name(), &recipe)?;
        let devices: Vec<String> = ask.ports.iter().cloned().chain([bridge.to_string()]).collect();
        lost = refusals::by_hand(&looked, &devices, &host, &recipe.found)?;
        if let (Addresses::Keep, Some(first)) = (&ask.addresses, lost.first()) {
            return Err(Problem::new(
                format!("{}, which isn't in the files that configure it: it would be lost", first.what),
                format!(
                    "write it there first, or take it away ({}), or say what the bridge shall have: --address",
                    first.away
                ),
            ));
        }
        refusals::cable(&looked, &ask)?;
        looked.nothing_waits()?;
    }
    let next = guests::next_step(&looked.tree, bridge);
    let mut change = planned(args, &looked, &ask, &recipe, backend.name(), &next)?;
    if change.is_planned() {
        change.meaning.extend(refusals::two_ways_out(&looked, &ask, &ways));
        change.meaning.extend(ask.ports.iter().flat_map(|nic| guests::losses(&looked.tree, nic, bridge)));
    }
    change.warnings.extend(lost.into_iter().map(|lost| {
        Warning::note(Code::ByHandLost, format!("{}, which is in no file and will be lost", lost.what))
    }));
    let document = json!({
        "name": bridge,
        "ports": ask.ports,
        "mac": ask.mac,
        "stp": ask.stp,
        "forward_delay": ask.forward_delay,
    });
    carry_out(change, &Walk::new(&args.change.consent), &document, &next, args.change.timeout, context)
}

pub(super) fn refused(fault: Fault) -> anyhow::Error {
    Problem::new(fault.what, fault.help)
}

/// What stands for the NIC's MAC address in the preview of a host whose devices aren't known.
const UNKNOWN_MAC: &str = "00:00:00:00:00:00";

/// What was typed, with what it means where nothing was said.
fn ask(args: &BridgeCreate, looked: &Looked) -> Result<Ask> {
    let ports: Vec<String> = args
        .port
        .iter()
        .map(|port| looked.device(port).map_or_else(|| port.clone(), |seen| seen.nic.link.name.clone()))
        .collect();
    // Of a bridge that is there, what isn't spoken of stays as it is.
    let there = looked.device(args.name.as_str()).filter(|seen| seen.kind == Kind::Bridge);
    let has = there.map(|seen| Settings::read(&looked.tree, &seen.nic.link.name)).unwrap_or_default();
    let is_port = |port: &String| {
        let master = looked.device(port).and_then(|seen| seen.nic.link.master.as_deref());
        there.is_some_and(|there| master == Some(there.nic.link.name.as_str()))
    };
    let may_loop = ports.len() > 1 && !ports.iter().all(is_port);
    let stp = args.stp.map_or(has.stp || may_loop, |stp| stp == OnOff::On);
    let forward_delay = match (args.forward_delay, stp) {
        (None, false) => 0,
        (None, true) if has.stp => {
            has.forward_delay.map_or(2, |seconds| (seconds.round() as u32).clamp(2, 30))
        }
        (None, true) => 2,
        (Some(0), false) => 0,
        (Some(seconds), false) => {
            return Err(Problem::new(
                format!("--forward-delay {seconds} has no effect while STP is off"),
                "add --stp on, or leave it out",
            ));
        }
        (Some(seconds @ 2..=30), true) => seconds,
        (Some(seconds), true) => {
            return Err(Problem::new(
                format!("--forward-delay {seconds}: with STP on the kernel takes 2 to 30 seconds"),
                "--forward-delay 2 is the least",
            ));
        }
    };
    let first = looked.device(&ports[0]);
    let mac = match args.mac {
        BridgeMac::Mac(mac) => mac.to_string(),
        BridgeMac::Keep if !looked.knows_devices() => UNKNOWN_MAC.into(),
        BridgeMac::Keep => there
            .or(first)
            .and_then(|seen| seen.nic.link.mac.clone())
            .ok_or_else(|| {
                let what = format!("the MAC address of {} isn't known, and the bridge gets it", ports[0]);
                Problem::new(what, "say what it is: --mac 52:54:00:12:34:56")
            })?
            .to_ascii_lowercase(),
    };
    let addresses = addresses(&args.address)?;
    if let Addresses::Static(nets) = &addresses {
        once("address", &nets.iter().map(IpNet::addr).collect::<Vec<_>>())?;
    }
    once("dns", &args.dns)?;
    let ask = Ask {
        bridge: args.name.as_str().into(),
        ports,
        addresses,
        gateways: args.gateway.clone(),
        dns: args.dns.clone(),
        stp,
        forward_delay,
        mac,
    };
    gateways(&ask, &[], first)?;
    Ok(ask)
}

/// Is each of them given once?
fn once(option: &str, given: &[IpAddr]) -> Result<()> {
    match given.iter().enumerate().find(|(n, ip)| given[..*n].contains(ip)) {
        Some((_, twice)) => Err(Problem::new(format!("--{option} {twice} is given twice"), "give it once")),
        None => Ok(()),
    }
}

fn addresses(typed: &[BridgeAddress]) -> Result<Addresses> {
    let fixed: Vec<IpNet> = typed
        .iter()
        .filter_map(|address| match address {
            BridgeAddress::Static(net) => Some(*net),
            _ => None,
        })
        .collect();
    match typed {
        [] | [BridgeAddress::Keep] => Ok(Addresses::Keep),
        [BridgeAddress::Dhcp] => Ok(Addresses::Dhcp),
        [BridgeAddress::None] => Ok(Addresses::None),
        _ if fixed.len() == typed.len() => Ok(Addresses::Static(fixed)),
        _ => Err(Problem::new(
            "--address keep, dhcp and none each stand alone",
            "give one of them, or addresses: --address 192.0.2.10/24 --address 2001:db8::10/64",
        )),
    }
}

/// Can the bridge reach them? It may keep the addresses that stand in the files, and those that the NIC has.
fn gateways(ask: &Ask, written: &[IpNet], first: Option<&Seen>) -> Result<()> {
    for (n, gateway) in ask.gateways.iter().enumerate() {
        if let Some(other) = ask.gateways[..n].iter().find(|other| other.is_ipv4() == gateway.is_ipv4()) {
            return Err(Problem::new(
                format!(
                    "--gateway {other} and --gateway {gateway}: there can be one default route of a family"
                ),
                "give one",
            ));
        }
        let link = first.into_iter().flat_map(|seen| seen.nic.link.addresses.iter().flatten());
        let (what, nets): (_, Vec<IpNet>) = match &ask.addresses {
            Addresses::Static(nets) => ("--address", nets.clone()),
            Addresses::Keep => {
                let held = link.filter_map(|a| a.cidr.parse().ok());
                ("the NIC's addresses", held.chain(written.iter().copied()).collect())
            }
            Addresses::None => {
                return Err(Problem::new(
                    format!(
                        "--gateway {gateway} needs an address in its subnet, and --address none gives the bridge none"
                    ),
                    "leave one of them out",
                ));
            }
            Addresses::Dhcp => continue,
        };
        let refused =
            |why: &str, help: &str| Err(Problem::new(format!("--gateway {gateway} is {why}"), help));
        let is_link = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let Some(net) = nets.iter().find(|net| net.contains(gateway)) else {
            if is_link || nets.is_empty() {
                continue;
            }
            return refused(
                &format!("in no subnet of {what}, so it can't be reached"),
                "give the router's address in the bridge's subnet",
            );
        };
        if nets.iter().any(|net| net.addr() == *gateway) {
            return refused("the bridge's own address", "give the router's");
        }
        // Of two addresses (RFC 3021), both are hosts'.
        let has_others = gateway.is_ipv4() && net.prefix_len() < 31;
        if has_others && (net.network() == *gateway || net.broadcast() == *gateway) {
            return refused(&format!("no host's address in {}", net.trunc()), "give the router's");
        }
    }
    Ok(())
}

fn planned(
    args: &BridgeCreate,
    looked: &Looked,
    ask: &Ask,
    recipe: &Recipe,
    backend: &'static str,
    next: &[String],
) -> Result<crate::plan::Change> {
    let (bridge, first) = (ask.bridge.as_str(), ask.ports[0].as_str());
    let is_there = looked.device(bridge).is_some();
    let devices: Vec<String> = ask.ports.iter().cloned().chain([bridge.to_string()]).collect();
    let source = if is_there { bridge } else { first };
    let keeps = ask.addresses == Addresses::Keep;
    let fixed = |nets: &[IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>();
    let Found { addresses, dhcp4, gateways } = &recipe.found;
    let want = Want {
        bridge: Some(bridge.into()),
        ports: ask.ports.clone(),
        mac: Some(ask.mac.clone()),
        device: (ask.addresses != Addresses::None).then(|| bridge.to_string()),
        addresses: fixed(addresses),
        dhcp4: *dhcp4,
        gateways: gateways.clone(),
        bare: ask.ports.clone(),
        answering: ask.gateways.clone(),
        ..Want::default()
    };
    let ports = ask.ports.join(", ");
    let headline = if is_there {
        format!("changes bridge {bridge}")
    } else {
        format!("makes bridge {bridge} of {ports} ({backend})")
    };
    let mut after = side(headline, want, keeps.then(|| source.to_string()));
    after.next = next.to_vec();
    let held = looked.device(source).map(|seen| seen.nic.link.addresses.clone().unwrap_or_default());
    let held = held.unwrap_or_default();
    let mut left = ssh::After {
        addresses: match &ask.addresses {
            Addresses::Keep => ssh::nets(&held),
            Addresses::Static(nets) => nets.clone(),
            Addresses::None => Vec::new(),
            // The server knows the NIC by its MAC, which the bridge gets.
            Addresses::Dhcp => ssh::nets(held.iter().filter(|a| a.is_dynamic)),
        },
        gateways: ask.gateways.clone(),
        keeps_routes: matches!(ask.addresses, Addresses::Keep | Addresses::Dhcp),
    };
    left.addresses.retain(|net| !recipe.lost.contains(net));
    let fate = looked.tree.is_here().then(|| ssh::fate(&looked.seen, &devices, &left)).flatten();
    after.ssh_survives = fate.as_ref().is_some_and(|fate| fate.survives);
    let global = held.iter().filter(|a| a.scope == "global" && !a.is_dynamic);
    let back = Want {
        gone: (!is_there).then(|| bridge.to_string()),
        bridge: is_there.then(|| bridge.to_string()),
        device: (!held.is_empty()).then(|| source.to_string()),
        addresses: global.map(|a| a.cidr.clone()).collect(),
        ..Want::default()
    };
    let mut before = side(format!("takes bridge {bridge} down"), back, keeps.then(|| bridge.to_string()));
    before.ssh_survives = after.ssh_survives;
    let wanted = Wanted {
        bridge,
        backend,
        recipe,
        devices,
        after,
        before,
        timeout: args.change.timeout,
        is_here: looked.tree.is_here(),
        remark: format!("bridge {bridge} of {ports} is there already, just so"),
    };
    let mut change = change(wanted)?;
    if ask.mac == UNKNOWN_MAC {
        change.meaning.push(format!(
            "{UNKNOWN_MAC} stands for the MAC address of {first}, which isn't known here; --mac says what it is"
        ));
    }
    if change.is_planned() {
        match fate {
            Some(fate) if fate.survives => change.meaning.push(fate.words),
            Some(fate) => change.warnings.push(Warning::note(Code::ConnectionLost, fate.words)),
            None => {}
        }
    }
    Ok(change)
}
