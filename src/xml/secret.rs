//! What is never shown: passwords and keys that libvirt gives only to those who ask with `SECURE`.

use std::ops::Range;

use roxmltree::Node;

use super::doc::Doc;
use super::edit::Edits;
use super::tag::StartTag;

/// What stands for a secret.
const MASK: &str = "***";

/// Attributes with secrets in them.
const ATTRIBUTES: &[&str] = &["passwd", "password"];

/// Elements whose text is a secret: keys of encrypted guests, and whatever calls itself one.
const ELEMENTS: &[&str] = &["secret", "password", "passwd", "session", "dhCert", "authenticationKey"];

/// What stands in a `<secret>` and isn't one.
const NAMES: &[&str] = &["uuid", "usage", "description", "name", "volume", "target"];

/// Where QEMU's own command line stands in a domain.
const QEMU: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

/// Options of QEMU with secrets in them.
const OPTIONS: &[&str] = &["password=", "passwd=", "data=", "secret=", "key="];

/// The splices that mask every secret in `doc`, in any namespace, in QEMU's own arguments, and in what was commented
/// out.
pub fn masks(doc: &Doc<'_>) -> Edits {
    let mut edits = Edits::default();
    let text = doc.text();
    if !ATTRIBUTES.iter().chain(ELEMENTS).chain(&[QEMU]).any(|word| text.contains(word)) {
        return edits;
    }
    for node in doc.root().document().descendants() {
        if node.is_comment() || node.is_pi() {
            let end = node.range().end - if node.is_comment() { 3 } else { 2 };
            in_comment(text, node.range().start..end, &mut edits);
        }
        if !node.is_element() {
            continue;
        }
        let is_qemus = node.tag_name().namespace() == Some(QEMU);
        if (is_qemus || node.attributes().any(|a| ATTRIBUTES.contains(&a.name())))
            && let Some(tag) = StartTag::read(text, node.range().start)
        {
            for attr in tag.attrs.iter().filter(|a| ATTRIBUTES.contains(&local(&text[a.name.clone()]))) {
                edits.push(attr.value.clone(), MASK);
            }
            if let Some(value) = tag.attr(text, "value").filter(|_| is_qemus) {
                in_options(text, value.value.clone(), &mut edits);
            }
        }
        if is_secret(node) && !node.ancestors().skip(1).any(is_secret) {
            let is_name = |n: Node<'_, '_>| NAMES.contains(&n.tag_name().name());
            let texts =
                node.descendants().filter(|n| n.is_text() && n.text().is_some_and(|t| !t.trim().is_empty()));
            for inside in texts.filter(|n| !n.parent().is_some_and(is_name)) {
                edits.push(inside.range(), MASK);
            }
        }
    }
    edits
}

fn is_secret(node: Node<'_, '_>) -> bool {
    ELEMENTS.contains(&node.tag_name().name())
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// `passwd='…'` in a comment, which needn't be well-formed.
fn in_comment(text: &str, range: Range<usize>, edits: &mut Edits) {
    for name in ATTRIBUTES {
        for (at, _) in text[range.clone()].match_indices(name) {
            let rest = &text[range.start + at + name.len()..range.end];
            let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else { continue };
            let Some(quote) = value.chars().next().filter(|q| matches!(q, '\'' | '"')) else { continue };
            let start = range.end - value.len() + 1;
            let end = text[start..range.end].find(quote).map_or(range.end, |len| start + len);
            if start < end {
                edits.push(start..end, MASK);
            }
        }
    }
}

/// `password=…` up to the next comma, in an argument of QEMU's.
fn in_options(text: &str, range: Range<usize>, edits: &mut Edits) {
    for option in OPTIONS {
        for (at, _) in text[range.clone()].match_indices(option) {
            let start = range.start + at + option.len();
            let end = text[start..range.end].find(',').map_or(range.end, |len| start + len);
            if start < end {
                edits.push(start..end, MASK);
            }
        }
    }
}

/// The text with its secrets masked. Where they stand in one that isn't XML nobody knows: nothing of it is shown.
pub fn masked(text: &str) -> String {
    match Doc::parse(text) {
        Ok(doc) => masks(&doc).apply(text),
        Err(_) if text.is_empty() => String::new(),
        Err(_) => format!("({} bytes that are no XML; they aren't shown)\n", text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let text = "<d><graphics type='vnc' passwd=\n'a&amp;b' passwdValidTo='x'/><secret usage='u'>k\u{e4}y</secret>\
                    <secret type='x'><uuid>1</uuid><value>v</value></secret><x:y xmlns:x='u' x:password=\"p\"/></d>";
        assert_eq!(
            masked(text),
            "<d><graphics type='vnc' passwd=\n'***' passwdValidTo='x'/><secret usage='u'>***</secret>\
             <secret type='x'><uuid>1</uuid><value>***</value></secret><x:y xmlns:x='u' x:password=\"***\"/></d>"
        );
        assert_eq!(masked("<a passwd='x"), "(12 bytes that are no XML; they aren't shown)\n");
        assert_eq!(
            masked("<!-- passwd = \"a\" --><a><!-- <b passwd='x'/>passwd='cut --></a>"),
            "<!-- passwd = \"***\" --><a><!-- <b passwd='***'/>passwd='***--></a>"
        );
        let qemu = |value: &str| format!("<a xmlns:q='{QEMU}'><q:arg value='{value}'/></a>");
        assert_eq!(masked(&qemu("secret,id=s,data=x,y=z")), qemu("secret,id=s,data=***,y=z"));
    }
}
