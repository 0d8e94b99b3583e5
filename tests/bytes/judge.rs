//! What must be true of every conversion, whatever the document. quick-xml is the second opinion: it shares no code with
//! the parser that the program uses.

use kvmnet::convert::{Conversion, Facts, Request, convert};
use kvmnet::xml::{Doc, behind_masks, children, diff, diff_of_edits, masked, masks};
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

/// Converts `text` and holds the result to every promise; returns it. Panics with the document where one is broken.
pub(crate) fn hold(text: &str, request: &Request, facts: &Facts<'_>) -> (String, Conversion) {
    let doc = Doc::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let conversion = convert(&doc, request, facts).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    let after = conversion.edits.apply(text);
    let fail =
        |what: &str| panic!("{what}\nbefore:\n{text}\nafter:\n{after}\nedits: {:#?}", conversion.edits);

    let positions: Vec<usize> = conversion.moves.iter().map(|m| m.nic.position).collect();
    let interfaces: Vec<_> = children(doc.root(), "devices").flat_map(|d| children(d, "interface")).collect();
    let mut spliced = String::new();
    let mut at = 0;
    for edit in conversion.edits.iter() {
        let inside = |position: &usize| {
            let own = interfaces[position - 1].range();
            own.start < edit.range.start && edit.range.end <= own.end
        };
        if !positions.iter().any(inside) {
            fail("an edit outside every NIC that moves");
        }
        spliced += &text[at..edit.range.start];
        spliced += &edit.text;
        at = edit.range.end;
    }
    spliced += &text[at..];
    if spliced != after {
        fail("bytes outside the edits changed");
    }
    if conversion.edits.invert(text).apply(&after) != text {
        fail("the inverse edits don't give the original");
    }
    if events(text, &positions) != events(&after, &positions) {
        fail("quick-xml sees a difference outside the NICs that moved");
    }
    for (what, count) in [("blank lines", blank as fn(&str) -> bool), ("trailing blanks", trails)] {
        if lines(&after).filter(|l| count(l)).count() > lines(text).filter(|l| count(l)).count() {
            fail(&format!("more {what} than before"));
        }
    }
    let breaks =
        |text: &str| (text.matches("\r\n").count(), text.matches('\n').count(), text.matches('\r').count());
    let (crlf, lf, cr) = breaks(text);
    let (new_crlf, new_lf, new_cr) = breaks(&after);
    let is_pure = crlf == lf && lf == cr || cr == 0 || lf == 0;
    let as_before = match (crlf, cr) {
        (0, 0) => new_cr == 0,
        (0, _) => new_lf == 0,
        _ => new_crlf == new_lf && new_lf == new_cr,
    };
    if is_pure && !as_before {
        fail("another kind of line break");
    }

    let (masks, shown) = (masks(&doc), masked(text));
    let edits = behind_masks(&conversion.edits, &masks);
    if edits.apply(&shown) != masked(&after) {
        fail("what is shown isn't what is written, with its secrets masked");
    }
    let preview = diff_of_edits("a", "b", &shown, &edits);
    if preview.contains("HUNTER") || masked(&after).contains("HUNTER") {
        fail("a secret is shown");
    }
    let changed = |diff: &str, sign: char| diff.lines().skip(2).filter(|l| l.starts_with(sign)).count();
    let whole = diff("a", &shown, "b", &masked(&after));
    let less = |sign: &char| changed(&preview, *sign) < changed(&whole, *sign);
    if ['+', '-'].iter().any(less) || whole.is_empty() != preview.is_empty() {
        fail("the preview leaves out a change");
    }

    let again = Doc::parse(&after).unwrap_or_else(|e| panic!("the result isn't XML: {e}\n{after}"));
    match convert(&again, request, facts) {
        Ok(second) if second.edits.is_empty() => {}
        Ok(_) => fail("a second run changes something"),
        Err(e) => fail(&format!("a second run fails: {e:?}")),
    }
    (after, conversion)
}

/// The lines of a text, whatever ends them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn trails(line: &str) -> bool {
    line.ends_with([' ', '\t'])
}

/// What quick-xml reads, the NICs at `positions` (counted from 1) left out.
fn events(text: &str, positions: &[usize]) -> Vec<String> {
    let mut reader = NsReader::from_str(text);
    let (mut out, mut path, mut position) = (Vec::new(), Vec::<String>::new(), 0);
    loop {
        let (namespace, event) =
            reader.read_resolved_event().unwrap_or_else(|e| panic!("quick-xml refuses it: {e}\n{text}"));
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => format!("{namespace:?}"),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => format!("?{prefix}"),
        };
        let inside = path.get(2).map(String::as_str) == Some("moved");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let mut name =
                    format!("{namespace}{}", String::from_utf8_lossy(tag.name().as_ref().as_ref()));
                if path.iter().map(String::as_str).eq(["domain", "devices"]) && name == "interface" {
                    position += 1;
                    if positions.contains(&position) {
                        name = "moved".into();
                        out.push(name.clone());
                    }
                }
                let is_moved = name == "moved";
                if matches!(event, Event::Start(_)) {
                    path.push(name);
                }
                if inside || is_moved {
                    continue;
                }
            }
            Event::End(_) => {
                path.pop();
                if inside {
                    continue;
                }
            }
            Event::Eof => return out,
            _ if inside => continue,
            _ => {}
        }
        out.push(format!("{namespace}{event:?}"));
    }
}
