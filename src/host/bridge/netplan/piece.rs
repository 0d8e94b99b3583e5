//! An entry that is taken from one place to another.

use super::yaml::{Value, scalar};

/// An entry of a map, out of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) key: String,
    pub(super) value: Value,
    /// As lines that begin at the left, comments with it.
    pub(super) lines: Option<String>,
    /// As it stands in brackets.
    pub(super) inline: Option<String>,
}

impl Piece {
    /// A new one, on one line.
    pub(super) fn new(key: &str, value: Value) -> Piece {
        Piece { key: key.into(), value, lines: None, inline: None }
    }

    /// A new one, on these lines.
    pub(super) fn of_lines(key: &str, value: Value, lines: String) -> Piece {
        Piece { lines: Some(lines), ..Piece::new(key, value) }
    }

    /// In brackets.
    pub(super) fn inline(&self) -> String {
        let one_line = self.inline.clone().filter(|raw| !raw.contains('\n') && !raw.contains('#'));
        one_line.unwrap_or_else(|| format!("{}: {}", scalar(&self.key), self.value.inline()))
    }

    /// As lines, this far from the left.
    pub(super) fn block(&self, indent: usize, eol: &str) -> String {
        let lines = self.lines.clone().unwrap_or_else(|| format!("{}{eol}", self.inline()));
        let space = " ".repeat(indent);
        let lines = lines.split_inclusive('\n');
        lines
            .map(|line| if line.trim().is_empty() { line.into() } else { format!("{space}{line}") })
            .collect()
    }

    /// A map of these.
    pub(super) fn map(key: &str, pieces: &[Piece], is_block: bool, step: usize, eol: &str) -> Piece {
        let value = Value::Map(pieces.iter().map(|piece| (piece.key.clone(), piece.value.clone())).collect());
        let word = scalar(key);
        if is_block && !pieces.is_empty() {
            let inside: String = pieces.iter().map(|piece| piece.block(step, eol)).collect();
            return Piece::of_lines(key, value, format!("{word}:{eol}{inside}"));
        }
        let inside: Vec<String> = pieces.iter().map(Piece::inline).collect();
        Piece { inline: Some(format!("{word}: {{{}}}", inside.join(", "))), ..Piece::new(key, value) }
    }
}
