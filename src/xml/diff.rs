//! Unified diffs.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, ChangeTag, TextDiff};

use super::edit::{Edit, Edits};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// The unified diff between two texts called `old_name` and `new_name`; empty if they are equal.
pub fn diff(old_name: &str, old: &str, new_name: &str, new: &str) -> String {
    let mut edits = Edits::default();
    // What is alike at both ends needs no search.
    let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let start = old.floor_char_boundary(same(old.as_bytes(), new.as_bytes()));
    let (rest_old, rest_new) = (&old[start..], &new[start..]);
    let back = rest_old.bytes().rev().zip(rest_new.bytes().rev()).take_while(|(a, b)| a == b).count();
    let end = rest_old.ceil_char_boundary(rest_old.len() - back);
    edits.push(start..start + end, &rest_new[..rest_new.len() - (rest_old.len() - end)]);
    diff_of_edits(old_name, new_name, old, &edits)
}

/// The unified diff that `edits` make in `old`. Only the lines around the splices are looked at, so that its cost
/// doesn't grow with the square of anything.
pub fn diff_of_edits(old_name: &str, new_name: &str, old: &str, edits: &Edits) -> String {
    let mut out = String::new();
    let (mut line, mut counted) = (0, 0);
    let mut shift = 0_isize;
    for (range, edits) in clusters(old, edits) {
        line += newlines(&old[counted..range.start]);
        counted = range.start;
        let chunk = &old[range.clone()];
        let mut inside = Edits::default();
        for edit in edits {
            inside.push(edit.range.start - range.start..edit.range.end - range.start, edit.text.clone());
        }
        let new = inside.apply(chunk);
        shift += hunks(&mut out, chunk, &new, line, shift);
    }
    if out.is_empty() { out } else { format!("--- {old_name}\n+++ {new_name}\n{out}") }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&b| b == b'\n').count()
}

/// Splices that are so near each other that their context meets, each group with the lines around it.
fn clusters<'e>(old: &str, edits: &'e Edits) -> Vec<(Range<usize>, Vec<&'e Edit>)> {
    let mut out: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits.iter() {
        let start = lines_before(old, edit.range.start);
        let end = lines_after(old, edit.range.end);
        match out.last_mut() {
            Some((range, group)) if start <= range.end => {
                range.end = end.max(range.end);
                group.push(edit);
            }
            _ => out.push((start..end, vec![edit])),
        }
    }
    out
}

/// The start of the line `CONTEXT` lines above the one that holds byte `at`.
fn lines_before(text: &str, at: usize) -> usize {
    text[..at].rmatch_indices('\n').nth(CONTEXT).map_or(0, |(lf, _)| lf + 1)
}

/// The end of the line `CONTEXT` lines below the one that holds byte `at`.
fn lines_after(text: &str, at: usize) -> usize {
    text[at..].match_indices('\n').nth(CONTEXT).map_or(text.len(), |(lf, _)| at + lf + 1)
}

/// Writes the hunks between two chunks that start after `line` lines of the old text; returns how many lines the new
/// one has more.
fn hunks(out: &mut String, old: &str, new: &str, line: usize, shift: isize) -> isize {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(old, new);
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let old_lines = first.old_range().start..last.old_range().end;
        let new_lines = first.new_range().start..last.new_range().end;
        let new_line = line.saturating_add_signed(shift);
        let _ = writeln!(out, "@@ -{} +{} @@", span(line, &old_lines), span(new_line, &new_lines));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let text = change.value();
            let _ = write!(out, "{sign}{text}");
            if !text.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    newlines(new).cast_signed() - newlines(old).cast_signed()
}

/// `12,7`, and `12` for a single line, as `diff -u` writes it.
fn span(line: usize, lines: &Range<usize>) -> String {
    let start = line + lines.start + usize::from(!lines.is_empty());
    if lines.len() == 1 { start.to_string() } else { format!("{start},{}", lines.len()) }
}

/// The splices where they stand once `masks` were applied too. A mask never touches what a splice touches.
pub fn behind_masks(edits: &Edits, masks: &Edits) -> Edits {
    let mut out = Edits::default();
    let mut masks = masks.iter().peekable();
    let mut moved = 0;
    for edit in edits.iter() {
        while let Some(mask) = masks.next_if(|m| m.range.end <= edit.range.start) {
            moved += mask.text.len().cast_signed() - mask.range.len().cast_signed();
        }
        let at = |byte: usize| byte.saturating_add_signed(moved);
        out.push(at(edit.range.start)..at(edit.range.end), edit.text.clone());
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn far_apart_and_without_a_last_newline() {
        let old: String = (1..=30).map(|n| format!("line {n}\n")).collect::<String>() + "end";
        let mut edits = Edits::default();
        let at = |what: &str| old.find(what).unwrap();
        edits.push(at("line 3\n")..at("line 4\n"), "three\nand more\n");
        edits.push(at("end")..old.len(), "END");
        let text = diff_of_edits("a", "b", &old, &edits);
        assert!(text.starts_with(
            "--- a\n+++ b\n@@ -1,6 +1,7 @@\n line 1\n line 2\n-line 3\n+three\n+and more\n line 4\n"
        ));
        assert!(text.contains("@@ -28,4 +29,4 @@\n line 28\n"), "{text}");
        assert!(text.ends_with("-end\n\\ No newline at end of file\n+END\n\\ No newline at end of file\n"));
        assert_eq!(diff("a", "x", "b", "x"), "");
    }

    proptest! {
        /// Both ways to a diff give what `similar` says of the whole texts, for texts whose lines are all different.
        #[test]
        fn as_of_the_whole_texts(size in 1usize..60, cuts in prop::collection::btree_set(0usize..60, 0..6)) {
            let lines: Vec<String> = (0..size).map(|n| format!("l{n}\n")).collect();
            let old = lines.concat();
            let mut edits = Edits::default();
            let mut at = 0;
            for (n, line) in lines.iter().enumerate() {
                if cuts.contains(&n) {
                    edits.push(at..at + line.len(), if n % 2 == 0 { String::new() } else { format!("x{n}\ny{n}\n") });
                }
                at += line.len();
            }
            let new = edits.apply(&old);
            let whole = TextDiff::from_lines(&old, &new).unified_diff().header("a", "b").to_string();
            prop_assert_eq!(&diff_of_edits("a", "b", &old, &edits), &whole);
            prop_assert_eq!(&diff("a", &old, "b", &new), &whole);
        }
    }
}
