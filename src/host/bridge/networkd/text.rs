//! systemd's files of sections and keys, to the byte: what is taken out of one and put into another stays as it was
//! written, comments with it.

/// A file: its sections in order, and what stands after the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) sections: Vec<Section>,
    tail: String,
    eol: &'static str,
    has_final_eol: bool,
}

/// A section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    /// Empty lines and comments before the header.
    pub(super) lead: String,
    head: String,
    pub(super) items: Vec<Item>,
}

/// `Key=Value`, with the comments above it. Comments that no key follows have an empty key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) raw: String,
    pub(super) key: String,
    pub(super) value: String,
}

impl Text {
    /// A file with nothing in it, its lines ended as the other's are.
    pub(super) fn new(like: &Text) -> Text {
        Text { sections: Vec::new(), tail: String::new(), eol: like.eol(), has_final_eol: true }
    }

    fn eol(&self) -> &'static str {
        if self.eol.is_empty() { "\n" } else { self.eol }
    }

    /// Reads one. Everything is some text: lines that are none of systemd's stay where they are.
    pub(super) fn read(text: &str) -> Text {
        let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut out = Text { eol, has_final_eol: text.is_empty() || text.ends_with('\n'), ..Text::default() };
        let mut pending = String::new();
        let mut lines = text.split_inclusive('\n');
        while let Some(line) = lines.next() {
            let whole = if line.ends_with('\n') { line.to_string() } else { format!("{line}{eol}") };
            let bare = line.trim_start_matches('\u{feff}').trim();
            let is_comment = bare.starts_with(['#', ';']);
            if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                let lead = out.end_section(&pending, false);
                out.sections.push(Section { name: name.into(), lead, head: whole, items: Vec::new() });
                pending.clear();
                continue;
            }
            pending.push_str(&whole);
            let (false, Some((key, value))) = (is_comment, bare.split_once('=')) else { continue };
            // A `\` at its end joins a line to the next that is no comment (systemd.syntax(7)).
            let mut value = value.trim().to_string();
            while let Some(short) = value.strip_suffix('\\') {
                let Some(next) = lines.next() else { break };
                let is_whole = next.ends_with('\n');
                pending.push_str(next);
                pending.push_str(if is_whole { "" } else { eol });
                if !next.trim_start().starts_with(['#', ';']) {
                    value = format!("{} {}", short.trim_end(), next.trim());
                }
            }
            if let Some(section) = out.sections.last_mut() {
                section.items.push(Item { raw: std::mem::take(&mut pending), key: key.trim().into(), value });
            }
        }
        out.tail = if out.sections.is_empty() { pending } else { out.end_section(&pending, true) };
        out
    }

    /// Comments right below a key, with nothing between, belong to its section; gives what is left, which leads the next.
    fn end_section(&mut self, pending: &str, is_end: bool) -> String {
        let Some(section) = self.sections.last_mut() else { return pending.to_string() };
        let mut at = 0;
        let mut lines = pending.split_inclusive('\n').peekable();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            at += line.len();
        }
        if lines.peek().is_none() && !is_end {
            // No empty line at all: that is what the next section begins with.
            at = 0;
        }
        let (below, rest) = pending.split_at(at);
        if !below.is_empty() {
            section.items.push(Item { raw: below.into(), ..Item::default() });
        }
        rest.to_string()
    }

    /// As it is written.
    pub(super) fn write(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            out.push_str(&section.lead);
            out.push_str(&section.head);
            section.items.iter().for_each(|item| out.push_str(&item.raw));
        }
        out.push_str(&self.tail);
        if !self.has_final_eol {
            let bare = out.strip_suffix(self.eol()).or_else(|| out.strip_suffix('\n')).map(str::len);
            out.truncate(bare.unwrap_or(out.len()));
        }
        out
    }

    /// Sections of that name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Section> {
        self.sections.iter().filter(move |section| section.name == name)
    }

    /// The values of a key, in order.
    pub(super) fn all<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.named(section).flat_map(move |section| section.all(key))
    }

    /// Its last value.
    pub(super) fn get<'a>(&'a self, section: &'a str, key: &'a str) -> Option<&'a str> {
        self.all(section, key).last()
    }

    /// A new key at the end of the last such section, which is made at the end if there is none.
    pub(super) fn push(&mut self, section: &str, key: &str, value: &str, comment: Option<&str>) {
        let eol = self.eol();
        let comment = comment.map(|text| format!("# {text}{eol}")).unwrap_or_default();
        let item = Item { raw: format!("{comment}{key}={value}{eol}"), key: key.into(), value: value.into() };
        if let Some(at) = self.sections.iter().rposition(|old| old.name == section) {
            let items = &mut self.sections[at].items;
            let end = items.iter().rposition(|item| !item.key.is_empty()).map_or(0, |last| last + 1);
            return items.insert(end, item);
        }
        let mut new = self.section(section);
        new.items.push(item);
        if self.sections.is_empty() && self.tail.trim().is_empty() {
            self.tail.clear();
        }
        self.sections.push(new);
    }

    /// A section with nothing in it, as it would follow what is there.
    pub(super) fn section(&self, name: &str) -> Section {
        let eol = self.eol();
        let lead = if self.sections.is_empty() { "" } else { eol };
        Section { name: name.into(), lead: lead.into(), head: format!("[{name}]{eol}"), items: Vec::new() }
    }

    /// Sets the key's last value, in its place; new ones are pushed.
    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        let eol = self.eol();
        let of_name = self.sections.iter_mut().rev().filter(|old| old.name == section);
        for old in of_name {
            if let Some(item) = old.items.iter_mut().rev().find(|item| item.key == key) {
                let line = item.raw.trim_end_matches(['\n', '\r']).rfind('\n').map_or(0, |at| at + 1);
                item.raw.truncate(line);
                item.raw.push_str(&format!("{key}={value}{eol}"));
                item.value = value.into();
                return;
            }
        }
        self.push(section, key, value, None);
    }

    /// Takes items out; sections that have no keys left go too. Gives what was taken.
    pub(super) fn take(&mut self, mut is_taken: impl FnMut(&Section, &Item) -> bool) -> Vec<Item> {
        let mut taken = Vec::new();
        for section in &mut self.sections {
            let shell = Section { items: Vec::new(), ..section.clone() };
            let (out, left) = std::mem::take(&mut section.items)
                .into_iter()
                .partition::<Vec<_>, _>(|item| !item.key.is_empty() && is_taken(&shell, item));
            section.items = left;
            if !out.is_empty() && !section.has_keys() {
                section.name.clear();
            }
            taken.extend(out);
        }
        self.sections.retain(|section| !section.name.is_empty());
        taken
    }

    /// Does it say anything?
    pub(super) fn has_keys(&self) -> bool {
        self.sections.iter().any(Section::has_keys)
    }

    /// Ends as the other does.
    pub(super) fn end_like(mut self, other: &Text) -> Text {
        self.has_final_eol = other.has_final_eol;
        self
    }
}

impl Section {
    /// The values of a key, in order.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.items.iter().filter(move |item| item.key == key).map(|item| item.value.as_str())
    }

    /// Does it say anything?
    pub(super) fn has_keys(&self) -> bool {
        self.items.iter().any(|item| !item.key.is_empty())
    }

    /// The empty lines that its lead begins with.
    pub(super) fn blank(&self) -> String {
        self.lead.split_inclusive('\n').take_while(|line| line.trim().is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_set_in_its_place() {
        let mut text = Text::read("[NetDev]\nName=br0\n\n[Bridge]\n# off\nSTP = no\n\n[More]\nX=1");
        text.set("Bridge", "STP", "yes");
        text.set("Bridge", "ForwardDelaySec", "2");
        text.push("Last", "A", "b", Some("why"));
        assert_eq!(
            text.write(),
            "[NetDev]\nName=br0\n\n[Bridge]\n# off\nSTP=yes\nForwardDelaySec=2\n\n[More]\nX=1\n\n[Last]\n# why\nA=b"
        );
    }

    #[test]
    fn what_continues_is_one_value() {
        let text = Text::read("[Match]\r\nName=a \\\r\n# no\r\n  b\r\n;c\r\n\r\n[Network]\r\n");
        assert_eq!(text.get("Match", "Name"), Some("a b"));
        assert_eq!(text.sections.len(), 2);
        assert_eq!(text.sections[1].lead, "\r\n");
    }

    proptest! {
        #[test]
        fn read_and_written(text in "(\\[A\\]|\\[Network\\]|#c|;|A=b|B= c \\\\|\\\\|x|[ \\t]|\r?\n|\r?\n){0,30}", any in "\\PC{0,60}") {
            prop_assert_eq!(Text::read(&text).write(), text);
            prop_assert_eq!(Text::read(&any).write(), any);
        }
    }
}
