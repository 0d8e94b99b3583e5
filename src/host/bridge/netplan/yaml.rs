//! YAML as it stands in the file: what it says, and where.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) what: What,
    /// In bytes: its first.
    pub(super) start: usize,
    /// And the one behind its last; spaces and comments after it aren't its.
    pub(super) end: usize,
}

/// The kinds of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Scalar(String),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// What is said, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(String),
    Seq(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Deeper than this, netplan has nothing.
const DEPTH: usize = 24;

/// Why a text can't be read, or isn't for us: the line, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) line: usize,
    pub(super) why: String,
}

/// Reads a file. Nothing, or comments only: an empty map.
pub(super) fn read(text: &str) -> Result<Node, Unread> {
    // Spans count characters.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let mut reader = Reader { bytes, text, open: Vec::new(), root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Unread { line: error.marker().line(), why: error.info().to_string() })?;
        reader.take(event, span).map_err(|why| Unread { line: span.start.line(), why: why.to_string() })?;
    }
    let root = reader.root.unwrap_or(Node { what: What::Scalar(String::new()), start: 0, end: 0 });
    match &root.what {
        What::Scalar(text) if text.is_empty() => Ok(Node { what: What::Map(Vec::new()), ..root }),
        What::Map(_) => Ok(root),
        _ => Err(Unread { line: 1, why: "no map of keys and values".into() }),
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: Vec<usize>,
    open: Vec<(usize, bool, Vec<Node>)>,
    root: Option<Node>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        let byte = |at: usize| self.bytes.get(at).copied().unwrap_or(self.text.len());
        let (start, end) = (byte(span.start.index()), byte(span.end.index()));
        let node = match event {
            Event::Alias(_) => return Err("an alias, which isn't known here"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err("an anchor, which isn't known here");
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err("a tag, which isn't known here");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if self.open.len() >= DEPTH {
                    return Err("too many levels");
                }
                self.open.push((start, matches!(event, Event::MappingStart(..)), Vec::new()));
                return Ok(());
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((start, is_map, nodes)) = self.open.pop() else {
                    return Err("an end without a start");
                };
                let is_flow = opens(self.text, start, nodes.first());
                // The end of a block is found where the next thing begins.
                let last = nodes.last().map_or(start, |node| node.end);
                let end = if is_flow { self.closed(last.max(start + 1)) } else { last };
                Node { what: if is_map { What::Map(pairs(nodes)?) } else { What::Seq(nodes) }, start, end }
            }
            Event::Scalar(value, style, ..) => {
                let raw = self.text.get(start..end).unwrap_or_default();
                let end = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => start + raw.trim_end().len(),
                    _ => end,
                };
                Node { what: What::Scalar(value.into_owned()), start, end: end.max(start) }
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                return Err("a second document, which netplan doesn't read");
            }
            _ => return Ok(()),
        };
        match self.open.last_mut() {
            Some((_, is_map, nodes)) => {
                // What isn't there has a place of its own making: right behind its key it is.
                let is_nothing = node.start == node.end && *is_map && nodes.len() % 2 == 1;
                let at = nodes.last().map_or(node.start, |key| key.end);
                nodes.push(if is_nothing { Node { start: at, end: at, ..node } } else { node });
            }
            None => self.root = Some(node),
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Behind the bracket that comes next. The parser's own end of it may be behind a comment that follows.
    fn closed(&self, from: usize) -> usize {
        let mut is_comment = false;
        for (at, c) in self.text.get(from..).unwrap_or_default().char_indices() {
            match c {
                '\n' => is_comment = false,
                '#' => is_comment = true,
                '}' | ']' if !is_comment => return from + at + 1,
                _ => {}
            }
        }
        self.text.len()
    }
}

/// Does the bracket of a list or map open there? A list whose dashes stand as far in as its key begins, to the parser, where
/// its first item does: a bracket there is the item's.
fn opens(text: &str, start: usize, first: Option<&Node>) -> bool {
    text.get(start..).is_some_and(|rest| rest.starts_with(['{', '[']))
        && first.is_none_or(|first| first.start > start)
}

fn pairs(nodes: Vec<Node>) -> Result<Vec<(Node, Node)>, &'static str> {
    let mut out: Vec<(Node, Node)> = Vec::new();
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        let What::Scalar(name) = &key.what else { return Err("a key that is no word") };
        if out.iter().any(|(old, _)| old.what == What::Scalar(name.clone())) {
            return Err("a key that is there twice");
        }
        out.push((key, value));
    }
    Ok(out)
}

impl Node {
    /// The entries of a map.
    pub(super) fn entries(&self) -> &[(Node, Node)] {
        match &self.what {
            What::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn word(&self) -> &str {
        match &self.what {
            What::Scalar(text) => text,
            _ => "",
        }
    }

    /// The node at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        self.entries().iter().find(|(key, _)| key.word() == *first)?.1.at(rest)
    }

    /// What it says.
    pub(super) fn value(&self) -> Value {
        match &self.what {
            What::Scalar(text) => Value::Scalar(text.clone()),
            What::Seq(nodes) => Value::Seq(nodes.iter().map(Node::value).collect()),
            What::Map(entries) => Value::Map(
                entries.iter().map(|(key, value)| (key.word().to_string(), value.value())).collect(),
            ),
        }
    }

    /// Is it in brackets?
    pub(super) fn is_flow(&self, text: &str) -> bool {
        match &self.what {
            What::Scalar(_) => false,
            What::Seq(nodes) => opens(text, self.start, nodes.first()),
            What::Map(entries) => opens(text, self.start, entries.first().map(|(key, _)| key)),
        }
    }

    /// Is nothing in it?
    pub(super) fn is_empty(&self) -> bool {
        match &self.what {
            What::Scalar(_) => self.start == self.end,
            What::Seq(nodes) => nodes.is_empty(),
            What::Map(entries) => entries.is_empty(),
        }
    }
}

impl Value {
    /// The value at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let Value::Map(entries) = self else { return None };
        entries.iter().find(|(key, _)| key == first)?.1.at(rest)
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, path: &[&str]) -> Option<&mut Value> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let Value::Map(entries) = self else { return None };
        entries.iter_mut().find(|(key, _)| key == first)?.1.at_mut(rest)
    }

    /// The text of a scalar.
    pub(super) fn word(&self) -> &str {
        if let Value::Scalar(text) = self { text } else { "" }
    }

    /// The items of a list; a scalar is a list of one.
    pub(super) fn items(&self) -> &[Value] {
        match self {
            Value::Seq(items) => items,
            Value::Scalar(text) if !text.is_empty() => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The entries of a map.
    pub(super) fn entries(&self) -> &[(String, Value)] {
        if let Value::Map(entries) = self { entries } else { &[] }
    }

    /// Yes, in any of YAML's words.
    pub(super) fn is_yes(&self) -> bool {
        matches!(self.word().to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "y" | "1")
    }

    /// On one line, in brackets.
    pub(super) fn inline(&self) -> String {
        match self {
            Value::Scalar(text) => scalar(text),
            Value::Seq(items) => {
                format!("[{}]", items.iter().map(Value::inline).collect::<Vec<_>>().join(", "))
            }
            Value::Map(entries) => {
                let all = entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), value.inline()));
                format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A scalar, in quotes if it needs them or might be taken for a number of YAML 1.1 (`52:54`).
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
    if is_plain {
        return text.to_string();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
