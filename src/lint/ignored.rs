//! `<!-- kvmnet: ignore KN012 -->`: where a file itself asks for silence.
//!
//! Such a comment is about the element behind it, with all that is in it. On the line of an element's end it is about that
//! element; where no element follows, about the one that it stands in. Before the root element, it is about the whole
//! file.

use std::collections::BTreeMap;
use std::ops::Range;

use roxmltree::Node;

use super::report::Report;
use super::rules;
use crate::xml::Doc;

/// Which rules are to be quiet, and where: by code, in order, none touching the next.
#[derive(Debug, Default)]
pub(super) struct Ignored(BTreeMap<&'static str, Vec<Range<usize>>>);

impl Ignored {
    /// The codes that are to be quiet at a byte.
    pub(super) fn at(&self, byte: usize) -> Vec<&'static str> {
        self.0.keys().copied().filter(|code| self.has(code, byte)).collect()
    }

    /// Is this code to be quiet at a byte?
    pub(super) fn has(&self, code: &str, byte: usize) -> bool {
        self.0.get(code).is_some_and(|ranges| {
            let next = ranges.partition_point(|range| range.end <= byte);
            ranges.get(next).is_some_and(|range| range.contains(&byte))
        })
    }

    /// Reads the comments of a document; codes that don't exist are told to `report`.
    pub(super) fn read(doc: &Doc<'_>, report: &mut Report) -> Ignored {
        let mut out: BTreeMap<&'static str, Vec<Range<usize>>> = BTreeMap::new();
        let begins = |at: usize| is_ours(doc.text()[at + "<!--".len()..].trim_start());
        if !memchr::memmem::find_iter(doc.text().as_bytes(), "<!--").any(begins) {
            return Ignored(BTreeMap::new());
        }
        let parents = doc.root().document().descendants().filter(Node::has_children);
        for (comment, about) in parents.flat_map(|parent| comments(doc, parent)) {
            let Some(words) = words(comment) else { continue };
            let range = comment.range();
            let report = report.by(&rules::UNKNOWN_IGNORE);
            let Some(codes) = without_ignore(words.trim()) else {
                let what = "a comment to kvmnet that it doesn't understand";
                report.at(range, what).help("'<!-- kvmnet: ignore KN012 -->' is what it knows");
                continue;
            };
            let codes = codes.split([',', ' ', '\t', '\r', '\n']).filter(|code| !code.is_empty());
            // What comes behind the codes says why.
            let is_code = |code: &str| code.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case("KN"));
            for code in codes.enumerate().map_while(|(at, code)| (at == 0 || is_code(code)).then_some(code)) {
                let code = code.trim_end_matches(':');
                match rules::named(code) {
                    Some(rule) => out.entry(rule.code).or_default().push(about.clone()),
                    None => {
                        let what = format!("there is no rule '{}'", code.escape_debug());
                        let found = report.at(range.clone(), what);
                        match rules::nearest(code) {
                            Some(near) => found.help(format!("did you mean {near}?")),
                            None => found.help("'kvmnet check --list-rules' shows them all"),
                        };
                    }
                }
            }
            if words.trim().eq_ignore_ascii_case("ignore") {
                report
                    .at(range, "it doesn't say which rule is to be ignored")
                    .help("name its code: ignore KN012");
            }
        }
        out.values_mut().for_each(join);
        Ignored(out)
    }
}

/// What a comment says to kvmnet, if it does. In another case than ours it is more often a remark: then `ignore` must follow.
fn words<'d>(comment: Node<'d, '_>) -> Option<&'d str> {
    let text = comment.text().map(str::trim).filter(|text| is_ours(text))?;
    let words = &text[OURS.len()..];
    (text.starts_with(OURS)
        || without_ignore(words.trim()).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
    .then_some(words)
}

/// What a comment to kvmnet begins with.
const OURS: &str = "kvmnet:";

/// Does a comment begin so, in any case?
fn is_ours(text: &str) -> bool {
    text.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
}

/// What stands behind `ignore`, in any case.
fn without_ignore(words: &str) -> Option<&str> {
    let (begin, rest) = words.split_at_checked("ignore".len())?;
    begin.eq_ignore_ascii_case("ignore").then_some(rest)
}

/// The comments to kvmnet in an element, each with the bytes that it is about.
fn comments<'d>(doc: &Doc<'_>, parent: Node<'d, 'd>) -> Vec<(Node<'d, 'd>, Range<usize>)> {
    let mut out: Vec<(Node<'d, 'd>, Range<usize>)> = Vec::new();
    // The element before, as long as its line goes on; and the first of the comments that are about the next one.
    let (mut before, mut waiting, mut at) = (None, 0, parent.range().start);
    for node in parent.children() {
        let range = node.range();
        if doc.text()[at..range.start].contains('\n') {
            before = None;
        }
        at = range.start;
        if node.is_element() {
            let about = if node == doc.root() { whole(doc) } else { range.clone() };
            out[waiting..].iter_mut().for_each(|(_, next)| *next = about.clone());
            (before, waiting, at) = (Some(range.clone()), out.len(), range.end);
        } else if node.is_comment() && words(node).is_some() {
            match &before {
                Some(before) => {
                    out.insert(waiting, (node, before.clone()));
                    waiting += 1;
                }
                None => out.push((node, 0..0)),
            }
        }
    }
    let about = match parent.is_element() {
        true if parent == doc.root() => whole(doc),
        true => parent.range(),
        false => 0..0,
    };
    out[waiting..].iter_mut().for_each(|(_, all)| *all = about.clone());
    out
}

/// All bytes: what the reader finds in a file stands anywhere in it.
fn whole(doc: &Doc<'_>) -> Range<usize> {
    0..doc.text().len() + 1
}

/// Puts ranges into order, and those that touch together.
pub(super) fn join(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, before| {
        let touches = next.start <= before.end;
        if touches {
            before.end = before.end.max(next.end);
        }
        touches
    });
}
