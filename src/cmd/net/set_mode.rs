//! `kvmnet net set-mode`

use anyhow::Result;

use super::effects::Effects;
use super::switch::{self, Verb};
use super::{change, create, explained, guests, network, no_such, options, refused};
use crate::cli::NetSetMode;
use crate::cmd::walk::walk;
use crate::cmd::{Context, connect};
use crate::model::{ForwardMode, Network};
use crate::net;
use crate::plan::{self, Audience as _, Change, Standing, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::Hypervisor;
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, diff_of_edits};

/// Changes a network's mode.
pub(super) fn run(args: &NetSetMode, context: &mut Context) -> Result<u8> {
    let host = connect::to_change(context, &args.consent)?;
    let host = host.as_ref();
    let mut options = options(host, &args.consent);
    options.force = args.force;
    let mut plan = planned(host, args, &host.networks()?);
    // As for a new network: what is chosen because nobody has it is chosen with other runs kept away. While somebody is
    // asked, they go on.
    let mut held = None;
    // What a first look at their work halfway refuses may be fine after it.
    let is_calm = matches!(&plan, Ok((change, _)) if !change.is_planned());
    if options.yes && !options.preview_only && !is_calm {
        held = plan::hold(|| context.screen.waits()).ok();
        plan = planned(host, args, &host.networks()?);
    }
    let (change, why) = plan?;
    why.iter().for_each(|why| context.screen.detail(&format!("kvmnet: {why}")));
    let world = World { host: Some(host), held: held.as_ref(), ..World::default() };
    walk(vec![change], &options, &world, context)?.report(&options, context)
}

fn planned(
    host: &dyn Hypervisor,
    args: &NetSetMode,
    states: &[NetworkState],
) -> Result<(Change, Vec<String>)> {
    let name = &args.name;
    let Some(now) = Standing::read(host, name)? else { return Err(no_such(host, name, states)) };
    if !now.is_persistent {
        return Err(Problem::new(
            format!("network '{name}' has no definition, only what runs"),
            format!("virsh net-dumpxml {name} > {name}.xml; virsh net-define {name}.xml"),
        ));
    }
    let ask = net::Ask { name: Some(name.clone()), ..create::shape(&args.shape) };
    let mut around = super::around::look(host, states)?;
    if let Some(bridge) = own_bridge(&now, states, name) {
        // It goes when the network stops, whatever the definition calls it by now.
        around.taken.retain(|taken| taken.dev.as_ref() != Some(&bridge));
        around.devices.iter_mut().for_each(|devices| devices.retain(|device| device.name != bridge));
    }
    let (doc, mut why) = (Doc::parse(&now.xml)?, Vec::new());
    let edits = net::set_mode(&doc, &ask, &around, &mut why).map_err(refused)?;
    if edits.is_empty() {
        return Ok((already(host, &ask, &now, states)?, why));
    }
    let xml = edits.apply(&now.xml);
    let (old, new) = (network(&now.xml)?, network(&xml)?);
    let lost = net::lost(&doc, &Doc::parse(&xml)?);
    let wanted = Standing { xml, ..now.clone() };
    let unseen = wanted.can_follow(host, Some(&now), true)?;
    let mut change = change(name, Some(&now), Some(&wanted), true);
    change.warnings.extend(unseen);
    change.headline.push(headline(name, &old, &new));
    change.warnings.extend(lost);
    let title = format!("network '{name}'");
    change.diff = diff_of_edits(&title, &title, &now.xml, &edits);
    change.meaning = turned_to_translation(&old, &new).into_iter().chain(explained(&new, &around)).collect();
    let attached = guests::on(host, name)?;
    let effects = Effects::new(host, name, &attached);
    if now.is_active {
        effects.comes_back(&wanted, &mut change);
        super::pending::at_restart(host, name, &now, &wanted, &mut change)?;
    } else {
        change.meaning.push("the network isn't running; the change counts from its next start".into());
        effects.leaves_behind(&new, &mut change);
    }
    change.warnings.extend(net::doubts(&new, &around));
    change.warnings.extend(create::bridge_warnings(host, &new, states));
    Ok((change, why))
}

/// That IPv6 which was routed is translated from now on, which the mode's name doesn't tell.
fn turned_to_translation(old: &Network, new: &Network) -> Option<String> {
    let had_six = old.addresses.iter().any(|address| address.ip.addr().is_ipv6());
    let is_turned = old.mode == ForwardMode::Nat && had_six && !old.nat_ipv6 && new.nat_ipv6;
    is_turned.then(|| {
        "IPv6 is translated to the host's address from then on (<nat ipv6='yes'/>): so far guests' own addresses were routed, and \
         others could reach them"
            .into()
    })
}

/// The bridge that libvirt made for the network as it runs.
fn own_bridge(now: &Standing, states: &[NetworkState], name: &str) -> Option<String> {
    let state = states.iter().find(|state| state.name == name && now.is_active)?;
    let running = network(&state.xml).ok()?;
    running.bridge.filter(|_| running.mode.is_virtual())
}

/// The definition is as asked; what runs may be older.
fn already(host: &dyn Hypervisor, ask: &net::Ask, now: &Standing, states: &[NetworkState]) -> Result<Change> {
    let name = ask.name.clone().unwrap_or_default();
    let runs = states.iter().find(|state| state.name == name && now.is_active);
    let is_older = match runs {
        Some(state) => !net::satisfies(&network(&state.xml)?, ask),
        None => false,
    };
    if is_older {
        let mut change = switch::planned(host, Verb::Restart, &name)?;
        change.meaning.insert(0, format!("its definition has mode {} already; what runs is older", ask.mode));
        return Ok(change);
    }
    let mut change = Change::new(Subject::Network(name));
    change.remarks.push(format!("its mode is {} already", ask.mode));
    Ok(change)
}

/// What becomes of it; where the mode stays, what else does not.
fn headline(name: &str, old: &Network, new: &Network) -> String {
    let (was, is) = (kind(old), kind(new));
    if was != is {
        return format!("network '{name}': {was} → {is}");
    }
    let addresses = |network: &Network| {
        let all: Vec<String> = network.addresses.iter().map(|a| a.ip.to_string()).collect();
        if all.is_empty() { "no address".into() } else { all.join(" and ") }
    };
    let device = |network: &Network| network.forward_dev.clone().unwrap_or_else(|| "any device".into());
    let bridge = |network: &Network| network.bridge.clone().unwrap_or_else(|| "any name".into());
    let parts = [
        ("", addresses(old), addresses(new)),
        ("through ", device(old), device(new)),
        ("its bridge ", bridge(old), bridge(new)),
    ];
    let differs = parts.iter().filter(|(_, was, is)| was != is);
    let mut changes: Vec<String> = differs.map(|(word, was, is)| format!("{word}{was} → {is}")).collect();
    if changes.is_empty() {
        let dhcp = |network: &Network| network.addresses.iter().map(|a| a.dhcp.clone()).collect::<Vec<_>>();
        changes.push(if dhcp(old) == dhcp(new) { "other settings".into() } else { "DHCP changes".into() });
    }
    format!("network '{name}' stays {is}: {}", changes.join(", "))
}

/// The mode in words, with what else tells two of one mode apart.
fn kind(network: &Network) -> String {
    let mode = network.mode.as_str();
    match network.mode {
        ForwardMode::Isolated if network.addresses.is_empty() => format!("{mode}, without the host"),
        ForwardMode::Isolated => format!("{mode}, with the host"),
        ForwardMode::Bridge if network.has_pool => format!("{mode} (macvtap on {})", network.pool.join(", ")),
        ForwardMode::Bridge => format!("{mode} ({})", network.bridge.as_deref().unwrap_or("no name")),
        _ => mode.into(),
    }
}
