//! Splices in a `<network>`: attributes set, elements removed with their lines, elements put where libvirt would.

use std::ops::Range;

use roxmltree::Node;

use crate::net::element::Element;
use crate::xml::{Doc, Edits, Layout, StartTag, Style, elements, escaped};

/// The children of `<network>` in the order in which libvirt 11.3 writes them.
const ORDER: &[&str] = &[
    "name",
    "uuid",
    "title",
    "description",
    "metadata",
    "forward",
    "bridge",
    "mtu",
    "mac",
    "domain",
    "dns",
    "vlan",
    "virtualport",
    "bandwidth",
    "port",
    "ip",
    "route",
    "portgroup",
];

/// The children of other elements, likewise.
#[rustfmt::skip] // a list
const INNER: &[&str] = &[
    "driver", "nat", "address", "port", "interface",  // of <forward> and <nat>
    "tftp", "forwarder", "txt", "srv", "range", "host", "bootp", "dhcp", // of <ip>, <dns> and <dhcp>
    "vlan", "virtualport", "bandwidth", // of <portgroup>
];

/// One network in the making.
pub(super) struct Editor<'a, 't> {
    doc: &'a Doc<'t>,
    style: Style,
    tag: StartTag,
    edits: Edits,
    /// Elements that go.
    gone: Vec<Node<'a, 't>>,
    /// Elements that come, and into which one.
    new: Vec<(Node<'a, 't>, Element)>,
}

impl<'a, 't> Editor<'a, 't> {
    /// `None` for what the parser wouldn't have let pass.
    pub(super) fn new(doc: &'a Doc<'t>) -> Option<Editor<'a, 't>> {
        let tag = StartTag::read(doc.text(), doc.root().range().start)?;
        let style = Style::of(doc, doc.root(), &tag, "forward");
        Some(Editor { doc, style, tag, edits: Edits::default(), gone: Vec::new(), new: Vec::new() })
    }

    pub(super) fn root(&self) -> Node<'a, 't> {
        self.doc.root()
    }

    /// Gives an attribute that value, if it hasn't it already.
    pub(super) fn set(&mut self, node: Node<'_, '_>, name: &str, value: &str) {
        if node.attribute(name) == Some(value) {
            return;
        }
        let text = self.doc.text();
        let Some(tag) = StartTag::read(text, node.range().start) else { return };
        match tag.attr(text, name) {
            Some(attr) => self.edits.push(attr.value.clone(), escaped(value, attr.quote)),
            None => {
                // Its own neighbours know best which quotes it takes.
                let last = tag.attrs.last();
                let quote = last.map_or(self.style.quote, |a| a.quote);
                let at = last.map_or(tag.name.end, |a| a.whole.end);
                self.edits.push(at..at, format!(" {name}={quote}{}{quote}", escaped(value, quote)));
            }
        }
    }

    /// Takes an attribute away.
    pub(super) fn unset(&mut self, node: Node<'_, '_>, name: &str) {
        let text = self.doc.text();
        let tag = StartTag::read(text, node.range().start);
        if let Some(attr) = tag.as_ref().and_then(|t| t.attr(text, name)) {
            self.edits.push(attr.whole.clone(), "");
        }
    }

    /// Takes an element away.
    pub(super) fn remove(&mut self, node: Node<'a, 't>) {
        self.gone.push(node);
    }

    /// Puts an element into another.
    pub(super) fn add(&mut self, holder: Node<'a, 't>, element: Element) {
        self.new.push((holder, element));
    }

    /// Puts an element where another stands.
    pub(super) fn replace(&mut self, node: Node<'_, '_>, element: &Element) {
        let text = self.doc.text();
        let indent = Layout::new(text).indentation(node.range().start);
        self.edits.push(node.range(), element.inside(&self.style, indent));
    }

    /// All of it as splices.
    pub(super) fn finish(mut self) -> Edits {
        let mut new = std::mem::take(&mut self.new);
        new.sort_by_key(|(holder, element)| (holder.range().start, rank(self.tag_of(*holder), element.name)));
        let mut gone = self.emptied(&new);
        for (holder, element) in new {
            self.insert(holder, &element);
        }
        // Neighbours on one line go together, so that their line goes with them.
        let text = self.doc.text();
        let layout = Layout::new(text);
        gone.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut runs: Vec<Range<usize>> = Vec::new();
        for range in gone {
            match runs.last_mut() {
                Some(run) if range.end <= run.end => {}
                Some(run) if text[run.end..range.start].bytes().all(|b| matches!(b, b' ' | b'\t')) => {
                    run.end = range.end;
                }
                _ => runs.push(range),
            }
        }
        runs.into_iter().for_each(|run| self.edits.push(layout.removal(run), ""));
        self.edits
    }

    fn tag_of(&self, node: Node<'_, '_>) -> &'static [&'static str] {
        if node == self.doc.root() { ORDER } else { INNER }
    }

    /// What goes, as ranges; where nothing would be left in an element, its end tag goes with the rest.
    fn emptied(&mut self, new: &[(Node<'a, 't>, Element)]) -> Vec<Range<usize>> {
        let gone = std::mem::take(&mut self.gone);
        let text = self.doc.text();
        let blank = |n: &Node<'_, '_>| n.is_text() && n.text().is_some_and(|t| t.trim().is_empty());
        let mut out = Vec::new();
        for node in &gone {
            let holder = node.parent_element().filter(|h| *h != self.doc.root() && !gone.contains(h));
            let empty = holder.filter(|h| {
                h.children().all(|c| blank(&c) || gone.contains(&c)) && !new.iter().any(|(into, _)| into == h)
            });
            match empty.and_then(|h| Some((h, StartTag::read(text, h.range().start)?))) {
                Some((holder, tag)) => {
                    let head = text[..tag.end - 1].trim_end().len();
                    self.edits.push(head..holder.range().end, "/>");
                }
                None => out.push(node.range()),
            }
        }
        self.gone = gone;
        out
    }

    fn insert(&mut self, holder: Node<'a, 't>, element: &Element) {
        let text = self.doc.text();
        let layout = Layout::new(text);
        let tag = match holder == self.doc.root() {
            true => Some(self.tag.clone()),
            false => StartTag::read(text, holder.range().start),
        };
        let Some(tag) = tag else { return };
        let own = layout.indentation(holder.range().start);
        let first = holder.children().find(Node::is_element);
        let indent = match first {
            Some(first) => layout.indentation(first.range().start).map(ToString::to_string),
            None => {
                own.filter(|_| self.style.indent.is_some()).map(|own| format!("{own}{}", self.style.unit))
            }
        };
        let written = element.inside(&self.style, indent.as_deref());
        let lines = self.style.lines(indent.as_deref(), std::slice::from_ref(&written));
        if tag.is_empty {
            return self.open(holder, &tag, own.filter(|_| indent.is_some()), lines);
        }
        let order = self.tag_of(holder);
        let mine = rank(order, element.name);
        let anchor = elements(holder)
            .filter(|n| !self.gone.contains(n))
            .filter(|n| rank(order, n.tag_name().name()) <= mine)
            .last();
        let (start, end) = anchor.map_or((None, tag.end), |a| (Some(a.range().start), a.range().end));
        let own_line = start.is_none_or(|start| layout.indentation(start).is_some());
        match layout.line_end(end).filter(|_| own_line && indent.is_some()) {
            Some(at) => self.edits.push(at..at, lines),
            None => self.edits.push(end..end, element.inside(&self.style, None)),
        }
    }

    /// Makes `<holder/>` a `<holder>` with something inside; what comes second finds it open.
    fn open(&mut self, holder: Node<'_, '_>, tag: &StartTag, own: Option<&str>, lines: String) {
        let text = self.doc.text();
        let start = text[..tag.end - 2].trim_end().len();
        let closing = own.map(|own| format!("{}{own}", self.style.newline)).unwrap_or_default();
        let end = format!("{closing}</{}>", &text[tag.name.clone()]);
        debug_assert!(holder.range().end == tag.end);
        let opened = self.edits.iter().find(|e| e.range == (start..tag.end)).map(|e| e.text.clone());
        let head = match opened {
            Some(before) => before.strip_suffix(&end).map(Into::into).unwrap_or(before),
            None => ">".to_string(),
        };
        let mut edits = Edits::default();
        self.edits
            .iter()
            .filter(|e| e.range != (start..tag.end))
            .for_each(|e| edits.push(e.range.clone(), e.text.clone()));
        edits.push(start..tag.end, format!("{head}{lines}{end}"));
        self.edits = edits;
    }
}

/// Where an element stands among its neighbours; what libvirt doesn't know stands last.
fn rank(order: &[&str], name: &str) -> usize {
    order.iter().position(|o| *o == name).unwrap_or(order.len())
}
