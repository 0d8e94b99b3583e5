//! The terminal: is somebody there, and what do they say.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};

/// Is somebody there to be asked: is standard input a terminal, and standard error one that shows the question?
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on standard error and reads a line: `y` or `yes` is a yes, everything else (and the end of input) a no.
///
/// # Errors
/// The terminal is gone.
pub fn ask(question: &str) -> io::Result<bool> {
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        writeln!(err)?;
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Is progress worth showing: is standard error a terminal?
pub fn shows_progress() -> bool {
    io::stderr().is_terminal()
}

/// A line on standard error, if it is still there.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Is it root who runs this process?
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// This process's number.
pub fn process_id() -> u32 {
    std::process::id()
}

/// The words typed after the program's name.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}
