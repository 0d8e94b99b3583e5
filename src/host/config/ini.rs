//! Files of `[Section]` and `Key=Value`: systemd's and NetworkManager's.

/// What stands in such a file, in order: section, key, value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ini(Vec<(String, String, String)>);

/// Reads such a file. Lines that are none of that are passed over, as their owners do.
pub fn read(text: &str) -> Ini {
    let mut section = String::new();
    let mut entries = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_string();
        } else if let Some((key, value)) = line.split_once('=') {
            entries.push((section.clone(), key.trim().to_string(), value.trim().to_string()));
        }
    }
    Ini(entries)
}

impl Ini {
    /// The values of a key, in order. Files without sections have all in the section ``.
    pub fn all<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        let is_wanted = move |entry: &&(String, String, String)| entry.0 == section && entry.1 == key;
        self.0.iter().filter(is_wanted).map(|(_, _, value)| value.as_str())
    }

    /// The value of a key; the last one counts.
    pub fn get<'a>(&'a self, section: &'a str, key: &'a str) -> Option<&'a str> {
        self.all(section, key).last()
    }

    /// The keys of a section, in order.
    pub fn keys<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |entry| entry.0 == section).map(|(_, key, _)| key.as_str())
    }
}
