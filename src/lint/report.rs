//! Where rules say what they find.

use std::ops::Range;

use super::rule::Rule;
use crate::xml::Edits;

/// What the rules find in one file.
#[derive(Debug, Default)]
pub struct Report {
    /// What they found so far, in any order.
    pub(super) found: Vec<Found>,
    /// The rule that looks just now.
    rule: Option<&'static Rule>,
}

impl Report {
    /// What comes now is found by this rule.
    pub(super) fn by(&mut self, rule: &'static Rule) -> &mut Report {
        self.rule = Some(rule);
        self
    }

    /// Something is wrong with these bytes. The words hold no secret: what a person wrote as a value is quoted only
    /// where it can't be one.
    pub fn at(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Found {
        let rule = self.rule.unwrap_or(&super::rules::NOT_WELL_FORMED);
        let message = message.into();
        self.found.push(Found { rule, span, message, label: None, help: None, also: Vec::new(), fix: None });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }
}

/// A finding whose place is still bytes.
#[derive(Debug)]
pub struct Found {
    pub(super) rule: &'static Rule,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) label: Option<String>,
    pub(super) help: Option<String>,
    pub(super) also: Vec<(Range<usize>, String)>,
    pub(super) fix: Option<Edits>,
}

impl Found {
    /// Words at the place itself, beside the caret.
    pub fn label(&mut self, words: impl Into<String>) -> &mut Found {
        self.label = Some(words.into());
        self
    }

    /// What to do.
    pub fn help(&mut self, words: impl Into<String>) -> &mut Found {
        self.help = Some(words.into());
        self
    }

    /// Another place of the same file that belongs to it.
    pub fn also(&mut self, span: Range<usize>, words: impl Into<String>) -> &mut Found {
        self.also.push((span, words.into()));
        self
    }

    /// The splices that mend it.
    pub fn fix(&mut self, edits: Edits) -> &mut Found {
        self.fix = Some(edits).filter(|edits| !edits.is_empty());
        self
    }
}
