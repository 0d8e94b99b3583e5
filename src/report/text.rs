//! Plans and journals for people.

use std::fmt::Write as _;

use super::paint::Paint;
use super::plain::{plain, plain_diff, plain_line};
use crate::plan::{Change, Entry, Outcome, Run, State, Subject};
use crate::problem::{escaped, render};

/// One change's preview: what it does, the diff, what it means, what to know.
pub fn preview(change: &Change, paint: Paint) -> String {
    let mut out = String::new();
    let subject = paint.subject(plain_line(&change.subject.to_string()).into_owned());
    if matches!(change.state, State::Unchanged) {
        let why =
            if change.remarks.is_empty() { "nothing to change".into() } else { change.remarks.join("; ") };
        let _ = writeln!(out, "{subject}: nothing to do: {}", plain_line(&why));
        return out;
    }
    if change.error().is_some() && change.diff.is_empty() {
        return out; // its error is all there is to say
    }
    let _ = writeln!(out, "{subject}");
    for line in &change.headline {
        let _ = writeln!(out, "  {}", plain_line(line));
    }
    for line in change.diff.split_inclusive('\n') {
        match paint.on {
            true => {
                let _ = writeln!(out, "{}", paint.diff_line(plain_diff(line).trim_end_matches(['\r', '\n'])));
            }
            false => out.push_str(&plain_diff(line)),
        }
    }
    for line in change.meaning.iter().chain(&change.remarks) {
        let _ = writeln!(out, "  {}", plain_line(line));
    }
    // The one that stopped it is its error.
    let is_said = |message: &str| change.error().is_some_and(|e| e.to_string() == message);
    for warning in change.warnings.iter().filter(|warning| !(warning.stops && is_said(&warning.message))) {
        let word = if warning.stops { "stop" } else { "warning" };
        let _ = writeln!(
            out,
            "  {}: {}",
            paint.warning(format!("{word}[{}]", warning.code)),
            plain_line(&warning.message)
        );
    }
    out
}

/// How one change went.
pub fn result(change: &Change, paint: Paint) -> Option<String> {
    let Change { subject, state, .. } = change;
    match state {
        State::Planned | State::Unchanged => None,
        State::Applied => {
            let id = change.id.as_deref().unwrap_or_default();
            let target = change.target().to_string();
            Some(format!("{} {} (change {id})", paint.success("changed and verified:"), plain_line(&target)))
        }
        State::Failed(e) | State::PartWay(e) => {
            Some(error(&format!("{}: {}", plain_line(&subject.to_string()), render(e)), paint))
        }
    }
}

/// An error as it goes to standard error.
pub fn error(message: &str, paint: Paint) -> String {
    format!("kvmnet: {} {}", paint.error("error:"), plain(message))
}

/// The last line: how many went how.
pub fn summary(changes: &[Change], dry: bool) -> String {
    let count = |test: fn(&State) -> bool| changes.iter().filter(|c| test(&c.state)).count();
    let mut parts = Vec::new();
    let mut add = |n: usize, what: &str| {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    };
    add(count(|s| matches!(s, State::Applied)), "changed");
    add(count(|s| matches!(s, State::Planned)), if dry { "to change" } else { "not changed" });
    add(count(|s| matches!(s, State::Unchanged)), "with nothing to do");
    add(count(|s| matches!(s, State::Failed(_))), "failed (as they were)");
    add(count(|s| matches!(s, State::PartWay(_))), "failed part-way");
    let mut out = parts.join(", ");
    // What was to stand as before and doesn't, a restarted network, can be put right as well.
    let can_go_back = |c: &&Change| {
        let is_part_way = matches!(c.state, State::PartWay(_));
        c.steps.iter().any(|step| step.place.can_go_back() && (is_part_way || step.before != step.after))
    };
    let runs: Vec<&str> = changes.iter().filter(can_go_back).filter_map(|c| c.id.as_deref()).collect();
    if let Some(first) = runs.first() {
        let id = if runs.len() == 1 { first } else { first.split('.').next().unwrap_or(first) };
        let _ = write!(out, "; to put it back: kvmnet undo {id}");
    }
    out
}

/// The journal, newest first; `waiting` is the id of the change that waits to be confirmed.
pub fn history(runs: &[Run], waiting: Option<&str>, paint: Paint) -> String {
    let mut out = String::new();
    for run in runs.iter().rev() {
        let _ = write!(
            out,
            "{}  {}  {}",
            paint.subject(run.number),
            run.header.time,
            plain_line(&run.header.command)
        );
        if let Some(undone) = run.header.undoes {
            let _ = write!(out, "  (puts back {undone})");
        }
        out.push('\n');
        for entry in &run.entries {
            let waits =
                waiting == Some(entry.id.as_str()) && matches!(entry.outcome, Some(Outcome::Applied { .. }));
            let _ = writeln!(
                out,
                "    {:<8} {}: {}{}",
                entry.id,
                plain_line(&entry.subject.to_string()),
                plain_line(&outcome(entry)),
                if waits { ", but not confirmed yet" } else { "" }
            );
            if let (Subject::File(typed), Some(path)) = (&entry.subject, entry.path())
                && typed.is_relative()
            {
                let _ = writeln!(out, "             {}", plain_line(&escaped(path)));
            }
            for line in &entry.headline {
                let _ = writeln!(out, "             {}", plain_line(line));
            }
        }
    }
    if out.is_empty() {
        out.push_str("no changes yet\n");
    }
    out
}

/// How a change of the journal ended, in words.
pub fn outcome(entry: &Entry) -> String {
    match &entry.outcome {
        None => "interrupted in the middle; 'kvmnet undo' puts it right".into(),
        Some(Outcome::Applied { .. }) => "changed".into(),
        Some(Outcome::Failed { why }) => {
            format!("failed, nothing changed ({})", why.lines().next().unwrap_or_default())
        }
        Some(Outcome::Undone { by }) => format!("put back by {by}"),
    }
}
