//! `kvmnet history`

use anyhow::Result;

use super::{Context, walk};
use crate::cli::History;
use crate::plan::{journal_dir, of_host, read_all, window};
use crate::report::{Paint, json, text};

/// Lists the journal.
pub(super) fn run(args: &History, context: &mut Context) -> Result<u8> {
    let all = read_all(&journal_dir()?)?;
    let last = args.last.unwrap_or(all.len()).min(all.len());
    let runs = &all[all.len() - last..];
    // Who may not read what waits isn't told of it.
    let window = window::open().ok().flatten();
    let waiting = window.and_then(|window| Some(of_host(&all, &window.id)?.1.id.clone()));
    let waiting = waiting.as_deref();
    if context.is_json() {
        walk::print_json(&json::history(runs, waiting))?;
    } else {
        let paint = Paint { on: context.screen.out_paint().on };
        walk::print(&text::history(runs, waiting, paint), "the history")?;
    }
    Ok(0)
}
