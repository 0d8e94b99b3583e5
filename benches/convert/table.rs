//! The table, and the machine it was measured on.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// One measurement.
pub(crate) struct Row {
    what: String,
    ours: String,
    beside: String,
    ratio: String,
    limit: String,
    verdict: Verdict,
}

enum Verdict {
    Ok,
    Over,
    NoLimit,
    NotRun,
}

impl Row {
    /// A measurement that isn't held against anything.
    pub(crate) fn new(what: &str, ours: String, beside: String, ratio: String) -> Row {
        Row { what: what.into(), ours, beside, ratio, limit: String::new(), verdict: Verdict::NoLimit }
    }

    /// The same, held against the limit.
    pub(crate) fn limited(self, limit: &str, ok: bool) -> Row {
        Row { limit: limit.into(), verdict: if ok { Verdict::Ok } else { Verdict::Over }, ..self }
    }

    /// What this machine can't measure, and why.
    pub(crate) fn not_run(what: &str, why: &str) -> Row {
        eprintln!("NOT RUN: {what}: {why}");
        let row = Row::new(what, format!("NOT RUN: {why}"), String::new(), String::new());
        Row { verdict: Verdict::NotRun, ..row }
    }

    /// Is it over its limit?
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.verdict, Verdict::Over)
    }

    fn cells(&self) -> [&str; 6] {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Over => "**OVER**",
            Verdict::NoLimit => "",
            Verdict::NotRun => "**NOT RUN**",
        };
        [&self.what, &self.ours, &self.beside, &self.ratio, &self.limit, verdict]
    }
}

/// The rows as a Markdown table whose columns line up.
pub(crate) fn render(rows: &[Row]) -> String {
    let head = ["what", "kvmnet", "beside it", "ratio", "limit", ""];
    let mut lines: Vec<[&str; 6]> = vec![head];
    lines.extend(rows.iter().map(Row::cells));
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: [usize; 6] = std::array::from_fn(width);
    let told = |line: &[&str; 6]| {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("| {} |", widths.map(|width| "-".repeat(width)).join(" | "));
    let mut out: Vec<String> = lines.iter().map(told).collect();
    out.insert(1, rule);
    out.join("\n")
}

/// How much of the processors other work takes, in per cent, looked at for a second.
pub(crate) fn busy() -> f64 {
    let times = || -> (f64, f64) {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
        let idle = ticks.iter().skip(3).take(2).sum();
        (idle, ticks.iter().take(8).sum())
    };
    let before = times();
    std::thread::sleep(Duration::from_secs(1));
    let after = times();
    100.0 * (1.0 - (after.0 - before.0) / (after.1 - before.1).max(1.0))
}

/// The machine in a few sentences; `busy` says how much of it other work took, before and after.
pub(crate) fn machine(busy: [f64; 2]) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_string())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "an unnamed CPU".into());
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let version = |program: &str| {
        let out = Command::new(program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        text.split_whitespace()
            .rfind(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .map(str::to_string)
    };
    format!(
        "Measured on {cores} cores ({cpu}), {:.0} GiB of memory, Linux {}, libvirt {}, virt-xml {}. Each figure is a median, \
         with the least and the most in brackets; MB is 10⁶ bytes. Other work took {:.0} % of the processors just before and {:.0} % just after.",
        kib / 1024.0 / 1024.0,
        read("/proc/sys/kernel/osrelease").trim(),
        version("libvirtd").unwrap_or_else(|| "(none)".into()),
        version("virt-xml").unwrap_or_else(|| "(none)".into()),
        busy[0],
        busy[1],
    )
}
