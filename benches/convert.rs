//! How fast kvmnet is, beside what it replaces, in one run: `cargo xtask bench`.
//!
//! Prints a Markdown table on standard output and its progress on standard error. `cargo bench --bench convert -- PART…`
//! runs only these parts: `one-file`, `many-files`, `check`, `guests`, `networks`, `big-file`. Ends with 1 if a limit is exceeded.
//!
//! `KVMNET_BENCH_OFFLINE` names a kvmnet built without libvirt; without it that row says that it was not run.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to its terminal, and fails by panicking"
)]

#[path = "../tests/lab/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod lab;

#[path = "convert/big_file.rs"]
mod big_file;
#[path = "convert/check.rs"]
mod check;
#[path = "convert/guests.rs"]
mod guests;
#[path = "convert/many_files.rs"]
mod many_files;
#[path = "convert/measure.rs"]
mod measure;
#[path = "convert/networks.rs"]
mod networks;
#[path = "convert/one_file.rs"]
mod one_file;
#[path = "convert/table.rs"]
mod table;

use std::process::ExitCode;

use table::Row;

/// The kvmnet that is measured.
const KVMNET: &str = env!("CARGO_BIN_EXE_kvmnet");

/// One part of the table.
type Part = (&'static str, fn() -> Vec<Row>);

/// The parts, in the order of the table.
const PARTS: [Part; 6] = [
    ("one-file", one_file::run),
    ("many-files", many_files::run),
    ("check", check::run),
    ("guests", guests::run),
    ("networks", networks::run),
    ("big-file", big_file::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        eprintln!("Not measured: this is no `cargo bench`.");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    if let Some(unknown) = wanted.iter().find(|word| PARTS.iter().all(|(name, _)| name != *word)) {
        eprintln!("error: there is no part '{unknown}'");
        return ExitCode::from(2);
    }
    let before = table::busy();
    let mut rows = Vec::new();
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.contains(&name) {
            eprintln!("==> {name}");
            rows.extend(run());
        }
    }
    println!("{}\n\n{}", table::machine([before, table::busy()]), table::render(&rows));
    ExitCode::from(u8::from(rows.iter().any(Row::is_over)))
}
