//! `kvmnet net create`

use anyhow::Result;
use serde_json::{Value, json};

use super::effects::Effects;
use super::{change, explained, known, network, options, refused};
use crate::cli::{NetCreate, NetShape};
use crate::cmd::walk::{quoted, walk};
use crate::cmd::{Context, connect, target};
use crate::convert::Target;
use crate::model::{Code, Network, Warning};
use crate::net::{self, Ask, Surroundings};
use crate::plan::{self, Audience as _, Change, Standing, State, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, Edits, StartTag, child, elements};

/// Makes a network.
pub(super) fn run(args: &NetCreate, context: &mut Context) -> Result<u8> {
    let host = connect::to_change(context, &args.consent)?;
    let host = host.as_ref();
    let ask = ask(args);
    let mut options = options(host, &args.consent);
    options.force = args.force;
    // A first look, so that what can't be leaves no trace. What it chooses may be another's by the time that others have
    // made what they are about, and so it is chosen again with them kept away.
    let mut made = look_and_plan(host, args, &ask)?;
    let mut held = match made.is_new && !options.preview_only {
        // Without a journal it can't be made, and the spine says so.
        true => plan::hold(|| context.screen.waits()).ok(),
        false => None,
    };
    if held.is_some() {
        made = look_and_plan(host, args, &ask)?;
        // Somebody else has made it meanwhile: what is changed of it may be asked about, and nobody waits for answers.
        held = held.filter(|_| made.is_new);
    }
    made.why.iter().for_each(|why| context.screen.detail(&format!("kvmnet: {why}")));
    // It takes nothing from anybody.
    options.yes |= made.is_new;
    let (change, around) = (made.change, made.around);
    let Subject::Network(name) = &change.subject else { unreachable!("its subject is a network") };
    let (name, wanted) = (name.clone(), change.steps.first().and_then(|step| step.after.clone()));
    let world = World { host: Some(host), held: held.as_ref(), ..World::default() };
    let walked = walk(vec![change], &options, &world, context)?;
    drop(held);
    if let (Some(line), false) = (outcome(&name, wanted.as_deref(), &walked.changes[0]), context.is_json()) {
        context.screen.say(&line);
    }
    let document = |changes: &[Change]| document(host, &name, wanted.as_deref(), &changes[0], &around);
    walked.report_as(&options, context, document)
}

/// How the network stands once it was made.
fn outcome(name: &str, wanted: Option<&str>, change: &Change) -> Option<String> {
    let made = Standing::parse(wanted?).ok().filter(|_| matches!(change.state, State::Applied))?;
    let runs = if made.is_active { "runs" } else { "isn't started" };
    let joined = if made.is_active == made.autostarts { "and" } else { "but" };
    let starts = if made.autostarts { "starts with libvirt" } else { "doesn't start with libvirt" };
    Some(format!("kvmnet: network '{name}' {runs}, {joined} {starts}"))
}

/// What shall be made, and how it was chosen.
struct Made {
    change: Change,
    around: Surroundings,
    why: Vec<String>,
    /// Is there no network of that name yet?
    is_new: bool,
}

fn look_and_plan(host: &dyn Hypervisor, args: &NetCreate, ask: &Ask) -> Result<Made> {
    let states = host.networks()?;
    let around = super::around::look(host, &states)?;
    match args.name.as_deref().and_then(|name| states.iter().find(|s| s.name == name)) {
        Some(state) => {
            let change = there_already(host, args, ask, state, &around)?;
            Ok(Made { change, around, why: Vec::new(), is_new: false })
        }
        None => {
            let (change, why) = planned(host, args, ask, &states, &around)?;
            Ok(Made { change, around, why, is_new: true })
        }
    }
}

/// What was typed, as the rules take it.
fn ask(args: &NetCreate) -> Ask {
    Ask {
        name: args.name.clone(),
        hosts: args.host.clone(),
        domain: args.domain.clone(),
        mtu: args.mtu,
        no_dns: args.no_dns,
        dns_hosts: args.dns_host.clone(),
        forwarders: args.dns_forwarder.clone(),
        nat_ports: args.nat_ports,
        nat_addresses: args.nat_addresses,
        portgroups: args.portgroup.clone(),
        ..shape(&args.shape)
    }
}

/// The mode and what goes with it, as the rules take it.
pub(super) fn shape(shape: &NetShape) -> Ask {
    Ask {
        subnet: shape.subnet,
        subnet6: shape.subnet6,
        subnet_pools: shape.subnet_pool.clone(),
        dhcp: shape.dhcp.clone(),
        no_dhcp: shape.no_dhcp,
        host_access: shape.host_access,
        devs: shape.dev.iter().cloned().collect(),
        bridge: shape.bridge.clone(),
        pool: shape.pool.clone(),
        ..Ask::new(shape.mode.into())
    }
}

/// A network of that name is there: is it what was asked for?
fn there_already(
    host: &dyn Hypervisor,
    args: &NetCreate,
    ask: &Ask,
    state: &NetworkState,
    around: &Surroundings,
) -> Result<Change> {
    let name = &state.name;
    let definition = host.network_definition(name)?.unwrap_or_else(|| state.xml.clone());
    if !net::satisfies(&network(&definition)?, ask) {
        return Err(Problem::new(
            format!("there is a network '{name}' already, and it isn't what was asked for"),
            format!(
                "kvmnet net show {name} says what it is; kvmnet net set-mode changes it; or choose another name"
            ),
        ));
    }
    let Some(now) = Standing::read(host, name)? else { return Err(super::no_such(host, name, &[])) };
    // One that only runs is gone once it is stopped, and nobody asks for such a one.
    let wanted = Standing {
        is_active: now.is_active || !args.no_start,
        autostarts: now.autostarts || !args.no_autostart,
        is_persistent: true,
        xml: if now.is_persistent { now.xml.clone() } else { definition_of(&now.xml)? },
    };
    if wanted == now {
        let mut change = Change::new(Subject::Network(name.clone()));
        change.remarks.push("it is there already".into());
        change.remarks.extend(left_as_is(args, &now, name));
        return Ok(change);
    }
    let network = network(&definition)?;
    let mut around = around.clone();
    if now.is_active {
        super::around::of_running(&mut around);
    }
    let mut change = change(name, Some(&now), Some(&wanted), false);
    change.headline.push(format!("network '{name}' is there already"));
    change.remarks.extend(left_as_is(args, &now, name));
    change.warnings.extend(wanted.can_follow(host, Some(&now), false)?);
    if !now.is_active && wanted.is_active {
        change.headline.push("it is started".into());
        let attached = super::guests::on(host, name)?;
        Effects::new(host, name, &attached).starts(&network, &mut change);
    }
    if !now.is_persistent {
        change.headline.push("it gets a definition, made of what runs, and so outlives a stop".into());
    }
    if now.autostarts != wanted.autostarts {
        change.headline.push("it starts with libvirt from now on".into());
    }
    change.meaning.splice(0..0, explained(&network, &around));
    Ok(change)
}

/// The definition of a network of which only what runs is there: how many guests are connected to it, or to a device of its
/// pool, is no part of that.
fn definition_of(xml: &str) -> Result<String> {
    let (doc, mut edits) = (Doc::parse(xml)?, Edits::default());
    let devices = child(doc.root(), "forward").into_iter().flat_map(elements);
    for node in devices.chain([doc.root()]) {
        let tag = StartTag::read(xml, node.range().start);
        if let Some(attribute) = tag.as_ref().and_then(|tag| tag.attr(xml, "connections")) {
            edits.push(attribute.whole.clone(), "");
        }
    }
    Ok(edits.apply(xml))
}

/// What was said of a network to be made, and isn't done to one that is there.
fn left_as_is(args: &NetCreate, now: &Standing, name: &str) -> Vec<String> {
    let name = quoted(name);
    let runs = (args.no_start && now.is_active)
        .then(|| format!("--no-start doesn't stop one that runs: kvmnet net stop {name}"));
    let starts = (args.no_autostart && now.autostarts)
        .then(|| format!("it starts with libvirt, --no-autostart or not: kvmnet net autostart {name} off"));
    runs.into_iter().chain(starts).collect()
}

fn planned(
    host: &dyn Hypervisor,
    args: &NetCreate,
    ask: &Ask,
    states: &[NetworkState],
    around: &Surroundings,
) -> Result<(Change, Vec<String>)> {
    let resolved = net::resolve(ask, around).map_err(refused)?;
    let xml = net::xml(&resolved.spec);
    let network = network(&xml)?;
    let wanted = Standing {
        is_active: !args.no_start,
        autostarts: !args.no_autostart,
        is_persistent: true,
        xml: xml.clone(),
    };
    let mut change = change(&network.name, None, Some(&wanted), false);
    change.headline.push(format!("defines network '{}' ({})", network.name, ask.mode));
    change.diff = xml;
    change.meaning = explained(&network, around);
    // Of a host that can be seen the rules have looked at the devices; what has come since is for a second look to see.
    if Reach::of_uri(host.uri()) != Reach::System {
        change.warnings.extend(wanted.can_follow(host, None, false)?);
    }
    if around.devices.is_none() && network.mode.is_virtual() {
        let what = "the host's routes and addresses can't be seen over this connection: whether the subnet is free there was \
                    checked against its networks only";
        change.warnings.push(Warning::note(Code::TargetUnseen, what));
    }
    change.warnings.extend(bridge_warnings(host, &network, states));
    Ok((change, resolved.why))
}

/// What speaks against a host bridge, short of a reason not to define a network on it.
pub(super) fn bridge_warnings(
    host: &dyn Hypervisor,
    network: &Network,
    states: &[NetworkState],
) -> Vec<Warning> {
    let bridge = network.bridge.as_ref().filter(|_| !network.mode.is_virtual());
    let Some(bridge) = bridge.and_then(|bridge| bridge.parse().ok()) else { return Vec::new() };
    let look = target::look(host, &Target::Bridge(bridge), &known(states), states);
    let harmless = |w: Warning| Warning { stops: false, ..w };
    look.warnings.into_iter().map(harmless).collect()
}

/// The document of the contract.
fn document(
    host: &dyn Hypervisor,
    name: &str,
    wanted: Option<&str>,
    change: &Change,
    around: &Surroundings,
) -> Value {
    let stored = match change.state {
        State::Failed(_) => None,
        _ => Standing::read(host, name).ok().flatten(),
    };
    let wanted = wanted.and_then(|text| Standing::parse(text).ok());
    let shown = stored.as_ref().or(wanted.as_ref());
    let network = shown.and_then(|s| network(&s.xml).ok());
    let subnet = |v4: bool| {
        let addresses = network.iter().flat_map(|n| &n.addresses);
        addresses.map(|a| a.ip).find(|ip| ip.addr().is_ipv4() == v4).map(|ip| ip.trunc().to_string())
    };
    json!({
        "network": {
            "name": name,
            "uuid": network.as_ref().and_then(|n| n.uuid.clone()),
            "mode": network.as_ref().map(|n| n.mode.as_str()),
            "bridge": network.as_ref().and_then(|n| n.bridge.clone()),
            "subnet": subnet(true),
            "subnet6": subnet(false),
            "active": stored.as_ref().is_some_and(|s| s.is_active),
            "autostart": stored.as_ref().is_some_and(|s| s.autostarts),
        },
        "xml": shown.map(|s| s.xml.clone()),
        "reachability": network.as_ref().map(|n| super::reachability(n, around)),
        "notes": network.as_ref().map(|n| net::notes(n, around)),
        "warnings": change.warnings.iter().map(crate::report::json::warning).collect::<Vec<_>>(),
        "remarks": change.remarks,
        "status": change.status(),
        "error": change.error().map(crate::problem::render),
        "id": change.id,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_definition_of_what_runs() {
        let runs = "<network connections='2'>\n  <forward dev='a' mode='bridge'>\n    <interface dev='a' connections='1'/>\n  \
                    </forward>\n</network>";
        let wanted = "<network>\n  <forward dev='a' mode='bridge'>\n    <interface dev='a'/>\n  </forward>\n</network>";
        assert_eq!(definition_of(runs).unwrap(), wanted);
        assert_eq!(definition_of(wanted).unwrap(), wanted);
    }
}
