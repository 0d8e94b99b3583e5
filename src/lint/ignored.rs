//! `<!-- kvmnet: ignore KN012 -->`: where a file itself asks for silence.
//!
//! Such a comment is about the element behind it, with all that is in it. On the line of an element's end it is about that
//! element; where no element follows, about the one that it stands in. Before the root element, it is about the whole
//! file.

use std::ops::Range;

use roxmltree::Node;

use super::report::Report;
use super::rules;
use crate::xml::Doc;

/// Which rules are to be quiet, and where.
#[derive(Debug, Default)]
pub(super) struct Ignored(Vec<(Range<usize>, Vec<&'static str>)>);

impl Ignored {
    /// The codes that are to be quiet at a byte.
    pub(super) fn at(&self, byte: usize) -> Vec<&'static str> {
        let here = self.0.iter().filter(|(range, _)| range.contains(&byte));
        here.flat_map(|(_, codes)| codes.iter().copied()).collect()
    }

    /// Is this code to be quiet at a byte?
    pub(super) fn has(&self, code: &str, byte: usize) -> bool {
        self.0.iter().any(|(range, codes)| range.contains(&byte) && codes.contains(&code))
    }

    /// Reads the comments of a document; codes that don't exist are told to `report`.
    pub(super) fn read(doc: &Doc<'_>, report: &mut Report) -> Ignored {
        let mut out = Vec::new();
        if !doc.text().contains("kvmnet:") {
            return Ignored(out);
        }
        for comment in doc.root().document().descendants().filter(Node::is_comment) {
            let Some(words) = comment.text().and_then(|t| t.trim().strip_prefix("kvmnet:")) else { continue };
            let range = comment.range();
            let report = report.by(&rules::UNKNOWN_IGNORE);
            let Some(codes) = words.trim().strip_prefix("ignore") else {
                let what = "a comment to kvmnet that it doesn't understand";
                report.at(range, what).help("'<!-- kvmnet: ignore KN012 -->' is what it knows");
                continue;
            };
            let mut known = Vec::new();
            let codes = codes.split([',', ' ', '\t', '\r', '\n']).filter(|code| !code.is_empty());
            for code in codes {
                match rules::named(code) {
                    Some(rule) => known.push(rule.code),
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
            if words.trim() == "ignore" {
                report
                    .at(range, "it doesn't say which rule is to be ignored")
                    .help("name its code: ignore KN012");
            }
            if !known.is_empty() {
                out.push((about(doc, comment), known));
            }
        }
        Ignored(out)
    }
}

/// The bytes that a comment is about.
fn about(doc: &Doc<'_>, comment: Node<'_, '_>) -> Range<usize> {
    let start = comment.range().start;
    let is_there = |node: &Node<'_, '_>| node.is_element();
    let before = comment.prev_siblings().skip(1).find(is_there).map(|node| node.range());
    if let Some(before) = before.filter(|before| !doc.text()[before.end..start].contains('\n')) {
        return before;
    }
    match comment.next_siblings().skip(1).find(is_there).or(comment.parent_element()) {
        // What the reader finds in a file stands anywhere in it.
        Some(element) if element == doc.root() => 0..doc.text().len() + 1,
        Some(element) => element.range(),
        None => 0..0,
    }
}
