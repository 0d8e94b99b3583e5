//! Which part of a document a schema objects to.
//!
//! A validator says of a document with one wrong attribute in one of twenty devices that its `<devices>` is wrong. But a
//! document without the wrong part is right. So parts are taken out one at a time, and the validator judges what is left:
//! first the children of the root, then those of the one that was it, down to an attribute; where no child will do, whatever
//! stands in it at any depth, since some children must be there. Nobody can say that of two wrong parts, save in `<devices>`,
//! where none needs another: each is tried alone there.

use std::ops::Range;

use roxmltree::{Node, NodeId};

use super::view::{tag, value, whole_attribute};
use crate::xml::{Doc, Edits, elements};

/// Of a document with more parts than these, only the first are tried.
const MOST_PARTS: usize = 1000;

/// A part that may be at fault.
#[derive(Debug, Clone)]
pub struct Suspect {
    node: NodeId,
    /// Its attribute.
    attribute: Option<String>,
    /// What has to go so that nothing but this part is at fault.
    without: Edits,
}

/// A text to be judged.
#[derive(Debug)]
pub struct Trial {
    /// The text.
    pub text: String,
    /// What is at fault, if the judgement says so.
    suspect: Suspect,
    role: Role,
}

/// What a judgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Valid: the child, or attribute, that is missing here is at fault.
    Child,
    /// The same of something further down.
    Below,
    /// Valid: whatever is at fault stands in this element. Invalid: it doesn't all stand there.
    Empty,
    /// Invalid: the one device that is left is at fault.
    Alone,
}

impl Suspect {
    /// The whole document.
    pub fn all(doc: &Doc<'_>) -> Suspect {
        Suspect { node: doc.root().id(), attribute: None, without: Edits::default() }
    }

    /// The element of that name whose start tag stands on a line, where another validator saw a fault; the elements of
    /// `others` are left out of account.
    pub fn at(doc: &Doc<'_>, line: usize, name: &str, others: &[(usize, String)]) -> Option<Suspect> {
        let mut suspect =
            Suspect { node: find(doc, line, name)?.id(), attribute: None, without: Edits::default() };
        let others = others.iter().filter_map(|(line, name)| find(doc, *line, name));
        for other in others.filter(|other| other.id() != suspect.node) {
            suspect.without.push(other.range(), "");
        }
        Some(suspect)
    }

    /// Is it the document as a whole?
    pub fn is_all(&self, doc: &Doc<'_>) -> bool {
        self.node == doc.root().id() && self.attribute.is_none()
    }

    /// The texts whose judgement says which part of it is at fault; none if it has no parts.
    pub fn trials(&self, doc: &Doc<'_>) -> Vec<Trial> {
        let Some(node) = doc.node(self.node).filter(|_| self.attribute.is_none()) else { return Vec::new() };
        let mut out = Vec::new();
        let mut trial =
            |suspect: (NodeId, Option<&str>), gone: &mut dyn Iterator<Item = Range<usize>>, role: Role| {
                let mut left = self.without.clone();
                gone.for_each(|part| left.push(part, ""));
                let text = left.apply(doc.text());
                let without = if role == Role::Alone { left } else { self.without.clone() };
                let suspect = Suspect { node: suspect.0, attribute: suspect.1.map(Into::into), without };
                out.push(Trial { text, suspect, role });
            };
        let children: Vec<Node<'_, '_>> = elements(node).collect();
        if node.tag_name().name() == "devices" {
            trial((node.id(), None), &mut children.iter().map(Node::range), Role::Empty);
            for child in &children {
                let others = children.iter().filter(|other| *other != child);
                trial((child.id(), None), &mut others.map(Node::range), Role::Alone);
            }
        }
        for part in node.descendants().filter(Node::is_element).take(MOST_PARTS) {
            let role = match part {
                part if part == node => Role::Child,
                part if part.parent() == Some(node) => Role::Child,
                _ => Role::Below,
            };
            if part != node {
                trial((part.id(), None), &mut std::iter::once(part.range()), role);
            }
            let role = if part == node { role } else { Role::Below };
            for attribute in part.attributes().filter(|attribute| attribute.namespace().is_none()) {
                if let Some(range) = whole_attribute(doc, part, attribute.name()) {
                    trial((part.id(), Some(attribute.name())), &mut std::iter::once(range), role);
                }
            }
        }
        out
    }

    /// The parts that are at fault, once its trials are judged: each with whether it was valid. None if nothing more can
    /// be said than that it is this one.
    pub fn judged(trials: Vec<(Trial, bool)>) -> Vec<Suspect> {
        let is_inside = trials.iter().any(|(trial, is_valid)| trial.role == Role::Empty && *is_valid);
        let first = |wanted: Role| trials.iter().find(|(trial, is_valid)| trial.role == wanted && *is_valid);
        // What is further down is the smaller part; of a child that may be missing, its parts are tried next.
        if let Some((found, _)) = first(Role::Child).or(first(Role::Below)) {
            return vec![found.suspect.clone()];
        }
        let alone = trials.into_iter().filter(|(trial, is_valid)| trial.role == Role::Alone && !is_valid);
        alone.filter(|_| is_inside).map(|(trial, _)| trial.suspect).collect()
    }

    /// Where it stands.
    pub fn span(&self, doc: &Doc<'_>) -> Range<usize> {
        match (doc.node(self.node), &self.attribute) {
            (Some(node), Some(attribute)) => value(doc, node, attribute),
            (Some(node), None) => tag(doc, node),
            (None, _) => 0..0,
        }
    }

    /// What is wrong, in words without anything that could be a secret.
    pub fn words(&self, doc: &Doc<'_>) -> String {
        let Some(node) = doc.node(self.node) else { return String::new() };
        let name = node.tag_name().name();
        match &self.attribute {
            Some(attribute) => {
                format!("libvirt's schema doesn't allow {attribute}='…' in <{name}>, or not with this value")
            }
            None if node.parent_element().is_none() => {
                format!("libvirt's schema doesn't allow this <{name}>")
            }
            None => format!("libvirt's schema doesn't allow <{name}> here, or not as it stands"),
        }
    }
}

/// The first element of that name whose start tag stands on a line.
fn find<'d>(doc: &'d Doc<'d>, line: usize, name: &str) -> Option<Node<'d, 'd>> {
    let named = doc.root().descendants().filter(|node| node.is_element() && node.tag_name().name() == name);
    let stands = |node: &Node<'_, '_>| {
        let tag = tag(doc, *node);
        (doc.position(tag.start).0..=doc.position(tag.end).0).contains(&line)
    };
    named.into_iter().find(stands)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What is found by somebody who judges texts by what they hold.
    fn found(text: &str, is_valid: impl Fn(&str) -> bool) -> Vec<String> {
        let doc = Doc::parse(text).unwrap();
        let (mut left, mut out) = (vec![Suspect::all(&doc)], Vec::new());
        while let Some(suspect) = left.pop() {
            let trials = suspect.trials(&doc).into_iter();
            let judged = trials.map(|trial| (is_valid(&trial.text), trial)).map(|(v, t)| (t, v)).collect();
            match Suspect::judged(judged) {
                deeper if deeper.is_empty() => out.push(doc.text()[suspect.span(&doc)].to_string()),
                deeper => left.extend(deeper),
            }
        }
        out.sort();
        out
    }

    #[test]
    fn the_smallest_part() {
        let text = "<d><name a='1'>x</name><devices><i b='2'><s mode='bad'/></i><i/><j/></devices></d>";
        assert_eq!(found(text, |t| !t.contains("bad")), ["bad"]);
        assert_eq!(found(text, |t| !t.contains("<j")), ["<j/>"]);
        assert_eq!(found(text, |t| t.contains("missing")), ["<d>"]);
        let needs = |t: &str| t.contains("<name") && t.contains("<s") && !t.contains("bad");
        assert_eq!(found(text, needs), ["bad"], "in a child that must be there");
    }

    #[test]
    fn what_another_validator_saw() {
        let text = "<d>\n<a/>\n<b\nx='1'/><b/>\n</d>";
        let doc = Doc::parse(text).unwrap();
        let others = [(2, "a".to_string()), (4, "b".to_string())];
        let suspect = Suspect::at(&doc, 4, "b", &others).unwrap();
        assert_eq!(&text[suspect.span(&doc)], "<b\nx='1'/>");
        assert_eq!(suspect.trials(&doc)[0].text, "<d>\n\n<b/><b/>\n</d>");
        assert!(Suspect::at(&doc, 9, "b", &others).is_none());
    }

    #[test]
    fn several_devices() {
        let text = "<d><devices><a x='1'/><b/><c/><a y='bad'/><c/></devices></d>";
        assert_eq!(found(text, |t| !t.contains("<c/>") && !t.contains("bad")), ["<c/>", "<c/>", "bad"]);
    }
}
