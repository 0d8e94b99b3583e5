//! `kvmnet convert DOMAIN`: the same on guests that libvirt knows.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow};
use rayon::prelude::*;
use serde_json::json;

use super::convert::{Meant, command, describe, refused};
use super::walk::{Walk, walk};
use super::{Context, connect};
use super::{live, target};
use crate::cli::{Convert, SavedImage};
use crate::convert::{Conversion, Facts, Networks, Request, convert, convert_like, meaning, nics};
use crate::model::{Code, Network, Nic, Warning};
use crate::plan::{Change, Place, Shapes, State, Step, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::{Guest, Hypervisor};
use crate::xml::{Doc, behind_masks, child, diff_of_edits, masks};

/// Guests this many at a time, so that progress can be shown in between.
const BATCH: usize = 256;

/// Converts guests.
pub(super) fn run(args: &Convert, request: &Request, context: &mut Context) -> Result<u8> {
    let host = connect::to_change(context, &args.consent)?;
    let host = host.as_ref();
    if host.is_read_only() && !context.global.readonly {
        context
            .screen
            .say("kvmnet: libvirt allows only a read-only connection; this is a preview without secrets");
    }
    let states = host.networks()?;
    let networks = Networks::new(
        states.iter().filter_map(|state| Network::read(&Doc::parse(&state.xml).ok()?).ok()),
        true,
    );
    let target = target::look(host, &request.target, &networks, &states);
    let connect = context.global.connect.clone();
    let job = Job {
        args,
        connect: connect.as_deref(),
        is_json: context.is_json(),
        request,
        host,
        networks: &networks,
        target: &target,
    };
    let guests = job.chosen()?;
    let total = guests.len();
    let (mut guests, mut changes) = (guests.into_iter(), Vec::with_capacity(total));
    while changes.len() < total {
        // While one guest's XML is read, libvirtd can look for the next one's.
        let batch: Vec<Chosen> = guests.by_ref().take(BATCH).collect();
        changes.par_extend(batch.into_par_iter().map(|guest| {
            // A name that is no guest's is one failure among the others.
            guest.map_or_else(
                |(word, e)| Change::failed(Subject::Guest { name: word, uuid: String::new() }, e),
                |guest| job.change(&guest),
            )
        }));
        context.screen.tick(changes.len(), total);
    }
    if args.on_network.is_some() && changes.is_empty() {
        let name = args.on_network.as_deref().unwrap_or_default();
        context.screen.say(&format!("kvmnet: nothing to do: no guest has a NIC on network '{name}'"));
    }
    let mut options = Walk::new(&args.consent);
    options.force = args.force;
    options.header.uri = Some(host.uri().to_string());
    let wait = args.wait_address.filter(|_| !args.consent.dry_run);
    let before = wait.map(|seconds| (seconds, live::Before::of(host, &changes, context)));
    let (shapes, ears) = (Shapes::default(), before.as_ref().map(|(_, before)| before.ears()));
    let mut walked = walk(
        changes,
        &options,
        &World { host: Some(host), shapes: Some(&shapes), ears, ..World::default() },
        context,
    )?;
    live::settle(&mut walked.changes);
    if let Some((seconds, before)) = &before {
        live::wait_for_addresses(host, &mut walked.changes, before, *seconds, context);
    }
    walked.report(&options, context)
}

/// A guest that is meant, or a word that names none.
pub(super) type Chosen = Result<Guest, (String, anyhow::Error)>;

/// What all guests have in common.
pub(super) struct Job<'a> {
    pub(super) args: &'a Convert,
    connect: Option<&'a str>,
    pub(super) is_json: bool,
    pub(super) request: &'a Request,
    pub(super) host: &'a dyn Hypervisor,
    networks: &'a Networks,
    target: &'a target::Look,
}

impl Job<'_> {
    /// The guests that are meant, each once.
    fn chosen(&self) -> Result<Vec<Chosen>> {
        let all = self.host.guests()?;
        if self.args.all {
            return Ok(all.into_iter().map(Ok).collect());
        }
        if let Some(network) = &self.args.on_network {
            let mut found = Vec::new();
            for guest in all {
                if self.is_on(&guest, network)? {
                    found.push(guest);
                }
            }
            if found.is_empty() && self.networks.get(network).is_none() {
                let known: Vec<_> = self.networks.iter().map(|n| n.name.as_str()).collect();
                let help = format!(
                    "networks here: {}",
                    if known.is_empty() { "none".into() } else { known.join(", ") }
                );
                return Err(Problem::new(format!("no network '{network}', and no guest names it"), help));
            }
            return Ok(found.into_iter().map(Ok).collect());
        }
        Ok(named(&all, &self.args.domains, self.host.uri()))
    }

    fn is_on(&self, guest: &Guest, network: &str) -> Result<bool> {
        let Some(xml) =
            self.host.definition(&guest.uuid).with_context(|| format!("guest '{}'", guest.name))?
        else {
            return Ok(false);
        };
        let on = |nic: &Nic| nic.source.kind == "network" && nic.source.name == network;
        if (self.args.live || self.args.live_only) && guest.is_active {
            let running = live::plain(&self.host.running(&guest.uuid)?)?;
            if Doc::parse(&running).is_ok_and(|doc| nics(&doc).iter().any(on)) {
                return Ok(true);
            }
        }
        Ok(Doc::parse(&xml).is_ok_and(|doc| nics(&doc).iter().any(on)))
    }

    fn change(&self, guest: &Guest) -> Change {
        let subject = Subject::Guest { name: guest.name.clone(), uuid: guest.uuid.clone() };
        let mut change = Change::new(subject.clone());
        change.detail.insert("live".into(), json!(state_word(guest)));
        change.detail.insert("nics".into(), json!([]));
        match self.fill(guest, &mut change) {
            Ok(()) => change,
            Err(e) => Change { detail: change.detail, ..Change::failed(subject, e) },
        }
    }

    fn fill(&self, guest: &Guest, change: &mut Change) -> Result<()> {
        let facts = self.facts(guest);
        if self.args.live_only && !guest.is_active {
            let help = "leave --live-only out: the change takes effect when it is started next";
            return Err(Problem::new("it isn't running, so it can't be moved now", help));
        }
        let mut stored = Conversion::default();
        if !self.args.live_only {
            stored = self.stored(guest, change, &facts)?;
        }
        let mut is_there = stored.is_there;
        if (self.args.live || self.args.live_only) && guest.is_active {
            is_there |= live::plan(self, guest, change, &facts, &stored)?;
        }
        if !change.steps.is_empty() {
            change.state = State::Planned;
            let known: Vec<Warning> = self.target.warnings.clone();
            change.warnings.splice(0..0, known);
        } else if !is_there && !self.args.domains.is_empty() {
            return Err(anyhow!("{}", change.remarks.join("; ")));
        }
        Ok(())
    }

    /// The stored definition's part of the change.
    fn stored(&self, guest: &Guest, change: &mut Change, facts: &Facts<'_>) -> Result<Conversion> {
        let xml = self.host.definition(&guest.uuid)?.ok_or_else(|| anyhow!("it is gone"))?;
        let doc = Doc::parse(&xml).map_err(|e| refused(e.into(), None, ""))?;
        let mut conversion =
            convert(&doc, self.request, facts).map_err(|e| refused(e, None, &self.command(guest)))?;
        if let Some((message, help)) = conversion.barred.take() {
            return Err(Problem::new(message, help));
        }
        describe(change, &conversion, self.is_json);
        if conversion.moves.is_empty() {
            if guest.is_saved && conversion.is_there {
                self.forgotten_image(guest, change, facts)?;
            }
            return Ok(conversion);
        }
        if !guest.is_persistent {
            return Err(Problem::new(
                "it is transient: it has no definition that outlives it, so there is nothing to change",
                "--live-only moves the running guest; 'virsh define' makes it persistent",
            ));
        }
        change.meaning = meaning(&conversion, &self.request.target, facts);
        if !self.args.live || !guest.is_active {
            takes_effect(change, guest);
        }
        let name = &guest.name;
        change.diff = shown(
            &doc,
            &conversion,
            &format!("{name} (stored definition)"),
            &format!("{name} (after the change)"),
        );
        let definition = Step {
            place: Place::Definition { uuid: guest.uuid.clone() },
            after: Some(conversion.edits.apply(&xml)),
            before: Some(xml.clone()),
        };
        if guest.is_saved {
            self.saved_image(guest, change, &conversion, facts, Some(definition))?;
        } else {
            change.steps.push(definition);
        }
        if guest.has_snapshots {
            self.snapshots(guest, change, &conversion)?;
        }
        Ok(conversion)
    }

    /// What to type for this guest, up to the flag that chooses a NIC.
    pub(super) fn command(&self, guest: &Guest) -> String {
        // A name like a flag wouldn't be taken for a name.
        let name = if guest.name.starts_with('-') { &guest.uuid } else { &guest.name };
        command(self.args, self.connect, Meant::Guest(name))
    }

    fn facts(&self, guest: &Guest) -> Facts<'_> {
        // Only a running guest's own XML knows names such as net0 and vnet3.
        let wants_names = !self.request.selection.nics.is_empty() || self.args.live || self.args.live_only;
        let names_needed = guest.is_active && wants_names;
        let running = if names_needed { self.host.running(&guest.uuid).ok() } else { None };
        let live = running.and_then(|xml| Some(nics(&Doc::parse(&xml).ok()?))).unwrap_or_default();
        Facts { networks: self.networks, landing: self.target.landing.clone(), online: true, live }
    }

    /// The next start comes from the saved image, with the NICs that stand in there (reference §3.8).
    fn saved_image(
        &self,
        guest: &Guest,
        change: &mut Change,
        conversion: &Conversion,
        facts: &Facts<'_>,
        definition: Option<Step>,
    ) -> Result<()> {
        let place = Place::SavedImage { uuid: guest.uuid.clone() };
        match self.args.managed_save {
            None => {
                return Err(Problem::new(
                    "it has a saved memory image, which holds its old NIC: its next start would bring that back",
                    "--managed-save edit moves the NIC in the image too\n\
                     --managed-save keep leaves the image: the change comes with the start after the next\n\
                     --managed-save discard throws the image, and with it the guest's memory, away",
                ));
            }
            Some(SavedImage::Edit) => {
                let xml = self.host.saved(&guest.uuid)?.ok_or_else(|| anyhow!("its saved image is gone"))?;
                if xml.is_empty() {
                    return Err(Problem::new(
                        "what stands in its saved memory image can't be read: that is not supported by this libvirt driver",
                        "--managed-save keep leaves the image, --managed-save discard throws it away",
                    ));
                }
                let doc = Doc::parse(&xml).map_err(|e| refused(e.into(), None, ""))?;
                let image = convert_like(&doc, &conversion.moves, self.request, facts)
                    .map_err(|e| refused(e, None, ""))?;
                if image.moves.is_empty() {
                    change.remarks.push("its saved memory image doesn't hold the old NIC".into());
                } else {
                    let name = &guest.name;
                    let (old, new) =
                        (format!("{name} (saved image)"), format!("{name} (saved image after the change)"));
                    change.diff.push_str(&shown(&doc, &image, &old, &new));
                    change
                        .meaning
                        .push("its saved memory image is changed too: its next start has the new NIC".into());
                    let after = Some(image.edits.apply(&xml));
                    change.steps.push(Step { place, after, before: Some(xml.clone()) });
                }
                change.steps.extend(definition);
            }
            Some(SavedImage::Keep) => {
                let what = "its next start comes from its saved memory image, with the old NIC; the change comes with the \
                            start after that";
                change.warnings.push(Warning::note(Code::ManagedSave, what));
                change.steps.extend(definition);
            }
            Some(SavedImage::Discard) => {
                let before = self.host.saved(&guest.uuid)?;
                let what = "its saved memory is thrown away, as if its power had been cut; 'undo' can't bring that back";
                change.warnings.push(Warning::note(Code::ManagedSave, what));
                change.steps.extend(definition);
                change.steps.push(Step { place, before, after: None });
            }
        }
        Ok(())
    }

    /// The definition is on the target, but does the saved image still hold a NIC that isn't?
    fn forgotten_image(&self, guest: &Guest, change: &mut Change, facts: &Facts<'_>) -> Result<()> {
        let Some(xml) = self.host.saved(&guest.uuid)?.filter(|xml| !xml.is_empty()) else { return Ok(()) };
        let doc = Doc::parse(&xml).map_err(|e| refused(e.into(), None, ""))?;
        match convert(&doc, self.request, facts) {
            Ok(image) if !image.moves.is_empty() => self.saved_image(guest, change, &image, facts, None),
            _ => Ok(()),
        }
    }

    /// Reverting to a snapshot brings the NIC back that the snapshot holds (reference §3.9).
    fn snapshots(&self, guest: &Guest, change: &mut Change, conversion: &Conversion) -> Result<()> {
        let mut holding = Vec::new();
        for (name, xml) in self.host.snapshots(&guest.uuid)? {
            let Ok(doc) = Doc::parse(&xml) else { continue };
            let domains = [child(doc.root(), "domain"), child(doc.root(), "inactiveDomain")];
            let holds = domains.into_iter().flatten().any(|domain| {
                let interfaces =
                    child(domain, "devices").into_iter().flat_map(|d| crate::xml::children(d, "interface"));
                interfaces.map(|i| Nic::read(i, 0)).any(|nic| {
                    conversion
                        .moves
                        .iter()
                        .any(|m| nic.mac == m.nic.mac && nic.source.name == m.nic.source.name)
                })
            });
            if holds {
                holding.push(format!("'{name}'"));
            }
        }
        if !holding.is_empty() {
            let what = format!("reverting to snapshot {} brings the old NIC back", holding.join(", "));
            change.warnings.push(Warning::note(Code::Snapshot, what));
        }
        Ok(())
    }
}

fn state_word(guest: &Guest) -> &'static str {
    if guest.is_active { "pending-shutdown" } else { "not-running" }
}

/// Says when a change of the guest's definition is felt.
pub(super) fn takes_effect(change: &mut Change, guest: &Guest) {
    if change.steps.iter().any(|step| matches!(step.place, Place::RunningNic { .. })) {
        change.detail.insert("live".into(), json!("applied"));
        change.meaning.push("the running guest moves now, without a restart".into());
        return;
    }
    change.detail.insert("live".into(), json!(state_word(guest)));
    change.meaning.push(match guest.is_active {
        true => "it is running: the change takes effect at its next full power-off and start; a reboot, from inside the \
                 guest or by libvirt, keeps the NIC it has"
            .into(),
        false => "the change takes effect when it is started next".into(),
    });
}

/// The diff that a conversion makes, secrets masked.
fn shown(doc: &Doc<'_>, conversion: &Conversion, old: &str, new: &str) -> String {
    let masks = masks(doc);
    diff_of_edits(old, new, &masks.apply(doc.text()), &behind_masks(&conversion.edits, &masks))
}

/// Written with hyphens or without.
fn same_uuid(uuid: &str, word: &str) -> bool {
    let digits = |text: &str| text.replace('-', "").to_ascii_lowercase();
    word.len() >= 32 && digits(uuid) == digits(word)
}

/// The guests that the words name, each once.
pub(super) fn named(all: &[Guest], words: &[String], uri: &str) -> Vec<Chosen> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for word in words {
        match find(all, word, uri) {
            Ok(guest) if seen.insert(guest.uuid.clone()) => found.push(Ok(guest.clone())),
            Ok(_) => {}
            Err(e) => found.push(Err((word.clone(), e))),
        }
    }
    found
}

/// The guest of that name, UUID or id.
fn find<'g>(all: &'g [Guest], word: &str, uri: &str) -> Result<&'g Guest> {
    let by_name = all.iter().find(|g| g.name == word);
    let by_uuid = all.iter().find(|g| same_uuid(&g.uuid, word));
    let by_id = word.parse::<u32>().ok().and_then(|id| all.iter().find(|g| g.id == Some(id)));
    let found: Vec<&Guest> = [by_name, by_uuid, by_id].into_iter().flatten().collect();
    match found[..] {
        [] => {
            let names: Vec<_> = all.iter().map(|g| g.name.as_str()).take(10).collect();
            let more = if all.len() > names.len() { ", …" } else { "" };
            let help = match names[..] {
                [] => format!("there are no guests on {uri}; -c names another connection"),
                _ => format!("guests on {uri}: {}{more}", names.join(", ")),
            };
            Err(Problem::new("there is none of that name, UUID or id", help))
        }
        [first, ref rest @ ..] if rest.iter().any(|g| g.uuid != first.uuid) => Err(Problem::new(
            format!("'{word}' is the name of one guest and the id of another"),
            "name them by their UUIDs ('virsh list --all --uuid --name')",
        )),
        [first, ..] => Ok(first),
    }
}
