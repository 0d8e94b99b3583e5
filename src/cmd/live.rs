//! `--live`: the running guest's part of a change.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde_json::json;

use super::Context;
use super::convert::{describe, refused};
use super::guests::Job;
use crate::convert::{
    Conversion, Facts, Landing, Move, Request, Selection, convert, convert_interface, nics,
};
use crate::model::Nic;
use crate::plan::{Change, Place, State, Step, Subject, World, running_fragment};
use crate::problem::Problem;
use crate::sys::clock;
use crate::sys::hypervisor::{Guest, Hypervisor};
use crate::xml::{Doc, Edits, children, diff};

/// Adds the steps that move the running guest's NICs: those that its definition's change moves, and those that in the
/// definition are on the target already; without a definition those that the request means. Returns whether one of
/// them is where it should be.
pub(super) fn plan(
    job: &Job<'_>,
    guest: &Guest,
    change: &mut Change,
    facts: &Facts<'_>,
    stored: &Conversion,
) -> Result<bool> {
    if matches!(facts.landing, Landing::Macvtap { .. } | Landing::HostdevNetwork) {
        return Err(only_between_bridges());
    }
    let xml = job.host.running(&guest.uuid)?;
    let plain = plain(&xml)?;
    let doc = Doc::parse(&plain).map_err(|e| refused(e.into(), None, ""))?;
    let running = nics(&doc);
    let find = |mac: &str| running.iter().find(|nic| mac.parse().is_ok_and(|mac| nic.has_mac(mac)));
    let mut macs = Vec::new();
    for mac in stored.moves.iter().filter_map(|m| m.nic.mac.as_deref()) {
        match find(mac) {
            Some(_) => macs.push(mac.to_string()),
            None => change
                .remarks
                .push(format!("NIC {mac} isn't in the running guest; it comes with its next start")),
        }
    }
    // A change that is pending is made up for.
    let is_bridged = |nic: &&Nic| matches!(nic.source.kind.as_str(), "network" | "bridge");
    macs.extend(stored.there.iter().filter(|mac| find(mac).filter(is_bridged).is_some()).cloned());
    let request = match (macs.is_empty(), stored.moves.is_empty() && stored.there.is_empty()) {
        (true, true) => job.request.clone(),
        (true, false) => return Ok(true),
        (false, _) => {
            Request { selection: Selection { nics: macs, ..Selection::default() }, ..job.request.clone() }
        }
    };
    let mut moved = convert(&doc, &request, facts).map_err(|e| refused(e, None, &job.command(guest)))?;
    let mut bounced = false;
    for Move { nic, .. } in &moved.moves {
        let is_bridged = match nic.source.kind.as_str() {
            "bridge" => true,
            "network" => {
                !facts.networks.get(&nic.source.name).map(Landing::of_network).is_some_and(|landing| {
                    matches!(landing, Landing::Macvtap { .. } | Landing::HostdevNetwork)
                })
            }
            _ => false,
        };
        if !is_bridged {
            return Err(only_between_bridges());
        }
        let mac = nic.mac.clone().ok_or_else(|| anyhow!("libvirt names no MAC address of running {nic}"))?;
        bounced = !job.args.no_link_bounce;
        let place = Place::RunningNic { uuid: guest.uuid.clone(), mac, bounce: bounced };
        let before = place.read(&World { host: Some(job.host), shapes: None })?;
        let now = running_fragment(before.as_deref().ok_or_else(|| anyhow!("it has ended meanwhile"))?)?;
        let now_doc = Doc::parse(&now).map_err(|e| refused(e.into(), None, ""))?;
        let after = convert_interface(&now_doc, &request, facts).edits.apply(&now);
        let (name, position) = (&guest.name, nic.position);
        let (old, new) =
            (format!("{name} (running, NIC {position})"), format!("{name} (running, after the change)"));
        change.diff.push_str(&diff(&old, &now, &new, &after));
        change.steps.push(Step { place, before, after: Some(after) });
    }
    let is_there = moved.is_there;
    if !moved.moves.is_empty() {
        change.detail.insert("live".into(), json!("applied"));
        change.meaning.push(match (bounced, job.args.live_only) {
            (_, true) => "the running guest moves now; its next start has the old NIC again".into(),
            (true, _) => "the running guest moves now, without a restart; its link goes down and up for a second, so that it \
                          asks for an address"
                .into(),
            (false, _) => "the running guest moves now, without a restart; it keeps its old address until it asks for a new \
                           one"
            .into(),
        });
    }
    if stored.moves.is_empty() && !moved.moves.is_empty() {
        change.remarks.clear();
        describe(change, &moved, job.is_json);
    } else {
        moved.warnings.retain(|w| !change.warnings.contains(w));
        change.warnings.append(&mut moved.warnings);
    }
    Ok(is_there)
}

fn only_between_bridges() -> anyhow::Error {
    Problem::new(
        "libvirt moves a running guest's NIC only between bridges, and networks that use bridges",
        "without --live the change takes effect at the guest's next full power-off and start",
    )
}

/// The running guest's XML with every `<interface>` in the words of a definition.
pub(super) fn plain(xml: &str) -> Result<String> {
    let doc = Doc::parse(xml).map_err(|e| refused(e.into(), None, ""))?;
    let mut edits = Edits::default();
    for interface in children(doc.root(), "devices").flat_map(|d| children(d, "interface")) {
        let range = interface.range();
        edits.push(range.clone(), running_fragment(&xml[range])?);
    }
    Ok(edits.apply(xml))
}

/// The JSON output says nothing of the running guest where nothing was, or is to be, changed.
pub(super) fn settle(changes: &mut [Change]) {
    let nothing_done = |c: &&mut Change| !matches!(c.state, State::Planned | State::Applied);
    for change in changes.iter_mut().filter(nothing_done) {
        if change.detail.get("live") != Some(&json!("not-running")) {
            change.detail.insert("live".into(), json!(null));
        }
    }
}

/// The addresses that guests have before they move, to know the new ones by.
pub(super) fn addresses(host: &dyn Hypervisor, changes: &[Change]) -> Vec<(String, String)> {
    changes.iter().filter_map(moving).flat_map(|(uuid, _)| host.addresses(uuid)).collect()
}

/// The guest's UUID and the MAC addresses of the NICs that move while it runs.
fn moving(change: &Change) -> Option<(&str, Vec<String>)> {
    let Subject::Guest { uuid, .. } = &change.subject else { return None };
    let macs = change.steps.iter().filter_map(|s| match &s.place {
        Place::RunningNic { mac, .. } => Some(mac.to_lowercase()),
        _ => None,
    });
    Some((uuid.as_str(), macs.collect::<Vec<_>>())).filter(|(_, macs)| !macs.is_empty())
}

/// Waits until the guests that moved have addresses that they hadn't before, and says which.
pub(super) fn wait_for_addresses(
    host: &dyn Hypervisor,
    changes: &mut [Change],
    before: &[(String, String)],
    seconds: u64,
    context: &mut Context,
) {
    let end = Instant::now() + Duration::from_secs(seconds);
    for change in changes.iter_mut().filter(|c| matches!(c.state, State::Applied)) {
        let Some((uuid, macs)) = moving(change) else { continue };
        let found = loop {
            let is_new = |found: &(String, String)| macs.contains(&found.0) && !before.contains(found);
            let mut found: Vec<_> = host.addresses(uuid).into_iter().filter(is_new).collect();
            found.sort();
            found.dedup();
            let usable = |ip: &str| !ip.to_lowercase().starts_with("fe80:");
            if found.iter().any(|(_, ip)| usable(ip))
                || Instant::now() >= end
                || crate::sys::interrupt::requested()
            {
                break found;
            }
            clock::sleep(Duration::from_millis(300));
        };
        for (mac, ip) in &found {
            context.screen.say(&format!("{}: NIC {mac} has address {ip}", change.subject));
        }
        if found.is_empty() {
            context.screen.say(&format!(
                "{}: no new address seen within {seconds} s (on a bridge the guest's agent or this host's neighbour table must \
                 know it)",
                change.subject
            ));
        }
        let list = found.iter().map(|(mac, ip)| json!({ "mac": mac, "address": ip }));
        change.detail.insert("addresses".into(), list.collect());
    }
}
