//! The `<source>` of a NIC.

use roxmltree::Node;

use super::rewrite::Editor;
use crate::model::{Code, Source, Warning};
use crate::xml::{StartTag, child, escaped, namespace};

/// Attributes that `<source>` has for the types of NIC there are (reference §1.1); others aren't ours to remove.
const SOURCE_ATTRIBUTES: &[&str] = &[
    "network",
    "portgroup",
    "portid",
    "bridge",
    "macTableManager",
    "dev",
    "mode",
    "type",
    "path",
    "name",
    "address",
    "port",
    "switchid",
    "portgroupid",
    "connectionid",
    "missing",
    "startupPolicy",
    "guestReset",
];

/// Children that `<source>` has for some types.
const SOURCE_CHILDREN: &[&str] = &["ip", "route", "address", "reconnect", "local", "vendor", "product"];

/// What names the place in the `<source>` of one type or another: it is renamed rather than replaced.
const NAMES: &[&str] = &["network", "bridge", "dev", "path", "name", "address"];

/// Rewrites `<source>` in place, or adds one, and adds what the NIC inherited behind it.
pub(super) fn source(editor: &mut Editor<'_, '_>, tag: &StartTag, to: &Source, added: Vec<String>) {
    let (name, detail) = match to.kind.as_str() {
        "bridge" => ("bridge", None),
        "network" => ("network", to.detail.as_deref().map(|group| ("portgroup", group))),
        _ => ("dev", to.detail.as_deref().map(|mode| ("mode", mode))),
    };
    match child(editor.interface, "source") {
        Some(node) => {
            rewrite(editor, node, (name, &to.name), detail);
            editor.insert_lines(editor.interface, tag, Some(node), &added);
        }
        None => {
            let detail = detail.map(|(name, value)| editor.style.attribute(name, value)).unwrap_or_default();
            let line = format!("<source{}{detail}/>", editor.style.attribute(name, &to.name));
            let lines: Vec<_> = std::iter::once(line).chain(added).collect();
            editor.insert_lines(editor.interface, tag, child(editor.interface, "mac"), &lines);
        }
    }
}

/// The attributes that shall stand in `node`, and no children of another type's.
fn rewrite(
    editor: &mut Editor<'_, '_>,
    node: Node<'_, '_>,
    (main, place): (&str, &str),
    detail: Option<(&str, &str)>,
) {
    let text = editor.doc.text();
    let Some(source) = StartTag::read(text, node.range().start) else { return };
    let reused = source.attr(text, main).or_else(|| NAMES.iter().find_map(|name| source.attr(text, name)));
    let mut missing = String::new();
    match reused {
        Some(attr) => {
            if text[attr.name.clone()] != *main {
                editor.replace(attr.name.clone(), main);
            }
            if text[attr.value.clone()] != *place {
                editor.replace(attr.value.clone(), &escaped(place, attr.quote));
            }
        }
        None => missing.push_str(&editor.style.attribute(main, place)),
    }
    for attr in &source.attrs {
        let name = &text[attr.name.clone()];
        if reused.is_some_and(|r| r == attr) || !SOURCE_ATTRIBUTES.contains(&name) {
            continue;
        }
        match detail {
            Some((wanted, value)) if wanted == name => {
                if text[attr.value.clone()] != *value {
                    editor.replace(attr.value.clone(), &escaped(value, attr.quote));
                }
            }
            _ => editor.replace(attr.whole.clone(), ""),
        }
    }
    if let Some((name, value)) = detail.filter(|(name, _)| source.attr(text, name).is_none()) {
        missing.push_str(&editor.style.attribute(name, value));
    }
    if !missing.is_empty() {
        let at = reused.map_or(source.name.end, |attr| attr.whole.end);
        editor.insert(at, missing);
    }
    let goes = |n: &Node<'_, '_>| SOURCE_CHILDREN.contains(&n.tag_name().name()) && namespace(*n).is_none();
    let lost: Vec<_> = node.children().filter(|n| n.is_element() && goes(n)).collect();
    if lost.is_empty() {
        return;
    }
    let stays = |n: &Node<'_, '_>| !n.text().is_some_and(|t| n.is_text() && t.trim().is_empty());
    if node.children().filter(stays).count() == lost.len() {
        // Nothing of it is left inside.
        let head = text[..source.end - 1].trim_end().len();
        editor.replace(head..node.range().end, "/>");
    } else {
        lost.iter().for_each(|n| editor.remove(*n));
    }
    // How a host device or a socket is found says nothing about the guest.
    let mut said: Vec<&str> = lost.iter().map(|n| n.tag_name().name()).collect();
    said.retain(|name| matches!(*name, "ip" | "route"));
    said.dedup();
    if !said.is_empty() {
        let what = format!("its source's <{}> goes: the new type has no place for it", said.join(">, <"));
        editor.warn(Warning::note(Code::SourceLost, what));
    }
}
