//! `kvmnet history`

use anyhow::Result;

use super::{Context, walk};
use crate::cli::History;
use crate::plan::{journal_dir, read_all};
use crate::report::{Paint, json, text};

/// Lists the journal.
pub(super) fn run(args: &History, context: &mut Context) -> Result<u8> {
    let runs = read_all(&journal_dir()?)?;
    let last = args.last.unwrap_or(runs.len()).min(runs.len());
    let runs = &runs[runs.len() - last..];
    if context.is_json() {
        walk::print_json(&json::history(runs))?;
    } else {
        let paint = Paint { on: context.screen.out_paint().on };
        walk::print(&text::history(runs, paint), "the history")?;
    }
    Ok(0)
}
