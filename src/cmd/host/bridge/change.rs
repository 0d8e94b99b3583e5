//! A recipe as a change that goes along the spine.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cmd::Context;
use crate::cmd::walk::{Walk, quoted, walk};
use crate::host::bridge::masked;
use crate::host::bridge::{Command, FileChange, Recipe, Way};
use crate::plan::window::{self, Checked, NotFound, Verified, Window};
use crate::plan::{Change, HostBridge, Place, Side, State, Step, Subject, World, lasting};
use crate::problem::Problem;
use crate::report::plain_line;
use crate::sys::{armed, clock, terminal};
use crate::xml::diff;

/// What is to be done, in full.
pub(super) struct Wanted<'a> {
    pub(super) bridge: &'a str,
    pub(super) backend: &'static str,
    pub(super) recipe: &'a Recipe,
    pub(super) devices: Vec<String>,
    pub(super) after: Side,
    pub(super) before: Side,
    pub(super) timeout: u64,
    pub(super) remark: String,
    /// Is it this host that is changed?
    pub(super) is_here: bool,
}

/// A side without its texts and commands, which [`change`] fills in.
pub(super) fn side(headline: String, want: crate::plan::window::Want, takes_over: Option<String>) -> Side {
    Side {
        headline,
        texts: Vec::new(),
        way: crate::host::bridge::Way::default(),
        want,
        takes_over,
        ssh_survives: false,
        next: Vec::new(),
    }
}

/// The change.
pub(super) fn change(wanted: Wanted<'_>) -> Result<Change> {
    let Wanted { bridge, backend, recipe, devices, mut after, mut before, timeout, remark, is_here } = wanted;
    // Of another host it can't be told.
    let is_systemd = !is_here || armed::is_systemd();
    let mut change = Change::new(Subject::Bridge(bridge.into()));
    change.detail.insert("backend".into(), json!(backend));
    change.detail.insert("files".into(), recipe.files.iter().map(file_json).collect());
    let commands = || recipe.make.before.iter().chain(&recipe.make.after);
    change.detail.insert("commands".into(), json!(commands().collect::<Vec<_>>()));
    if recipe.files.is_empty() {
        change.remarks.push(match waits(bridge, is_here)? {
            // That it is there is only half of it.
            Some(window) => {
                let confirm_by = window.deadline.try_into().ok().and_then(clock::at);
                change.detail.insert("confirm_by".into(), json!(confirm_by));
                format!("{remark}; {}", window.state())
            }
            None => remark,
        });
        return Ok(change);
    }
    change.headline.push(after.headline.clone());
    change.diff = recipe.files.iter().map(file_diff).collect();
    change.meaning.extend(order(&recipe.make, &recipe.files));
    change.meaning.extend(recipe.notes.iter().cloned());
    change.meaning.push(promise(timeout, is_systemd));
    after.texts = recipe.files.iter().map(|file| file.after.clone()).collect();
    before.texts = recipe.files.iter().map(|file| file.before.clone()).collect();
    after.way = recipe.make.clone();
    before.way = recipe.unmake.clone();
    let place = HostBridge {
        id: format!("{}-{}", clock::unix(), terminal::process_id()),
        bridge: bridge.into(),
        backend: backend.into(),
        files: recipe.files.iter().map(|file| (file.path.clone(), file.mode)).collect(),
        lasting: if is_here { lasting(&devices)? } else { BTreeMap::new() },
        devices,
        boot: match backend {
            // Its generator has run by then, with the files that are put back after it.
            "netplan" => vec![vec!["netplan".into(), "generate".into()]],
            _ => Vec::new(),
        },
        checkpoint: recipe.checkpoint.clone(),
        timeout,
        after,
        before,
    };
    let (old, new) = (place.text(&place.before), place.text(&place.after));
    change.steps = vec![Step { place: Place::Host(Box::new(place)), before: Some(old), after: Some(new) }];
    change.state = State::Planned;
    Ok(change)
}

/// The change of this bridge that waits to be confirmed.
fn waits(bridge: &str, is_here: bool) -> Result<Option<Window>> {
    // Who may not read it may not change anything either.
    if !is_here || !terminal::is_root() {
        return Ok(None);
    }
    Ok(window::open()?.filter(|window| window.bridge == bridge))
}

pub(super) fn file_diff(file: &FileChange) -> String {
    let or = |text: &Option<String>, label: String| match text {
        Some(text) => (label, masked(&file.path, text)),
        None => ("/dev/null".to_string(), String::new()),
    };
    let (old_label, old) = or(&file.before, format!("a{}", file.path));
    let (new_label, new) = or(&file.after, format!("b{}", file.path));
    diff(&old_label, &old, &new_label, &new)
}

pub(super) fn file_json(file: &FileChange) -> Value {
    json!({
        "path": file.path,
        "diff": file_diff(file),
        "status": match (&file.before, &file.after) {
            (None, _) => "new",
            (_, None) => "removed",
            _ => "changed",
        },
    })
}

/// What happens unless it is confirmed.
pub(super) fn promise(timeout: u64, is_systemd: bool) -> String {
    format!(
        "unless 'kvmnet host bridge confirm' is run within {timeout} s, everything is put back{}",
        if is_systemd {
            ", also after a power cut"
        } else {
            "; not by itself after a power cut, as systemd doesn't run here"
        }
    )
}

/// The commands, in order, with where among them the files are written.
pub(super) fn order(way: &Way, files: &[FileChange]) -> Vec<String> {
    let line = |argv: &Command| format!("  {}", argv.iter().map(quoted).collect::<Vec<_>>().join(" "));
    let files: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut out = vec!["these are run, in this order:".to_string()];
    out.extend(way.before.iter().map(line));
    out.push(format!("  (write {})", files.join(", ")));
    out.extend(way.after.iter().map(line));
    out
}

/// Takes it along the spine, and reports.
pub(super) fn carry_out(
    change: Change,
    options: &Walk,
    bridge: &Value,
    next: &[String],
    timeout: u64,
    context: &mut Context,
) -> Result<u8> {
    if !options.preview_only && change.is_planned() && !terminal::is_root() {
        return Err(Problem::new(
            "only root can change the host's network",
            "run it with sudo; --dry-run shows as any user what would be done",
        ));
    }
    let quiet = context.global.quiet;
    let teller = |said: &str| {
        if !quiet {
            terminal::say(&format!("kvmnet: {}", plain_line(said)));
        }
    };
    let seen = Mutex::new(None);
    let world = World { teller: Some(&teller), verified: Some(&seen), ..World::default() };
    let walked = walk(vec![change], options, &world, context)?;
    let verified: Option<Verified> = seen.into_inner().unwrap_or_default();
    let is_made = walked.changes.iter().any(|change| matches!(change.state, State::Applied));
    if let (true, Some(verified), false) = (is_made, &verified, context.is_json()) {
        // Several things that were wanted may have been found in one.
        let mut lines: Vec<String> = Vec::new();
        for checked in &verified.checks {
            let line = format!("  {}: {}", checked.what, checked.found);
            if !lines.contains(&line) {
                context.screen.say(&line);
                lines.push(line);
            }
        }
        let left = verified.deadline.saturating_sub(clock::unix());
        context.screen.say(&format!(
            "kvmnet: it works as far as it can be seen from here. Log in anew and run, within {left} s:\n  kvmnet host bridge confirm\n\
             or everything is put back (at once: kvmnet host bridge revert)"
        ));
        if !next.is_empty() {
            context.screen.say("kvmnet: after that, for the guests:");
            next.iter().for_each(|line| context.screen.say(&format!("  {line}")));
        }
    }
    let made_by = verified.as_ref().filter(|_| is_made).and_then(confirm_by);
    let document = |changes: &[Change]| {
        let change = &changes[0];
        json!({
            "bridge": bridge,
            "backend": change.detail.get("backend"),
            "files": change.detail.get("files"),
            "commands": change.detail.get("commands"),
            "diff": change.diff,
            "meaning": change.meaning,
            "remarks": change.remarks,
            "warnings": change.warnings.iter().map(crate::report::json::warning).collect::<Vec<_>>(),
            "status": change.status(),
            "error": change.error().map(crate::problem::render),
            "id": change.id,
            "timeout": timeout,
            "confirm_by": made_by.map(Value::from).or_else(|| change.detail.get("confirm_by").cloned()),
            "verified": verified.as_ref().map(|v| v.checks.as_slice()).or(not_found(change)).map(checks),
            "next": next,
        })
    };
    walked.report_as(options, context, document)
}

/// What was looked at, if what was wanted wasn't all found.
pub(in crate::cmd) fn not_found(change: &Change) -> Option<&[Checked]> {
    Some(&change.error()?.downcast_ref::<NotFound>()?.checks)
}

/// What was looked at, for programs.
pub(in crate::cmd) fn checks(checks: &[Checked]) -> Value {
    let one = |c: &Checked| json!({ "what": c.what, "want": c.want, "found": c.found, "ok": c.ok });
    checks.iter().map(one).collect()
}

/// When it is put back unless it is confirmed, for programs.
pub(in crate::cmd) fn confirm_by(verified: &Verified) -> Option<String> {
    clock::at(verified.deadline.try_into().ok().filter(|at| *at > 0)?)
}
