//! Words that are one slip away from those that libvirt knows.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::xml::{Doc, Edits, StartTag};

/// Says of each attribute that isn't known whether it nearly is one that is.
pub(super) fn attributes(doc: &Doc<'_>, node: Node<'_, '_>, known: &[&str], report: &mut Report) {
    for attribute in node.attributes().filter(|a| a.namespace().is_none()) {
        let name = attribute.name();
        if known.contains(&name) {
            continue;
        }
        let Some(near) = known.iter().find(|known| is_near(name, known)) else { continue };
        let Some(start) = StartTag::read(doc.text(), node.range().start) else { continue };
        let Some(written) = start.attr(doc.text(), name) else { continue };
        let what = format!("libvirt drops '{name}' of <{}>, which it doesn't know", node.tag_name().name());
        let found = report.at(written.name.clone(), what).help(format!("did you mean {near}?"));
        if !node.has_attribute(*near) {
            let mut fix = Edits::default();
            fix.push(written.name.clone(), *near);
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
