//! Changes to the files' texts: bytes put in the place of others, everything else as it was.

use std::ops::Range;

use super::config::{Config, Sheet};
use crate::host::bridge::{FileChange, Host, HostFile};

/// Changes, in any order.
#[derive(Debug, Clone, Default)]
pub(super) struct Edits(Vec<(usize, Range<usize>, String)>, Vec<(usize, String)>);

impl Edits {
    /// Puts a text in the place of another.
    pub(super) fn replace(&mut self, sheet: usize, at: Range<usize>, text: impl Into<String>) {
        self.0.push((sheet, at, text.into()));
    }

    /// Puts lines before this place.
    pub(super) fn insert(&mut self, sheet: usize, at: usize, text: impl Into<String>) {
        self.replace(sheet, at..at, text);
    }

    /// Puts lines at the end of a file, behind all else that comes there.
    pub(super) fn append(&mut self, sheet: usize, text: String) {
        self.1.push((sheet, text));
    }

    /// Takes a line away.
    pub(super) fn remove_line(&mut self, config: &Config, sheet: usize, line: usize) {
        if let Some(line) = config.sheets[sheet].lines.get(line) {
            self.replace(sheet, line.at.clone(), "");
        }
    }

    /// Puts a word in the place of a line's `word`th.
    pub(super) fn replace_word(
        &mut self,
        config: &Config,
        (sheet, line): (usize, usize),
        word: usize,
        text: &str,
    ) {
        if let Some(at) = config.sheets[sheet].lines.get(line).and_then(|line| line.words.get(word)) {
            self.replace(sheet, at.clone(), text);
        }
    }

    /// Takes a line's `word`th away, with the blanks before it.
    pub(super) fn remove_word(&mut self, config: &Config, (sheet, line): (usize, usize), word: usize) {
        let Some(line) = config.sheets[sheet].lines.get(line) else { return };
        let before = word.checked_sub(1).and_then(|before| line.words.get(before));
        if let (Some(before), Some(at)) = (before, line.words.get(word)) {
            self.replace(sheet, before.end..at.end, "");
        }
    }

    /// The host with these changes made.
    pub(super) fn applied(mut self, host: &Host, config: &Config) -> Host {
        // Stable: what is put in at one place stays in its order, and stands before what is replaced there.
        self.0.sort_by_key(|(sheet, at, _)| (*sheet, at.start, at.end));
        for (sheet, text) in self.1 {
            let end = config.sheets[sheet].text.len();
            self.0.push((sheet, end..end, text));
        }
        let mut host = host.clone();
        for (index, sheet) in config.sheets.iter().enumerate() {
            let edits = self.0.iter().filter(|(at, ..)| *at == index);
            let text = spliced(sheet, edits.map(|(_, at, text)| (at, text)));
            if let Some(file) = host.files.iter_mut().find(|file| file.path == sheet.path) {
                file.text = text;
            }
        }
        host
    }
}

fn spliced<'a>(sheet: &Sheet, edits: impl Iterator<Item = (&'a Range<usize>, &'a String)>) -> String {
    let mut out = String::with_capacity(sheet.text.len() + 256);
    let mut done = 0;
    for (at, text) in edits {
        // Of two changes to the same place the first stands.
        if at.start < done {
            continue;
        }
        out.push_str(sheet.text.get(done..at.start).unwrap_or_default());
        let is_line = text.ends_with('\n');
        if is_line && !out.is_empty() && !out.ends_with('\n') {
            // The file's last line has no end: it gets one, and the new last line none.
            out.push_str(sheet.eol());
            out.push_str(text.trim_end_matches(['\r', '\n']));
        } else {
            out.push_str(text);
        }
        done = at.end;
    }
    out.push_str(sheet.text.get(done..).unwrap_or_default());
    if !sheet.text.ends_with('\n') && out.ends_with('\n') {
        out.truncate(out.trim_end_matches(['\r', '\n']).len());
    }
    out
}

/// The files that differ.
pub(super) fn changes(before: &[HostFile], after: &[HostFile]) -> Vec<FileChange> {
    let differ = before.iter().zip(after).filter(|(before, after)| before.text != after.text);
    let change = |(before, after): (&HostFile, &HostFile)| FileChange {
        path: before.path.clone(),
        before: Some(before.text.clone()),
        after: Some(after.text.clone()),
        mode: 0o644,
    };
    differ.map(change).collect()
}
