//! Where rules about the set say what they find.

use super::facts::Mark;
use crate::lint::finding::Finding;
use crate::lint::rule::Rule;

/// What one rule finds in the set.
#[derive(Debug)]
pub struct SetReport {
    pub(super) rule: &'static Rule,
    pub(super) found: Vec<Finding>,
}

impl SetReport {
    /// Something is wrong there. As with files, the words hold no secret.
    pub fn at(&mut self, mark: &Mark, message: impl Into<String>) -> SetFinding<'_> {
        if mark.quiet.contains(&self.rule.code) {
            return SetFinding(None);
        }
        self.found.push(Finding {
            rule: self.rule,
            severity: self.rule.severity,
            message: message.into(),
            place: mark.place.clone(),
            label: None,
            help: None,
            also: Vec::new(),
            fix: None,
            splices: Vec::new(),
        });
        SetFinding(self.found.last_mut())
    }
}

/// A finding that may get more words; none where the rule is to be quiet.
#[derive(Debug)]
pub struct SetFinding<'r>(Option<&'r mut Finding>);

impl SetFinding<'_> {
    /// Words at the place itself, beside the caret.
    pub fn label(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.label = Some(words.into());
        }
        self
    }

    /// What to do.
    pub fn help(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.help = Some(words.into());
        }
        self
    }

    /// Another place that belongs to it.
    pub fn also(&mut self, mark: &Mark, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.also.push((mark.place.clone(), words.into()));
        }
        self
    }
}
