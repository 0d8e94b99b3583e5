//! A program that asks on a terminal.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

/// A kvmnet that waits for an answer on its terminal.
pub(crate) struct Asking {
    child: Child,
    said: String,
    line: String,
}

impl Asking {
    /// Starts a command that brings a terminal of its own (`line`, for messages), and waits until it asks its question.
    #[track_caller]
    pub(crate) fn start(mut cmd: Command, line: String) -> Self {
        cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut asking = Self { child: cmd.spawn().expect("script starts"), said: String::new(), line };
        asking.read_until("[y/N]");
        asking
    }

    /// Reads what it says until `word` is among it.
    #[track_caller]
    fn read_until(&mut self, word: &str) {
        let stdout = self.child.stdout.as_mut().expect("a pipe was asked for");
        let mut buf = [0; 4096];
        while !self.said.contains(word) {
            let n = stdout.read(&mut buf).expect("a pipe can be read");
            assert!(n > 0, "kvmnet ended without asking: {}\n{}", self.line, self.said);
            self.said.push_str(&String::from_utf8_lossy(&buf[..n]));
        }
    }

    /// Answers it; gives its exit code and all that it said.
    pub(crate) fn answer(mut self, text: &str) -> (i32, String) {
        let mut stdin = self.child.stdin.take().expect("a pipe was asked for");
        stdin.write_all(text.as_bytes()).expect("a pipe can be written");
        stdin.flush().expect("a pipe can be written");
        let mut rest = String::new();
        let stdout = self.child.stdout.as_mut().expect("a pipe was asked for");
        let _ = stdout.read_to_string(&mut rest);
        drop(stdin);
        let code = self.child.wait().expect("script ends").code().unwrap_or(-1);
        (code, self.said + &rest)
    }
}
