//! All about one thing, for people.

use super::plain::plain_line;

/// `name:  text`, with further lines below the first.
#[derive(Debug)]
pub struct Sections {
    text: String,
    indent: usize,
}

impl Sections {
    /// Nothing yet; texts will stand `indent` columns to the right, or behind a name that is longer.
    pub fn new(indent: usize) -> Sections {
        Sections { text: String::new(), indent }
    }

    /// The lines of one name; none at all if there are no lines.
    pub fn line(&mut self, name: &str, lines: &[String]) {
        let indent = self.indent;
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { format!("{name}:") } else { String::new() };
            self.text.push_str(&format!("{name:<indent$} {}", plain_line(line)));
            self.text.push('\n');
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }
}
