//! The lines of such a file, each with its place in the text.

use std::ops::Range;

use super::Flavour;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blank.
    Blank,
    /// A comment.
    Comment,
    /// `iface …`.
    Iface,
    /// `auto …`, `allow-auto …`.
    Auto,
    /// `allow-hotplug …`.
    Hotplug,
    /// `no-scripts …`.
    NoScripts,
    /// `mapping …`.
    Mapping,
    /// `source …`.
    Source,
    /// `source-directory …`.
    SourceDirectory,
    /// A word of its own that is nothing to us, or `auto` within a stanza and without a name: it means that stanza.
    Other,
    /// A setting of the stanza above, or of none.
    Setting,
}

/// A line, with those that it goes on in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands, its end included.
    pub(super) at: Range<usize>,
    /// Its number, from 1.
    pub(super) number: usize,
    /// Where its words stand.
    pub(super) words: Vec<Range<usize>>,
    /// What it is.
    pub(super) kind: Kind,
}

/// Reads the lines.
pub(super) fn read(text: &str, flavour: Flavour) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut at, mut number) = (0, 1);
    // In what settings are: a stanza, a mapping, or nothing.
    let mut is_in_iface = false;
    while at < text.len() {
        let (end, physical) = end_of(text, at);
        let words = words(text, at..end);
        let first = words.first().map_or("", |word| &text[word.clone()]);
        let kind = if first.is_empty() {
            Kind::Blank
        } else if first.starts_with('#') {
            Kind::Comment
        } else {
            kind(first, words.len() == 1 && is_in_iface, flavour)
        };
        match kind {
            Kind::Blank | Kind::Comment | Kind::Setting => {}
            Kind::Iface => is_in_iface = true,
            _ if words.len() == 1 && is_in_iface => {}
            _ => is_in_iface = false,
        }
        lines.push(Line { at: at..end, number, words, kind });
        (at, number) = (end, number + physical);
    }
    lines
}

/// Where the line that begins here ends, and how many lines it is in the file.
fn end_of(text: &str, start: usize) -> (usize, usize) {
    let next = |from: usize| text[from..].find('\n').map_or(text.len(), |i| from + i + 1);
    let mut end = next(start);
    let mut physical = 1;
    // A comment goes on nowhere (`get_line` of ifupdown's config.c skips it first).
    if text[start..end].trim_start().starts_with('#') {
        return (end, physical);
    }
    while end < text.len() && text[..end].strip_suffix('\n').is_some_and(|line| line.ends_with('\\')) {
        end = next(end);
        physical += 1;
    }
    (end, physical)
}

/// The words of a line; a backslash at a line's end is between words.
fn words(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let bytes = text.as_bytes();
    for at in line.clone() {
        let is_join = bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'\n');
        let is_between = is_join || bytes[at].is_ascii_whitespace() || bytes[at] == 0x0b;
        match (start, is_between) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(from..line.end);
    }
    words
}

fn kind(first: &str, is_alone: bool, flavour: Flavour) -> Kind {
    let of_itself = |kind| if is_alone { Kind::Other } else { kind };
    match first {
        "iface" => Kind::Iface,
        "auto" | "allow-auto" => of_itself(Kind::Auto),
        "allow-hotplug" => of_itself(Kind::Hotplug),
        "no-scripts" => of_itself(Kind::NoScripts),
        "mapping" => Kind::Mapping,
        "source" => Kind::Source,
        "no-auto-down" | "rename" => Kind::Other,
        "vlan" if flavour == Flavour::Two => Kind::Other,
        // ifupdown compares the beginning only.
        _ if first.starts_with("source-dir") => Kind::SourceDirectory,
        _ if first.starts_with("allow-") => Kind::Other,
        _ => Kind::Setting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_words() {
        let text = "# a\\\nauto lo\n\n iface lo inet \\\n  loopback\r\n\tup a b\nauto\n\tmtu 9\nsource x/*";
        let lines = read(text, Flavour::One);
        let kinds: Vec<Kind> = lines.iter().map(|line| line.kind).collect();
        use Kind as K;
        assert_eq!(
            kinds,
            [K::Comment, K::Auto, K::Blank, K::Iface, K::Setting, K::Other, K::Setting, K::Source]
        );
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 7, 8, 9]);
        let words: Vec<&str> = lines[3].words.iter().map(|w| &text[w.clone()]).collect();
        assert_eq!(words, ["iface", "lo", "inet", "loopback"]);
        assert_eq!(lines.iter().map(|line| &text[line.at.clone()]).collect::<String>(), text);
    }
}
