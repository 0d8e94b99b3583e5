//! Splices in a text of which less is shown than there is.

use std::iter::Peekable;
use std::ops::Range;

use super::edit::{Edit, Edits};

/// The splices where they stand once `masks` were applied too: applied behind them, they give the new text with the same
/// masks. A splice may take a secret along, whole or in part; each part of it that stays is masked.
pub fn behind_masks(edits: &Edits, masks: &Edits) -> Edits {
    let mut out = Edits::default();
    let mut shown = Shown { masks: masks.iter().peekable(), moved: 0 };
    for edit in joined(edits) {
        let start = shown.place(edit.range.start);
        let end = shown.place(edit.range.end);
        match (start, end) {
            // All of it stands in one mask, of which something stays before it, and something behind.
            ((start, Some(before)), (_, Some(behind))) if before == behind => {
                out.push(start.end..start.end, edit.text + &before.text);
            }
            ((start, _), (end, _)) => out.push(start.end..end.start, edit.text),
        }
    }
    out
}

/// Splices that touch are one: between them, nothing stays.
fn joined(edits: &Edits) -> impl Iterator<Item = Edit> {
    let mut edits = edits.iter().peekable();
    std::iter::from_fn(move || {
        let mut edit = edits.next()?.clone();
        while let Some(next) = edits.next_if(|next| next.range.start == edit.range.end) {
            edit.range.end = next.range.end;
            edit.text.push_str(&next.text);
        }
        Some(edit)
    })
}

/// Where the bytes of a text stand once it is masked.
struct Shown<'m> {
    /// The masks ahead.
    masks: Peekable<std::slice::Iter<'m, Edit>>,
    /// How far those behind have moved what follows.
    moved: isize,
}

impl<'m> Shown<'m> {
    /// Where byte `at` stands, which is no less than the last one; all of a mask, if it is inside it.
    fn place(&mut self, at: usize) -> (Range<usize>, Option<&'m Edit>) {
        while let Some(mask) = self.masks.next_if(|mask| mask.range.end <= at) {
            self.moved += mask.text.len().cast_signed() - mask.range.len().cast_signed();
        }
        let place = |byte: usize| byte.saturating_add_signed(self.moved);
        match self.masks.peek().copied().filter(|mask| mask.range.start < at) {
            Some(mask) => {
                let start = place(mask.range.start);
                (start..start + mask.text.len(), Some(mask))
            }
            None => (place(at)..place(at), None),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Doc, diff, diff_of_edits, masked, masks};
    use super::*;
    use proptest::prelude::*;

    /// The new text, each part of a mask that stays shown as the mask.
    fn expected(old: &str, edits: &Edits, masks: &Edits) -> String {
        let (mut out, mut at) = (String::new(), 0);
        let last = Edit { range: old.len()..old.len(), text: String::new() };
        for edit in edits.iter().chain([&last]) {
            let stays = at..edit.range.start;
            for mask in masks.iter() {
                let part = mask.range.start.max(at)..mask.range.end.min(stays.end);
                if part.start < part.end {
                    out.push_str(&old[at..part.start]);
                    out.push_str(&mask.text);
                    at = part.end;
                }
            }
            out.push_str(&old[at..stays.end]);
            out.push_str(&edit.text);
            at = edit.range.end;
        }
        out
    }

    #[test]
    fn secrets_that_go() {
        let old = "<a>\n<b>\n<!-- passwd='long enough to move all that follows' -->\n</b>\n<c/>\n\
                   <secret>\nx\n</secret><d passwd='\u{e4}\u{f6}\u{fc}'/>\n</a>\n";
        let doc = Doc::parse(old).unwrap();
        let range = |what: &str| old.find(what).unwrap()..old.find(what).unwrap() + what.len();
        let all_of_b = range("<b>").start..range("</b>\n").end;
        let all_secrets = range("<secret>").start..range("</secret>").end;
        for gone in
            [vec![all_of_b.clone()], vec![all_secrets.clone()], vec![all_of_b, range("<c/>\n"), all_secrets]]
        {
            let mut edits = Edits::default();
            gone.into_iter().for_each(|range| edits.push(range, ""));
            edits.push(range("</a>"), "<e/></a>");
            let shown = diff_of_edits("a", "b", &masks(&doc).apply(old), &behind_masks(&edits, &masks(&doc)));
            let new = edits.apply(old);
            assert_eq!(shown, diff("a", &masked(old), "b", &masked(&new)));
        }
    }

    proptest! {
        /// Behind the masks, the splices give what applying them to the text and masking what stays gives.
        #[test]
        fn the_preview_is_what_is_written(
            old in "[abß\n]{0,40}",
            places in prop::collection::vec((0usize..60, 0usize..12, "[xy\n]{0,2}"), 0..6),
            secrets in prop::collection::vec((0usize..60, 1usize..12), 0..6),
        ) {
            let range = |start: usize, len: usize| {
                let start = old.ceil_char_boundary(start.min(old.len()));
                start..old.ceil_char_boundary((start + len).min(old.len()))
            };
            let (mut edits, mut masks) = (Edits::default(), Edits::default());
            places.into_iter().for_each(|(start, len, text)| edits.push(range(start, len), text));
            let secrets = secrets.into_iter().map(|(start, len)| range(start, len));
            secrets.filter(|range| !range.is_empty()).for_each(|range| masks.push(range, "***"));
            let new = behind_masks(&edits, &masks).apply(&masks.apply(&old));
            prop_assert_eq!(new, expected(&old, &edits, &masks));
        }
    }
}
