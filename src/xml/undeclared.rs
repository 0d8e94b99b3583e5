//! Names with a prefix that nobody declares, as libvirt's parser reads them: as names that hold a colon.

use std::collections::HashSet;
use std::ops::Range;

use super::StartTag;

/// What holds no tags.
const CLOSED: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// The text with `_` for the colon of such names: as many bytes, so that what is found in it stands there in the text, too.
pub(super) fn plain(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let declared = declared(text);
    let mut rename = |name: Range<usize>| {
        let prefix = text.get(name.clone()).and_then(|name| name.split_once(':')).map(|(prefix, _)| prefix);
        if let Some(prefix) = prefix.filter(|prefix| !declared.contains(prefix)) {
            bytes[name.start + prefix.len()] = b'_';
        }
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'<', rest.as_bytes())) {
        at += found;
        let rest = &text[at..];
        if let Some((_, close)) = CLOSED.iter().find(|(open, _)| rest.starts_with(open)) {
            at += rest.find(close).map_or(rest.len(), |end| end + close.len());
        } else if let Some(name) = rest.strip_prefix("</") {
            let length = name.find(|c: char| c == '>' || c.is_ascii_whitespace()).unwrap_or_default();
            rename(at + 2..at + 2 + length);
            at += 2;
        } else if let Some(tag) = StartTag::read(text, at) {
            at = tag.end;
            rename(tag.name);
            tag.attrs.into_iter().for_each(|attr| rename(attr.name));
        } else {
            at += 1;
        }
    }
    // One letter of ASCII for another.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The prefixes that are declared anywhere, and those that needn't be.
fn declared(text: &str) -> HashSet<&str> {
    const WORD: &str = "xmlns:";
    let ends = |c: char| c == '=' || c.is_ascii_whitespace();
    let found = memchr::memmem::find_iter(text.as_bytes(), WORD).map(|at| &text[at + WORD.len()..]);
    let mut all: HashSet<&str> = found.filter_map(|rest| rest.split(ends).next()).collect();
    all.extend(["xml", "xmlns"]);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_without_a_declaration() {
        let text = "<?a b:c?><d xmlns:q='u' q:a='x:y' n:b=\"n:c\"><!-- <n:e/> --><n:e\n/><q:f>a:b</q:f><![CDATA[<n:g>]]></d\n>\
                    <n:h></n:h >";
        let expected = text.replace("n:b", "n_b").replace("<n:e\n", "<n_e\n").replace("n:h", "n_h");
        assert_eq!(plain(text), expected);
    }

    proptest! {
        #[test]
        fn any_text(text in "(</?[a:\\u{e4}]{0,3}( [a:]{1,2}='[a:<>]{0,2}')?/?>|<!--|-->|xmlns:a|\\PC){0,12}") {
            let plain = plain(&text);
            prop_assert_eq!(plain.len(), text.len());
            prop_assert!(plain.chars().zip(text.chars()).all(|(new, old)| new == old || (new, old) == ('_', ':')));
        }
    }
}
