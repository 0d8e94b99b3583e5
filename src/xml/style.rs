//! How an element is written, so that what is added to it looks like the rest.

use roxmltree::Node;

use super::doc::{Doc, child, elements};
use super::layout::Layout;
use super::tag::{StartTag, escaped};

/// Quotes, line breaks and indentation of one element with children: its `holder`.
#[derive(Debug, Clone)]
pub struct Style {
    /// The quotes around values.
    pub quote: char,
    /// The line break; only used where there is an indentation.
    pub newline: &'static str,
    /// The indentation of the holder's children; `None` where they don't stand on lines of their own.
    pub indent: Option<String>,
    /// One step of indentation.
    pub unit: String,
}

impl Style {
    /// The style of `holder`, whose start tag is `tag`; quotes are those of the child called `model`, if it has one.
    pub fn of(doc: &Doc<'_>, holder: Node<'_, '_>, tag: &StartTag, model: &str) -> Style {
        let text = doc.text();
        let layout = Layout::new(text);
        let indentation = |node: Node<'_, '_>| layout.indentation(node.range().start);
        let own = indentation(holder);
        let first = holder.children().find(Node::is_element);
        let children = first.and_then(indentation);
        let step = |from: Option<&str>, to: Option<&str>| {
            Some(to?.strip_prefix(from?)?.to_string()).filter(|unit| !unit.is_empty())
        };
        // All that are alike have that parent: it is looked at only where its indentation may be a part of theirs.
        let outer = || layout.short_indentation(holder.parent_element()?.range().start, own?.len());
        let unit = step(own, children).or_else(|| step(outer(), own)).unwrap_or_else(|| "  ".into());
        let indent = match first {
            Some(_) => children.map(ToString::to_string),
            None => own.map(|own| format!("{own}{unit}")),
        };
        let quote_of =
            |node: Node<'_, '_>| StartTag::read(text, node.range().start)?.attrs.first().map(|a| a.quote);
        let quote = child(holder, model)
            .and_then(quote_of)
            .or_else(|| tag.attrs.first().map(|a| a.quote))
            .or_else(|| elements(holder).find_map(quote_of));
        // Without lines of its own it needs no line break, and the last one may be far.
        let newline = if indent.is_some() { layout.newline(holder.range().end) } else { "\n" };
        Style { quote: quote.unwrap_or('\''), newline, indent, unit }
    }

    /// The indentation of what stands inside a child of the holder.
    pub fn deeper(&self) -> Option<String> {
        self.indent.as_ref().map(|indent| format!("{indent}{}", self.unit))
    }

    /// A child of the holder, itself with children, in this style. `inside` are whole elements.
    pub fn element(&self, start: &str, inside: &[String]) -> String {
        if inside.is_empty() {
            return format!("<{start}/>");
        }
        let name = start.split(' ').next().unwrap_or_default();
        let lines = self.lines(self.deeper().as_deref(), inside);
        let closing = self.indent.as_ref().map(|indent| format!("{}{indent}", self.newline));
        format!("<{start}>{lines}{}</{name}>", closing.unwrap_or_default())
    }

    /// Elements on lines of their own, each behind its line break; all in a row where there are no lines.
    pub fn lines(&self, indent: Option<&str>, elements: &[String]) -> String {
        match indent {
            Some(indent) => elements.iter().map(|e| format!("{}{indent}{e}", self.newline)).collect(),
            None => elements.concat(),
        }
    }

    /// An element out of a network's definition in this style; attributes that `keep` refuses are left out.
    pub fn render(&self, node: Node<'_, '_>, keep: impl Fn(&str) -> bool) -> String {
        let start = |node: Node<'_, '_>| {
            let attributes = node.attributes().filter(|a| keep(a.name()));
            let attributes: String = attributes.map(|a| self.attribute(a.name(), a.value())).collect();
            format!("{}{attributes}", node.tag_name().name())
        };
        let inside: Vec<String> = elements(node).map(|n| format!("<{}/>", start(n))).collect();
        self.element(&start(node), &inside)
    }

    /// ` name='value'`, escaped.
    pub fn attribute(&self, name: &str, value: &str) -> String {
        format!(" {name}={0}{1}{0}", self.quote, escaped(value, self.quote))
    }
}
