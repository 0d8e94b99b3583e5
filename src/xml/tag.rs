//! Where the parts of a start tag stand.
//!
//! The parser gives the range of a whole element; its attribute ranges have limits on their length, and the blanks
//! around an attribute, the kind of quotes and the end of the start tag aren't given at all. All of them follow
//! from reading the start tag once more, which is simple in a text that is known to be well-formed.

use std::ops::Range;

/// One attribute as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attr {
    /// From the first blank before the name to behind the closing quote: what to remove with it.
    pub whole: Range<usize>,
    /// The name, prefix included.
    pub name: Range<usize>,
    /// The value between the quotes, references not resolved.
    pub value: Range<usize>,
    /// `'` or `"`.
    pub quote: char,
}

/// A start tag (or an empty-element tag) as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartTag {
    /// The element's name, prefix included.
    pub name: Range<usize>,
    /// The attributes in order, namespace declarations included.
    pub attrs: Vec<Attr>,
    /// Behind the `>`.
    pub end: usize,
    /// Is it `<name/>`?
    pub is_empty: bool,
}

impl StartTag {
    /// Reads the tag whose `<` stands at byte `start` of a well-formed `text`.
    ///
    /// Returns `None` where no tag stands there, which can't happen for an element's range out of the parser.
    pub fn read(text: &str, start: usize) -> Option<StartTag> {
        let bytes = text.as_bytes();
        let blank = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
        let skip_blanks = |mut at: usize| {
            while blank(at) {
                at += 1;
            }
            at
        };
        let skip_name = |mut at: usize| {
            while bytes.get(at).is_some_and(|&b| !b.is_ascii_whitespace() && !matches!(b, b'=' | b'/' | b'>'))
            {
                at += 1;
            }
            at
        };
        if bytes.get(start) != Some(&b'<') {
            return None;
        }
        let name = start + 1..skip_name(start + 1);
        let mut attrs = Vec::new();
        let mut at = name.end;
        loop {
            let lead = at;
            at = skip_blanks(at);
            match *bytes.get(at)? {
                b'>' => return Some(StartTag { name, attrs, end: at + 1, is_empty: false }),
                b'/' => return Some(StartTag { name, attrs, end: at + 2, is_empty: true }),
                _ => {}
            }
            let attr_name = at..skip_name(at);
            let equals = skip_blanks(attr_name.end);
            if attr_name.is_empty() || bytes.get(equals) != Some(&b'=') {
                return None;
            }
            let open = skip_blanks(equals + 1);
            let quote = *bytes.get(open)?;
            if !matches!(quote, b'\'' | b'"') {
                return None;
            }
            let value = open + 1..open + 1 + bytes[open + 1..].iter().position(|&b| b == quote)?;
            at = value.end + 1;
            attrs.push(Attr { whole: lead..at, name: attr_name, value, quote: char::from(quote) });
        }
    }

    /// The attribute written as `name` in `text`.
    pub fn attr(&self, text: &str, name: &str) -> Option<&Attr> {
        self.attrs.iter().find(|a| &text[a.name.clone()] == name)
    }
}

/// A value as it stands in an attribute between such quotes.
pub fn escaped(value: &str, quote: char) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '\'' if quote == '\'' => out.push_str("&apos;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_of_a_tag_with_odd_blanks() {
        let text = "x<source\n  network = 'a>b\"' \tdev=\"c'd\"\t/>y";
        let tag = StartTag::read(text, 1).unwrap();
        assert_eq!(&text[tag.name.clone()], "source");
        assert_eq!(&text[tag.attrs[0].value.clone()], "a>b\"");
        assert_eq!(&text[tag.attrs[1].whole.clone()], " \tdev=\"c'd\"");
        assert_eq!(tag.attrs[1].quote, '"');
        assert!(tag.is_empty);
        assert_eq!(&text[tag.end..], "y");
        assert!(tag.attr(text, "dev").is_some() && tag.attr(text, "mode").is_none());
    }

    #[test]
    fn nothing_but_a_tag_is_read() {
        for text in ["", "a", "<", "<a", "<a b", "<a b=", "<a b='", "<a b=c>", "<a =''>"] {
            assert_eq!(StartTag::read(text, 0), None, "{text}");
        }
    }
}
