//! Splices.

use std::ops::Range;

/// One splice: the bytes of `range` give way to `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the original text; empty for an insertion.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// Splices in one text, in order and without overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Adds a splice. One that starts where another ends comes behind it; two insertions at the same place keep the
    /// order in which they were added; one inside a range that already goes is dropped with it.
    pub fn push(&mut self, range: Range<usize>, text: impl Into<String>) {
        let edit = Edit { range, text: text.into() };
        if edit.range.is_empty() && edit.text.is_empty() {
            return;
        }
        let inside = |outer: &Range<usize>, inner: &Range<usize>| {
            outer.start <= inner.start
                && inner.end <= outer.end
                && (!inner.is_empty() || (outer.start < inner.start && inner.start < outer.end))
        };
        // They are in order, so that only those that touch the new one need a look.
        let first = self.0.partition_point(|e| e.range.end < edit.range.start);
        let last = first + self.0[first..].partition_point(|e| e.range.start <= edit.range.end);
        let near = &self.0[first..last];
        if near.iter().any(|e| !e.range.is_empty() && inside(&e.range, &edit.range)) {
            return;
        }
        let stay = |e: &&Edit| edit.range.is_empty() || !inside(&edit.range, &e.range);
        let mut kept: Vec<Edit> = near.iter().filter(stay).cloned().collect();
        let at = kept.partition_point(|e| (e.range.start, e.range.end) <= (edit.range.start, edit.range.end));
        kept.insert(at, edit);
        self.0.splice(first..last, kept);
        debug_assert!(self.0[first..].windows(2).take(4).all(|w| w[0].range.end <= w[1].range.start));
    }

    /// The splices, first to last.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text after all splices.
    pub fn apply(&self, text: &str) -> String {
        let grow: usize = self.0.iter().map(|e| e.text.len()).sum();
        let mut out = String::with_capacity(text.len() + grow);
        let mut at = 0;
        for edit in &self.0 {
            out.push_str(&text[at..edit.range.start]);
            out.push_str(&edit.text);
            at = edit.range.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// The splices that turn `apply(text)` back into `text`.
    #[must_use]
    pub fn invert(&self, text: &str) -> Edits {
        let mut inverse = Vec::with_capacity(self.0.len());
        let (mut written, mut at) = (0, 0);
        for edit in &self.0 {
            written += edit.range.start - at;
            inverse.push(Edit {
                range: written..written + edit.text.len(),
                text: text[edit.range.clone()].to_string(),
            });
            written += edit.text.len();
            at = edit.range.end;
        }
        Edits(inverse)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_of_insertions_and_nesting() {
        let mut edits = Edits::default();
        edits.push(6..6, "X");
        edits.push(6..6, "Y");
        edits.push(0..2, "");
        edits.push(1..2, "never: 0..2 goes");
        edits.push(3..5, "-");
        assert_eq!(edits.apply("abcdefgh"), "c-fXYgh");
        edits.push(2..6, "");
        assert_eq!(edits.apply("abcdefgh"), "XYgh");
    }

    proptest! {
        #[test]
        fn inverse_gives_the_original(
            text in "[a-zäß<> \n]{0,60}",
            places in prop::collection::vec((0usize..60, 0usize..9, "[xyzü]{0,4}"), 0..8),
        ) {
            let mut edits = Edits::default();
            let mut least = 0;
            let mut places = places;
            places.sort();
            for (start, len, new) in places {
                let start = text.ceil_char_boundary(start.min(text.len())).max(least);
                let end = text.ceil_char_boundary((start + len).min(text.len()));
                edits.push(start..end, new);
                least = end;
            }
            let after = edits.apply(&text);
            prop_assert_eq!(edits.invert(&text).apply(&after), text);
        }
    }
}
