//! Colours.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Is there colour at all?
    pub on: bool,
}

/// Something in a colour.
struct Painted<T>(T, Option<Style>);

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(style) => write!(f, "{style}{}{style:#}", self.0),
            None => self.0.fmt(f),
        }
    }
}

impl Paint {
    fn with(self, what: impl Display, style: Style) -> impl Display {
        Painted(what, self.on.then_some(style))
    }

    /// What a change is about.
    pub fn subject(self, what: impl Display) -> impl Display {
        self.with(what, Style::new().bold())
    }

    /// Something that went wrong.
    pub fn error(self, what: impl Display) -> impl Display {
        self.with(what, AnsiColor::Red.on_default().bold())
    }

    /// Something to know.
    pub fn warning(self, what: impl Display) -> impl Display {
        self.with(what, AnsiColor::Yellow.on_default().bold())
    }

    /// Something that went well.
    pub fn success(self, what: impl Display) -> impl Display {
        self.with(what, AnsiColor::Green.on_default())
    }

    /// One line of a unified diff.
    pub fn diff_line(self, line: &str) -> impl Display {
        let style = match line.as_bytes() {
            [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => Style::new().bold(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'+', ..] => AnsiColor::Green.on_default(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            _ => return Painted(line.to_string(), None),
        };
        Painted(line.to_string(), self.on.then_some(style))
    }
}
