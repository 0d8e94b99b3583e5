//! `--live`: the running guest's part of a change.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

use super::Context;
use super::convert::{describe, refused};
use super::guests::Job;
use crate::convert::{
    Conversion, Facts, Landing, Move, Request, Selection, convert, convert_interface, nics,
};
use crate::model::{MacAddr, Nic};
use crate::plan::{Change, Place, State, Step, Subject, World, running_fragment};
use crate::problem::Problem;
use crate::sys::clock;
use crate::sys::hypervisor::{Guest, Hypervisor, Reach};
use crate::sys::tap::Ears;
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
        let before = place.read(&World { host: Some(job.host), ..World::default() })?;
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

/// What is known of the guests that are to move, to tell their new addresses from the old.
pub(super) struct Before {
    /// MAC address and IP address, from whoever knows.
    addresses: Vec<(String, String)>,
    ears: Ears,
}

impl Before {
    /// Looks, and begins to listen on the guests' taps where that can be done.
    pub(super) fn of(host: &dyn Hypervisor, changes: &[Change], context: &Context) -> Before {
        let moving: Vec<_> = changes.iter().filter_map(moving).collect();
        let addresses = moving.iter().flat_map(|(uuid, _)| host.addresses(uuid)).collect();
        let mut ears = Ears::default();
        let nics = moving.iter().flat_map(|(uuid, nics)| nics.iter().map(move |nic| (uuid, nic)));
        for (uuid, nic) in nics {
            if let Err(why) = listen(&mut ears, Reach::of_uri(host.uri()), uuid, nic) {
                context.screen.detail(&format!(
                    "kvmnet: not listening for the address of NIC {}: {why:#}; only the guest's agent, the network's DHCP \
                     server and the host's neighbour table are asked",
                    nic.mac
                ));
            }
        }
        Before { addresses, ears }
    }

    /// Who listens.
    pub(super) fn ears(&self) -> &Ears {
        &self.ears
    }

    /// The addresses that the NIC had, but for the one that it has on any network.
    fn of_nic(&self, nic: &Moving) -> Vec<IpAddr> {
        let of_it = self.addresses.iter().filter(|(mac, _)| *mac == nic.mac);
        of_it.filter_map(|(_, ip)| ip.parse().ok()).filter(|ip| !is_of_the_link(ip)).collect()
    }
}

fn is_of_the_link(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// A NIC that moves while its guest runs.
struct Moving {
    /// In lower case, as libvirt gives it where it names addresses.
    mac: String,
    octets: Option<[u8; 6]>,
    tap: Option<String>,
}

/// The guest's UUID and the NICs that move while it runs, if there are such.
fn moving(change: &Change) -> Option<(&str, Vec<Moving>)> {
    let Subject::Guest { uuid, .. } = &change.subject else { return None };
    let nics = change.steps.iter().filter_map(|step| {
        let Place::RunningNic { mac, .. } = &step.place else { return None };
        let doc = step.before.as_deref().and_then(|before| Doc::parse(before).ok());
        let tap = doc.and_then(|doc| Nic::read(doc.root(), 0).target);
        let octets = mac.parse().ok().map(MacAddr::octets);
        Some(Moving { mac: mac.to_lowercase(), octets, tap })
    });
    Some((uuid.as_str(), nics.collect::<Vec<_>>())).filter(|(_, nics)| !nics.is_empty())
}

fn listen(ears: &mut Ears, reach: Reach, uuid: &str, nic: &Moving) -> Result<()> {
    if reach == Reach::Remote {
        return Err(anyhow!("it is on another machine"));
    }
    let (Some(tap), Some(mac)) = (&nic.tap, nic.octets) else {
        return Err(anyhow!("libvirt doesn't name its tap"));
    };
    ears.listen(uuid, mac, tap).with_context(|| format!("its tap {tap}"))
}

/// How much longer an IPv4 address is waited for where there is only an IPv6 one, which a guest often has sooner.
const FOR_THE_OTHER: Duration = Duration::from_secs(3);

/// Waits until the guests that moved have addresses that they hadn't before, and says which.
pub(super) fn wait_for_addresses(
    host: &dyn Hypervisor,
    changes: &mut [Change],
    before: &Before,
    seconds: u64,
    context: &mut Context,
) {
    let end = Instant::now() + Duration::from_secs(seconds);
    for change in changes.iter_mut().filter(|c| matches!(c.state, State::Applied)) {
        let Some((uuid, nics)) = moving(change) else { continue };
        let mut first: Option<Instant> = None;
        let found = loop {
            let found = new_addresses(host, before, uuid, &nics);
            let usable = found.iter().filter_map(|(_, ip)| ip.parse().ok());
            let mut usable = usable.filter(|ip| !is_of_the_link(ip)).peekable();
            let now = Instant::now();
            if usable.peek().is_some() {
                first.get_or_insert(now);
            }
            if usable.any(|ip| ip.is_ipv4())
                || first.is_some_and(|first| now >= first + FOR_THE_OTHER)
                || now >= end
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
            let why = why_none(before, uuid, &nics);
            context
                .screen
                .say(&format!("{}: no new address seen within {seconds} s ({why})", change.subject));
        }
        let list = found.iter().map(|(mac, ip)| json!({ "mac": mac, "address": ip }));
        change.detail.insert("addresses".into(), list.collect());
    }
}

/// The addresses that the guest's NICs have now and hadn't before: those that somebody tells, and those heard of.
fn new_addresses(
    host: &dyn Hypervisor,
    before: &Before,
    uuid: &str,
    nics: &[Moving],
) -> Vec<(String, String)> {
    let is_new = |found: &(String, String)| {
        nics.iter().any(|nic| nic.mac == found.0) && !before.addresses.contains(found)
    };
    let mut found: Vec<_> = host.addresses(uuid).into_iter().filter(is_new).collect();
    for nic in nics {
        let heard = nic.octets.map(|mac| before.ears.new_addresses(uuid, mac, &before.of_nic(nic)));
        found.extend(heard.into_iter().flatten().map(|ip| (nic.mac.clone(), ip.to_string())));
    }
    found.sort();
    found.dedup();
    found
}

/// What may be the reason that no new address was seen.
fn why_none(before: &Before, uuid: &str, nics: &[Moving]) -> String {
    let with_ears = || nics.iter().filter_map(|nic| Some((nic, nic.octets?)));
    if !with_ears().any(|(_, mac)| before.ears.hear(uuid, mac)) {
        return "on a bridge the guest's agent or this host's neighbour table must know it".into();
    }
    let kept = with_ears().flat_map(|(nic, mac)| before.ears.kept_addresses(uuid, mac, &before.of_nic(nic)));
    match kept.map(|ip| ip.to_string()).collect::<Vec<_>>() {
        kept if kept.is_empty() => "nothing on its tap tells of one".into(),
        kept => format!("it sends from {}, which may be from before", kept.join(", ")),
    }
}
