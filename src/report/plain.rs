//! What comes out of files, names and XML may hold characters that a terminal obeys. They are shown, not sent.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with its control characters written as escapes; line breaks and tabs stay.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    escaped_where(text, |c| obeyed(c) && !matches!(c, '\n' | '\t'))
}

/// The same for text that is to stay on its line.
pub fn plain_line(text: &str) -> Cow<'_, str> {
    escaped_where(text, |c| obeyed(c) && c != '\t')
}

/// The same for a diff, in which lines may end as on Windows.
pub(super) fn plain_diff(line: &str) -> Cow<'_, str> {
    match line.strip_suffix("\r\n") {
        Some(start) => Cow::Owned(format!("{}\r\n", plain(start))),
        None => plain(line),
    }
}

/// Control characters, and those that turn the direction of writing.
pub fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with these characters written as escapes.
pub(super) fn escaped_where(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_bad(c) {
            true => {
                let _ = write!(out, "{}", c.escape_default());
            }
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_told_nothing() {
        assert_eq!(plain("a\u{1b}[1m\u{9b}\n\tb"), "a\\u{1b}[1m\\u{9b}\n\tb");
        assert_eq!(plain_line("a\nb\u{e4}"), "a\\nb\u{e4}");
        assert_eq!(plain_diff("+a\r\n"), "+a\r\n");
        assert_eq!(plain_diff("+a\rb\n"), "+a\\rb\n");
    }
}
