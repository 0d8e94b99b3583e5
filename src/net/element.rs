//! Elements in the making, and how they are written: on their own by quick-xml, inside somebody's text as that is laid
//! out.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use crate::xml::{Style, escaped};

/// An element to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: Option<String>,
}

impl Element {
    pub(super) fn new(name: &'static str) -> Element {
        Element { name, ..Element::default() }
    }

    /// With an attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Element {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// With an attribute, if there is a value for it.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Element {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With text inside.
    pub(super) fn holding(mut self, text: &str) -> Element {
        self.text = Some(text.into());
        self
    }

    /// With children.
    pub(super) fn around(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children);
        self
    }

    /// The start tag's inside.
    fn start(&self, quote: char) -> String {
        let attribute =
            |(name, value): &(&str, String)| format!(" {name}={quote}{}{quote}", escaped(value, quote));
        format!("{}{}", self.name, self.attributes.iter().map(attribute).collect::<String>())
    }

    /// As a text of its own: two blanks for each step, single quotes, like libvirt's.
    pub(super) fn document(&self) -> String {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer);
        let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
        text.push('\n');
        text
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) {
        // Writing into memory doesn't fail.
        let mut put = |event: Event<'_>| drop(writer.write_event(event));
        let start = BytesStart::from_content(self.start('\''), self.name.len());
        if self.children.is_empty() && self.text.is_none() {
            return put(Event::Empty(start));
        }
        put(Event::Start(start));
        if let Some(text) = &self.text {
            put(Event::Text(BytesText::new(text)));
        }
        for child in &self.children {
            child.write(writer);
        }
        drop(writer.write_event(Event::End(BytesEnd::new(self.name))));
    }

    /// As it stands in a text of that style, behind `indent`; in a row where the text has no lines. (What `text` holds
    /// is never more than a name.)
    pub(super) fn inside(&self, style: &Style, indent: Option<&str>) -> String {
        let start = self.start(style.quote);
        match &self.text {
            Some(text) => return format!("<{start}>{}</{}>", escaped(text, style.quote), self.name),
            None if self.children.is_empty() => return format!("<{start}/>"),
            None => {}
        }
        let deeper = indent.map(|indent| format!("{indent}{}", style.unit));
        let children: Vec<String> =
            self.children.iter().map(|c| c.inside(style, deeper.as_deref())).collect();
        let closing = indent.map(|indent| format!("{}{indent}", style.newline)).unwrap_or_default();
        format!("<{start}>{}{closing}</{}>", style.lines(deeper.as_deref(), &children), self.name)
    }
}
