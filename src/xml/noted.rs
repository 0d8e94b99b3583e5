//! Secrets that were noted down where no tags are read: in comments, in text, in an argument.

use std::ops::Range;

use super::secret::{ATTRIBUTES, ELEMENTS};
use super::tag::StartTag;

/// Quotes, also as libvirt writes them in text.
const QUOTES: &[&str] = &["'", "\"", "&apos;", "&quot;", "&#39;", "&#34;", "&#x27;", "&#x22;"];

/// Options of QEMU with secrets in them.
const OPTIONS: &[&str] = &["password=", "passwd=", "data=", "secret=", "key="];

/// The same where an argument is JSON.
const KEYS: &[&str] = &["password", "passwd", "data", "secret", "key"];

/// `passwd='…'`, with quotes or without, and `<secret>…</secret>`, in what needn't be well-formed.
pub(super) fn in_note(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    if text[range.clone()].trim_ascii_start().is_empty() {
        return;
    }
    for name in ATTRIBUTES {
        attribute(text, range.clone(), name, found);
    }
    if text[range.clone()].contains('<') {
        for name in ELEMENTS {
            element(text, range.clone(), name, found);
        }
    }
}

fn attribute(text: &str, range: Range<usize>, name: &str, found: &mut Vec<Range<usize>>) {
    // Where the last word ends that has no quotes: others in it end there too.
    let mut word_end = 0;
    for (at, _) in text[range.clone()].match_indices(name) {
        let rest = &text[range.start + at + name.len()..range.end];
        let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else { continue };
        let start = range.end - value.len();
        let mask = match QUOTES.iter().find(|quote| value.starts_with(**quote)) {
            Some(quote) => {
                let value = &value[quote.len()..];
                let start = start + quote.len();
                start..value.find(quote).map_or(range.end, |len| start + len)
            }
            None if start < word_end => continue,
            None => {
                word_end = value.find(char::is_whitespace).map_or(range.end, |len| start + len);
                start..word_end
            }
        };
        if !mask.is_empty() {
            found.push(mask);
        }
    }
}

fn element(text: &str, range: Range<usize>, name: &str, found: &mut Vec<Range<usize>>) {
    let text = &text[..range.end];
    let mut at = range.start;
    while let Some(named) = text[at..].find(name).map(|found| at + found) {
        at = named + name.len();
        let Some(start) = start_of_tag(text, range.start, named) else { continue };
        if text[at..].starts_with(|c: char| !c.is_ascii_whitespace() && !matches!(c, '/' | '>')) {
            continue;
        }
        let inside = match StartTag::read(text, start) {
            Some(tag) if tag.is_empty || tag.end > text.len() => {
                at = tag.end.min(text.len());
                continue;
            }
            Some(tag) => tag.end,
            // A tag that is none: as if it had ended.
            None => at,
        };
        at = end_of_element(text, inside, name).unwrap_or(text.len());
        if inside < at {
            found.push(inside..at);
        }
    }
}

/// The `<` before a name that ends such a tag's name, at byte `named`: `<name`, `<prefix:name`.
fn start_of_tag(text: &str, first: usize, named: usize) -> Option<usize> {
    let before = &text[first..named];
    let start = match before.strip_suffix(':') {
        Some(before) => {
            before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        }
        None => before,
    };
    Some(first + start.strip_suffix('<')?.len())
}

/// Where the closing tag begins.
fn end_of_element(text: &str, inside: usize, name: &str) -> Option<usize> {
    let closes = |(at, _): &(usize, &str)| {
        let rest = &text[inside + at + 2..];
        let end =
            rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '<')).unwrap_or(rest.len());
        rest[..end].strip_suffix(name).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(':'))
    };
    text[inside..].match_indices("</").find(closes).map(|(at, _)| inside + at)
}

/// `password=…` up to the next comma, in an argument of QEMU's. Two commas stand for one that ends nothing.
pub(super) fn in_options(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    for option in OPTIONS {
        let mut word_end = 0;
        for (at, _) in text[range.clone()].match_indices(option) {
            let start = range.start + at + option.len();
            if start < word_end {
                continue;
            }
            word_end = start;
            for piece in text[start..range.end].split_inclusive(",,") {
                let piece_end = piece.trim_end_matches(",,").find(',');
                word_end += piece_end.unwrap_or(piece.len());
                if piece_end.is_some() {
                    break;
                }
            }
            if start < word_end {
                found.push(start..word_end);
            }
        }
    }
}

/// `"data": "…"` in an argument of QEMU's that is JSON, whichever way its quotes are written.
pub(super) fn in_json(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    if !text[range.clone()].trim_start().starts_with('{') {
        return;
    }
    for key in KEYS {
        let mut last = range.start;
        for (at, _) in text[range.clone()].match_indices(key) {
            let rest = &text[range.start + at + key.len()..range.end];
            let Some(value) = quoted(rest)
                .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
                .and_then(|rest| quoted(rest.trim_start()))
            else {
                continue;
            };
            let (quote, value) = value;
            let start = range.end - value.len();
            if start < last {
                continue;
            }
            // A quote behind a backslash is one of the secret's own.
            let is_end = |(at, _): &(usize, &str)| {
                (value[..*at].len() - value[..*at].trim_end_matches('\\').len()).is_multiple_of(2)
            };
            last = value.match_indices(quote).find(is_end).map_or(range.end, |(at, _)| start + at);
            if start < last {
                found.push(start..last);
            }
        }
    }
}

/// The quote that a text begins with, and what comes behind it.
fn quoted(text: &str) -> Option<(&'static str, &str)> {
    QUOTES.iter().find_map(|quote| Some((*quote, text.strip_prefix(quote)?)))
}
