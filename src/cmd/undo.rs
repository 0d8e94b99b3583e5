//! `kvmnet undo`

use anyhow::Result;

use super::Context;
use super::guests::takes_effect;
use super::walk::{self, Walk, Walked};
use crate::cli::Undo;
use crate::plan::{Change, Entry, Place, Run, Subject, World, journal_dir, read_all, undo};
use crate::problem::Problem;
use crate::sys::hypervisor::{ConnectTo, Hypervisor};

/// Puts a change, or all of a run's, back.
pub(super) fn run(args: &Undo, context: &mut Context) -> Result<u8> {
    if args.consent.exit_code && !args.consent.dry_run {
        return Err(Problem::new("--exit-code goes with --dry-run", "kvmnet undo --dry-run --exit-code"));
    }
    let runs = read_all(&journal_dir()?)?;
    let Some((run, entries)) = chosen(&runs, args.id.as_deref())? else {
        context.screen.say("kvmnet: nothing to do: there is no change to put back");
        return Walked::none().report(&Walk::new(&args.consent), context);
    };
    let needs_host = |entry: &&Entry| {
        undo::may_stand(entry) && entry.steps.iter().any(|s| !matches!(s.place, Place::File(_)))
    };
    let host = match entries.iter().any(needs_host) {
        true => {
            let to = ConnectTo { uri: run.header.uri.as_deref(), read_only: false, may_fall_back: false };
            Some((context.connector)(&to)?)
        }
        false => None,
    };
    let world = World { host: host.as_deref() };
    let guests = host.as_deref().map_or(Ok(Vec::new()), Hypervisor::guests)?;
    // The last change is put back first.
    let mut changes: Vec<Change> = entries.iter().rev().map(|entry| undo::plan(run, entry, &world)).collect();
    for change in &mut changes {
        let Subject::Guest { uuid, .. } = &change.subject else { continue };
        if let Some(guest) = guests.iter().find(|g| g.uuid == *uuid) {
            takes_effect(change, guest);
        }
    }
    let mut walk = Walk::new(&args.consent);
    walk.header.uri.clone_from(&run.header.uri);
    walk.header.undoes = Some(run.number);
    walk.header.is_redo = run.header.undoes.is_some() && !run.header.is_redo;
    walk::walk(changes, &walk, &world, context)?.report(&walk, context)
}

/// The run that is meant, and its changes that are.
fn chosen<'r>(runs: &'r [Run], id: Option<&str>) -> Result<Option<(&'r Run, Vec<&'r Entry>)>> {
    let Some(id) = id else {
        return Ok(
            undo::newest(runs).map(|run| (run, run.entries.iter().filter(|e| undo::may_stand(e)).collect()))
        );
    };
    let number = id.split('.').next().and_then(|n| n.parse::<u64>().ok());
    let found = runs.iter().find(|run| Some(run.number) == number);
    let entries = |run: &'r Run| {
        let all = run.number.to_string() == id;
        run.entries.iter().filter(|e| all || e.id == id).collect::<Vec<_>>()
    };
    match found.map(|run| (run, entries(run))) {
        Some((run, entries)) if !entries.is_empty() => Ok(Some((run, entries))),
        _ => Err(Problem::new(format!("the journal has no change '{id}'"), "'kvmnet history' lists them")),
    }
}
