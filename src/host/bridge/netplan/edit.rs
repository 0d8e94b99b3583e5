//! A file of netplan's that is changed where it must be, and nowhere else. After every step it is read again: it must say
//! what it should.

use super::piece::Piece;
use super::yaml::{Node, Unread, Value, What, read};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doc {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) root: Node,
}

/// Where a new entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    End,
    After(&'a str),
}

impl Doc {
    pub(super) fn read(path: &str, text: &str) -> Result<Doc, Unread> {
        Ok(Doc { path: path.into(), text: text.into(), root: read(text)? })
    }

    /// How its lines end.
    pub(super) fn eol(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// The node there.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        self.root.at(path)
    }

    /// What it says there.
    pub(super) fn value(&self, path: &[&str]) -> Option<Value> {
        Some(self.at(path)?.value())
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    pub(super) fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn indent(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// How far its levels are apart.
    pub(super) fn step(&self) -> usize {
        let inner = self.at(&["network"]).filter(|node| !node.is_flow(&self.text));
        let first = inner.and_then(|node| node.entries().first());
        first.map_or(2, |(key, _)| self.indent(key.start)).clamp(1, 8)
    }

    /// The lines of an entry of a map that isn't in brackets: comments right above it that begin where it does, and those
    /// below it that stand further in, are its.
    fn lines_of(&self, key: &Node, value: &Node) -> (usize, usize) {
        let indent = self.indent(key.start);
        let mut start = self.line_start(key.start);
        while start > 0 {
            let above = self.line_start(start - 1);
            let line = &self.text[above..start];
            let content = line.trim_start();
            if !content.starts_with('#') || line.len() - content.len() != indent {
                break;
            }
            start = above;
        }
        let mut end = self.line_end(value.end.max(key.end));
        while end < self.text.len() {
            let below = self.line_end(end);
            let line = &self.text[end..below];
            let content = line.trim_start();
            if !content.starts_with('#') || line.len() - content.len() <= indent {
                break;
            }
            end = below;
        }
        (start, end)
    }

    /// An entry, to stand elsewhere.
    pub(super) fn piece(&self, path: &[&str]) -> Option<Piece> {
        let (last, parent) = path.split_last()?;
        let map = self.at(parent)?;
        let (key, value) = map.entries().iter().find(|(key, _)| key.word() == *last)?;
        let mut piece = Piece::new(last, value.value());
        if map.is_flow(&self.text) {
            piece.inline = self.text.get(key.start..value.end.max(key.end)).map(str::to_string);
        } else {
            let (start, end) = self.lines_of(key, value);
            let indent = self.indent(key.start);
            let lines = self.text[start..end].split_inclusive('\n');
            // Lines of a list in brackets may stand further left.
            let bare = lines.map(|line| {
                line.get(indent..).filter(|_| line[..indent].trim().is_empty()).unwrap_or(line.trim_start())
            });
            let mut bare: String = bare.collect();
            if !bare.ends_with('\n') {
                bare.push_str(self.eol());
            }
            piece.lines = Some(bare);
        }
        Some(piece)
    }

    /// Is there room for lines, or are brackets around it?
    pub(super) fn is_block(&self, path: &[&str]) -> bool {
        let mut node = &self.root;
        if node.is_flow(&self.text) {
            return false;
        }
        for key in path {
            let Some(next) = node.at(&[key]) else { return true };
            if next.is_flow(&self.text) {
                // Empty brackets may become lines.
                return next.is_empty();
            }
            node = next;
        }
        true
    }

    /// Takes an entry out. A map that nothing is left of is written as `{}`.
    pub(super) fn remove(&mut self, path: &[&str]) -> Result<(), Unread> {
        let Some((last, parent)) = path.split_last() else { return Ok(()) };
        let Some(map) = self.at(parent) else { return Ok(()) };
        let Some(at) = map.entries().iter().position(|(key, _)| key.word() == *last) else { return Ok(()) };
        let (key, value) = &map.entries()[at];
        let mut text = self.text.clone();
        if map.is_flow(&self.text) {
            let end = value.end.max(key.end);
            let range =
                match (at.checked_sub(1).and_then(|at| map.entries().get(at)), map.entries().get(at + 1)) {
                    (Some((key, value)), _) => value.end.max(key.end)..end,
                    (None, Some((next, _))) => key.start..next.start,
                    (None, None) => map.start + 1..map.end.saturating_sub(1),
                };
            text.replace_range(range, "");
        } else {
            let (start, end) = self.lines_of(key, value);
            text.replace_range(start..end, "");
            if map.entries().len() == 1 {
                let above = parent.split_last().and_then(|(last, above)| {
                    let map = self.at(above)?;
                    map.entries().iter().find(|(key, _)| key.word() == *last)
                });
                let colon =
                    above.and_then(|(key, _)| Some(key.end + self.text.get(key.end..start)?.find(':')? + 1));
                if let Some(colon) = colon {
                    text.insert_str(colon, " {}");
                }
            }
        }
        // What ended without a newline still does, unless lines were taken off its end.
        if !self.text.ends_with('\n') && text.ends_with('\n') {
            let bare = text.trim_end_matches(['\n', '\r']).len();
            text.truncate(bare);
        }
        let mut wanted = self.root.value();
        if let Some(Value::Map(entries)) = wanted.at_mut(parent) {
            entries.remove(at);
        }
        self.turn(text, &wanted)
    }

    /// Puts an entry into a map, which is made if it isn't there.
    pub(super) fn insert(&mut self, path: &[&str], piece: &Piece, place: Place<'_>) -> Result<(), Unread> {
        let Some(map) = self.at(path) else {
            let Some((last, parent)) = path.split_last() else { return Ok(()) };
            let made =
                Piece::map(last, std::slice::from_ref(piece), self.is_block(parent), self.step(), self.eol());
            return self.insert(parent, &made, Place::End);
        };
        let entries = map.entries();
        let after = match place {
            Place::After(name) => entries.iter().position(|(key, _)| key.word() == name),
            Place::End => None,
        };
        let at = after.or(entries.len().checked_sub(1));
        let mut text = self.text.clone();
        let eol = self.eol();
        match at.and_then(|at| entries.get(at)) {
            Some((key, value)) if map.is_flow(&self.text) => {
                text.insert_str(value.end.max(key.end), &format!(", {}", piece.inline()));
            }
            Some((key, value)) => {
                let (_, end) = self.lines_of(key, value);
                let mut new = piece.block(self.indent(key.start), eol);
                if !self.text[..end].ends_with('\n') {
                    new = format!("{eol}{}", new.trim_end_matches(['\n', '\r']));
                }
                text.insert_str(end, &new);
            }
            None if path.is_empty() => {
                let mut new = piece.block(0, eol);
                if !text.is_empty() && !text.ends_with('\n') {
                    new.insert_str(0, eol);
                }
                text.push_str(&new);
            }
            None => self.fill(&mut text, path, map, piece),
        }
        let mut wanted = self.root.value();
        if let Some(there) = wanted.at_mut(path) {
            let new = (piece.key.clone(), piece.value.clone());
            match there {
                Value::Map(entries) => entries.insert(at.map_or(0, |at| at + 1), new),
                other => *other = Value::Map(vec![new]),
            }
        }
        self.turn(text, &wanted)
    }

    /// Of `key: {}` and `key:`
    fn fill(&self, text: &mut String, path: &[&str], map: &Node, piece: &Piece) {
        let eol = self.eol();
        let parent = path.split_last().and_then(|(last, above)| {
            let map = self.at(above)?;
            Some((map, &map.entries().iter().find(|(key, _)| key.word() == *last)?.0, above))
        });
        let Some((outer, key, above)) = parent else { return };
        if outer.is_flow(&self.text) || !self.is_block(above) {
            let inside = if map.is_flow(&self.text) {
                map.start + 1..map.end.saturating_sub(1)
            } else {
                map.start..map.end
            };
            let new =
                if map.is_flow(&self.text) { piece.inline() } else { format!("{{{}}}", piece.inline()) };
            text.replace_range(inside, &new);
            return;
        }
        let outer_indent = above.is_empty().then_some(0).or_else(|| {
            let (last, above) = above.split_last()?;
            let key = &self.at(above)?.entries().iter().find(|(key, _)| key.word() == *last)?.0;
            Some(self.indent(key.start))
        });
        let indent = self.indent(key.start);
        let step = outer_indent.filter(|outer| *outer < indent).map_or(self.step(), |outer| indent - outer);
        let end = self.line_end(map.end.max(key.end));
        let mut new = piece.block(indent + step, eol);
        if !self.text[..end].ends_with('\n') {
            new = format!("{eol}{}", new.trim_end_matches(['\n', '\r']));
        }
        text.insert_str(end, &new);
        if map.is_flow(&self.text) {
            let before = self.text[..map.start].trim_end_matches(' ').len();
            text.replace_range(before..map.end, "");
        }
    }

    /// Sets a scalar, or puts in a new entry.
    pub(super) fn set(&mut self, path: &[&str], word: &str) -> Result<(), Unread> {
        let value = Value::Scalar(word.into());
        let Some(node) =
            self.at(path).filter(|node| !node.is_empty() && matches!(node.what, What::Scalar(_)))
        else {
            let Some((last, parent)) = path.split_last() else { return Ok(()) };
            self.remove(path)?;
            return self.insert(parent, &Piece::new(last, value), Place::End);
        };
        let mut text = self.text.clone();
        text.replace_range(node.start..node.end, &super::yaml::scalar(word));
        let mut wanted = self.root.value();
        if let Some(there) = wanted.at_mut(path) {
            *there = value;
        }
        self.turn(text, &wanted)
    }

    /// Becomes this text, if it says what it should.
    pub(super) fn turn(&mut self, text: String, wanted: &Value) -> Result<(), Unread> {
        let root = read(&text)?;
        if root.value() != *wanted {
            let same = self.text.lines().zip(text.lines()).take_while(|(old, new)| old == new);
            let why = "this is written in a way that can't be changed here".to_string();
            return Err(Unread { line: same.count() + 1, why });
        }
        (self.text, self.root) = (text, root);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_last_key_goes() {
        let text = "network:\n ethernets:\n  # ours\n  enp4s0: # here\n   dhcp4: true";
        let mut doc = Doc::read("a.yaml", text).unwrap();
        doc.remove(&["network", "ethernets", "enp4s0", "dhcp4"]).unwrap();
        assert_eq!(doc.text, "network:\n ethernets:\n  # ours\n  enp4s0: {} # here");
        let piece = Piece::new("dhcp4", Value::Scalar("true".into()));
        doc.insert(&["network", "ethernets", "enp4s0"], &piece, Place::End).unwrap();
        assert_eq!(doc.text, text);
    }

    #[test]
    fn brackets_in_a_list_that_is_none() {
        let text = "network:\n  ethernets:\n    enp4s0:\n      routes:\n      - {to: default, via: 192.0.2.1}\n      dns:\n      \
                    - [a, {b: c}] # d\n      mtu: 1400\n";
        let mut doc = Doc::read("a.yaml", text).unwrap();
        let nic = ["network", "ethernets", "enp4s0"];
        let path = |key| [&nic[..], &[key]].concat();
        let piece = doc.piece(&path("routes")).unwrap();
        doc.remove(&path("routes")).unwrap();
        doc.push_item(&path("dns"), &Value::Scalar("e".into())).unwrap();
        doc.insert(&nic, &piece, Place::End).unwrap();
        assert_eq!(
            doc.text,
            "network:\n  ethernets:\n    enp4s0:\n      dns:\n      - [a, {b: c}] # d\n      - e\n      mtu: 1400\n      routes:\n      \
             - {to: default, via: 192.0.2.1}\n"
        );
    }

    #[test]
    fn brackets() {
        let mut doc = Doc::read("a.yaml", "{a: {b: 1, c: [x, y], d: 3}} # end").unwrap();
        doc.remove_item(&["a", "c"], 0).unwrap();
        doc.push_item(&["a", "c"], &Value::Scalar("z:1".into())).unwrap();
        doc.remove(&["a", "b"]).unwrap();
        doc.set(&["a", "d"], "4").unwrap();
        doc.insert(&["e", "f"], &Piece::new("g", Value::Seq(Vec::new())), Place::End).unwrap();
        assert_eq!(doc.text, "{a: {c: [y, \"z:1\"], d: 4}, e: {f: {g: []}}} # end");
        doc.remove(&["a", "c"]).unwrap();
        doc.remove(&["a", "d"]).unwrap();
        assert_eq!(doc.text, "{a: {}, e: {f: {g: []}}} # end");
    }
}
