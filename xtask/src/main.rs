//! kvmnet's own chores: a demonstration and the whole test run, each of which
//! installs what it lacks. Run as `cargo xtask <chore>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore's output is its terminal")]

mod bench;
mod demo;
mod guest;
mod host;
mod install;
mod modules;
mod packages;
mod run;
mod sarif;
mod test;
mod tools;

use std::process::ExitCode;

/// What `cargo xtask help` prints.
const HELP: &str = "\
kvmnet's chores

Usage: cargo xtask <CHORE>

Chores:
  demo           Build kvmnet and show its main job: on a fixture host (libvirt's
                 embedded test driver) and on a file. Starts no daemon and touches
                 nothing on this host. Installs libvirt's headers and pkg-config
                 when they are missing
  test           Everything a change must pass: formatting, clippy, all tests with
                 and without libvirt, documentation, licences, fuzzing. As root it
                 also runs the tests that start a libvirtd of their own, or boot machines,
                 inside network namespaces. Installs what it lacks
  test --fast    The same without the libvirtd tests, licences and fuzzing
  bench          Measure kvmnet beside virt-xml, cat, xmllint and a Python program, and
                 write the table into BENCHMARKS.md. As root it also measures a
                 thousand guests on a libvirtd of its own inside network namespaces.
                 Fails when a limit is exceeded. Installs what it lacks
  guest          Make ready the kernel and the busybox that guests boot in the libvirtd
                 tests: downloaded with apt and not installed, else this machine's own.
                 `test` does this by itself
  host           Make ready the Debian that the tests' machines boot, with every program
                 that configures networks on it: with mmdebstrap, in the target folder.
                 `test` does this by itself
  man            Write the man pages in man/ anew, after the command line changed
  help           This text
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["bench"] => bench::run(),
        ["demo"] => demo::run(),
        ["guest"] => guest::ensure(),
        ["host"] => host::ensure(),
        ["man"] => man(),
        ["test"] => test::run(false),
        ["test", "--fast"] => test::run(true),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprint!("error: no such chore: {}\n\n{HELP}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the man pages from the parser's own definitions. It takes no libvirt.
fn man() -> anyhow::Result<()> {
    let words = [
        "run",
        "--quiet",
        "--package",
        "kvmnet",
        "--no-default-features",
        "--bin",
        "kvmnet",
        "--",
        "man",
        "man",
    ];
    run::check(run::cargo().args(words))
}
