//! `kvmnet net`

mod around;
mod create;
mod cut_off;
mod effects;
mod guests;
mod leases;
mod list;
mod pending;
mod set_mode;
mod show;
mod switch;

use anyhow::Result;
use serde_json::json;

use super::Context;
use super::walk::Walk;
use crate::cli::{Consent, Net, NetCommand};
use crate::convert::Networks;
use crate::model::{Code, Network, Warning};
use crate::net::{self, Cell, Fault, Surroundings};
use crate::plan::{Change, Place, Standing, State, Step, Subject};
use crate::problem::Problem;
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::networks::NetworkState;
use crate::xml::Doc;
use effects::Effects;

/// Does what was typed.
pub(super) fn run(args: &Net, context: &mut Context) -> Result<u8> {
    match &args.command {
        NetCommand::Create(args) => create::run(args, context),
        NetCommand::List(_) => list::run(context),
        NetCommand::Show(args) => show::run(&args.name, context),
        NetCommand::Start(args) => {
            switch::run(switch::Verb::Start, &args.names, args.force, &args.consent, context)
        }
        NetCommand::Stop(args) => {
            switch::run(switch::Verb::Stop, &args.names, args.force, &args.consent, context)
        }
        NetCommand::Restart(args) => {
            switch::run(switch::Verb::Restart, &args.names, args.force, &args.consent, context)
        }
        NetCommand::Autostart(args) => {
            let (names, on) = switch::names_and_word(&args.words)?;
            switch::run(switch::Verb::Autostart(on), names, args.force, &args.consent, context)
        }
        NetCommand::Delete(args) => {
            switch::run(switch::Verb::Delete, &args.names, args.force, &args.consent, context)
        }
        NetCommand::Leases(args) => leases::run(&args.name, context),
        NetCommand::SetMode(args) => set_mode::run(args, context),
    }
}

/// How a change of this connection is walked through.
fn options(host: &dyn Hypervisor, consent: &Consent) -> Walk {
    let mut options = Walk::new(consent);
    options.header.uri = Some(host.uri().to_string());
    options
}

/// The definitions in a listing that can be read.
fn read_all(states: &[NetworkState]) -> Vec<Network> {
    states.iter().filter_map(|state| Network::read(&Doc::parse(&state.xml).ok()?).ok()).collect()
}

/// The same, for those that ask what a network gives its guests.
fn known(states: &[NetworkState]) -> Networks {
    Networks::new(read_all(states), true)
}

fn network(xml: &str) -> Result<Network> {
    Ok(Network::read(&Doc::parse(xml)?)?)
}

/// What putting a network back means for the guests on it. One that guests refer to isn't removed.
///
/// # Errors
/// libvirt can't be asked.
pub(super) fn before_undo(host: &dyn Hypervisor, name: &str, change: &mut Change) -> Result<()> {
    let standing = |text: &Option<String>| text.as_deref().and_then(|text| Standing::parse(text).ok());
    let is_network = |step: &&Step| step.changes_network();
    let Some(step) = change.steps.iter().find(is_network).cloned() else {
        change.meaning.push("the running guests keep their NICs, their links and their addresses".into());
        return Ok(());
    };
    let (now, then) = (standing(&step.before), standing(&step.after));
    let attached = guests::on(host, name)?;
    if then.is_none() && !attached.is_empty() {
        change.state = State::Failed(Problem::new(
            format!("{}, and it would be removed", guests::referring(&attached)),
            format!(
                "move them first ({} …), or kvmnet net delete {name} --force",
                guests::converting(name, &attached)
            ),
        ));
        return Ok(());
    }
    let effects = Effects::of_undo(host, name, &attached);
    let restart = matches!(step.place, Place::Network { restart: true, .. });
    match then.as_ref().map(|then| then.can_follow(host, now.as_ref(), restart)) {
        Some(Err(e)) => {
            change.state = State::Failed(e);
            return Ok(());
        }
        unseen => change.warnings.extend(unseen.and_then(Result::ok).flatten()),
    }
    if let (None, Some(then)) = (&now, &then) {
        change.meaning.extend(leases::gone(&network(&then.xml)?));
    }
    match (now.filter(|s| s.is_active), then) {
        (Some(_), Some(then)) if then.is_active && !restart => {}
        (Some(now), Some(then)) if then.is_active => {
            effects.comes_back(&then, change);
            pending::at_restart(host, name, &now, &then, change)?;
        }
        (Some(_), then) => effects.stops(then.is_none(), change),
        (None, Some(then)) if then.is_active => effects.starts(&network(&then.xml)?, change),
        _ => {}
    }
    Ok(())
}

/// There is no network of that name: what there is.
fn no_such(host: &dyn Hypervisor, name: &str, states: &[NetworkState]) -> anyhow::Error {
    Problem::new(format!("there is no network '{name}'"), those_here(host, states))
}

/// The same of one that is named beside it.
fn none_of_that_name(host: &dyn Hypervisor, states: &[NetworkState]) -> anyhow::Error {
    Problem::new("there is none of that name", those_here(host, states))
}

fn those_here(host: &dyn Hypervisor, states: &[NetworkState]) -> String {
    let names: Vec<_> = states.iter().map(|state| state.name.as_str()).collect();
    let names = if names.is_empty() { "none".into() } else { names.join(", ") };
    let others = own_libvirt(host).map(|what| format!("\n{what}")).unwrap_or_default();
    format!("networks here: {names}{others}")
}

/// Whose networks these are, if they are only the user's own: easily forgotten where nobody said which libvirt is meant.
fn own_libvirt(host: &dyn Hypervisor) -> Option<String> {
    let uri = host.uri();
    let is_own = Reach::of_uri(uri) == Reach::Session;
    is_own.then(|| format!("{uri} is your own libvirt; the system's networks are at -c qemu:///system"))
}

/// A flag that can't be.
fn refused(fault: Fault) -> anyhow::Error {
    Problem::new(fault.to_string(), fault.help)
}

/// The change of one network from one standing to another.
fn change(name: &str, before: Option<&Standing>, after: Option<&Standing>, restart: bool) -> Change {
    let mut change = Change::new(Subject::Network(name.into()));
    let text = |standing: Option<&Standing>| standing.map(ToString::to_string);
    let place = Place::Network { name: name.into(), restart, ports: Vec::new() };
    change.steps = vec![Step { place, before: text(before), after: text(after) }];
    change.state = State::Planned;
    change
}

/// What speaks against starting a network as it is defined. For one that runs, whatever its guests have, what keeps them
/// from starting stops that.
fn doubts(
    host: &dyn Hypervisor,
    network: &Network,
    around: &Surroundings,
    is_running: bool,
) -> Result<Vec<Warning>> {
    let bridge = create::bridge_warnings(host, network, &host.networks()?);
    let bridge = bridge.into_iter().filter(|w| {
        matches!(w.code, Code::TargetMissing | Code::TargetNotBridge | Code::TargetIsVirtualBridge)
    });
    let bridge = bridge.map(|w| Warning { stops: is_running && w.code != Code::TargetIsVirtualBridge, ..w });
    Ok(net::doubts(network, around).into_iter().chain(bridge).collect())
}

/// Who reaches whom, a line for each, and what else is to know.
fn explained(network: &Network, around: &Surroundings) -> Vec<String> {
    let cells = net::reachability(network, around);
    let mut lines: Vec<String> = cells.iter().map(cell).collect();
    lines.extend(net::notes(network, around));
    lines
}

fn cell(cell: &Cell) -> String {
    let way = format!("{} → {}", cell.from, cell.to);
    let note = cell.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{way:<15} {}  {}{note}", cell.family, if cell.allowed { "yes" } else { "no " })
}

/// The same, for programs.
fn reachability(network: &Network, around: &Surroundings) -> serde_json::Value {
    let cells = net::reachability(network, around);
    let all = cells.iter().map(|cell| {
        json!({
            "from": cell.from.to_string(),
            "to": cell.to.to_string(),
            "family": cell.family.to_string(),
            "allowed": cell.allowed,
            "note": cell.note,
        })
    });
    all.collect()
}
