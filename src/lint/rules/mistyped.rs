//! Words that are one slip away from those that libvirt knows.

use std::collections::{HashMap, HashSet};

use roxmltree::{Attribute, Node};

use super::words::{self, Place};
use crate::lint::report::Report;
use crate::lint::view::tag;
use crate::xml::{Doc, Edits, StartTag, elements};

/// Says of each attribute that isn't known whether it nearly is one that is.
pub(super) fn attributes(doc: &Doc<'_>, node: Node<'_, '_>, known: &[&'static str], report: &mut Report) {
    say(doc, node, known, is_meant, report);
}

/// The same where short words are other rules', or where newer libvirts may well know another one.
pub(super) fn long_attributes(
    doc: &Doc<'_>,
    node: Node<'_, '_>,
    known: &[&'static str],
    report: &mut Report,
) {
    say(doc, node, known, |_, written, known| is_near(written, known), report);
}

fn say(
    doc: &Doc<'_>,
    node: Node<'_, '_>,
    known: &[&'static str],
    is_meant: fn(Node<'_, '_>, &str, &str) -> bool,
    report: &mut Report,
) {
    let wrong = node.attributes().filter(|a| a.namespace().is_none() && !known.contains(&a.name()));
    let near = |a: Attribute<'_, '_>| known.iter().copied().find(|known| is_meant(node, a.name(), known));
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
        || (known.len() >= 5 && written.len() >= 5 && is_one_slip(written, known))
}

/// Is the distance of the two 1 (optimal string alignment)? Every element's name is asked for, and hardly any is near: what
/// both begin and end with tells it without a table.
fn is_one_slip(written: &str, known: &str) -> bool {
    if !written.is_ascii() || !known.is_ascii() {
        return strsim::osa_distance(written, known) == 1;
    }
    let (a, b) = (written.as_bytes(), known.as_bytes());
    let begin = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// Is it [`is_near`] an attribute; or, where that is missing, a short word's slip, or its beginning?
fn is_meant(node: Node<'_, '_>, written: &str, known: &str) -> bool {
    let begins = || written.len() >= 4 && known.starts_with(written);
    is_near(written, known) || (!node.has_attribute(known) && (is_short_slip(written, known) || begins()))
}

/// Is it one slip away from a word that may be short? That is enough only where nothing else can be meant.
pub(super) fn is_short_slip(written: &str, known: &str) -> bool {
    let begins_so = written.as_bytes().first() == known.as_bytes().first();
    begins_so && written.len() >= 3 && known.len() >= 3 && is_one_slip(written, known)
}

/// Says of each element that libvirt doesn't look for in this one whether it nearly is one that it looks for.
pub(super) fn elements_in(doc: &Doc<'_>, node: Node<'_, '_>, place: &Place, report: &mut Report) {
    let mut names: HashSet<&str> = elements(node).map(|node| node.tag_name().name()).collect();
    for wrong in elements(node) {
        let name = wrong.tag_name().name();
        if place.knows(name) || words::FREE.contains(&name) {
            continue;
        }
        let near = place.children().find(|known| is_near(name, known));
        let Some(near) = near.or_else(|| place.children().find(|known| is_short(place, wrong, known))) else {
            continue;
        };
        let what = format!("libvirt drops <{name}>, which it doesn't know");
        let found = report.at(tag(doc, wrong), what).help(format!("did you mean <{near}>?"));
        // Of two, libvirt would read the first.
        if !place.once.contains(&near) || names.insert(near) {
            found.fix(renamed(doc, wrong, near));
        }
    }
}

/// Is an element a slip of one with a short name, and looks like it inside?
fn is_short(place: &Place, wrong: Node<'_, '_>, known: &str) -> bool {
    let name = wrong.tag_name().name();
    let looks_so = |inside: &Place| {
        let (mut given, mut parts) = (wrong.attributes(), elements(wrong));
        let is_empty = given.len() == 0 && elements(wrong).next().is_none();
        let attributes = given.all(|a| a.namespace().is_none() && inside.attributes.contains(&a.name()));
        !is_empty && attributes && parts.all(|part| inside.knows(part.tag_name().name()))
    };
    is_short_slip(name, known) && words::homes(name).is_empty() && place.below(known).is_some_and(looks_so)
}

/// Has it an attribute that [`attributes`] calls a slip of this one? Then that is mended first.
pub(super) fn has_near(node: Node<'_, '_>, name: &str) -> bool {
    let mut others = node.attributes().filter(|a| a.namespace().is_none() && a.name() != name);
    others.any(|a| is_meant(node, a.name(), name))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_slip_is_a_distance_of_one(a in "[abc\u{e4}]{0,6}", b in "[abc\u{e4}]{0,6}") {
            prop_assert_eq!(is_one_slip(&a, &b), strsim::osa_distance(&a, &b) == 1);
        }
    }
}
