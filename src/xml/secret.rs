//! What is never shown: passwords and keys that libvirt gives only to those who ask with `SECURE`.

use std::ops::Range;

use roxmltree::Node;

use super::doc::Doc;
use super::edit::Edits;
use super::noted::{in_json, in_note, in_options};
use super::tag::StartTag;

/// What stands for a secret.
const MASK: &str = "***";

/// Attributes with secrets in them.
pub(super) const ATTRIBUTES: &[&str] = &["passwd", "password"];

/// Parts of these names: one slip leaves one of them as it is.
const OF_NAMES: &[&str] = &["pas", "Pas", "PAS", "wd", "WD", "word", "WORD"];

/// Elements whose text is a secret: keys of encrypted guests, cookies that a disk is fetched with, and whatever calls itself
/// one.
pub(super) const ELEMENTS: &[&str] =
    &["secret", "password", "passwd", "session", "dhCert", "authenticationKey", "cookie"];

/// What stands in a `<secret>` and isn't one.
const NAMES: &[&str] = &["uuid", "usage", "description", "name", "volume", "target"];

/// What secrets are called where nothing tells words from text, in lower case: parts of the words above, and what they are
/// called elsewhere.
const CALLED: &[&str] = &[
    "cookie",
    "passw",
    "pasw",
    "pssw",
    "pwd",
    "secret",
    "session",
    "dhcert",
    "authenticationkey",
    "token",
    "qemu:",
    "schemas/domain/qemu",
];

/// Where QEMU's own command line stands in a domain.
const QEMU: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

/// The splices that mask every secret in `doc`: in any namespace, in QEMU's own arguments, in what was commented out
/// or noted down in text.
pub fn masks(doc: &Doc<'_>) -> Edits {
    let text = doc.text();
    let mut edits = Edits::default();
    if !OF_NAMES.iter().chain(ELEMENTS).chain(&[QEMU]).any(|word| text.contains(word)) {
        return edits;
    }
    // One inside another, or half in it, is masked with it.
    let mut found = found(doc);
    found.sort_unstable_by_key(|range| range.start);
    let mut found = found.into_iter().peekable();
    while let Some(mut mask) = found.next() {
        while let Some(more) = found.next_if(|next| next.start <= mask.end) {
            mask.end = mask.end.max(more.end);
        }
        edits.push(mask, MASK);
    }
    edits
}

/// What the text of an element is.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// No secret.
    Open,
    /// A secret.
    Secret,
    /// The name of one.
    Name,
}

/// What holds no tag, whatever stands in it: how it begins, and how it ends.
const NO_TAGS: &[(&str, &str)] = &[("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!DOCTYPE", ">")];

/// Where secrets stand, in any order. Goes through the text itself, tag by tag: the tree doesn't say where the parts of
/// a text stand that CDATA sections and comments cut into pieces.
fn found(doc: &Doc<'_>) -> Vec<Range<usize>> {
    let text = doc.text();
    let mut found = Vec::new();
    let mut elements = doc.root().document().descendants().filter(Node::is_element);
    let mut inside: Vec<Inside> = Vec::new();
    // Where the last tag ended, and the last comment if one came behind it.
    let (mut tag_end, mut note) = (0, 0);
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        let here = inside.last().copied().unwrap_or(Inside::Open);
        let rest = &text[start..];
        if let Some((open, close)) = NO_TAGS.iter().find(|(open, _)| rest.starts_with(open)) {
            let len = rest[open.len()..].find(close).unwrap_or(rest.len() - open.len());
            at = (start + open.len() + len + close.len()).min(text.len());
            if here != Inside::Secret && *open != "<![CDATA[" {
                in_note(text, note..start, &mut found);
                in_note(text, start..start + open.len() + len, &mut found);
                note = at;
            }
            continue;
        }
        match here {
            Inside::Secret => found.extend(without_blanks(text, tag_end..start)),
            Inside::Open | Inside::Name => in_note(text, note..start, &mut found),
        }
        at = start + end_of_tag(rest);
        (tag_end, note) = (at, at);
        if rest.starts_with("</") {
            inside.pop();
            continue;
        }
        let node = elements.next();
        in_tag(text, start, node, &mut found);
        if !text[..at].ends_with("/>") {
            let name = local(rest[1..].split([' ', '\t', '\n', '\r', '/', '>']).next().unwrap_or_default());
            inside.push(match here {
                Inside::Open if !ELEMENTS.contains(&name) => Inside::Open,
                Inside::Secret | Inside::Name if NAMES.contains(&name) => Inside::Name,
                _ => Inside::Secret,
            });
        }
    }
    found
}

/// Secrets in the attributes of the element `node`, whose tag begins at byte `start`.
fn in_tag(text: &str, start: usize, node: Option<Node<'_, '_>>, found: &mut Vec<Range<usize>>) {
    let is_qemus = node.is_some_and(|n| n.tag_name().namespace() == Some(QEMU));
    if !is_qemus && node.is_some_and(|n| !n.attributes().any(|a| is_password(a.name()))) {
        return;
    }
    let Some(tag) = StartTag::read(text, start) else { return };
    for attr in &tag.attrs {
        if is_password(local(&text[attr.name.clone()])) {
            found.push(attr.value.clone());
        }
    }
    if let Some(value) = tag.attr(text, "value").filter(|_| is_qemus) {
        in_options(text, value.value.clone(), found);
        in_json(text, value.value.clone(), found);
    }
}

/// Is an attribute of that name a password's, or was it meant to be one? libvirt drops what was mistyped: the password is
/// one all the same.
fn is_password(name: &str) -> bool {
    if ATTRIBUTES.contains(&name) {
        return true;
    }
    if !OF_NAMES.iter().any(|part| name.contains(part)) || name == "passwdValidTo" {
        return false;
    }
    let name = name.to_ascii_lowercase();
    name == "pwd" || ATTRIBUTES.iter().any(|known| strsim::osa_distance(known, &name) <= 1)
}

/// How long the tag at the start of `text` is. A `>` in a value ends none.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'>') => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The range without the blanks around it; `None` if nothing else is in it.
fn without_blanks(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let start = range.end - text[range.clone()].trim_ascii_start().len();
    let end = range.start + text[range].trim_ascii_end().len();
    (start < end).then_some(start..end)
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// May there be a secret in a text that isn't XML, or in what comes behind it? Whatever is one stands behind a word that
/// says so: the name of its attribute, or of its element.
pub fn may_hold_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    CALLED.iter().any(|word| text.contains(word))
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let text = "<d><graphics type='vnc' passwd=\n'a&amp;b' passwdValidTo='x'/><secret usage='u'>k\u{e4}y</secret>\
                    <secret type='x'><uuid>1</uuid><value>v</value></secret><x:y xmlns:x='u' x:password=\"p\"/></d>";
        assert_eq!(
            masked(text),
            "<d><graphics type='vnc' passwd=\n'***' passwdValidTo='x'/><secret usage='u'>***</secret>\
             <secret type='x'><uuid>1</uuid><value>***</value></secret><x:y xmlns:x='u' x:password=\"***\"/></d>"
        );
        assert_eq!(
            masked("<!DOCTYPE d><d><secret>k</secret><e passwd='x'/></d>"),
            "<!DOCTYPE d><d><secret>***</secret><e passwd='***'/></d>"
        );
        assert_eq!(masked("<a passwd='x"), "(12 bytes that are no XML; they aren't shown)\n");
        assert_eq!(
            masked("<!-- passwd = \"a\" --><a><!-- <b passwd='x'/>passwd='cut --></a>"),
            "<!-- passwd = \"***\" --><a><!-- <b passwd='***'/>passwd='***--></a>"
        );
        for name in ["passwdd", "paswd", "psswd", "Passwd", "PASSWORD", "pasword", "psasword", "pwd"] {
            let text = |value: &str| format!("<graphics type='vnc' {name}='{value}' passwdValidTo='x'/>");
            assert_eq!(masked(&text("HUNTER2")), text("***"));
        }
        assert_eq!(
            masked("<source mode='passthrough' passt='a' past='b'/>"),
            "<source mode='passthrough' passt='a' past='b'/>"
        );
        let qemu = |value: &str| format!("<a xmlns:q='{QEMU}'><q:arg value='{value}'/></a>");
        assert_eq!(masked(&qemu("secret,id=s,data=x,y=z")), qemu("secret,id=s,data=***,y=z"));
        let json = |value: &str| qemu(&format!(r#"{{"qom-type":"secret", "data" : "{value}","id":"s"}}"#));
        assert_eq!(masked(&json(r#"a\"b\\"#)), json("***"));
        let named = |text: &str| text.replace('"', "&quot;");
        assert_eq!(masked(&named(&json("ab"))), named(&json("***")));
        assert_eq!(masked(&qemu("secret,data=a,,b,y=z")), qemu("secret,data=***,y=z"), "',,' is a comma");
    }

    #[test]
    fn words_of_secrets() {
        for text in ["<graphics PASSWD", "passw", "<secret", "<qemu:arg", "<authenticationKey>"] {
            assert!(may_hold_secret(text), "{text}");
        }
        for word in ATTRIBUTES.iter().chain(ELEMENTS).chain([&QEMU]) {
            assert!(may_hold_secret(word), "{word}");
        }
        assert!(!may_hold_secret("<input type='keyboard'/>"));
    }

    /// Whatever a secret's text is cut into.
    #[test]
    fn secrets_in_pieces() {
        for (inside, shown) in [
            ("abc<![CDATA[HUNTER2]]>", "***"),
            ("<![CDATA[a]]>HUNTER2", "***"),
            ("<![CDATA[a]]><![CDATA[HUNTER2]]>", "***"),
            ("\n <![CDATA[HUNTER2]]> ", "\n *** "),
            ("a<?HUNTER2 b?>c<!--HUNTER2-->\n", "***\n"),
            ("<!--HUNTER2--><uuid a='>'>1</uuid>HUNTER2", "***<uuid a='>'>1</uuid>***"),
            (
                "<usage><name>n<!-- passwd=HUNTER2 --></name></usage>",
                "<usage><name>n<!-- passwd=*** --></name></usage>",
            ),
            ("<secret>HUNTER2</secret>HUNTER2<value/> ", "<secret>***</secret>***<value/> "),
            ("<x:uuid xmlns:x='u'><b>HUNTER2</b>1</x:uuid>", "<x:uuid xmlns:x='u'><b>***</b>1</x:uuid>"),
        ] {
            let whole =
                |inside: &str| format!("<d><secret\n a='/>'>{inside}</secret><name>HUNTER2</name></d>");
            assert_eq!(masked(&whole(inside)), whole(shown), "{inside}");
        }
    }

    #[test]
    fn secrets_noted_down() {
        for (note, shown) in [
            ("was: passwd=\"a passwd='HUNTER2\" and HUNTER3'", "was: passwd=\"***'"),
            ("passwd=HUNTER2, user=x", "passwd=*** user=x"),
            ("passwd = HUNTER2", "passwd = ***"),
            ("passwd=&apos;HUNTER 2&apos; x", "passwd=&apos;***&apos; x"),
            ("password=''", "password=''"),
            (
                "<secret>HUNTER2</secret> <x:password\na='/>'>HUNTER2</x:password >",
                "<secret>***</secret> <x:password\na='/>'>***</x:password >",
            ),
            ("<secret uuid='1'/> and <session>HUNTER2", "<secret uuid='1'/> and <session>***"),
            ("<secret uuid=1>HUNTER2</a></secret>x", "<secret***</secret>x"),
            ("<secrets>a</secrets> secret>a", "<secrets>a</secrets> secret>a"),
        ] {
            for (open, close) in [("<!--", "-->"), ("<?p ", "?>"), ("<![CDATA[", " ]]>")] {
                let whole = |note: &str| format!("<d>a{open}{note}{close}<name>HUNTER2</name></d>");
                assert!(
                    masked(&whole(note)) == whole(shown) || note.ends_with("HUNTER2"),
                    "{}",
                    masked(&whole(note))
                );
                assert_eq!(masked(&whole(note)).matches("HUNTER").count(), 1, "{note}");
            }
            if !note.contains('<') {
                let whole = |note: &str| format!("<d><b>{note}</b><name>HUNTER2</name></d>");
                assert_eq!(masked(&whole(note)), whole(shown));
            }
        }
    }

    /// However deep elements nest, and however many secrets there are, the work grows with the text only.
    #[test]
    fn many_deep_secrets() {
        let n = 100_000;
        let text = format!(
            "<d>{}{}<!--{}--><!--{}--></d>",
            "<a><secret/>".repeat(n),
            "</a>".repeat(n),
            "passwd=".repeat(n),
            "<secret a='' =".repeat(n)
        );
        assert_eq!(masks(&Doc::parse(&text).unwrap()).iter().count(), 2);
    }

    proptest! {
        /// Masks lie apart, whatever was written into a note, and what they leave says nothing of a secret.
        #[test]
        fn notes(parts in prop::collection::vec(prop::sample::select(&[
            "passwd=", "password = ", "'", "\"", "&apos;", " ", "\n", "é", "x", ",", "<secret>", "</secret>", "<x:password a='/>'",
            "<session/>", ">", "<secret",
        ][..]), 0..30)) {
            let note = parts.concat();
            for text in [
                format!("<a><!--{note}--></a>"),
                format!("<a><?p {note}?></a>"),
                format!("<a>x<![CDATA[{note}]]>y<b/></a>"),
                format!("<a>{}</a>", note.replace('<', "&lt;").replace('>', "&gt;")),
            ] {
                let doc = Doc::parse(&text).unwrap();
                let masks = masks(&doc);
                let apart = |e: &[super::super::Edit]| e[0].range.end < e[1].range.start;
                prop_assert!(masks.iter().cloned().collect::<Vec<_>>().windows(2).all(apart));
                prop_assert!(masks.iter().all(|mask| !mask.range.is_empty()));
                let shown = masks.apply(&text);
                prop_assert!(shown.starts_with("<a>") && shown.ends_with("</a>"), "{shown}");
            }
        }

        /// The text of a secret is masked to the last byte, with all that stands in it.
        #[test]
        fn pieces(parts in prop::collection::vec(prop::sample::select(&[
            "S", " ", "\n", "<![CDATA[S]]>", "<![CDATA[]]>", "<!-- S -->", "<?p S?>", "&lt;S", "<v>S</v>", "<v a='>'/>", "<usage>u</usage>",
        ][..]), 0..12)) {
            let text = format!("<d><secret>{}</secret></d>", parts.concat());
            let shown = masked(&text);
            prop_assert!(!shown.contains('S'), "{shown}");
            prop_assert_eq!(shown.matches("<usage>u</usage>").count(), text.matches("<usage>").count());
        }
    }
}
