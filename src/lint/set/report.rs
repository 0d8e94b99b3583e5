//! Where rules about the set say what they find.

use std::path::Path;
use std::sync::Arc;

use super::facts::Mark;
use crate::lint::finding::{Finding, Place};
use crate::lint::rule::{Rule, Severity};

/// What one rule finds in the set.
#[derive(Debug)]
pub struct SetReport {
    pub(super) rule: &'static Rule,
    pub(super) found: Vec<SetFound>,
}

/// A finding whose places are still bytes of files.
#[derive(Debug)]
pub struct SetFound {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    message: String,
    pub(super) mark: Mark,
    label: Option<String>,
    help: Option<String>,
    also: Vec<(Mark, String)>,
}

impl SetReport {
    /// Something is wrong there. As with files, the words hold no secret.
    pub fn at(&mut self, mark: &Mark, message: impl Into<String>) -> SetFinding<'_> {
        if mark.quiet.contains(&self.rule.code) {
            return SetFinding(None);
        }
        self.found.push(SetFound {
            rule: self.rule,
            severity: self.rule.severity,
            message: message.into(),
            mark: mark.clone(),
            label: None,
            help: None,
            also: Vec::new(),
        });
        SetFinding(self.found.last_mut())
    }
}

impl SetFound {
    /// The file that it is in.
    pub fn file(&self) -> &Arc<Path> {
        &self.mark.file
    }

    /// What it points at, itself first.
    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        std::iter::once(&self.mark).chain(self.also.iter().map(|(mark, _)| mark))
    }

    /// With the places that are known; `None` if its own isn't.
    pub(super) fn placed(self, place: impl Fn(&Mark) -> Option<Place>) -> Option<Finding> {
        Some(Finding {
            rule: self.rule,
            severity: self.severity,
            message: self.message,
            place: place(&self.mark)?,
            label: self.label,
            help: self.help,
            also: self.also.into_iter().filter_map(|(mark, words)| Some((place(&mark)?, words))).collect(),
            fix: None,
            splices: Vec::new(),
        })
    }
}

/// A finding that may get more words; none where the rule is to be quiet.
#[derive(Debug)]
pub struct SetFinding<'r>(Option<&'r mut SetFound>);

impl SetFinding<'_> {
    /// Words at the place itself, beside the caret.
    pub fn label(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(found) = &mut self.0 {
            found.label = Some(words.into());
        }
        self
    }

    /// What to do.
    pub fn help(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(found) = &mut self.0 {
            found.help = Some(words.into());
        }
        self
    }

    /// Another place that belongs to it.
    pub fn also(&mut self, mark: &Mark, words: impl Into<String>) -> &mut Self {
        if let Some(found) = &mut self.0 {
            found.also.push((mark.clone(), words.into()));
        }
        self
    }
}
