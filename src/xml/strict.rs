//! What the parser lets pass, or would take too long over.
//!
//! It resolves a reference to a character that XML forbids without a word. And it compares every attribute of a tag
//! with all before it, and copies every namespace in scope to each element that declares one: both grow with the
//! square of what a hostile text holds, so that such a text is refused before.

use std::collections::HashSet;

use roxmltree::{Document, Node};

use super::doc::{ReadError, text_position};
use super::tag::StartTag;

/// Texts up to this size can't hold enough to matter.
const SMALL: usize = 64 * 1024;

/// No element of libvirt's has more than a few dozen attributes.
const MOST_ATTRIBUTES: usize = 1000;

/// No domain declares more than a handful of prefixes.
const MOST_PREFIXES: usize = 64;

/// Refuses what would take the parser too long.
pub(super) fn before_parsing(text: &str) -> Result<(), ReadError> {
    if text.len() <= SMALL {
        return Ok(());
    }
    let mut at = 0;
    // A start tag holds no '<' of its own.
    for piece in text.split('<') {
        let may_hold_many = piece.len() > MOST_ATTRIBUTES * "a=''".len();
        if may_hold_many && !piece.starts_with(['!', '?']) && attributes(piece) > MOST_ATTRIBUTES {
            let reason = format!("an element with more than {MOST_ATTRIBUTES} attributes");
            return Err(ReadError { is_ours: true, ..error(text, at - 1, reason) });
        }
        at += piece.len() + 1;
    }
    let mut prefixes = HashSet::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), "xmlns:") {
        let name = &text[at + "xmlns:".len()..];
        prefixes.insert(name.split(|c: char| c == '=' || c.is_whitespace()).next().unwrap_or_default());
        if prefixes.len() > MOST_PREFIXES {
            let reason = format!("more than {MOST_PREFIXES} namespace prefixes");
            return Err(ReadError { is_ours: true, ..error(text, at, reason) });
        }
    }
    Ok(())
}

/// Is there a document type declaration that says no more than the root element's name (`<!DOCTYPE domain>`)? It declares
/// nothing, and libvirt reads over it.
pub(super) fn has_bare_doctype(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_ascii_start();
    // What may stand before it.
    let before = [("<!--", "-->"), ("<?", "?>")];
    while let Some((open, close)) = before.iter().find(|(open, _)| rest.starts_with(open)) {
        let Some((_, after)) = rest[open.len()..].split_once(close) else { return false };
        rest = after.trim_ascii_start();
    }
    let Some(after) = rest.strip_prefix("<!DOCTYPE") else { return false };
    let Some((name, _)) = after.split_once('>') else { return false };
    let is_apart = name.starts_with(|c: char| c.is_ascii_whitespace());
    let name = name.trim_ascii();
    is_apart && !name.is_empty() && !name.contains(|c: char| c.is_ascii_whitespace() || "<[\"'".contains(c))
}

/// How many attributes a start tag has, at most.
fn attributes(tag: &str) -> usize {
    let quoted = |(at, _): &(usize, &str)| tag[at + 1..].trim_start().starts_with(['\'', '"']);
    tag.match_indices('=').filter(quoted).count()
}

/// Refuses references to what is no character of XML, in a text that is well-formed otherwise.
pub(super) fn after_parsing(text: &str) -> Result<(), ReadError> {
    if !memchr::memchr_iter(b'&', text.as_bytes()).any(|at| is_forbidden(&text[at..])) {
        return Ok(());
    }
    // Now it pays to look which of them stand in comments and the like, where they are no references.
    let mut at = 0;
    while let Some(found) = text[at..].find(['&', '<']) {
        at += found;
        let rest = &text[at..];
        let closing = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        match closing.iter().find(|(open, _)| rest.starts_with(open)) {
            Some((open, close)) => {
                at += rest[open.len()..].find(close).map_or(rest.len(), |end| open.len() + end);
            }
            None if is_forbidden(rest) => {
                return Err(error(text, at, "a reference to a character that XML forbids".into()));
            }
            None => at += 1,
        }
    }
    Ok(())
}

/// Refuses names that begin with a colon, which the parser takes for names without one: `:type` isn't `type`.
pub(super) fn names(text: &str, tree: &Document<'_>) -> Result<(), ReadError> {
    let begins =
        |at: usize| text[..at].ends_with(|c: char| c.is_ascii_whitespace() || matches!(c, '<' | '/'));
    if !memchr::memchr_iter(b':', text.as_bytes()).any(begins) {
        return Ok(());
    }
    for node in tree.descendants().filter(Node::is_element) {
        let Some(tag) = StartTag::read(text, node.range().start) else { continue };
        let names = std::iter::once(&tag.name).chain(tag.attrs.iter().map(|a| &a.name));
        if let Some(name) = names.into_iter().find(|name| text[(*name).clone()].starts_with(':')) {
            return Err(error(text, name.start, "a name that begins with ':'".into()));
        }
    }
    Ok(())
}

/// Does a reference to no character of XML stand at the start of `text`?
fn is_forbidden(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("&#") else { return false };
    // No further than digits go: a comment may hold any number of these, and no semicolon.
    let len = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (digits, rest) = rest.split_at(len);
    if !rest.starts_with(';') {
        return false;
    }
    let number = match digits.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    !number.ok().and_then(char::from_u32).is_some_and(|c| match c {
        '\t' | '\n' | '\r' => true,
        _ => c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}',
    })
}

fn error(text: &str, byte: usize, reason: String) -> ReadError {
    let (line, column) = text_position(text, byte);
    ReadError { line, column, reason, is_ours: false }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Doc;
    use super::*;

    #[test]
    fn references() {
        for good in ["&#65;", "&#x41;", "<!-- &#0; -->&#9;", "<![CDATA[&#xD800;]]>", "<?p &#0;?>", "&amp;#0;"]
        {
            assert_eq!(after_parsing(good), Ok(()), "{good}");
        }
        for bad in ["&#xD800;", "&#x110000;", "<!-- --><a b='&#0;'/>", "&#99999999999;", "&#xFFFF;"] {
            after_parsing(bad).unwrap_err();
        }
    }

    #[test]
    fn names_with_a_colon_in_front() {
        let check = |text: &str| Doc::parse(text).map(drop);
        assert_eq!(check("<a b=' :c'>: <!-- <:d> -->/:e</a>"), Ok(()));
        for bad in ["<a :type='x'/>", "<a>\n<:b/></a>", "<a\t:b='' c=''/>"] {
            check(bad).unwrap_err();
        }
    }

    #[test]
    fn document_types() {
        let root = "<domain><name>a</name></domain>";
        for good in
            ["<!DOCTYPE domain>", "<?xml version='1.0'?>\n<!-- a --> <?p b?><!DOCTYPE\n\tx >\n<!-- c -->"]
        {
            assert!(Doc::parse(&format!("{good}{root}")).is_ok(), "{good}");
        }
        for bad in [
            "<!DOCTYPE domain []>",
            "<!DOCTYPE domain[<!ENTITY a 'b'>]>",
            "<!DOCTYPE domain SYSTEM 'a'>",
            "<!DOCTYPE domain PUBLIC 'a' 'b'>",
            "<!DOCTYPE>",
            "<!DOCTYPE >",
            "<!DOCTYPEdomain>",
            "<!DOCTYPE domain><!DOCTYPE domain>",
            "<!DOCTYPE domain><!DOCTYPE domain [<!ENTITY a 'b'>]>",
            "<!-- <!DOCTYPE domain> --><!DOCTYPE domain [<!ENTITY a 'b'>]>",
            "<!DOCTYPE 'domain'>",
            "<!DOCTYPE domain",
        ] {
            Doc::parse(&format!("{bad}{root}")).unwrap_err();
        }
        Doc::parse(&format!("{root}<!DOCTYPE domain>")).unwrap_err();
        Doc::parse("<domain><!DOCTYPE domain></domain>").unwrap_err();
        Doc::parse("<!DOCTYPE domain><domain>&a;</domain>").unwrap_err();
    }

    #[test]
    fn what_would_take_too_long() {
        let tag =
            |n: usize| format!("\n<a {}/>", (0..n).map(|n| format!("long-name-{n}='' ")).collect::<String>());
        let big = |text: String| format!("{text}{}", " ".repeat(SMALL));
        assert_eq!(before_parsing(&big(tag(1000))), Ok(()));
        let refused = before_parsing(&big(tag(1001))).unwrap_err();
        assert_eq!((refused.line, refused.column), (2, 1));
        let nested = |n: usize| (0..n).map(|n| format!("<a xmlns:p{n}='u'>")).collect::<String>();
        assert_eq!(before_parsing(&big(nested(64))), Ok(()));
        before_parsing(&big(nested(65))).unwrap_err();
        assert_eq!(after_parsing(&format!("<!--{}-->", "&#".repeat(2_000_000))), Ok(()));
    }
}
