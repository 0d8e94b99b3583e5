//! Words that are one slip away from those that libvirt knows.

use std::collections::HashMap;

use roxmltree::{Attribute, Node};

use crate::lint::report::Report;
use crate::xml::{Doc, Edits, StartTag};

/// Says of each attribute that isn't known whether it nearly is one that is.
pub(super) fn attributes(doc: &Doc<'_>, node: Node<'_, '_>, known: &[&'static str], report: &mut Report) {
    let wrong = node.attributes().filter(|a| a.namespace().is_none() && !known.contains(&a.name()));
    let near = |a: Attribute<'_, '_>| known.iter().copied().find(|known| is_near(a.name(), known));
    let wrong: Vec<_> = wrong.filter_map(|a| Some((a.name(), near(a)?))).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    wrong.iter().for_each(|(_, near)| *counts.entry(near).or_default() += 1);
    for (name, near) in wrong {
        let fix = attribute_renamed(doc, node, name, near);
        let Some(place) = fix.iter().next().map(|edit| edit.range.clone()) else { continue };
        let what = format!("libvirt drops '{name}' of <{}>, which it doesn't know", node.tag_name().name());
        let found = report.at(place, what).help(format!("did you mean {near}?"));
        // Of two that are near it, nobody knows which was meant.
        if !node.has_attribute(near) && counts[near] == 1 {
            found.fix(fix);
        }
    }
}

/// Is it one slip away: another case, or one letter too many, too few, wrong, or two in the wrong order? Of short words, too
/// many are neighbours.
pub(super) fn is_near(written: &str, known: &str) -> bool {
    written.eq_ignore_ascii_case(known)
        || (known.len() >= 5 && written.len() >= 5 && strsim::osa_distance(written, known) == 1)
}

/// Has it an attribute that [`attributes`] calls a slip of this one? Then that is mended first.
pub(super) fn has_near(node: Node<'_, '_>, name: &str) -> bool {
    let mut others = node.attributes().filter(|a| a.namespace().is_none() && a.name() != name);
    others.any(|a| is_near(a.name(), name))
}

/// The attribute that was surely meant to be the one of a short name that is missing: those of which [`is_near`] says so, and
/// others one slip away.
pub(super) fn slip<'a>(node: Node<'a, '_>, name: &str) -> Option<Attribute<'a, 'a>> {
    let mut near = node.attributes().filter(|a| {
        let written = a.name().to_ascii_lowercase();
        a.namespace().is_none() && strsim::osa_distance(&written, name) <= 1
    });
    near.next().filter(|_| !node.has_attribute(name))
}

/// The splices that call an attribute by another name.
pub(super) fn attribute_renamed(doc: &Doc<'_>, node: Node<'_, '_>, from: &str, to: &str) -> Edits {
    let mut fix = Edits::default();
    let start = StartTag::read(doc.text(), node.range().start);
    if let Some(written) = start.as_ref().and_then(|start| start.attr(doc.text(), from)) {
        fix.push(written.name.clone(), to);
    }
    fix
}

/// The splices that call an element by another name.
pub(super) fn renamed(doc: &Doc<'_>, node: Node<'_, '_>, name: &str) -> Edits {
    let mut fix = Edits::default();
    let range = node.range();
    let Some(start) = StartTag::read(doc.text(), range.start) else { return fix };
    fix.push(start.name.clone(), name);
    if !start.is_empty
        && let Some(end) = doc.text()[range.clone()].rfind("</")
    {
        let end = range.start + end + 2;
        fix.push(end..end + start.name.len(), name);
    }
    fix
}
