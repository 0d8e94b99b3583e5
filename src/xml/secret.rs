//! What is never shown: passwords and keys that libvirt gives only to those who ask with `SECURE`.

use super::doc::{Doc, elements};
use super::edit::Edits;
use super::tag::StartTag;

/// What stands for a secret.
const MASK: &str = "***";

/// Attributes with secrets in them.
const ATTRIBUTES: &[&str] = &["passwd", "password"];

/// Elements whose text is a secret: keys of encrypted guests, and whatever calls itself one.
const ELEMENTS: &[&str] = &["secret", "password", "passwd", "session", "dhCert", "authenticationKey"];

/// The splices that mask every secret in `doc`, in any namespace.
pub fn masks(doc: &Doc<'_>) -> Edits {
    let mut edits = Edits::default();
    let text = doc.text();
    if !ATTRIBUTES.iter().chain(ELEMENTS).any(|word| text.contains(word)) {
        return edits;
    }
    for node in doc.root().descendants().filter(roxmltree::Node::is_element) {
        if ATTRIBUTES.iter().any(|name| node.has_attribute(*name))
            && let Some(tag) = StartTag::read(text, node.range().start)
        {
            for attr in ATTRIBUTES.iter().filter_map(|name| tag.attr(text, name)) {
                edits.push(attr.value.clone(), MASK);
            }
        }
        if ELEMENTS.contains(&node.tag_name().name()) && elements(node).next().is_none() {
            for inside in
                node.children().filter(|n| n.is_text() && n.text().is_some_and(|t| !t.trim().is_empty()))
            {
                edits.push(inside.range(), MASK);
            }
        }
    }
    edits
}

/// The text with its secrets masked; nothing of one that isn't XML.
pub fn masked(text: &str) -> String {
    Doc::parse(text).map_or_else(|_| String::new(), |doc| masks(&doc).apply(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let text = "<d><graphics type='vnc' passwd=\n'a&amp;b' passwdValidTo='x'/><secret usage='u'>k\u{e4}y</secret>\
                    <secret type='x'><uuid>1</uuid></secret><x:y xmlns:x='u' password=\"p\"/></d>";
        assert_eq!(
            masked(text),
            "<d><graphics type='vnc' passwd=\n'***' passwdValidTo='x'/><secret usage='u'>***</secret>\
             <secret type='x'><uuid>1</uuid></secret><x:y xmlns:x='u' password=\"***\"/></d>"
        );
        assert_eq!(masked("<a passwd='x"), "");
    }
}
