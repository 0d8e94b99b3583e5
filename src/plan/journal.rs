//! The journal of changes: what stood before, so that `undo` can put it back.
//!
//! One file a run of kvmnet, `journal/NUMBER.jsonl` in the state folder, to which only lines are added. A change gets
//! a line with all it replaces *before* the first byte of it is touched, and a second one when it is through. So a
//! process that is killed leaves a line that says what may have happened, and `undo` looks at what really stands. A
//! last line that is cut off (the power went while it was written) belongs to a change that wasn't begun.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::change::{Step, Subject};
use super::host::UNDO;
use super::place::Place;
use crate::problem::{Problem, escaped};
use crate::sys::clock;
use crate::sys::files::{self, Disk, Lock, Log};

/// What a run says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// When, in UTC.
    pub time: String,
    /// What was typed.
    pub command: String,
    /// The connection, if there was one.
    pub uri: Option<String>,
    /// The run that this one puts back.
    pub undoes: Option<u64>,
    /// Does it put back something that was itself put back?
    #[serde(default)]
    pub is_redo: bool,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done and verified.
    Applied {
        /// For each step what was really stored, where that isn't to the byte what was asked.
        stored: Vec<Option<String>>,
    },
    /// Not done; everything was put back.
    Failed {
        /// Why.
        why: String,
    },
    /// Done, and later put back by the run of this number.
    Undone {
        /// That run.
        by: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Run(RunHeader),
    Begin { change: usize, of: usize, subject: Subject, headline: Vec<String>, steps: Vec<Step> },
    End { change: usize, outcome: Outcome },
}

/// One change in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `12`, or `12.3` if the run made several.
    pub id: String,
    /// Its number within the run, from 1.
    pub change: usize,
    /// What it was about.
    pub subject: Subject,
    /// What it did.
    pub headline: Vec<String>,
    /// What it replaced.
    pub steps: Vec<Step>,
    /// What really was stored, where that differs from what was asked.
    pub stored: Vec<Option<String>>,
    /// How it ended; `None` if the run was cut short in the middle of it.
    pub outcome: Option<Outcome>,
}

impl Entry {
    /// Where the file stands that it was about.
    pub fn path(&self) -> Option<&Path> {
        self.steps.iter().find_map(|step| match (&self.subject, &step.place) {
            (Subject::File(_), Place::File { path, .. }) => Some(path.as_path()),
            _ => None,
        })
    }
}

/// One run in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub number: u64,
    /// What it says of itself.
    pub header: RunHeader,
    /// Its changes.
    pub entries: Vec<Entry>,
}

/// The folder that the journal stands in.
///
/// # Errors
/// None of the variables that say where kvmnet's state stands are set.
pub fn journal_dir() -> Result<PathBuf> {
    files::state_dir().map(|dir| dir.join("journal")).ok_or_else(|| {
        Problem::new(
            "there is no place for kvmnet's journal",
            "set KVMNET_STATE_DIR (or HOME) to say where it may stand",
        )
    })
}

/// Other runs are kept from changing anything while this lives.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "being there is all it has to do")] Lock);

/// Keeps other runs away from before the plan is made: what it chooses because nobody has it is nobody else's by the time
/// that it is carried out. Only for plans that nobody is asked about; see [`World::held`](super::World::held).
///
/// # Errors
/// There is no place for a journal, or its folder can't be written to.
pub fn hold(waits: impl FnOnce()) -> Result<Held> {
    lock(&journal_dir()?, waits).map(Held)
}

/// Waits until no other run that has its journal in `folder` is changing anything, and keeps others from it until the
/// lock is dropped; `waits` is called if that takes longer than a moment.
///
/// # Errors
/// The folder can't be written to.
pub(super) fn lock(folder: &Path, waits: impl FnOnce()) -> Result<Lock> {
    Lock::take(folder, waits).map_err(|e| not_written(folder, &e.into()))
}

fn not_written(folder: &Path, e: &anyhow::Error) -> anyhow::Error {
    let what = format!("cannot write the journal in {}: {e}", escaped(folder));
    Problem::new(what, "KVMNET_STATE_DIR=DIR lets it stand elsewhere")
}

/// The journal of this run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    log: Log,
    number: u64,
    total: usize,
    begun: usize,
}

impl Journal {
    /// Begins the journal of a run that will make `total` changes.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn begin(folder: &Path, header: &RunHeader, total: usize) -> Result<Journal> {
        let write = || -> Result<(u64, Log)> {
            let (number, mut log) = Log::create(folder)?;
            let header = RunHeader { time: clock::now(), ..header.clone() };
            if let Err(e) = log.add(&serde_json::to_string(&Line::Run(header))?) {
                log.discard();
                return Err(e.into());
            }
            Ok((number, log))
        };
        let (number, log) = write().map_err(|e| not_written(folder, &e))?;
        Ok(Journal { folder: folder.to_path_buf(), log, number, total, begun: 0 })
    }

    /// The id of a change of this run.
    pub fn id(&self, change: usize) -> String {
        id(self.number, change, self.total)
    }

    /// Writes down what change `number` (from 1) of this run is about to replace. It must be on the disk returned before
    /// anything is replaced.
    ///
    /// # Errors
    /// The disk is full or gone: then the change must not be made.
    pub fn opened(
        &mut self,
        number: usize,
        subject: &Subject,
        headline: &[String],
        steps: &[Step],
    ) -> Result<Disk> {
        let line = Line::Begin {
            change: number,
            of: self.total,
            subject: subject.clone(),
            headline: headline.to_vec(),
            steps: steps.to_vec(),
        };
        self.log.add(&serde_json::to_string(&line)?).context("cannot write the journal")?;
        self.begun += 1;
        Ok(self.log.disk())
    }

    /// Writes down how it ended. That this fails, or never gets to the disk, is no reason to fail the change: `undo` finds
    /// out by looking.
    pub fn closed(&mut self, change: usize, outcome: &Outcome) {
        let line = Line::End { change, outcome: outcome.clone() };
        let _ = serde_json::to_string(&line).map(|line| self.log.add(&line));
    }

    /// Ends the run; one that began nothing leaves no trace.
    pub fn end(self) {
        if self.begun == 0 {
            self.log.discard();
        } else {
            let _ = self.log.disk().wait();
        }
    }

    /// Says in the journal of an earlier run that its `change` was put back by this one.
    pub fn mark_undone(&self, run: u64, change: usize) {
        let mark = || -> Result<()> {
            let line = Line::End { change, outcome: Outcome::Undone { by: self.number } };
            Ok(Log::append_to(&self.folder, run)?.add(&serde_json::to_string(&line)?)?)
        };
        // Without the mark, undo looks at what stands and finds nothing to put back.
        let _ = mark();
    }
}

/// Writes down that the change of the host's network of that id was put back, and why.
///
/// # Errors
/// The journal can't be written to.
pub(super) fn failed(folder: &Path, id: &str, why: &str) -> Result<()> {
    let runs = read_all(folder)?;
    let Some((run, entry)) = of_host(&runs, id) else { return Ok(()) };
    let line = Line::End { change: entry.change, outcome: Outcome::Failed { why: why.into() } };
    Log::append_to(folder, run.number)?.add(&serde_json::to_string(&line)?)?;
    if let Some(undone) = run.header.undoes {
        // What it had undone stands again.
        let line = Line::End { change: entry.change, outcome: Outcome::Applied { stored: Vec::new() } };
        Log::append_to(folder, undone)?.add(&serde_json::to_string(&line)?)?;
    }
    Ok(())
}

/// The change of the host's network of that id: the last that is about the same place, as an undo is.
pub fn of_host<'r>(runs: &'r [Run], id: &str) -> Option<(&'r Run, &'r Entry)> {
    let id = id.strip_suffix(UNDO).unwrap_or(id);
    let is_it = |step: &Step| matches!(&step.place, Place::Host(host) if host.id == id);
    runs.iter()
        .rev()
        .find_map(|run| Some((run, run.entries.iter().find(|entry| entry.steps.iter().any(is_it))?)))
}

fn id(run: u64, change: usize, of: usize) -> String {
    if of == 1 { run.to_string() } else { format!("{run}.{change}") }
}

/// All runs, oldest first.
///
/// # Errors
/// The folder can't be read. A line that can't be read is passed over: it was cut off.
pub fn read_all(folder: &Path) -> Result<Vec<Run>> {
    let read = || -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        for number in Log::numbers(folder)? {
            // Another process may have taken back a run that began nothing.
            let path = Log::path(folder, number);
            let text = files::read_if_there(&path).with_context(|| escaped(&path))?;
            if let Some(text) = text {
                runs.extend(
                    Some(parse(number, &String::from_utf8_lossy(&text)))
                        .filter(|run| !run.entries.is_empty()),
                );
            }
        }
        Ok(runs)
    };
    read().with_context(|| format!("cannot read the journal in {}", escaped(folder)))
}

fn parse(number: u64, text: &str) -> Run {
    let mut header = RunHeader::default();
    let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Run(said)) => header = said,
            Ok(Line::Begin { change, of, subject, headline, steps }) => {
                let id = id(number, change, of);
                let entry = Entry { id, change, subject, headline, steps, stored: Vec::new(), outcome: None };
                entries.insert(change, entry);
            }
            Ok(Line::End { change, outcome }) => {
                if let Some(entry) = entries.get_mut(&change) {
                    if let Outcome::Applied { stored } = &outcome {
                        entry.stored.clone_from(stored);
                    }
                    entry.outcome = Some(outcome);
                }
            }
            Err(_) => {}
        }
    }
    Run { number, header, entries: entries.into_values().collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_no_change() {
        let step = Step {
            place: Place::File { path: "/a".into(), mode: None },
            before: Some("x".into()),
            after: None,
        };
        let begin = |change| {
            let subject = Subject::File("a".into());
            let line = Line::Begin { change, of: 2, subject, headline: vec![], steps: vec![step.clone()] };
            serde_json::to_string(&line).unwrap()
        };
        let header = serde_json::to_string(&Line::Run(RunHeader::default())).unwrap();
        let end =
            serde_json::to_string(&Line::End { change: 1, outcome: Outcome::Undone { by: 9 } }).unwrap();
        let text = format!("{header}\n{}\n{end}\n{}", begin(1), &begin(2)[..40]);
        let run = parse(7, &text);
        assert_eq!(run.entries.len(), 1);
        assert_eq!(
            (run.entries[0].id.as_str(), &run.entries[0].outcome),
            ("7.1", &Some(Outcome::Undone { by: 9 }))
        );
        assert_eq!(parse(7, &format!("{text}\n{}", begin(2))).entries[1].outcome, None);
    }
}
