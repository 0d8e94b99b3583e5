//! UUIDs as libvirt reads them.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::view::inner;
use crate::xml::{Doc, child};

/// Says so where the `<uuid>` of a guest or network is none.
pub(super) fn check(doc: &Doc<'_>, root: Node<'_, '_>, report: &mut Report) {
    let Some(node) = child(root, "uuid") else { return };
    let written: String = node.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect();
    if !written.is_empty() && read(&written).is_none() {
        report
            .at(inner(doc, node), "this is no UUID")
            .help("it has 32 hexadecimal digits; leave it out, and libvirt makes one");
    }
}

/// The UUID, if libvirt takes it (`virUUIDParse`): 32 hexadecimal digits, with hyphens and blanks wherever they come
/// between two pairs of them.
pub(super) fn read(written: &str) -> Option<[u8; 16]> {
    let mut rest = written.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}').bytes();
    let mut out = [0; 16];
    let digit = |b: u8| char::from(b).to_digit(16);
    for byte in &mut out {
        let first = rest.by_ref().find(|b| !matches!(b, b'-' | b' '))?;
        let pair = digit(first)? << 4 | digit(rest.next()?)?;
        *byte = u8::try_from(pair).ok()?;
    }
    rest.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_libvirt_takes() {
        for good in [
            "c7a5fdbd-cdaf-9455-926a-d65c16db1809",
            "c7a5fdbdcdaf9455926ad65c16db1809",
            " \n-c7 a5fdbd-cdaf-9455-926a-d65c16db1809 \t",
            "C7A5FDBD-CDAF-9455-926A-D65C16DB1809",
        ] {
            assert!(read(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "c7a5fdbd-cdaf-9455-926a-d65c16db180",
            "c7a5fdbd-cdaf-9455-926a-d65c16db18099",
            "c7a5fdbd-cdaf-9455-926a-d65c16db1809-",
            "c-7a5fdbd-cdaf-9455-926a-d65c16db1809",
            "c7a5fdbd-cdaf-9455-926a-d65c16db180g",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
