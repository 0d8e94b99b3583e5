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
    /// order in which they were added; one inside a range that already goes is dropped with it. Two that overlap partly
    /// become one: what either of them takes goes, what both of them give comes.
    pub fn push(&mut self, range: Range<usize>, text: impl Into<String>) {
        let mut edit = Edit { range, text: text.into() };
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
        let overlaps = |e: &mut Edit| e.range.start < edit.range.end && edit.range.start < e.range.end;
        for other in kept.extract_if(.., overlaps).collect::<Vec<_>>() {
            let is_first = other.range.start < edit.range.start;
            let (first, last) = if is_first { (&other, &edit) } else { (&edit, &other) };
            edit = Edit {
                range: first.range.start..last.range.end,
                text: [first.text.as_str(), last.text.as_str()].concat(),
            };
        }
        let at = kept.partition_point(|e| (e.range.start, e.range.end) <= (edit.range.start, edit.range.end));
        kept.insert(at, edit);
        self.0.splice(first..last, kept);
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

    #[test]
    fn partial_overlaps() {
        let mut edits = Edits::default();
        edits.push(1..3, "A");
        edits.push(5..7, "C");
        edits.push(7..7, "+");
        edits.push(3..3, "never: 2..6 goes");
        edits.push(2..6, "B");
        assert_eq!(edits.apply("abcdefgh"), "aABC+h");
        edits.push(0..2, "Z");
        assert_eq!(edits.apply("abcdefgh"), "ZABC+h");
    }

    proptest! {
        /// Whatever is added, in whatever order: the splices lie apart and in order, and what any of them takes goes.
        #[test]
        fn anything_may_be_added(places in prop::collection::vec((0usize..18, 0usize..9, "[xy]{0,2}"), 0..12)) {
            let text: String = ('A'..='Z').collect();
            let mut edits = Edits::default();
            let mut gone = std::collections::BTreeSet::new();
            for (start, len, new) in places {
                edits.push(start..start + len, new);
                gone.extend(start..start + len);
            }
            let in_order = |w: &[Edit]| w[0].range.end <= w[1].range.start;
            prop_assert!(edits.0.windows(2).all(in_order), "{edits:?}");
            let after = edits.apply(&text);
            let kept: String = text.char_indices().filter(|(at, _)| !gone.contains(at)).map(|(_, c)| c).collect();
            prop_assert_eq!(after.replace(['x', 'y'], ""), kept);
            prop_assert_eq!(edits.invert(&text).apply(&after), text);
        }

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
