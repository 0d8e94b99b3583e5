//! Running commands and watching the clock.

use std::process::{Command, Stdio};
use std::time::Instant;

/// What several runs of one thing gave, in seconds or bytes.
#[derive(Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    /// Adds a run.
    pub(crate) fn push(&mut self, value: f64) {
        let at = self.0.partition_point(|known| *known < value);
        self.0.insert(at, value);
    }

    /// The middle one; of an even number the mean of both.
    pub(crate) fn median(&self) -> f64 {
        let half = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[half] } else { f64::midpoint(self.0[half - 1], self.0[half]) }
    }

    /// Median and range, in seconds.
    pub(crate) fn seconds(&self) -> String {
        self.told(seconds)
    }

    /// Median and range, in bytes.
    pub(crate) fn bytes(&self) -> String {
        self.told(|bytes| format!("{:.0} MB", bytes / 1e6))
    }

    fn told(&self, tell: impl Fn(f64) -> String) -> String {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        format!("{} ({} to {})", tell(self.median()), tell(least), tell(most))
    }
}

/// A time in the unit that suits it.
pub(crate) fn seconds(seconds: f64) -> String {
    let (value, unit) = if seconds < 1.0 { (seconds * 1e3, "ms") } else { (seconds, "s") };
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

/// How long a command takes from its start to its end, its output thrown away. It must succeed.
pub(crate) fn time(command: &mut Command) -> f64 {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let begin = Instant::now();
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let took = begin.elapsed().as_secs_f64();
    assert!(out.status.success(), "{command:?}: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    took
}

/// Can this command be run here, and does it succeed?
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
