//! Texts as SARIF has them: messages in which braces and links mean something, and Markdown.

use std::fmt::Write as _;

use super::model::Help;
use crate::lint::Rule;
use crate::report::plain;

/// A text as a message: `{0}` would be a place for an argument, `[a](b)` a link.
pub(super) fn message(text: &str) -> String {
    let mut out = plain(text).replace('{', "{{").replace('}', "}}");
    if out.contains("](") {
        out = out.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]");
    }
    out
}

/// With a capital, and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(chars).chain(['.']).collect()
}

/// All about a rule: what `--explain` prints, with the examples where they can be shown as such.
pub(super) fn help(rule: &Rule) -> Help {
    let (mut text, mut markdown) = (rule.why.trim_end().to_string(), escaped(rule.why.trim_end()));
    if rule.fixable {
        text.push_str("\n\nkvmnet check --fix mends it.");
        markdown.push_str("\n\n`kvmnet check --fix` mends it.");
    }
    for (what, examples) in [("Found in", rule.bad), ("Not found in", rule.good)] {
        for (name, example) in examples {
            let example = example.trim_end();
            let _ = write!(markdown, "\n\n{what} {}:\n\n```xml\n{example}\n```", escaped(name));
        }
    }
    Help { text: message(&text), markdown: message(&markdown) }
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '|' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_placeholder_or_a_link() {
        assert_eq!(message("a {0} [b] \\"), "a {{0}} [b] \\");
        assert_eq!(message("[a](1) \\"), r"\[a\](1) \\");
        assert_eq!(message("a\u{1b}"), "a\\u{{1b}}");
        assert_eq!(escaped("<mac> isn't a_b"), r"\<mac\> isn't a\_b");
        assert_eq!(sentence("a NIC has none"), "A NIC has none.");
    }
}
