//! Standard output and standard error.

use std::io::{self, BufWriter, Write};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use rayon::prelude::*;

use super::paint::Paint;
use super::text;
use crate::plan::{Audience, Change};

/// So many previews are worth a second thread.
const BATCH: usize = 128;

/// Where the parts of the output go.
pub struct Screen {
    preview: Option<Box<dyn Write + Send>>,
    out_paint: Paint,
    err_paint: Paint,
    verbosity: i8,
    ask: fn(&str) -> io::Result<bool>,
    began: Instant,
    bar: Option<ProgressBar>,
    shows_progress: bool,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

impl Screen {
    /// Previews go to standard output.
    pub fn new(
        out_paint: Paint,
        err_paint: Paint,
        verbosity: i8,
        ask: fn(&str) -> io::Result<bool>,
    ) -> Screen {
        let preview: Box<dyn Write + Send> = Box::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        Screen {
            preview: Some(preview),
            out_paint,
            err_paint,
            verbosity,
            ask,
            began: Instant::now(),
            bar: None,
            shows_progress: false,
        }
    }

    /// Previews go to standard error: standard output is for something else.
    pub fn preview_to_stderr(&mut self) {
        self.preview = Some(Box::new(BufWriter::new(io::stderr())));
        self.out_paint = self.err_paint;
    }

    /// No previews: a program reads standard output, and nobody is asked.
    pub fn no_preview(&mut self) {
        self.preview = None;
    }

    /// Show a bar on standard error for work that takes longer than a second.
    pub fn show_progress(&mut self, shows: bool) {
        self.shows_progress = shows && self.verbosity >= 0;
    }

    /// The colours of standard output.
    pub fn out_paint(&self) -> Paint {
        self.out_paint
    }

    /// The colours of standard error.
    pub fn err_paint(&self) -> Paint {
        self.err_paint
    }

    /// A line on standard error, unless `--quiet`.
    pub fn say(&self, line: &str) {
        if self.verbosity >= 0 {
            self.stderr(line);
        }
    }

    /// A line on standard error with `--verbose`.
    pub fn detail(&self, line: &str) {
        if self.verbosity > 0 {
            self.stderr(line);
        }
    }

    /// An error on standard error, always.
    pub fn error(&self, message: &str) {
        self.stderr(&text::error(message, self.err_paint));
    }

    fn stderr(&self, line: &str) {
        // There is nobody to tell that standard error is gone.
        let write = || {
            let _ = writeln!(io::stderr().lock(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// How a change that wasn't applied stands: its error, if it has one.
    pub fn failure(&self, change: &Change) {
        if let (Some(_), Some(line)) = (change.error(), text::result(change, self.err_paint)) {
            self.stderr(&line);
        }
    }

    /// Makes sure that the previews were written.
    ///
    /// # Errors
    /// They couldn't be.
    pub fn flush(&mut self) -> io::Result<()> {
        self.preview.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Counts one of `total` pieces of work that takes longer than a second in all.
    pub fn tick(&mut self, through: usize, total: usize) {
        if !self.shows_progress || (self.bar.is_none() && self.began.elapsed().as_secs() < 1) {
            return;
        }
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {eta} left");
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        bar.set_position(through as u64);
        if through == total {
            bar.finish_and_clear();
            self.bar = None;
        }
    }
}

impl Audience for Screen {
    fn preview(&mut self, changes: &[Change]) -> io::Result<()> {
        let paint = self.out_paint;
        let Some(out) = &mut self.preview else { return Ok(()) };
        let render =
            |some: &[Change]| some.iter().map(|change| text::preview(change, paint)).collect::<String>();
        if changes.len() <= BATCH {
            return out.write_all(render(changes).as_bytes());
        }
        let rendered: Vec<String> = changes.par_chunks(BATCH).map(render).collect();
        rendered.iter().try_for_each(|text| out.write_all(text.as_bytes()))
    }

    fn ask(&mut self, pending: usize) -> io::Result<bool> {
        self.flush()?;
        let what =
            if pending == 1 { "Make this change?".into() } else { format!("Make these {pending} changes?") };
        (self.ask)(&what)
    }

    fn waits(&mut self) {
        self.say("kvmnet: waiting for another run of kvmnet that is making changes (Ctrl-C ends this one)");
    }

    fn begins(&mut self) {
        // The time that somebody took to answer isn't work.
        self.began = Instant::now();
    }

    fn progress(&mut self, change: &Change, through: usize, total: usize) {
        let line = text::result(change, self.err_paint);
        match (change.error(), line) {
            (Some(_), Some(line)) => self.stderr(&line),
            (None, Some(line)) if total <= 20 || self.verbosity > 0 => self.say(&line),
            _ => {}
        }
        self.tick(through, total);
    }
}
