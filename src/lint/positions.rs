//! Lines and columns of many places in one text, found without reading it from its start for each.

/// How far apart the marks are between which characters are counted, in bytes.
const STEP: usize = 1024;

/// Where lines begin, and how many characters there are up to marks in between.
#[derive(Debug)]
pub(super) struct Positions<'t> {
    text: &'t str,
    /// The first byte of each line.
    lines: Vec<usize>,
    /// The characters that begin before each multiple of [`STEP`].
    marks: Vec<usize>,
    /// Where byte order marks are: nobody sees them.
    unseen: Vec<usize>,
}

impl<'t> Positions<'t> {
    pub(super) fn new(text: &'t str) -> Positions<'t> {
        let bytes = text.as_bytes();
        let ends = bytes.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, next)| next);
        let marks = bytes.chunks(STEP).scan(0, |count, chunk| {
            let before = *count;
            *count += starts(chunk);
            Some(before)
        });
        Positions {
            text,
            lines: std::iter::once(0).chain(ends).collect(),
            marks: marks.collect(),
            unseen: text.match_indices('\u{feff}').map(|(at, _)| at).collect(),
        }
    }

    /// Line and column in characters of a byte, both from 1: those of [`crate::xml::text_position`].
    pub(super) fn of(&self, byte: usize) -> (usize, usize) {
        let line = self.line(byte);
        (line, self.characters(byte) - self.characters(self.lines[line - 1]) + 1)
    }

    /// The line that a byte is in, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte)
    }

    /// The bytes of a line begin here. Behind the last line, the text ends.
    pub(super) fn start(&self, line: usize) -> usize {
        self.lines.get(line - 1).copied().unwrap_or(self.text.len())
    }

    /// A line's own text ends here, before the break.
    pub(super) fn end(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.text.len(), |next| next - 1)
    }

    /// The characters that begin before a byte, less those that nobody sees.
    fn characters(&self, byte: usize) -> usize {
        let mark = (byte / STEP).min(self.marks.len().saturating_sub(1));
        let before = self.marks.get(mark).copied().unwrap_or_default();
        let unseen = self.unseen.partition_point(|at| *at < byte);
        before + starts(&self.text.as_bytes()[mark * STEP..byte]) - unseen
    }
}

/// How many characters begin in these bytes.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::text_position;

    proptest! {
        #[test]
        fn those_of_a_single_place(text in "[xß\u{1f600}\u{feff}\n]{0,60}", times in 1usize..80, from in 0usize..900) {
            let text = text.repeat(times);
            let positions = Positions::new(&text);
            for byte in (from..=text.len()).step_by(97).filter(|byte| text.is_char_boundary(*byte)) {
                prop_assert_eq!(positions.of(byte), text_position(&text, byte));
                let line = positions.line(byte);
                let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
                let end = text[byte..].find('\n').map_or(text.len(), |at| byte + at);
                prop_assert_eq!((positions.start(line), positions.end(line)), (start, end));
            }
        }
    }
}
