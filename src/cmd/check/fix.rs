//! `--fix`: what can be mended, along the spine that every change takes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::{All, Job, LARGEST};
use crate::cli::{Check, FindingsFormat};
use crate::cmd::Context;
use crate::cmd::walk::{Walk, walk};
use crate::lint::mend;
use crate::plan::{Change, Place, State, Step, Subject, World};
use crate::problem::Problem;
use crate::sys::files;
use crate::xml::{diff, file_label, masked};

/// What came of it.
pub(super) struct Fixed {
    /// The changes, as they ended.
    pub(super) changes: Vec<Change>,
    /// The exit code that they alone would give.
    pub(super) code: u8,
}

impl Fixed {
    /// Was anything written?
    pub(super) fn has_written(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.state, State::Applied))
    }
}

/// Mends the files in which findings come with a fix.
pub(super) fn fix(
    args: &Check,
    format: FindingsFormat,
    job: &Job<'_>,
    checked: &All,
    context: &mut Context,
) -> Result<Fixed> {
    let with_fix = checked.findings.iter().filter(|finding| finding.fix.is_some());
    let paths: BTreeSet<&Arc<Path>> = with_fix.map(|finding| &finding.place.file).collect();
    let mut seen = BTreeSet::new();
    let changes: Vec<Change> = paths
        .into_iter()
        // A file of two names is mended once.
        .filter(|path| files::absolute(path).map_or(true, |real| seen.insert(real)))
        .filter_map(|path| match change(path, job) {
            Ok(change) => change,
            Err(e) => Some(Change::failed(Subject::File(path.to_path_buf()), e)),
        })
        .collect();
    if changes.is_empty() {
        return Ok(Fixed { changes, code: 0 });
    }
    if !matches!(format, FindingsFormat::Human | FindingsFormat::Json) {
        // Standard output is for the findings.
        context.screen.preview_to_stderr();
    }
    let options = Walk::new(&args.consent);
    let walked = walk(changes, &options, &World::default(), context)?;
    let (changes, code) = walked.ended(&options, context);
    Ok(Fixed { changes, code })
}

/// The change of one file; `None` if nothing in it can be mended any more.
fn change(path: &Arc<Path>, job: &Job<'_>) -> Result<Option<Change>> {
    let bytes = files::read_up_to(path, LARGEST).context("cannot read it")?;
    let before = String::from_utf8(bytes)?;
    let Some(mended) = mend(path, &before, &job.policies.of(path)?.settings(path)) else { return Ok(None) };
    let own = files::absolute(path).context("cannot find it")?;
    let name = file_label(&path.display().to_string(), "");
    let mut change = Change::new(Subject::File(path.to_path_buf()));
    change.state = State::Planned;
    change.headline = mended.what;
    change.diff = diff(&name, &masked(&before), &name, &masked(&mended.text));
    let place = Place::File { path: own, mode: files::mode(path) };
    change.steps.push(Step { place, before: Some(before), after: Some(mended.text) });
    Ok(Some(change))
}

/// Refuses what `--fix` can't do, and what goes with it only.
pub(super) fn refuse(args: &Check) -> Result<()> {
    let stdin = args.paths.iter().any(|path| **path == *Path::new("-"));
    if args.fix && stdin {
        let help = "name the file, or leave --fix out";
        return Err(Problem::new("--fix writes files, and '-' is none", help));
    }
    let consent = &args.consent;
    let flags = [(consent.dry_run, "--dry-run"), (consent.exit_code, "--exit-code"), (consent.yes, "--yes")];
    match flags.iter().find(|(given, _)| *given && !args.fix) {
        Some((_, flag)) => {
            let help = "add --fix, or leave it out: without --fix nothing is ever written";
            Err(Problem::new(format!("{flag} is about what --fix does"), help))
        }
        None => Ok(()),
    }
}
