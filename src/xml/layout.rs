//! How the text around an edit is laid out, so that what is removed leaves no hole and what is added looks as if
//! it had always stood there.

use std::ops::Range;

/// Questions about the lines of a text.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'t> {
    text: &'t str,
}

impl<'t> Layout<'t> {
    /// The layout of `text`.
    pub fn new(text: &'t str) -> Layout<'t> {
        Layout { text }
    }

    /// What to cut so that the element in `range` goes and its line with it: the whole line where it stands alone,
    /// the blanks before it where something else follows or precedes on the same line.
    pub fn removal(&self, range: Range<usize>) -> Range<usize> {
        let before = self.blanks_before(range.start);
        let after = self.blanks_after(range.end);
        let starts_line = self.starts_line(before);
        match self.line_break(after) {
            Some(next_line) if starts_line => before..next_line,
            Some(_) => before..after,
            None if after == self.text.len() => before..after,
            None if starts_line => range.start..after,
            None => before..range.end,
        }
    }

    /// The blanks before byte `at` if only they stand before it on its line: its indentation.
    pub fn indentation(&self, at: usize) -> Option<&'t str> {
        let before = self.blanks_before(at);
        self.starts_line(before).then(|| &self.text[before..at])
    }

    /// The same, unless there are more than `most` blanks: then no more of them are looked at.
    pub fn short_indentation(&self, at: usize, most: usize) -> Option<&'t str> {
        let near = at.saturating_sub(most + 1);
        let all_blank = self.text.as_bytes()[near..at].iter().all(|b| matches!(b, b' ' | b'\t'));
        if all_blank && at > most { None } else { self.indentation(at) }
    }

    /// Where to insert a new line behind the element that ends at `end`: behind the comments and blanks that finish
    /// its line, so that a remark stays with what it remarks on. `None` where something else follows on the line.
    pub fn line_end(&self, end: usize) -> Option<usize> {
        let mut at = end;
        loop {
            let next = self.blanks_after(at);
            if next == self.text.len() || self.line_break(next).is_some() {
                return Some(if at == end { end } else { at });
            }
            let rest = &self.text[next..];
            let comment = rest.strip_prefix("<!--").and_then(|r| r.find("-->"))? + 7;
            if rest[..comment].contains(['\n', '\r']) {
                return None;
            }
            at = next + comment;
        }
    }

    /// The line break in use where byte `at` stands: that of the line above, else of the text's first line. Looks at all
    /// of the line: not to be asked of every element on one.
    pub fn newline(&self, at: usize) -> &'static str {
        let bytes = self.text.as_bytes();
        let breaks = ['\n', '\r'];
        let found = self.text[..at].rfind(breaks).or_else(|| {
            let first = self.text.find(breaks)?;
            Some(first + usize::from(self.text[first..].starts_with("\r\n")))
        });
        match found {
            Some(at) if bytes[at] == b'\r' => "\r",
            Some(at) if at > 0 && bytes[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    fn starts_line(&self, at: usize) -> bool {
        at == 0 || matches!(self.text.as_bytes()[at - 1], b'\n' | b'\r')
    }

    fn blanks_before(&self, at: usize) -> usize {
        self.text[..at].trim_end_matches([' ', '\t']).len()
    }

    fn blanks_after(&self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start_matches([' ', '\t']).len()
    }

    /// Behind the line break at byte `at`, if there is one.
    fn line_break(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        if rest.starts_with("\r\n") { Some(at + 2) } else { rest.starts_with(['\n', '\r']).then_some(at + 1) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn without(text: &str, what: &str) -> String {
        let start = text.find(what).unwrap();
        let mut out = text.to_string();
        out.replace_range(Layout::new(text).removal(start..start + what.len()), "");
        out
    }

    #[test]
    fn removal_takes_the_line_along() {
        assert_eq!(without("<i>\n  <v/>\n  <m/>\n</i>", "<v/>"), "<i>\n  <m/>\n</i>");
        assert_eq!(without("<i>\r\n\t<v/>  \r\n\t<m/>\r\n</i>", "<v/>"), "<i>\r\n\t<m/>\r\n</i>");
        assert_eq!(without("<i>\n  <m/> <v/>\n</i>", "<v/>"), "<i>\n  <m/>\n</i>");
        assert_eq!(without("<i>\n  <v/> <m/>\n</i>", "<v/>"), "<i>\n  <m/>\n</i>");
        assert_eq!(without("<i>\r  <v/>\r  <m/>\r</i>", "<v/>"), "<i>\r  <m/>\r</i>");
        assert_eq!(without("<i><v/><m/></i>", "<v/>"), "<i><m/></i>");
        assert_eq!(without("<i> <v/> <m/></i>", "<v/>"), "<i> <m/></i>");
        assert_eq!(without("<i>\n  <v>\n    <t/>\n  </v>\n</i>", "<v>\n    <t/>\n  </v>"), "<i>\n</i>");
    }

    #[test]
    fn where_a_new_line_goes() {
        let end_of = |text: &str| Layout::new(text).line_end(text.find('|').unwrap() + 1);
        assert_eq!(end_of("|\n"), Some(1));
        let short = |text: &str, most| Layout::new(text).short_indentation(text.len(), most).map(str::len);
        assert_eq!((short("a\n  ", 2), short("a\n   ", 2), short("a\nb", 2)), (Some(2), None, None));
        assert_eq!((short("  ", 2), short("   ", 2), short("", 0)), (Some(2), None, Some(0)));
        assert_eq!(end_of("| <!-- lan --> \n"), Some(15 - 1));
        assert_eq!(end_of("|<m/>\n"), None);
        assert_eq!(end_of("| <!-- a\n b -->\n"), None);
        assert_eq!(Layout::new("a\r\nb").newline(3), "\r\n");
        assert_eq!(Layout::new("a\r\nb").newline(0), "\r\n");
        assert_eq!(Layout::new("a\rb").newline(2), "\r");
        assert_eq!(Layout::new("a\nb").newline(0), "\n");
    }
}
