//! Takes a plan along the spine and reports: the part that is the same for every verb that changes something.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::str::Utf8Chunk;

use anyhow::{Context as _, Result, anyhow};

use super::Context;
use crate::cli;
use crate::plan::{Change, Consent, Declined, Plan, RunHeader, State, World, journal_dir};
use crate::report::{json, obeyed, text};
use crate::sys::{interrupt, terminal};

/// How far a plan may go.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    /// Go on where a warning stops.
    pub(super) force: bool,
    /// End after the preview.
    pub(super) preview_only: bool,
    /// Exit with 1 if something would change.
    pub(super) exit_code: bool,
    /// No question asked.
    pub(super) yes: bool,
    /// What the journal says of this run.
    pub(super) header: RunHeader,
}

impl Walk {
    pub(super) fn new(consent: &cli::Consent) -> Walk {
        Walk {
            preview_only: consent.dry_run,
            exit_code: consent.exit_code,
            yes: consent.yes,
            header: RunHeader { command: command_line(), ..RunHeader::default() },
            ..Walk::default()
        }
    }
}

/// A word as a shell takes it.
pub(super) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_alphanumeric() || "-_=+:,./@%".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.into(),
        Some(text) if !text.contains(obeyed) => format!("'{}'", text.replace('\'', "'\\''")),
        // What a terminal obeys, or is no text, is written as bytes.
        _ => format!("$'{}'", word.as_bytes().utf8_chunks().map(bytes_quoted).collect::<String>()),
    }
}

fn bytes_quoted(chunk: Utf8Chunk<'_>) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let shown = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        '\n' => "\\n".into(),
        c if obeyed(c) => hex(c.encode_utf8(&mut [0; 4]).as_bytes()),
        c => c.into(),
    };
    chunk.valid().chars().map(shown).collect::<String>() + &hex(chunk.invalid())
}

/// What was typed.
fn command_line() -> String {
    let words = terminal::arguments().into_iter().map(quoted);
    std::iter::once("kvmnet".to_string()).chain(words).collect::<Vec<_>>().join(" ")
}

/// What was typed, for root to type; an undo with the journal that it means, for root has one of its own.
pub(super) fn as_root(is_undo: bool) -> String {
    let folder = journal_dir().ok().filter(|_| is_undo);
    let state = folder.as_deref().and_then(|journal| journal.parent());
    let env = state.map(|dir| format!("env KVMNET_STATE_DIR={} ", quoted(dir))).unwrap_or_default();
    format!("sudo {env}{}", command_line())
}

/// Takes the changes along the spine; returns them as they ended.
///
/// # Errors
/// The preview couldn't be shown; nothing was changed then.
pub(super) fn walk(
    changes: Vec<Change>,
    walk: &Walk,
    world: &World<'_>,
    context: &mut Context,
) -> Result<Walked> {
    let consent = match (walk.yes, terminal::can_ask()) {
        (true, _) => Consent::Given,
        (false, true) => Consent::Ask,
        (false, false) => Consent::Nobody,
    };
    if context.is_json() && (consent == Consent::Ask && !walk.preview_only) {
        context.screen.preview_to_stderr();
    } else if context.is_json() {
        context.screen.no_preview();
    }
    let screen = &mut context.screen;
    let shown =
        Plan::new(changes, walk.force).preview(screen).and_then(|shown| screen.flush().map(|()| shown));
    let shown = match shown {
        Ok(shown) => shown,
        Err(e) if walk.preview_only => return Err(anyhow::Error::new(e).context("cannot print the preview")),
        Err(e) => return Err(anyhow!("cannot show the preview ({e}); nothing was changed")),
    };
    // What can't be done is said before anybody is asked about the rest.
    shown.changes().iter().for_each(|change| screen.failure(change));
    if walk.preview_only {
        return Ok(Walked { changes: shown.into_changes(), declined: None });
    }
    let confirmed = shown.confirm(consent, screen);
    let applied = confirmed.and_then(|confirmed| {
        let folder = match journal_dir() {
            Ok(folder) => folder,
            Err(e) => return Err(confirmed.decline(e)),
        };
        confirmed.apply(world, &folder, &walk.header, screen)
    });
    if interrupt::requested() {
        screen.error("interrupted: what was begun is finished, the rest wasn't begun");
    }
    Ok(match applied {
        Ok(changes) => Walked { changes, declined: None },
        Err(Declined { changes, why }) => Walked { changes, declined: why },
    })
}

/// A plan that went along the spine.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) changes: Vec<Change>,
    declined: Option<anyhow::Error>,
}

impl Walked {
    /// Nothing was asked of the spine.
    pub(super) fn none() -> Walked {
        Walked { changes: Vec::new(), declined: None }
    }

    /// Prints the outcome (the JSON document, or the summary) and gives the exit code.
    pub(super) fn report(self, walk: &Walk, context: &mut Context) -> Result<u8> {
        self.report_as(walk, context, json::changes)
    }

    /// The same with a JSON document of the verb's own.
    pub(super) fn report_as(
        mut self,
        walk: &Walk,
        context: &mut Context,
        document: impl FnOnce(&[Change]) -> serde_json::Value,
    ) -> Result<u8> {
        let code = self.end(walk, context);
        if context.is_json() {
            let stands = self.changes.iter().any(|c| c.id.is_some());
            match print_json(&document(&self.changes)) {
                Err(e) if stands => {
                    let summary = text::summary(&self.changes, false);
                    context.screen.error(&format!("{e:#}; {summary}"));
                    return Ok(3);
                }
                other => other?,
            }
        } else if self.changes.len() > 1 || self.changes.iter().any(|c| c.id.is_some()) {
            context.screen.say(&format!("kvmnet: {}", text::summary(&self.changes, walk.preview_only)));
        }
        Ok(code)
    }

    /// The changes as they ended, and the exit code, for a verb with more to say.
    pub(super) fn ended(mut self, walk: &Walk, context: &mut Context) -> (Vec<Change>, u8) {
        let code = self.end(walk, context);
        (self.changes, code)
    }

    /// Says why changes weren't made, if they weren't, and gives the exit code.
    fn end(&mut self, walk: &Walk, context: &mut Context) -> u8 {
        let code = self.code(walk);
        if let Some(why) = self.declined.take() {
            context.screen.error(&crate::problem::render(&why));
            for change in self.changes.iter_mut().filter(|c| c.is_planned()) {
                change.state = State::Failed(anyhow!("{}", crate::problem::message(&why)));
            }
        }
        code
    }

    fn code(&self, walk: &Walk) -> u8 {
        let any = |test: fn(&State) -> bool| self.changes.iter().any(|c| test(&c.state));
        let failed = any(|s| matches!(s, State::Failed(_)));
        let applied = any(|s| matches!(s, State::Applied));
        if any(|s| matches!(s, State::PartWay(_))) || (failed && applied) {
            3
        } else if failed || self.declined.is_some() {
            2
        } else if walk.exit_code && any(|s| matches!(s, State::Planned)) {
            1
        } else {
            0
        }
    }
}

/// Prints a text on standard output; `what` it is called where that fails.
pub(super) fn print(text: &str, what: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.with_context(|| format!("cannot print {what}"))
}

/// Prints one JSON document on standard output.
pub(super) fn print_json(document: &serde_json::Value) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
    let written = written.and_then(|()| writeln!(out)).and_then(|()| out.flush());
    written.context("cannot print the JSON document")
}
