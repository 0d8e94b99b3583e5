//! Annotations of a GitHub workflow: commands to the runner, one a line.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::{Summary, Unchecked, at, tidy, words};
use crate::lint::{Finding, Place};
use crate::problem::render;
use crate::report::obeyed;

/// Prints an annotation for each finding, and the summary as a line of the log.
///
/// # Errors
/// They can't be written.
pub fn github(
    out: &mut dyn Write,
    findings: &[Finding],
    unchecked: &[Unchecked],
    summary: &Summary,
) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{}", annotation(finding))?;
    }
    for unchecked in unchecked {
        let title = format!(",title={}", property("kvmnet could not check it"));
        let properties = [file(&unchecked.file), title].concat();
        let properties = properties.trim_start_matches(',');
        writeln!(out, "::error {properties}::{}", data(&render(&unchecked.error)))?;
    }
    writeln!(out, "{summary}")
}

fn annotation(finding: &Finding) -> String {
    let Place { file: path, line, column, end, .. } = &finding.place;
    let mut out = format!("::{} ", finding.severity);
    let file = file(path);
    if !file.is_empty() {
        let _ = write!(out, "{file},line={line},endLine={},", end.0);
        // GitHub takes columns on one line only, and counts the last one in.
        if end.0 == *line {
            let _ = write!(out, "col={column},endColumn={},", (end.1 - 1).max(*column));
        }
    }
    let title = format!("{} {}", finding.rule.code, finding.rule.name);
    let mut text = words(finding);
    if file.is_empty() {
        text = format!("{}: {text}", at(&finding.place));
    }
    for (also, words) in &finding.also {
        let _ = write!(text, "\n{}: {words}", at(also));
    }
    let _ = write!(out, "title={}::{}", property(&title), data(&text));
    out
}

/// The property that says which file it is; none for standard input.
fn file(path: &Path) -> String {
    match path == Path::new("-") {
        true => String::new(),
        false => format!("file={}", property(&tidy(path).display().to_string())),
    }
}

/// A property's value as the runner reads it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The text of a command as the runner reads it. What terminals obey is shown as an escape: the log is one.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if obeyed(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the runner undoes it.
    fn read(text: &str) -> String {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    }

    proptest! {
        /// Whatever stands in a value: it ends neither its property nor its line, and comes out as it went in.
        #[test]
        fn any_text(text in "[a-z%:,\r\n\u{e4}ADC023]{0,40}") {
            let written = property(&text);
            prop_assert!(!written.contains([':', ',', '\r', '\n']));
            prop_assert_eq!(read(&written), text.clone());
            prop_assert_eq!(read(&data(&text)), text);
        }
    }

    #[test]
    fn the_log_is_a_terminal() {
        assert_eq!(data("a\u{1b}[2J\u{202e}"), "a\\u{1b}[2J\\u{202e}");
    }
}
