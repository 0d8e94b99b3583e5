//! A keyfile to the byte: read as GLib's GKeyFile does, written back as it was but for what is changed.

/// What the note says where nothing stood.
const NOTHING: &str = "none";

/// The lines of a keyfile, by section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keyfile {
    parts: Vec<Part>,
    ending: &'static str,
}

/// A section with what stands before its header and belongs to it: blank lines and the comment right above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    name: String,
    head: String,
    body: Vec<String>,
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn header(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.strip_suffix(']')
}

/// `key=value`; the locale of `key[de]` is part of the key.
fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', '[']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    Some((key.trim_end(), value.trim_start()))
}

/// Two names of the same section: NetworkManager still reads the D-Bus names.
fn plain(section: &str) -> &str {
    match section {
        "802-3-ethernet" => "ethernet",
        other => other,
    }
}

impl Keyfile {
    pub(super) fn parse(text: &str) -> Keyfile {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut parts = vec![Part::default()];
        for line in text.split_inclusive('\n') {
            let Some(last) = parts.last_mut() else { continue };
            let Some(name) = header(line) else {
                last.body.push(line.to_string());
                continue;
            };
            let mut from = last.body.len();
            while from > 0 && is_comment(&last.body[from - 1]) {
                from -= 1;
            }
            while from > 0 && last.body[from - 1].trim().is_empty() {
                from -= 1;
            }
            let head = last.body.split_off(from).concat() + line;
            parts.push(Part { name: name.to_string(), head, body: Vec::new() });
        }
        Keyfile { parts, ending }
    }

    pub(super) fn text(&self) -> String {
        self.parts.iter().map(|part| part.head.clone() + &part.body.concat()).collect()
    }

    /// Would NetworkManager read it? A line that is nothing of all that makes GKeyFile refuse the whole file.
    pub(super) fn is_sound(&self) -> bool {
        let is_fine = |line: &String| {
            line.trim().is_empty() || is_comment(line) || pair(line).is_some_and(|p| !p.0.is_empty())
        };
        self.parts.iter().all(|part| part.body.iter().all(is_fine))
            && self.parts.first().is_none_or(|first| first.body.iter().all(|line| pair(line).is_none()))
    }

    fn named<'a>(&'a self, section: &'a str) -> impl DoubleEndedIterator<Item = &'a Part> {
        self.parts.iter().filter(move |part| plain(&part.name) == section && !part.head.is_empty())
    }

    pub(super) fn has(&self, section: &str) -> bool {
        self.named(section).next().is_some()
    }

    /// The value of a key; the last one counts.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.pairs(section).into_iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The keys and values of a section, in order.
    pub(super) fn pairs(&self, section: &str) -> Vec<(&str, &str)> {
        let named = self.parts.iter().filter(|part| plain(&part.name) == section && !part.head.is_empty());
        named.flat_map(|part| part.body.iter().filter_map(|line| pair(line))).collect()
    }

    pub(super) fn is_true(&self, section: &str, key: &str) -> Option<bool> {
        match self.get(section, key)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Gives a key a value, in its line if there is one, else behind the section's last key.
    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        if self.get(section, key) == Some(value) {
            return;
        }
        let lines =
            self.parts.iter_mut().filter(|part| plain(&part.name) == section && !part.head.is_empty());
        let line =
            lines.flat_map(|part| part.body.iter_mut()).rfind(|line| pair(line).is_some_and(|p| p.0 == key));
        match line {
            Some(line) => {
                let end = line.trim_end_matches(['\n', '\r']).len();
                let at = line.find('=').map_or(0, |at| at + 1);
                let blank = line[at..end].len() - line[at..end].trim_start().len();
                *line = format!("{}{value}{}", &line[..at + blank], &line[end..]);
            }
            None => self.append(section, &format!("{key}={value}{}", self.ending)),
        }
    }

    /// The same, with a comment above that says what stood there.
    pub(super) fn set_noted(&mut self, section: &str, key: &str, value: &str, note: &str) {
        let ending = self.ending;
        let is_it = |line: &String| pair(line).is_some_and(|p| p.0 == key);
        let named = |part: &&mut Part| plain(&part.name) == section && !part.head.is_empty();
        let was = self.named(section).flat_map(|part| &part.body).rfind(|line| is_it(line));
        let was = was.map_or(NOTHING.to_string(), |line| line.trim_end_matches(['\n', '\r']).to_string());
        self.set(section, key, value);
        for part in self.parts.iter_mut().filter(named).rev() {
            if let Some(at) = part.body.iter().rposition(is_it) {
                return part.body.insert(at, format!("# {note}: {was}{ending}"));
            }
        }
    }

    /// Puts back what stood where [`Self::set_noted`] left such a note; a section that then has nothing in it goes.
    pub(super) fn take_back(&mut self, section: &str, note: &str) {
        let prefix = format!("# {note}: ");
        let mut is_changed = false;
        for part in self.parts.iter_mut().filter(|part| plain(&part.name) == section && !part.head.is_empty())
        {
            while let Some(at) = part.body.iter().position(|line| line.starts_with(&prefix)) {
                is_changed = true;
                let was = part.body.remove(at);
                let was = was[prefix.len()..].trim_end_matches(['\n', '\r']);
                let Some(line) = part.body.get(at).filter(|line| pair(line).is_some()) else { continue };
                let end = line[line.trim_end_matches(['\n', '\r']).len()..].to_string();
                match was {
                    NOTHING => drop(part.body.remove(at)),
                    was => part.body[at] = format!("{was}{end}"),
                }
            }
        }
        let is_empty =
            |part: &Part| plain(&part.name) == section && part.body.iter().all(|line| line.trim().is_empty());
        if is_changed {
            self.parts.retain(|part| part.head.is_empty() || !is_empty(part));
        }
    }

    /// Puts lines behind the last key of a section; makes the section at the end if there is none.
    pub(super) fn append(&mut self, section: &str, lines: &str) {
        let ending = self.ending;
        let text = lines.to_string();
        let Some(at) =
            self.parts.iter().rposition(|part| plain(&part.name) == section && !part.head.is_empty())
        else {
            let blank = if self.text().is_empty() { "" } else { ending };
            self.end_line();
            let head = format!("{blank}[{section}]{ending}");
            return self.parts.push(Part { name: section.to_string(), head, body: vec![text] });
        };
        let part = &mut self.parts[at];
        let after = part.body.iter().rposition(|line| pair(line).is_some()).map_or(0, |at| at + 1);
        let before = if after == 0 { &mut part.head } else { &mut part.body[after - 1] };
        let had_none = !before.ends_with('\n');
        if had_none {
            before.push_str(ending);
        }
        let text = if had_none { text.trim_end_matches(['\n', '\r']).to_string() } else { text };
        part.body.splice(after..after, text.split_inclusive('\n').map(String::from));
    }

    /// Removes a key's lines.
    pub(super) fn remove(&mut self, section: &str, key: &str) {
        for part in self.parts.iter_mut().filter(|part| plain(&part.name) == section && !part.head.is_empty())
        {
            let ended = part.body.last().is_none_or(|line| line.ends_with('\n'));
            let count = part.body.len();
            part.body.retain(|line| pair(line).is_none_or(|p| p.0 != key));
            if !ended && part.body.len() < count {
                let last = part.body.last_mut().unwrap_or(&mut part.head);
                last.truncate(last.trim_end_matches(['\n', '\r']).len());
            }
        }
    }

    /// Takes a key's lines out, each with the comment right above it.
    pub(super) fn lift(&mut self, section: &str, key: &str) -> String {
        let mut out = String::new();
        for part in self.parts.iter_mut().filter(|part| plain(&part.name) == section && !part.head.is_empty())
        {
            while let Some(at) = part.body.iter().position(|line| pair(line).is_some_and(|p| p.0 == key)) {
                let comments = part.body[..at].iter().rev().take_while(|line| is_comment(line)).count();
                out.extend(part.body.drain(at - comments..=at));
            }
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str(self.ending);
        }
        out
    }

    /// Takes sections out, with the comments above their headers.
    pub(super) fn lift_sections(&mut self, names: &[&str]) -> String {
        let (out, rest) = std::mem::take(&mut self.parts)
            .into_iter()
            .partition(|part| names.contains(&plain(&part.name)) && !part.head.is_empty());
        self.parts = rest;
        Keyfile { parts: out, ending: self.ending }.text()
    }

    /// The text of sections, as [`Self::lift_sections`] would give it.
    pub(super) fn sections(&self, names: &[&str]) -> String {
        self.clone().lift_sections(names)
    }

    /// Puts sections at the end, to the byte.
    pub(super) fn put(&mut self, sections: &str) {
        if sections.is_empty() {
            return;
        }
        self.end_line();
        let more = Keyfile::parse(sections).parts;
        self.parts.extend(more.into_iter().filter(|part| !part.head.is_empty() || !part.body.is_empty()));
    }

    fn end_line(&mut self) {
        let ending = self.ending;
        if let Some(part) = self.parts.iter_mut().rfind(|part| !part.head.is_empty() || !part.body.is_empty())
        {
            let last = part.body.last_mut().unwrap_or(&mut part.head);
            if !last.ends_with('\n') {
                last.push_str(ending);
            }
        }
    }

    /// How its lines end.
    pub(super) fn ending(&self) -> &'static str {
        self.ending
    }
}
