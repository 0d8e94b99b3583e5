//! What was found, and where.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::positions::Positions;
use super::rule::{Rule, Severity};
use crate::xml::{Doc, Edit, Edits, masks, may_hold_secret};

/// The most of one line that is shown, in bytes.
const WIDEST: usize = 400;
/// The most lines that are shown of one place.
const TALLEST: usize = 8;

/// A place in a file, with the lines that it stands in. Secrets in them are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named or found.
    pub file: Arc<Path>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Line and column behind its end.
    pub end: (usize, usize),
    /// The lines.
    pub lines: String,
    /// The bytes of `lines` that are meant.
    pub marked: Range<usize>,
}

impl Place {
    /// Shows nothing of the text any more, if it may hold a secret and nobody can say where: in a text that isn't read as it
    /// stands, QEMU's arguments are none.
    pub(super) fn guard(&mut self, text: &str) {
        if may_hold_secret(text) {
            (self.lines, self.marked) = (String::new(), 0..0);
        }
    }
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is, as the policy has it.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Words at the place itself.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it, with words.
    pub also: Vec<(Place, String)>,
    /// The splices in the file's text that mend it.
    pub fix: Option<Edits>,
    /// The same by line and column, for programs that make them themselves; none if a secret would stand in them.
    pub splices: Vec<Splice>,
}

/// A splice by line and column, both from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// Where what goes begins.
    pub from: (usize, usize),
    /// Behind its end.
    pub to: (usize, usize),
    /// What comes.
    pub text: String,
}

impl Finding {
    /// What findings are sorted by: file, line, column, code.
    pub fn order(&self) -> (&Path, usize, usize, &str, &str) {
        (&self.place.file, self.place.line, self.place.column, self.rule.code, &self.message)
    }
}

/// Makes places in one file.
#[derive(Debug)]
pub(super) struct Placer<'d> {
    file: Arc<Path>,
    text: &'d str,
    positions: Positions<'d>,
    masks: Edits,
}

impl<'d> Placer<'d> {
    /// For a document.
    pub(super) fn new(file: &Arc<Path>, doc: &Doc<'d>) -> Placer<'d> {
        let text = doc.text();
        Placer { file: file.clone(), text, positions: Positions::new(text), masks: masks(doc) }
    }

    /// The place of some bytes of the file.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let text = self.text;
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end).max(start);
        let positions = &self.positions;
        let (line, column) = positions.of(start);
        let end_at = positions.of(end);
        // From the start of the first line to the end of the last one that is shown.
        let from = text.ceil_char_boundary(positions.start(line).max(start.saturating_sub(WIDEST)));
        let last = positions.line(end.saturating_sub(1)).clamp(line, line + TALLEST - 1);
        let to = positions.end(last);
        let widest = start + (end.min(to) - start).min(WIDEST * TALLEST) + WIDEST;
        let to = text.floor_char_boundary(to.min(widest).max(start));
        let (lines, marked) = self.masked(from..to, start..end.min(to));
        Place { file: self.file.clone(), line, column, end: end_at, lines, marked }
    }

    /// A fix by lines and columns. What it moves may hold a secret: then there is none to show.
    pub(super) fn splices(&self, fix: &Edits) -> Vec<Splice> {
        let mut secrets = self.masks.iter().map(|mask| &self.text[mask.range.clone()]);
        if secrets.any(|secret| fix.iter().any(|edit| !secret.is_empty() && edit.text.contains(secret))) {
            return Vec::new();
        }
        let at = |byte: usize| self.positions.of(byte);
        let splice = |edit: &Edit| Splice {
            from: at(edit.range.start),
            to: at(edit.range.end),
            text: edit.text.clone(),
        };
        fix.iter().map(splice).collect()
    }

    /// The text of a range with its secrets masked, and where in that the marked bytes stand.
    fn masked(&self, range: Range<usize>, marked: Range<usize>) -> (String, Range<usize>) {
        let mut out = String::with_capacity(range.len());
        let (mut at, mut start, mut end) = (range.start, None, None);
        let masks = self.masks.iter().as_slice();
        let first = masks.partition_point(|mask| mask.range.end <= range.start);
        for mask in masks[first..].iter().take_while(|mask| mask.range.start < range.end) {
            let hidden = mask.range.start.max(range.start)..mask.range.end.min(range.end);
            if hidden.is_empty() {
                continue;
            }
            // A place inside a secret is that of its mask.
            if marked.start < hidden.end && start.is_none() {
                start = Some(out.len() + marked.start.min(hidden.start) - at);
            }
            if marked.end <= hidden.start && end.is_none() {
                end = Some(out.len() + marked.end - at);
            }
            out.push_str(&self.text[at..hidden.start]);
            out.push_str(&mask.text);
            at = hidden.end;
            if marked.end <= hidden.end && end.is_none() {
                end = Some(out.len());
            }
        }
        let start = start.unwrap_or(out.len() + marked.start.saturating_sub(at));
        let end = end.unwrap_or(out.len() + marked.end.saturating_sub(at));
        out.push_str(&self.text[at..range.end]);
        (out, start..end)
    }
}

/// How many lines behind a place may not speak of a secret either: where its start tag is broken, its end tag says so, and
/// a key may have many lines.
const AROUND: usize = 40;

/// A place in bytes that aren't XML, or not even text. Nobody can say where in such a text a secret stands: its line is shown
/// only if nothing up to there, and a little further, speaks of any; nor is it with characters that no text has.
pub(super) fn unread(file: &Arc<Path>, text: &str, line: usize, column: usize) -> Place {
    let placer =
        Placer { file: file.clone(), text, positions: Positions::new(text), masks: Edits::default() };
    let (start, end) = (placer.positions.start(line), placer.positions.end(line));
    let mut characters = text[start..end].char_indices().filter(|(_, c)| *c != '\u{feff}');
    let (at, len) = characters.nth(column - 1).map_or((end, 0), |(at, c)| (start + at, c.len_utf8()));
    let place = placer.place(at..at + len);
    let is_odd = |c: char| c.is_control() && c != '\t';
    let is_shown = !may_hold_secret(&text[..placer.positions.start(line + AROUND)])
        && !place.lines.trim_end_matches('\r').contains(is_odd);
    let (lines, marked) = if is_shown { (place.lines, place.marked) } else { (String::new(), 0..0) };
    Place { file: file.clone(), line, column, end: (line, column), lines, marked }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn place(text: &str, span: Range<usize>) -> Place {
        Placer::new(&Arc::from(Path::new("a.xml")), &Doc::parse(text).unwrap()).place(span)
    }

    #[test]
    fn lines_of_a_place() {
        let text = "<a>\n  <b\n    c='1'/>\n</a>\n";
        let at = text.find("<b").unwrap();
        let found = place(text, at..text.find("\n</a").unwrap());
        assert_eq!((found.line, found.column, found.end), (2, 3, (3, 12)));
        assert_eq!(found.lines, "  <b\n    c='1'/>");
        assert_eq!(&found.lines[found.marked], "<b\n    c='1'/>");
        let found = place(text, text.len()..text.len());
        assert_eq!((found.line, found.lines.as_str()), (5, ""));
    }

    #[test]
    fn secrets_are_masked() {
        let text = "<a><graphics passwd='geheim' port='1'/></a>";
        let at = |what: &str| text.find(what).unwrap()..text.find(what).unwrap() + what.len();
        for (span, marked) in [
            (at("geheim"), "***"),
            (at("port='1'"), "port='1'"),
            (at("<graphics passwd='geheim' port='1'/>"), "<graphics passwd='***' port='1'/>"),
            (at("eh"), "***"),
        ] {
            let found = place(text, span);
            assert_eq!(found.lines, "<a><graphics passwd='***' port='1'/></a>");
            assert_eq!(&found.lines[found.marked], marked);
        }
    }

    #[test]
    fn splices_hold_no_secret() {
        let text = "<a>\r\n <ä passwd='geheim' port='1'/></a>";
        let doc = Doc::parse(text).unwrap();
        let placer = Placer::new(&Arc::from(Path::new("a.xml")), &doc);
        let port = text.find(" port").unwrap();
        let splices = |new: &str| {
            let mut edits = Edits::default();
            edits.push(port..port + 9, new);
            placer.splices(&edits)
        };
        assert_eq!(splices(" x=''"), [Splice { from: (2, 20), to: (2, 29), text: " x=''".into() }]);
        assert_eq!(splices(" x='geheim'"), []);
    }

    /// Of what isn't XML, a line is shown where no secret can be in it.
    #[test]
    fn lines_of_no_xml() {
        let shown = |text: &str, line, column| {
            let place = unread(&Arc::from(Path::new("a.xml")), text, line, column);
            assert_eq!((place.line, place.column), (line, column));
            (place.lines[place.marked.clone()].to_string(), place.lines)
        };
        let none = (String::new(), String::new());
        let far = "\n".repeat(AROUND);
        for (text, line, column, want) in [
            ("<a>\n <b c=1/>\n</a>", 2, 7, ("1", " <b c=1/>")),
            ("\u{feff}<ä c=1/>", 1, 6, ("1", "\u{feff}<ä c=1/>")),
            ("<a>\r\n<b c=/>\r\n", 2, 6, ("/", "<b c=/>\r")),
            ("<a>\n<b", 2, 3, ("", "<b")),
            ("<a>\n", 2, 1, ("", "")),
            (&format!("<b c=1/>{far}<secret>x"), 1, 6, ("1", "<b c=1/>")),
        ] {
            assert_eq!(shown(text, line, column), (want.0.into(), want.1.into()), "{text}");
        }
        for (text, line, column) in [
            ("<a passwd=geheim/>", 1, 11),
            ("<a>\n<secret>\n&geheim\n</secret>", 3, 1),
            ("<secrt>\n&geheim\n</secret>", 2, 1),
            ("<a Password='x'\n\n\n\n\n\n\n\n\n\n\n\n\n/><b c=1/>", 14, 8),
            ("<a>\u{1b}[31m", 1, 4),
        ] {
            assert_eq!(shown(text, line, column), none, "{text}");
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("<a b='{}' c=''>{}</a>", "x".repeat(9000), "y\n".repeat(9000));
        let found = place(&text, text.find("c=").unwrap()..text.len());
        assert!(found.lines.len() < 3 * WIDEST && found.lines[found.marked].starts_with("c=''>y\n"));
    }

    proptest! {
        /// Whatever is marked, its lines can be shown and hold no secret.
        #[test]
        fn any_place(a in "[xß\n]{0,900}", b in "[yß\n]{0,90}", start in 0usize..2000, len in 0usize..2000) {
            let text = format!("<a><secret>{b}geheim</secret>{a}<c passwd='geheim{a}'/></a>");
            let start = start.min(text.len());
            let found = place(&text, start..(start + len).min(text.len()));
            prop_assert!(!found.lines.contains("geheim"));
            prop_assert!(found.lines.get(found.marked).is_some());
        }
    }
}
