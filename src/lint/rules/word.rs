//! Attributes that take one of a few words, or a number.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::view::{instead, value};
use crate::xml::Doc;

pub(super) const YES_NO: &[&str] = &["yes", "no"];
pub(super) const ON_OFF: &[&str] = &["on", "off"];

/// Is it one of the words?
pub(super) fn check(
    doc: &Doc<'_>,
    node: Node<'_, '_>,
    name: &str,
    known: &[&'static str],
    report: &mut Report,
) {
    let Some(written) = node.attribute(name).filter(|written| !known.contains(written)) else { return };
    let span = value(doc, node, name);
    let what = format!("'{name}' of <{}> can't be '{}'", node.tag_name().name(), written.escape_debug());
    let found = report.at(span.clone(), what).help(format!("one of: {}", known.join(", ")));
    if let Some(meant) = meant(written, known) {
        found.fix(instead(span, meant));
    }
}

/// The word that was surely meant: the same in another case, one slip away, or what others say for yes and no.
pub(super) fn meant(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let written = written.trim().to_lowercase();
    let is_yes = match written.as_str() {
        "true" | "yes" | "on" | "1" | "enabled" => Some(true),
        "false" | "no" | "off" | "0" | "disabled" => Some(false),
        _ => None,
    };
    if let Some(is_yes) = is_yes.filter(|_| known == YES_NO || known == ON_OFF) {
        return Some(known[usize::from(!is_yes)]);
    }
    let near = |word: &&&'static str| {
        **word == written || (word.len() > 4 && strsim::osa_distance(word, &written) == 1)
    };
    known.iter().find(near).copied()
}

/// Is it a number?
pub(super) fn number(doc: &Doc<'_>, node: Option<Node<'_, '_>>, name: &str, report: &mut Report) {
    let Some(node) = node else { return };
    if let Some(written) = node.attribute(name).filter(|written| super::number::is_none(written)) {
        no_number(doc, node, name, written, report);
    }
}

/// Is it a number of 0 or more, and not more than that?
pub(super) fn count(doc: &Doc<'_>, node: Option<Node<'_, '_>>, name: &str, most: u64, report: &mut Report) {
    let Some(node) = node else { return };
    let Some(written) = node.attribute(name) else { return };
    if super::number::is_none(written) {
        no_number(doc, node, name, written, report);
    } else if super::number::read(written).is_none_or(|number| number > most) {
        let what = format!("'{name}' of <{}> can't be {}", node.tag_name().name(), written.escape_debug());
        let is_negative = written.contains('-');
        report.at(value(doc, node, name), what).help(match is_negative {
            true => "it is a number of 0 or more".to_string(),
            false => format!("it is a number from 0 to {most}"),
        });
    }
}

fn no_number(doc: &Doc<'_>, node: Node<'_, '_>, name: &str, written: &str, report: &mut Report) {
    let what =
        format!("'{name}' of <{}> is a number, and not '{}'", node.tag_name().name(), written.escape_debug());
    report.at(value(doc, node, name), what).help("write it in digits, without a unit");
}
