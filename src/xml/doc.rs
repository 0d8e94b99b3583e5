//! A text and its tree.

use std::fmt;

use roxmltree::{Document, Node, NodeId, ParsingOptions, TextPos};

use super::strict;

/// Why a text isn't XML that kvmnet reads, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The reason, never with text out of the document: that may hold a password.
    pub reason: String,
    /// Is it a limit of kvmnet's own? Then others may well read it.
    pub is_ours: bool,
}

/// How the reason begins where a prefix isn't declared.
const NO_PREFIX: &str = "the namespace prefix";

impl ReadError {
    /// Is it a namespace prefix that isn't declared? libvirt's parser reads such a text all the same, and what has the
    /// prefix means nothing to it.
    pub fn is_undeclared_prefix(&self) -> bool {
        self.reason.starts_with(NO_PREFIX)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for ReadError {}

/// A well-formed XML text with its tree; every node knows the bytes it came from.
#[derive(Debug)]
pub struct Doc<'t> {
    text: &'t str,
    tree: Document<'t>,
}

impl<'t> Doc<'t> {
    /// The text in `bytes`, if they are UTF-8 and don't declare to be something else.
    ///
    /// # Errors
    /// Another encoding (by byte order mark, by declaration), or bytes that are no UTF-8.
    pub fn decode(bytes: &[u8]) -> Result<&str, ReadError> {
        let at_start = |reason: String| ReadError { line: 1, column: 1, reason, is_ours: true };
        let foreign = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
            [0x00, 0x3C, ..] | [0x3C, 0x00, ..] => Some("UTF-16"),
            [0x00, 0x00, ..] => Some("UTF-32"),
            _ => None,
        };
        if let Some(encoding) = foreign {
            return Err(at_start(format!(
                "the text is {encoding}; kvmnet reads UTF-8 only (convert it with iconv)"
            )));
        }
        if let Some(declared) = declared_encoding(bytes)
            && !["UTF-8", "UTF8", "US-ASCII", "ASCII"]
                .iter()
                .any(|known| declared.eq_ignore_ascii_case(known))
        {
            return Err(at_start(format!(
                "the XML declaration says encoding '{declared}'; kvmnet reads UTF-8 only (convert it with iconv)"
            )));
        }
        std::str::from_utf8(bytes).map_err(|e| {
            let before = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
            let (line, column) = text_position(&before, before.len());
            ReadError { line, column, reason: "a byte that is not UTF-8".into(), is_ours: false }
        })
    }

    /// Parses `text`.
    ///
    /// # Errors
    /// Anything that isn't one well-formed document. A document type declaration is refused as well, unless it says
    /// nothing but the root element's name: libvirt's XML never needs one, and entity bombs live there.
    pub fn parse(text: &'t str) -> Result<Doc<'t>, ReadError> {
        strict::before_parsing(text)?;
        let options =
            ParsingOptions { allow_dtd: strict::has_bare_doctype(text), ..ParsingOptions::default() };
        let tree = Document::parse_with_options(text, options).map_err(|e| read_error(&e, text))?;
        strict::after_parsing(text)?;
        strict::names(text, &tree)?;
        Ok(Doc { text, tree })
    }

    /// Parses `text` as libvirt's parser reads it, to which names with a prefix that isn't declared hold a colon: here they
    /// hold `_` instead. `plain` is where they do. With the error that [`Doc::parse`] gives, if there are such.
    ///
    /// # Errors
    /// As those of [`Doc::parse`] otherwise.
    pub fn parse_undeclared(
        text: &'t str,
        plain: &'t mut String,
    ) -> Result<(Doc<'t>, Option<ReadError>), ReadError> {
        let undeclared = match Doc::parse(text) {
            Ok(doc) => return Ok((doc, None)),
            Err(e) if !e.is_undeclared_prefix() => return Err(e),
            Err(e) => e,
        };
        *plain = super::undeclared::plain(text);
        match Doc::parse(plain) {
            Ok(Doc { tree, .. }) => Ok((Doc { text, tree }, Some(undeclared))),
            // One that is declared elsewhere.
            Err(_) => Err(undeclared),
        }
    }

    /// The text it was read from.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The root element.
    pub fn root(&self) -> Node<'_, 't> {
        self.tree.root_element()
    }

    /// The node with an id out of this document.
    pub fn node(&self, id: NodeId) -> Option<Node<'_, 't>> {
        self.tree.get_node(id)
    }

    /// Line and column (both from 1) of a byte of the text.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        text_position(self.text, byte)
    }
}

/// Line and column (in characters), both from 1, of a byte of `text`. A byte order mark takes no column.
pub fn text_position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = before[line_start..].chars().filter(|&c| c != '\u{feff}').count() + 1;
    (line, column)
}

/// The namespace of an element; `xmlns=''` means none.
pub fn namespace<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.tag_name().namespace().filter(|uri| !uri.is_empty())
}

/// The child elements that are libvirt's own: in no namespace.
pub fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(|n| n.is_element() && namespace(*n).is_none())
}

/// The first child element of that name, in no namespace.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| is_own(*n, name))
}

/// All child elements of that name, in no namespace.
pub fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |n| is_own(*n, name))
}

/// Is it an element of libvirt's own with that name? Most have another one: that is the quicker question.
fn is_own(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && namespace(node).is_none()
}

/// Has the element no child elements?
pub fn shallow(node: Node<'_, '_>) -> bool {
    !node.children().any(|n| n.is_element())
}

/// The encoding that an XML declaration at the start of `bytes` names.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if !bytes.starts_with(b"<?xml") {
        return None;
    }
    let end = bytes.windows(2).position(|w| w == b"?>")?;
    let declaration = String::from_utf8_lossy(&bytes[..end]);
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|q| matches!(q, '\'' | '"'))?;
    Some(value[1..].split(quote).next()?.to_string())
}

fn read_error(error: &roxmltree::Error, text: &str) -> ReadError {
    use roxmltree::Error as E;
    let TextPos { row, col } = error.pos();
    let (mut line, mut column) = (row as usize, col as usize);
    if line == 1 && column > 1 && text.starts_with('\u{feff}') {
        column -= 1;
    }
    let reason = match error {
        E::DtdDetected => {
            (line, column) = text_position(text, text.find("<!DOCTYPE").unwrap_or_default());
            "a document type declaration (DTD) with more than a name; libvirt's XML needs none, and kvmnet reads none".into()
        }
        E::UnexpectedEndOfStream | E::UnclosedRootNode => {
            (line, column) = text_position(text, text.len());
            "the text ends before its root element does (truncated?)".into()
        }
        E::NoRootNode => "no root element (an empty file?)".into(),
        E::UnknownNamespace(prefix, _) => format!("{NO_PREFIX} '{}' is not declared", short(prefix)),
        E::DuplicatedAttribute(name, _) => {
            format!("the attribute '{}' stands twice in one element", short(name))
        }
        E::UnexpectedCloseTag(open, close, _) => format!("</{}> closes <{}>", short(close), short(open)),
        E::UnknownEntityReference(name, _) => format!("the entity '&{};' is not defined", short(name)),
        E::MalformedEntityReference(_) => {
            "'&' with no reference to a character behind it ('&amp;' is the ampersand itself)".into()
        }
        E::NonXmlChar(c, _) => format!("the character U+{:04X}, which XML forbids", *c as u32),
        E::UnexpectedDeclaration(_) => "an XML declaration that is not at the start of the text".into(),
        E::InvalidAttributeValue(_) | E::InvalidChar(b'\'' | b'"', b'<', _) => {
            "'<' inside an attribute's value".into()
        }
        E::InvalidCharacterData(TextPos { row, col }) => {
            // The parser says where the text ends.
            let end = offset(text, *row, *col);
            if let Some(at) = text[..end].rfind("]]>") {
                (line, column) = text_position(text, at);
            }
            "']]>' inside text".into()
        }
        E::InvalidName(_) => "no name where one must stand".into(),
        E::InvalidChar(wanted, _, _) => format!("'{}' must stand here", char::from(*wanted)),
        E::InvalidString(wanted, _) => format!("'{wanted}' is missing"),
        E::InvalidChar2(wanted, _, _) => format!("{wanted} must stand here"),
        E::UnknownToken(TextPos { row, col }) => not_an_element(text, offset(text, *row, *col)).into(),
        E::InvalidComment(_) => "'--' inside a comment".into(),
        other => {
            let said = other.to_string();
            said.rsplit_once(" at ").map_or(said.clone(), |(what, _)| what.to_string())
        }
    };
    ReadError {
        line,
        column,
        reason,
        is_ours: matches!(
            error,
            E::DtdDetected | E::NodesLimitReached | E::AttributesLimitReached | E::NamespacesLimitReached
        ),
    }
}

/// The byte at a row and column, as the parser counts them.
fn offset(text: &str, row: u32, col: u32) -> usize {
    let before = text.split_inclusive('\n').take(row as usize - 1).map(str::len).sum::<usize>();
    let inside = text[before..].char_indices().nth(col as usize - 1);
    inside.map_or(text.len(), |(at, _)| before + at)
}

/// What stands at a byte where only markup can.
fn not_an_element(text: &str, at: usize) -> &'static str {
    let (before, rest) = text.split_at(at);
    match rest.strip_prefix('<') {
        None if before.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {
            "it isn't XML: it begins with text, not with an element"
        }
        None => "text outside the root element",
        Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => "a second root element",
        Some(_) => "'<' with no markup behind it that XML knows",
    }
}

/// A name out of the text, which may be of any length.
fn short(name: &str) -> String {
    let mut out: String = name.chars().take(40).collect();
    if out.len() < name.len() {
        out.push('…');
    }
    out
}
