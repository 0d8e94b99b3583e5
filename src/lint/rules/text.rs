//! A value that stands between the tags, where libvirt reads attributes.

use roxmltree::Node;

use crate::lint::report::{Found, Report};
use crate::lint::view::{inner, text};
use crate::xml::Doc;

/// Says so of an element without that attribute, and with text instead: what was found, and the text.
pub(super) fn check<'r>(
    doc: &Doc<'_>,
    node: Node<'_, '_>,
    attribute: &str,
    report: &'r mut Report,
) -> Option<(&'r mut Found, String)> {
    let written = text(node).filter(|_| !node.has_attribute(attribute))?;
    let name = node.tag_name().name();
    let found = report.at(inner(doc, node), format!("libvirt reads no text in <{name}>, and drops this"));
    found.help(format!("write <{name} {attribute}='…'/>"));
    Some((found, written))
}
