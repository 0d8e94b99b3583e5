//! `kvmnet host bridge delete`

use anyhow::Result;
use serde_json::json;

use super::change::{Wanted, carry_out, change, side};
use super::create::refused;
use super::look::Looked;
use super::{guests, refusals, ssh};
use crate::cli::BridgeDelete;
use crate::cmd::Context;
use crate::cmd::host::seen::Seen;
use crate::cmd::walk::Walk;
use crate::host::Kind;
use crate::host::bridge::Found;
use crate::model::{Code, Warning};
use crate::plan::window::Want;
use crate::plan::{Change, Subject};
use crate::problem::Problem;

/// Removes a bridge.
pub(super) fn run(args: &BridgeDelete, context: &mut Context) -> Result<u8> {
    let looked = Looked::for_change(&args.change)?;
    let mut options = Walk::new(&args.change.consent);
    options.force = args.force;
    let name = args.name.as_str();
    let (change, ports) = planned(args, name, &looked)?;
    let document = json!({ "name": name, "ports": ports });
    carry_out(change, &options, &document, &[], args.change.timeout, context)
}

fn planned(args: &BridgeDelete, bridge: &str, looked: &Looked) -> Result<(Change, Vec<String>)> {
    let Some(seen) = looked.device(bridge) else {
        let mut change = Change::new(Subject::Bridge(bridge.into()));
        change.remarks.push("there is no such bridge".into());
        return Ok((change, Vec::new()));
    };
    if seen.kind != Kind::Bridge {
        let what = format!("{bridge} is no bridge, but a device of kind {}", seen.kind.as_str());
        return Err(Problem::new(what, "'kvmnet host bridge list' lists the bridges"));
    }
    if let Some(owner) = seen.owners.iter().find(|owner| owner.backend == "libvirt") {
        let file = owner.file.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
        return Err(Problem::new(
            format!("{bridge} is the bridge of one of libvirt's networks{file}"),
            "kvmnet net delete NETWORK removes the network and its bridge",
        ));
    }
    looked.nothing_waits()?;
    let backend = looked.backend(bridge, args.change.backend)?;
    let host = looked.host(backend)?;
    let recipe = backend.take_down(&host, bridge).map_err(refused)?;
    refusals::tools(looked, backend.name(), &recipe)?;
    let ports = seen.carries.iter().filter(|c| c.role == "port" && !is_guests(c.kind));
    let ports: Vec<String> = ports.map(|c| c.name.clone()).collect();
    let Found { addresses, dhcp4, gateways } = &recipe.found;
    let held = seen.nic.link.addresses.clone().unwrap_or_default();
    // Those that a router's advertisements give are in no file.
    let is_advertised = held.iter().any(|a| a.scope == "global" && a.is_dynamic);
    let has_addresses = !addresses.is_empty() || *dhcp4 || !gateways.is_empty() || is_advertised;
    let first = ports.first().cloned();
    let devices: Vec<String> = ports.iter().cloned().chain([bridge.to_string()]).collect();
    let lost = refusals::by_hand(looked, &devices, &host, &recipe.found)?;
    let want = Want {
        gone: Some(bridge.into()),
        device: first.clone().filter(|_| has_addresses),
        addresses: addresses.iter().map(ToString::to_string).collect(),
        dhcp4: *dhcp4,
        gateways: gateways.clone(),
        ..Want::default()
    };
    let mut after = side(
        format!("takes bridge {bridge} down ({})", backend.name()),
        want,
        (has_addresses && first.is_some()).then(|| bridge.to_string()),
    );
    let global = held.iter().filter(|a| a.scope == "global" && !a.is_dynamic);
    let back = Want {
        bridge: Some(bridge.into()),
        ports: ports.clone(),
        device: (!held.is_empty()).then(|| bridge.to_string()),
        addresses: global.map(|a| a.cidr.clone()).collect(),
        ..Want::default()
    };
    let mut before = side(format!("makes bridge {bridge} of {}", ports.join(", ")), back, first.clone());
    let goes_on = has_addresses && first.is_some();
    let left = ssh::After {
        addresses: if goes_on { ssh::nets(&held) } else { Vec::new() },
        gateways: Vec::new(),
        keeps_routes: goes_on,
    };
    let fate = looked.tree.is_here().then(|| ssh::fate(&looked.seen, &devices, &left)).flatten();
    after.ssh_survives = fate.as_ref().is_some_and(|fate| fate.survives);
    before.ssh_survives = after.ssh_survives;
    let wanted = Wanted {
        bridge,
        backend: backend.name(),
        recipe: &recipe,
        devices,
        after,
        before,
        timeout: args.change.timeout,
        is_here: looked.tree.is_here(),
        remark: format!("no file of {}'s makes bridge {bridge}", backend.name()),
    };
    let mut change = change(wanted)?;
    if change.is_planned() {
        change.warnings.extend(lost.into_iter().map(|lost| {
            let what = format!(
                "{}, which isn't in the files that configure it: it would be lost; write it there first, or take it away: {}",
                lost.what, lost.away
            );
            Warning::stop(Code::ByHandLost, what)
        }));
        change.warnings.extend(in_use(looked, seen).map(|what| Warning::stop(Code::NetworkInUse, what)));
        match fate {
            Some(fate) if fate.survives => change.meaning.push(fate.words),
            Some(fate) => change.warnings.push(Warning::note(Code::ConnectionLost, fate.words)),
            None => {}
        }
    }
    Ok((change, ports))
}

fn is_guests(kind: Kind) -> bool {
    matches!(kind, Kind::Tap | Kind::Macvtap)
}

/// Who would be cut off without the bridge, in words.
pub(super) fn in_use(looked: &Looked, seen: &Seen) -> Option<String> {
    let bridge = seen.nic.link.name.as_str();
    // A container's port is nobody's who configures the host.
    let is_free = |name: &str| looked.device(name).is_some_and(|port| port.owners.is_empty());
    let taps = seen.carries.iter().filter(|c| c.role == "port" && (is_guests(c.kind) || is_free(&c.name)));
    let taps: Vec<&str> = taps.map(|c| c.name.as_str()).collect();
    let used = guests::on(&looked.tree, bridge);
    let mut by = Vec::new();
    let named =
        |names: &[String]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if !used.guests.is_empty() {
        by.push(format!("guest{} {}", if used.guests.len() == 1 { "" } else { "s" }, named(&used.guests)));
    } else if !taps.is_empty() {
        by.push(format!("what is behind {}", taps.join(", ")));
    }
    if !used.networks.is_empty() {
        by.push(format!(
            "network{} {}",
            if used.networks.len() == 1 { "" } else { "s" },
            named(&used.networks)
        ));
    }
    let what = format!(
        "bridge {bridge} is used by {}; move them first: kvmnet convert GUEST --to-network NETWORK",
        by.join(" and by ")
    );
    (!by.is_empty()).then_some(what)
}
