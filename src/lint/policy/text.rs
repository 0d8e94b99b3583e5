//! The text of a policy, and what is read from parts of it: lists of words, tables, and places for what is wrong in them.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Why a text is no policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The reason.
    pub reason: String,
    /// What may have been meant.
    pub help: Option<String>,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for PolicyError {}

/// A value, and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A word, and where it stands.
pub(super) type Word<'t> = (&'t str, Range<usize>);

/// The text.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Text<'_> {
    pub(super) fn error(
        &self,
        at: &Range<usize>,
        reason: impl Into<String>,
        help: Option<String>,
    ) -> PolicyError {
        let (line, column) = crate::xml::text_position(self.0, self.0.floor_char_boundary(at.start));
        PolicyError { line, column, reason: reason.into(), help }
    }

    /// The entries of a table, in the order of the text.
    pub(super) fn entries<'v>(
        &self,
        table: &'v DeTable<'_>,
        of: &str,
        keys: &[&'static str],
        instead: fn(&str, &[&'static str]) -> String,
    ) -> Result<Vec<(&'static str, &'v Value<'v>)>, PolicyError> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let known = |(key, value): (&Spanned<DeString<'_>>, &'v Value<'_>)| {
            let word: &str = key.get_ref();
            match keys.iter().find(|known| **known == word) {
                Some(known) => Ok((*known, value)),
                None => {
                    let place = if of.is_empty() { String::new() } else { format!(" in {of}") };
                    let reason = format!("there is no key '{}'{place}", word.escape_debug());
                    Err(self.error(&key.span(), reason, Some(instead(word, keys))))
                }
            }
        };
        entries.into_iter().map(known).collect()
    }

    /// A list of words.
    pub(super) fn words<'v>(&self, key: &str, value: &'v Value<'_>) -> Result<Vec<Word<'v>>, PolicyError> {
        let wrong = |value: &Value<'_>, what: &str, help: String| {
            let reason = format!("'{key}' is a list of words, and this is {what}");
            self.error(&value.span(), reason, Some(help))
        };
        let list = match value.get_ref() {
            DeValue::Array(list) => list,
            DeValue::String(word) => {
                let help = format!("write {key} = [\"{}\"]", word.escape_debug());
                return Err(wrong(value, "one word", help));
            }
            other => return Err(wrong(value, kind(other), format!("write {key} = [\"…\"]"))),
        };
        let word = |item: &'v Value<'_>| match item.get_ref() {
            DeValue::String(word) => Ok((&**word, item.span())),
            other => Err(wrong(item, kind(other), "put words into quotes".into())),
        };
        list.iter().map(word).collect()
    }

    /// The same, of at least one word.
    pub(super) fn some_words<'v>(
        &self,
        key: &str,
        value: &'v Value<'_>,
        without: &str,
    ) -> Result<Vec<Word<'v>>, PolicyError> {
        let words = self.words(key, value)?;
        if words.is_empty() {
            let help = format!("name some, or leave '{key}' out: {without}");
            return Err(self.error(&value.span(), format!("'{key}' is empty"), Some(help)));
        }
        Ok(words)
    }

    /// A table, which is written with this header.
    pub(super) fn table<'v>(
        &self,
        value: &'v Value<'v>,
        key: &str,
        header: &str,
    ) -> Result<&'v DeTable<'v>, PolicyError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => {
                let reason = format!("'{key}' is a table, and this is {}", kind(other));
                Err(self.error(&value.span(), reason, Some(format!("write {header} on a line of its own"))))
            }
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a word",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The word that somebody may have meant.
pub(super) fn near(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase().replace('_', "-");
    let distance = |known: &&&str| strsim::osa_distance(known, &lower);
    known.iter().min_by_key(distance).filter(|known| distance(known) <= 2 && known.len() > 3).copied()
}
