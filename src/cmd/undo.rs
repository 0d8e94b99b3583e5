//! `kvmnet undo`

use std::sync::Mutex;

use anyhow::Result;

use super::guests::takes_effect;
use super::host::bridge::{checks, confirm_by, described, not_found};
use super::net;
use super::walk::{self, Walk, Walked};
use super::{Context, connect};
use crate::cli::Undo;
use crate::plan::window::{self, Verified};
use crate::plan::{Change, Entry, Place, Run, Shapes, State, Subject, World, journal_dir, read_all, undo};
use crate::problem::Problem;
use crate::report::plain_line;
use crate::sys::hypervisor::{ConnectTo, Hypervisor};
use crate::sys::{clock, terminal};

/// Puts a change, or all of a run's, back.
pub(super) fn run(args: &Undo, context: &mut Context) -> Result<u8> {
    if args.consent.exit_code && !args.consent.dry_run {
        return Err(Problem::new("--exit-code goes with --dry-run", "kvmnet undo --dry-run --exit-code"));
    }
    let runs = read_all(&journal_dir()?)?;
    let mut walk = Walk::new(&args.consent);
    walk.force = args.force;
    let (mut nothing, mut skipped, mut last_words) = (None, Vec::new(), None);
    let shapes = Shapes::default();
    let wanted = match &args.id {
        Some(id) => vec![named(&runs, id)?],
        None => undo::candidates(&runs)
            .map(|run| (run, run.entries.iter().filter(|e| undo::may_stand(e)).collect::<Vec<_>>()))
            .collect(),
    };
    for (run, entries) in wanted {
        let host = host(run, &entries, args, context)?;
        let quiet = context.global.quiet;
        let teller = |said: &str| {
            if !quiet {
                terminal::say(&format!("kvmnet: {}", plain_line(said)));
            }
        };
        let seen = Mutex::new(None);
        let world = World {
            host: host.as_deref(),
            shapes: Some(&shapes),
            teller: Some(&teller),
            verified: Some(&seen),
            ..World::default()
        };
        let changes = changes(&runs, run, &entries, &world)?;
        // What was put back by hand, or never came to be, is no reason to stop there.
        if args.id.is_none() && changes.iter().all(|c| matches!(c.state, State::Unchanged)) {
            nothing.get_or_insert(changes);
            skipped.push(run.number);
            // Who isn't asked means that run, and not what came before it.
            if args.consent.yes || !terminal::can_ask() {
                let older = undo::candidates(&runs).find(|older| older.number < run.number);
                last_words = older.map(|older| {
                    let (newest, older) = (run.number, older.number);
                    let why = match run.entries.iter().any(|entry| entry.outcome.is_none()) {
                        true => format!("{newest} was cut short"),
                        false => format!("nothing of {newest} is left to put back"),
                    };
                    format!(
                        "kvmnet: {why}; what is older is left alone ('kvmnet undo {older}' puts {older} back)"
                    )
                });
                break;
            }
            continue;
        }
        for number in skipped {
            context.screen.say(&format!(
                "kvmnet: all that {number} changed is as it was before already; going on to {}",
                run.number
            ));
        }
        walk.header.uri.clone_from(&run.header.uri);
        walk.header.undoes = Some(run.number);
        walk.header.is_redo = run.header.undoes.is_some() && !run.header.is_redo;
        let is_of_host = changes.iter().any(|change| matches!(change.subject, Subject::Bridge(_)));
        let mut walked = walk::walk(changes, &walk, &world, context)?;
        if is_of_host && !walk.preview_only {
            host_waits(context)?;
            let verified: Option<Verified> = seen.into_inner().unwrap_or_default();
            walked.changes.iter_mut().for_each(|change| found_of(change, verified.as_ref()));
        }
        return walked.report(&walk, context);
    }
    if let Some(changes) = nothing {
        let walked = walk::walk(changes, &walk, &World::default(), context)?;
        last_words.iter().for_each(|words: &String| context.screen.say(words));
        return walked.report(&walk, context);
    }
    context.screen.say("kvmnet: nothing to do: there is no change to put back");
    Walked::none().report(&walk, context)
}

/// Putting back a change of the host's network waits to be confirmed, as making it did.
fn host_waits(context: &Context) -> Result<()> {
    if let Some(window) = window::open()? {
        context.screen.say(&format!(
            "kvmnet: log in anew and run, within {} s:\n  kvmnet host bridge confirm\nor it is put back again (at once: kvmnet \
             host bridge revert)",
            window.left(clock::unix())
        ));
    }
    Ok(())
}

/// What was found afterwards, and until when it waits, for programs.
fn found_of(change: &mut Change, verified: Option<&Verified>) {
    if let Subject::Bridge(_) = &change.subject {
        let found = verified.map(|verified| verified.checks.as_slice()).or(not_found(change)).map(checks);
        change.detail.insert("verified".into(), found.unwrap_or_default());
        let until = verified.and_then(confirm_by);
        change.detail.insert("confirm_by".into(), until.into());
    }
}

/// The connection that the run was made on, if it takes one to put it back.
fn host(
    run: &Run,
    entries: &[&Entry],
    args: &Undo,
    context: &Context,
) -> Result<Option<Box<dyn Hypervisor>>> {
    let on_host =
        |place: &Place| !matches!(place, Place::File { .. } | Place::Host(_)) && place.can_go_back();
    let needs_host = |e: &&Entry| undo::may_stand(e) && e.steps.iter().any(|s| on_host(&s.place));
    if !entries.iter().any(needs_host) {
        return Ok(None);
    }
    let (asked, made_on) = (context.global.connect.as_deref(), run.header.uri.as_deref());
    if let (Some(asked), Some(made_on)) = (asked, made_on)
        && asked != made_on
    {
        let what = format!("{} was made on {made_on}, and -c names {asked}", run.number);
        return Err(Problem::new(what, "leave -c out: the journal knows the connection"));
    }
    if context.global.readonly && !args.consent.dry_run {
        return Err(Problem::new("a read-only connection can only show what would change", "add --dry-run"));
    }
    let read_only = context.global.readonly;
    let to = ConnectTo { uri: made_on, read_only, may_fall_back: false };
    Ok(Some(connect::open(context, &to)?))
}

/// The plan, the last change first.
fn changes(runs: &[Run], run: &Run, entries: &[&Entry], world: &World<'_>) -> Result<Vec<Change>> {
    let guests = world.host.map_or(Ok(Vec::new()), Hypervisor::guests)?;
    let plan = |entry: &Entry| undo::plan(run, entry, undo::was_cut_short(runs, run, entry), world);
    let mut changes: Vec<Change> = entries.iter().rev().map(|entry| plan(entry)).collect();
    for change in changes.iter_mut().filter(|c| c.is_planned()) {
        match (&change.subject, world.host) {
            (Subject::Guest { uuid, .. }, _) => {
                if let Some(guest) = guests.iter().find(|g| g.uuid == *uuid) {
                    takes_effect(change, guest);
                }
            }
            (Subject::Network(name), Some(host)) => {
                let name = name.clone();
                net::before_undo(host, &name, change)?;
            }
            (Subject::Bridge(_), _) => described(change)?,
            (Subject::Network(_) | Subject::File(_), _) => {}
        }
    }
    Ok(changes)
}

/// The run of that id, and its changes that are meant.
fn named<'r>(runs: &'r [Run], id: &str) -> Result<(&'r Run, Vec<&'r Entry>)> {
    let number = id.split('.').next().and_then(|n| n.parse::<u64>().ok());
    let found = runs.iter().find(|run| Some(run.number) == number);
    let entries = |run: &'r Run| {
        let all = run.number.to_string() == id;
        run.entries.iter().filter(|e| all || e.id == id).collect::<Vec<_>>()
    };
    match found.map(|run| (run, entries(run))) {
        Some((run, entries)) if !entries.is_empty() => Ok((run, entries)),
        _ => Err(Problem::new(
            format!("the journal has no change '{}'", id.escape_debug()),
            "'kvmnet history' lists them",
        )),
    }
}
