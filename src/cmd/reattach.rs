//! `kvmnet reattach`

use anyhow::Result;
use serde_json::{Value, json};

use super::guests::named;
use super::live::settle;
use super::walk::{Walk, Walked, as_root, walk};
use super::{Context, connect};
use crate::cli::Reattach;
use crate::model::{Code, Warning};
use crate::plan::taps::{self, Astray, Finding, Spot, Wiring, nothing_passes};
use crate::plan::{Change, State, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::{Guest, Hypervisor, Reach};

/// Plugs running guests' taps back in.
pub(super) fn run(args: &Reattach, context: &mut Context) -> Result<u8> {
    let host = connect::to_change(context, &args.consent)?;
    let host = host.as_ref();
    let mut options = Walk::new(&args.consent);
    options.header.uri = Some(host.uri().to_string());
    if host.uri().starts_with("test:") {
        context.screen.say("kvmnet: nothing to do: the guests of libvirt's test driver have no taps");
        return Walked::none().report(&options, context);
    }
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Err(Problem::new(
            format!("the taps of guests on {} can't be seen from here", host.uri()),
            "run 'kvmnet reattach' on that host",
        ));
    }
    let (changes, running) = changes(args, host, context)?;
    if changes.is_empty() {
        context.screen.say(&match (&args.on_network, running) {
            (Some(name), 0) => {
                let named = if args.domains.is_empty() { "" } else { " that was named" };
                format!("kvmnet: nothing to do: no running guest{named} has a tap on network '{name}'")
            }
            (None, 0) => "kvmnet: nothing to do: no guest is running".into(),
            (_, n) => format!("kvmnet: nothing to do: of {n} running guests every tap is where it belongs"),
        });
    }
    let mut walked = walk(changes, &options, &World { host: Some(host), ..World::default() }, context)?;
    settle(&mut walked.changes);
    walked.report(&options, context)
}

/// The changes that plug the running guests back in that a network which runs has lost.
pub(super) fn on_network(host: &dyn Hypervisor, name: &str) -> Result<Vec<Change>> {
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Ok(Vec::new());
    }
    let (wiring, guests) = (Wiring::new(host)?, host.guests()?);
    let running = guests.iter().filter(|guest| guest.is_active);
    let all = running.flat_map(|guest| of_guest(&wiring, guest, Some(name)));
    Ok(all.map(|(change, _)| change).filter(|change| !change.steps.is_empty()).collect())
}

/// The changes, and how many running guests were looked at.
fn changes(args: &Reattach, host: &dyn Hypervisor, context: &mut Context) -> Result<(Vec<Change>, usize)> {
    let wiring = Wiring::new(host)?;
    let all = host.guests()?;
    let only = args.on_network.as_deref();
    let is_bulk = args.domains.is_empty();
    let chosen = match is_bulk {
        true => all.into_iter().filter(|guest| guest.is_active).map(Ok).collect(),
        false => named(&all, &args.domains, host.uri()),
    };
    // Of many guests only those are shown that there is something to say about.
    let terse = is_bulk && !context.is_json() && context.global.verbose == 0;
    let (mut out, mut running, total) = (Vec::new(), 0, chosen.len());
    for (guest, through) in chosen.into_iter().zip(1..) {
        match guest {
            Err((word, e)) => out.push(Change::failed(Subject::Guest { name: word, uuid: String::new() }, e)),
            Ok(guest) => {
                let found = of_guest(&wiring, &guest, only);
                running += usize::from(guest.is_active && !found.is_empty());
                out.extend(found.into_iter().filter(|(_, is_fine)| !(terse && *is_fine)).map(|(c, _)| c));
            }
        }
        context.screen.tick(through, total);
    }
    match only {
        Some(name) if running == 0 && !wiring.has_network(name) => Err(Problem::new(
            format!("no network '{name}', and no running guest is on it"),
            "'kvmnet net list' shows those there are",
        )),
        _ => Ok((out, running)),
    }
}

/// One guest's changes, each NIC's by itself, so that one that can't be helped doesn't stop another; with each whether it
/// only says that all is well.
fn of_guest(wiring: &Wiring<'_>, guest: &Guest, only: Option<&str>) -> Vec<(Change, bool)> {
    let subject = || Subject::Guest { name: guest.name.clone(), uuid: guest.uuid.clone() };
    let mut calm = Change::new(subject());
    if !guest.is_active {
        calm.remarks.push("it isn't running; its next start plugs it in".into());
        return vec![(calm, true)];
    }
    let found = match wiring.look(guest, only) {
        Ok(found) => found,
        Err(e) => return vec![(Change::failed(subject(), e), false)],
    };
    if found.is_empty() && only.is_some() {
        return Vec::new();
    }
    let (mut out, mut fine) = (Vec::new(), Vec::new());
    for finding in found {
        match finding {
            Finding::Fine(what) => fine.push(what),
            Finding::LeftAlone(why) | Finding::Remark(why) => calm.remarks.push(why),
            Finding::Astray(astray) => out.push((planned(subject(), &astray), false)),
            Finding::Hopeless(e) => out.push((Change::failed(subject(), e), false)),
        }
    }
    let is_fine = calm.remarks.is_empty();
    if out.is_empty() || !is_fine {
        if out.is_empty() && is_fine && fine.is_empty() {
            fine.push("it has no NIC with a tap on a bridge".into());
        }
        calm.remarks.splice(0..0, fine);
        out.push((calm, is_fine));
    }
    out
}

fn planned(subject: Subject, astray: &Astray) -> Change {
    let mut change = Change::new(subject);
    change.headline.push(astray.to_string());
    change.meaning.push(
        "the running guest keeps its NIC, its link and its addresses; nothing changes in its definition"
            .into(),
    );
    let end = |spot: &Spot| json!({ "type": "bridge", "source": spot.bridge, "known": known(spot), "up": !spot.is_down });
    let nic = json!({
        "position": astray.position,
        "mac": astray.mac,
        "tap": astray.tap,
        "network": astray.should.network.as_ref().map(|(name, _)| name),
        "from": end(&astray.now),
        "to": end(&astray.should),
    });
    change.detail.insert("nics".into(), Value::Array(vec![nic]));
    change.detail.insert("live".into(), json!("applied"));
    if let Some(bridge) = astray.should.bridge.as_deref().filter(|_| astray.bridge_is_down) {
        change.warnings.push(Warning::note(Code::TargetDown, nothing_passes(bridge)));
    }
    change.steps.push(astray.step());
    change.state = match taps::not_permitted().filter(|_| astray.changes_device()) {
        Some(why) => State::Failed(Problem::new(why, as_root(false))),
        None => State::Planned,
    };
    change
}

/// Has the network it in its books? Nothing where there is no network.
fn known(spot: &Spot) -> Option<bool> {
    spot.network.as_ref().map(|(_, known)| *known)
}
