//! How an interface is written, so that what is added looks like the rest.

use roxmltree::Node;

use crate::xml::{Doc, Layout, StartTag, child, elements, escaped};

/// Quotes, line breaks and indentation of one interface.
pub(super) struct Style {
    pub(super) quote: char,
    /// Only used where there is an indentation.
    pub(super) newline: &'static str,
    /// The indentation of the interface's children; `None` where they don't stand on lines of their own.
    pub(super) indent: Option<String>,
    /// One step of indentation.
    unit: String,
}

impl Style {
    pub(super) fn of(doc: &Doc<'_>, interface: Node<'_, '_>, tag: &StartTag) -> Style {
        let text = doc.text();
        let layout = Layout::new(text);
        let indentation = |node: Node<'_, '_>| layout.indentation(node.range().start);
        let own = indentation(interface);
        let first = interface.children().find(Node::is_element);
        let children = first.and_then(indentation);
        let step = |from: Option<&str>, to: Option<&str>| {
            Some(to?.strip_prefix(from?)?.to_string()).filter(|unit| !unit.is_empty())
        };
        // All NICs have that parent: it is looked at only where its indentation may be a part of theirs.
        let outer = || layout.short_indentation(interface.parent_element()?.range().start, own?.len());
        let unit = step(own, children).or_else(|| step(outer(), own)).unwrap_or_else(|| "  ".into());
        let indent = match first {
            Some(_) => children.map(ToString::to_string),
            None => own.map(|own| format!("{own}{unit}")),
        };
        let quote_of =
            |node: Node<'_, '_>| StartTag::read(text, node.range().start)?.attrs.first().map(|a| a.quote);
        let quote = child(interface, "source")
            .and_then(quote_of)
            .or_else(|| tag.attrs.first().map(|a| a.quote))
            .or_else(|| elements(interface).find_map(quote_of));
        // Without lines of its own it needs no line break, and the last one may be far.
        let newline = if indent.is_some() { layout.newline(interface.range().end) } else { "\n" };
        Style { quote: quote.unwrap_or('\''), newline, indent, unit }
    }

    /// The indentation of what stands inside a child of the interface.
    pub(super) fn deeper(&self) -> Option<String> {
        self.indent.as_ref().map(|indent| format!("{indent}{}", self.unit))
    }

    /// A child of the interface, itself with children, in this style. `inside` are whole elements.
    pub(super) fn element(&self, start: &str, inside: &[String]) -> String {
        if inside.is_empty() {
            return format!("<{start}/>");
        }
        let name = start.split(' ').next().unwrap_or_default();
        let lines = self.lines(self.deeper().as_deref(), inside);
        let closing = self.indent.as_ref().map(|indent| format!("{}{indent}", self.newline));
        format!("<{start}>{lines}{}</{name}>", closing.unwrap_or_default())
    }

    /// Elements on lines of their own, each behind its line break; all in a row where there are no lines.
    pub(super) fn lines(&self, indent: Option<&str>, elements: &[String]) -> String {
        match indent {
            Some(indent) => elements.iter().map(|e| format!("{}{indent}{e}", self.newline)).collect(),
            None => elements.concat(),
        }
    }

    /// An element out of a network's definition in this style; attributes that `keep` refuses are left out.
    pub(super) fn render(&self, node: Node<'_, '_>, keep: impl Fn(&str) -> bool) -> String {
        let start = |node: Node<'_, '_>| {
            let attributes = node.attributes().filter(|a| keep(a.name()));
            let attributes: String = attributes.map(|a| self.attribute(a.name(), a.value())).collect();
            format!("{}{attributes}", node.tag_name().name())
        };
        let inside: Vec<String> = elements(node).map(|n| format!("<{}/>", start(n))).collect();
        self.element(&start(node), &inside)
    }

    /// ` name='value'`, escaped.
    pub(super) fn attribute(&self, name: &str, value: &str) -> String {
        format!(" {name}={0}{1}{0}", self.quote, escaped(value, self.quote))
    }
}
