//! What went wrong, in words, and what to do about it.

use std::fmt;
use std::path::Path;

/// An error with the next step for the person who reads it. It travels inside [`anyhow::Error`];
/// [`render`] prints the whole chain and every help line found in it.
#[derive(Debug)]
pub struct Problem {
    message: String,
    help: String,
    cause: Option<anyhow::Error>,
}

impl Problem {
    /// An error that says what failed and why, and separately what to do next.
    #[expect(clippy::new_ret_no_self, reason = "it is only ever used as an anyhow::Error")]
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Problem { message: message.into(), help: help.into(), cause: None })
    }

    /// The same with what it comes of. As a context of that its help would be lost: [`help`] looks at errors, and anyhow's
    /// contexts aren't.
    pub fn because(
        cause: anyhow::Error,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> anyhow::Error {
        anyhow::Error::new(Problem { message: message.into(), help: help.into(), cause: Some(cause) })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| -> &(dyn std::error::Error + 'static) { cause.as_ref() })
    }
}

/// A path for a message: what would break its line is written as an escape.
pub fn escaped(path: &Path) -> String {
    let text = path.display().to_string();
    match text.contains(char::is_control) {
        true => text
            .chars()
            .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() })
            .collect(),
        false => text,
    }
}

/// The chain of an error on one line, outermost first: `cannot write x.xml: no space left on device`.
pub fn message(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What to do about it: its help lines.
pub fn help(error: &anyhow::Error) -> impl Iterator<Item = &str> {
    error.chain().filter_map(|e| e.downcast_ref::<Problem>()).flat_map(|p| p.help.lines())
}

/// The error as it is printed: its message, then its help lines, indented.
pub fn render(error: &anyhow::Error) -> String {
    let mut out = message(error);
    for line in help(error) {
        out.push_str("\n  help: ");
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_of_all_that_went_wrong() {
        let inner = Problem::new("inner", "look inside").context("around it");
        let error = Problem::because(inner, "outer", "undo it");
        assert_eq!(render(&error), "outer: around it: inner\n  help: undo it\n  help: look inside");
    }
}
