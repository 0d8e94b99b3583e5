//! `cargo xtask test`: everything a change must pass, in one run.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::guest;
use crate::host;
use crate::install;
use crate::packages::Stage;
use crate::run::{cargo, check_within, failing_tests, is_root, root, show};
use crate::sarif;
use crate::tools::{DENY, FUZZ, Installing};

/// No step takes that long, unless something in it hangs.
const MOST: Duration = Duration::from_secs(40 * 60);
/// For how long each fuzz target is run.
const FUZZ_SECONDS: u32 = 30;
/// Every fuzz target, under `fuzz/fuzz_targets/`, and the folder of its seeds.
const FUZZ_TARGETS: &[(&str, &str)] = &[
    ("check_file", "fixtures/lint"),
    ("convert_file", "fuzz/seeds/convert_file"),
    ("network_file", "fuzz/seeds/network_file"),
];

/// One thing that must pass.
struct Step {
    name: &'static str,
    command: Command,
    /// Whether it needs the tools that are installed in the background.
    tools: bool,
    /// Whether tests that fail in it are run once more, each alone.
    again: bool,
}

/// What became of a step.
enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotRun,
}

/// Runs everything, or without the slow parts if `fast`. Stops at the first failure.
pub(crate) fn run(fast: bool) -> Result<()> {
    let lab = !fast && is_root();
    let mut tools = Installing::start(if fast { &[] } else { &[DENY, FUZZ] })?;
    let mut stages = vec![Stage::Build, Stage::Test];
    if !fast {
        stages.push(Stage::Fuzz);
    }
    if lab {
        stages.push(Stage::Lab);
    } else {
        let why = if fast { "--fast" } else { "this is not root" };
        println!("Left out: the tests that start a libvirtd of their own ({why}).");
    }
    install::ensure(&stages)?;
    sarif::ensure()?;
    if lab {
        guest::ensure()?;
    }
    let hosts = lab && machines()?;

    let mut steps = steps(fast, lab, hosts)?;
    let mut outcomes = Vec::new();
    let mut failure = None;
    for step in &mut steps {
        if failure.is_some() {
            outcomes.push(Outcome::NotRun);
            continue;
        }
        println!("\n==> {}: {}", step.name, show(&step.command));
        let start = Instant::now();
        let ready = if step.tools { tools.finish() } else { Ok(()) };
        let done = ready.and_then(|()| match step.again {
            true => check_again(&mut step.command),
            false => check_within(&mut step.command, MOST),
        });
        let took = start.elapsed();
        println!("<== {}: {:.1} s", step.name, took.as_secs_f64());
        outcomes.push(if done.is_ok() { Outcome::Passed(took) } else { Outcome::Failed(took) });
        failure = done.err();
    }

    println!("\nSummary");
    for (step, outcome) in steps.iter().zip(&outcomes) {
        let (word, took) = match outcome {
            Outcome::Passed(took) => ("ok", Some(took)),
            Outcome::Failed(took) => ("FAILED", Some(took)),
            Outcome::NotRun => ("not run", None),
        };
        let took = took.map(|took| format!("{:7.1} s", took.as_secs_f64())).unwrap_or_default();
        println!("  {word:8}{:28}{took}", step.name);
    }
    match failure {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Makes ready what the tests' machines boot; says so if there will be none.
fn machines() -> Result<bool> {
    match host::ensure() {
        Ok(()) => Ok(true),
        Err(error) if host::demanded() => Err(error),
        Err(error) => {
            println!("LEFT OUT: THE TESTS ON BOOTED MACHINES (tests/hosts.rs): {error:#}");
            Ok(false)
        }
    }
}

/// The steps, in order.
fn steps(fast: bool, lab: bool, hosts: bool) -> Result<Vec<Step>> {
    let step = |name, command| Step { name, command, tools: false, again: false };
    let mut steps = vec![
        step("format", cargo_with("fmt --all --check")),
        step("format of fuzz", cargo_with("fmt --manifest-path fuzz/Cargo.toml --check")),
        step("clippy", cargo_with("clippy --workspace --all-targets -- -D warnings")),
        step(
            "clippy without libvirt",
            cargo_with("clippy --package kvmnet --no-default-features --all-targets -- -D warnings"),
        ),
        step("tests", tests(lab)),
        step("tests without libvirt", tests_without_libvirt()),
        step("documentation", documentation()),
    ];
    if hosts {
        let at = steps.iter().position(|step| step.name == "tests").map_or(steps.len(), |at| at + 1);
        let tests = step("tests on booted machines", machine_tests());
        steps.insert(at, Step { again: true, ..tests });
    }
    if !fast {
        let deny = cargo_with("deny check licenses bans sources");
        steps.push(Step { name: "licences and sources", command: deny, tools: true, again: false });
        for (target, seeds) in FUZZ_TARGETS {
            steps.push(Step { name: "fuzz", command: fuzz(target, seeds)?, tools: true, again: false });
        }
    }
    Ok(steps)
}

/// Cargo with these words.
fn cargo_with(words: &str) -> Command {
    let mut command = cargo();
    command.args(words.split(' '));
    command
}

/// All tests. What we have seen to must then be there: a test that finds it missing fails, where
/// otherwise it would leave itself out.
fn tests(lab: bool) -> Command {
    let mut command = cargo_with("test --workspace");
    if lab {
        // Those on booted machines are a step of their own.
        command.env("KVMNET_REQUIRE", "lab,libvirt,sarif").env("KVMNET_SKIP", "hosts");
    } else {
        command.env("KVMNET_REQUIRE", "libvirt,sarif").env("KVMNET_SKIP", "lab");
    }
    command
}

/// The tests on booted machines, which wait for timers and servers most of the time: more of them at once than there are
/// cores, and no more than the kernel lets have inotify at once: of its 128 instances a machine needs about nine.
fn machine_tests() -> Command {
    let mut command = cargo_with("test --package kvmnet --test hosts -- --test-threads=10");
    command.env("KVMNET_REQUIRE", "lab,libvirt");
    command
}

/// Runs the tests on booted machines. Of several machines at once, with their own DHCP clients and network managers, one may
/// come too late on a busy machine: the few that fail are run once more, alone, and named.
fn check_again(command: &mut Command) -> Result<()> {
    const FEW: usize = 5;
    let Some(failing) = failing_tests(command, MOST)? else { return Ok(()) };
    if failing.len() > FEW {
        bail!("{} tests on booted machines failed", failing.len());
    }
    println!("\nFAILED, AND RUN ONCE MORE, ALONE: {}", failing.join(", "));
    let mut alone = cargo_with("test --package kvmnet --test hosts -- --test-threads=1 --exact");
    alone.args(failing).env("KVMNET_REQUIRE", "lab,libvirt");
    check_within(&mut alone, MOST)
}

/// The tests of the half that works on files only. What is tested with many made-up cases was so a moment ago.
fn tests_without_libvirt() -> Command {
    let mut command = cargo_with("test --package kvmnet --no-default-features");
    command.env("KVMNET_SKIP", "lab").env("PROPTEST_CASES", "32");
    command
}

/// The documentation, private parts too since that is where the rooms are explained. A broken link is an error.
fn documentation() -> Command {
    let mut command = cargo_with("doc --workspace --no-deps --document-private-items");
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// One fuzz target for a while, from the committed seeds and what earlier runs found. Without a
/// sanitizer it runs on a stable toolchain and twice as fast, and kvmnet's parser and editor have no
/// unsafe code for one to watch.
fn fuzz(target: &str, seeds: &str) -> Result<Command> {
    let home = root().join("fuzz");
    let corpus = home.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
    let seeds = root().join(seeds);
    let dictionary = home.join(format!("{target}.dict"));
    if !seeds.is_dir() {
        bail!("no seeds for the fuzz target {target}: {} is missing", seeds.display());
    }
    let mut command = cargo_with("fuzz run --sanitizer none");
    command.arg(target).args([&corpus, &seeds]).arg("--");
    command.arg(format!("-dict={}", dictionary.display()));
    command.arg(format!("-max_total_time={FUZZ_SECONDS}"));
    command.args([
        "-max_len=16384",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]);
    Ok(command)
}
