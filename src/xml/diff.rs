//! Unified diffs.

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

/// The unified diff that `edits` make in `old`. Only the lines that splices touch are compared, and each byte is looked at
/// once, so that neither time nor memory grows with the square of anything.
pub fn diff_of_edits(old_name: &str, new_name: &str, old: &str, edits: &Edits) -> String {
    let mut hunks = Hunks::new(old);
    let mut rest = edits.iter().peekable();
    while let Some(first) = rest.next() {
        // The search for the line's start ends at the last block, behind which a line ends.
        let mut block = line_start(old, first.range.start)..last_touched(old, first);
        let mut inside = vec![first];
        // Neighbours are compared together: all that goes is shown before all that comes.
        while let Some(next) = rest.next_if(|next| is_next(old, block.end, next.range.start)) {
            if next.range.end >= block.end {
                block.end = block.end.max(last_touched(old, next));
            }
            inside.push(next);
        }
        hunks.compare(block, &inside);
    }
    let out = hunks.end();
    if out.is_empty() { out } else { format!("--- {old_name}\n+++ {new_name}\n{out}") }
}

/// How a file is called in the header of a diff, with a remark about it: so that `patch` finds it, a name with blanks in it
/// ends with a tab, and one with characters that would end it is quoted, as git writes them.
pub fn file_label(name: &str, remark: &str) -> String {
    let mut out = name.to_string();
    if name.contains(|c: char| c.is_ascii_control() || matches!(c, '"' | '\\')) {
        out = String::from("\"");
        for c in name.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if c.is_ascii_control() => out.push_str(&format!("\\{:03o}", c as u32)),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    match (name.contains(' '), remark) {
        (true, _) => out + "\t" + remark,
        (false, "") => out,
        (false, _) => out + " " + remark,
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&b| b == b'\n').count()
}

/// The start of the line that holds byte `at`.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |lf| lf + 1)
}

/// Does a line start at byte `at`?
fn starts_line(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes()[at - 1] == b'\n'
}

/// Does byte `at` stand in a block of lines that ends at `end`, or in the line behind it?
fn is_next(text: &str, end: usize, at: usize) -> bool {
    at <= end || !text[end..at].contains('\n')
}

/// Where the lines end that a splice changes; it changes none if it only adds lines.
fn last_touched(old: &str, edit: &Edit) -> usize {
    let end = edit.range.end;
    let is_whole =
        if edit.text.is_empty() { starts_line(old, edit.range.start) } else { edit.text.ends_with('\n') };
    if is_whole && starts_line(old, end) {
        return end;
    }
    old[end..].find('\n').map_or(old.len(), |lf| end + lf + 1)
}

/// Hunks in the making. All of `old` before byte `done` is dealt with.
struct Hunks<'t> {
    old: &'t str,
    done: usize,
    /// Lines of the old and of the new text before that byte.
    lines: [usize; 2],
    out: String,
    /// Where the open hunk's header goes, and the lines before it.
    open: Option<(usize, [usize; 2])>,
}

impl<'t> Hunks<'t> {
    fn new(old: &'t str) -> Hunks<'t> {
        Hunks { old, done: 0, lines: [0; 2], out: String::new(), open: None }
    }

    /// Adds what `edits` make of the lines in `block`.
    fn compare(&mut self, block: Range<usize>, edits: &[&Edit]) {
        let chunk = &self.old[block.clone()];
        let (mut new, mut at) = (String::with_capacity(chunk.len()), 0);
        for edit in edits {
            new.push_str(&chunk[at..edit.range.start - block.start]);
            new.push_str(&edit.text);
            at = edit.range.end - block.start;
        }
        new.push_str(&chunk[at..]);
        // Lines as libvirt and `diff` know them: a carriage return ends none.
        let [old_lines, new_lines]: [Vec<&str>; 2] = [chunk, &new].map(|t| t.split_inclusive('\n').collect());
        let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old_lines, &new_lines);
        let mut at = block.start;
        for change in diff.iter_all_changes() {
            let line = change.value();
            match change.tag() {
                ChangeTag::Equal => at += line.len(),
                ChangeTag::Insert => {
                    self.up_to(at);
                    self.line('+', line);
                }
                ChangeTag::Delete => {
                    self.up_to(at);
                    self.line('-', line);
                    at += line.len();
                    self.done = at;
                }
            }
        }
    }

    /// Deals with the unchanged lines up to byte `at`, where a change follows.
    fn up_to(&mut self, at: usize) {
        let same = &self.old[self.done..at];
        self.done = at;
        if self.open.is_some() && newlines(same) <= 2 * CONTEXT {
            return same.split_inclusive('\n').for_each(|line| self.line(' ', line));
        }
        let same = self.close(same);
        let shown = same.rmatch_indices('\n').nth(CONTEXT).map_or(0, |(lf, _)| lf + 1);
        let passed = newlines(&same[..shown]);
        self.lines = self.lines.map(|lines| lines + passed);
        self.open = Some((self.out.len(), self.lines));
        same[shown..].split_inclusive('\n').for_each(|line| self.line(' ', line));
    }

    /// Ends the open hunk, if there is one, with the first lines of what follows; returns the rest.
    fn close<'s>(&mut self, same: &'s str) -> &'s str {
        let Some((header, before)) = self.open.take() else { return same };
        let shown = same.match_indices('\n').nth(CONTEXT - 1).map_or(same.len(), |(lf, _)| lf + 1);
        same[..shown].split_inclusive('\n').for_each(|line| self.line(' ', line));
        let [old, new] = [0, 1].map(|side| span(before[side], self.lines[side] - before[side]));
        self.out.insert_str(header, &format!("@@ -{old} +{new} @@\n"));
        &same[shown..]
    }

    fn line(&mut self, sign: char, line: &str) {
        self.out.push(sign);
        self.out.push_str(line);
        if !line.ends_with('\n') {
            self.out.push_str("\n\\ No newline at end of file\n");
        }
        self.lines[0] += usize::from(sign != '+');
        self.lines[1] += usize::from(sign != '-');
    }

    fn end(mut self) -> String {
        self.close(&self.old[self.done..]);
        self.out
    }
}

/// `12,7` for the 7 lines behind `before` others, and `12` for a single line, as `diff -u` writes it.
fn span(before: usize, lines: usize) -> String {
    let start = before + usize::from(lines > 0);
    if lines == 1 { start.to_string() } else { format!("{start},{lines}") }
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

    #[test]
    fn names_of_files() {
        for (name, remark, label) in [
            ("a/b.xml", "", "a/b.xml"),
            ("a/b.xml", "(new)", "a/b.xml (new)"),
            ("a b.xml", "", "a b.xml\t"),
            ("a b.xml", "(new)", "a b.xml\t(new)"),
            ("a\tb", "", r#""a\tb""#),
            ("\u{e4}\n \"\\\u{1b}", "", "\"\u{e4}\\n \\\"\\\\\\033\"\t"),
        ] {
            assert_eq!(file_label(name, remark), label);
        }
    }

    /// A line of many megabytes, and splices everywhere in it.
    #[test]
    fn one_long_line() {
        let piece = "0123456789".repeat(10);
        let old = piece.repeat(50_000);
        let mut edits = Edits::default();
        for n in 0..50_000 {
            edits.push(n * 100..n * 100 + 1, "x");
        }
        let shown = diff_of_edits("a", "b", &old, &edits);
        let end = "\n\\ No newline at end of file\n";
        assert!(shown == format!("--- a\n+++ b\n@@ -1 +1 @@\n-{old}{end}+{}{end}", edits.apply(&old)));
    }

    /// What applying a diff to `old` gives; every line that it names must be there.
    fn patched(old: &str, diff: &str) -> String {
        let lines: Vec<&str> = old.split_inclusive('\n').collect();
        let (mut out, mut at) = (String::new(), 0);
        let mut rest = diff.split_inclusive('\n').skip(2).peekable();
        while let Some(line) = rest.next() {
            let header = line.strip_prefix("@@ -").unwrap();
            let (span, _) = header.split_once(" +").unwrap();
            let (start, len) = span.split_once(',').unwrap_or((span, "1"));
            let start = start.parse::<usize>().unwrap() - usize::from(len != "0");
            out.push_str(&lines[at..start].concat());
            at = start;
            while let Some(line) = rest.next_if(|line| !line.starts_with('@')) {
                let (sign, mut text) = line.split_at(1);
                if rest.next_if(|line| line.starts_with('\\')).is_some() {
                    text = text.strip_suffix('\n').unwrap();
                }
                if sign != "+" {
                    assert_eq!(lines[at], text);
                    at += 1;
                }
                if sign != "-" {
                    out.push_str(text);
                }
            }
            assert_eq!(at, start + len.parse::<usize>().unwrap());
        }
        out.push_str(&lines[at..].concat());
        out
    }

    proptest! {
        /// Applied to the old text, the diff gives the new one, however alike the lines are.
        #[test]
        fn says_what_happens(
            old in "([abß]{0,2}(\n|\r\n)){0,40}[ab]{0,2}",
            places in prop::collection::vec((0usize..120, 0usize..9, "[abx\n]{0,4}"), 0..6),
        ) {
            let mut edits = Edits::default();
            let mut least = 0;
            let mut places = places;
            places.sort();
            for (start, len, new) in places {
                let start = old.ceil_char_boundary(start.min(old.len())).max(least);
                let end = old.ceil_char_boundary((start + len).min(old.len()));
                edits.push(start..end, new);
                least = end;
            }
            let new = edits.apply(&old);
            prop_assert_eq!(&patched(&old, &diff_of_edits("a", "b", &old, &edits)), &new);
            prop_assert_eq!(&patched(&old, &diff("a", &old, "b", &new)), &new);
        }

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
