//! `cargo xtask bench`: measures, and writes the table into BENCHMARKS.md.

use std::fs;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::install;
use crate::packages::Stage;
use crate::run::{cargo, check, is_root, program_dir, root};

/// Where the table stands, between two marks.
const FILE: &str = "BENCHMARKS.md";
const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Measures everything that this machine can.
pub(crate) fn run() -> Result<()> {
    let mut stages = vec![Stage::Build, Stage::Bench];
    if is_root() {
        stages.push(Stage::Lab);
    } else {
        println!("Left out: a thousand guests on a libvirtd (this is not root).");
    }
    install::ensure(&stages)?;

    // Beside this program's own folder, `target/debug`, so that the usual build stays as it is.
    let offline = program_dir()?.join("../bench-offline");
    let mut build = cargo();
    build
        .args(["build", "--release", "--no-default-features", "--bin", "kvmnet", "--target-dir"])
        .arg(&offline);
    check(&mut build)?;

    let mut bench = cargo();
    bench.args(["bench", "--bench", "convert"]).env("KVMNET_BENCH_OFFLINE", offline.join("release/kvmnet"));
    let out = bench.stderr(Stdio::inherit()).output().context("cannot run `cargo bench`")?;
    let said = String::from_utf8_lossy(&out.stdout);
    print!("{said}");
    if !said.contains("| what ") {
        bail!("the benchmark failed ({})", out.status);
    }
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    fs::write(&path, spliced(&text, said.trim())?).with_context(|| format!("cannot write {FILE}"))?;
    println!("\nWritten into {FILE}.");
    if !out.status.success() {
        bail!("a limit is exceeded (OVER in the table)");
    }
    Ok(())
}

/// `text` with `table` between its marks.
fn spliced(text: &str, table: &str) -> Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let Some((head, tail)) = parts else { bail!("{FILE} has lost its marks, `{BEGIN}` and `{END}`") };
    Ok(format!("{head}{BEGIN}\n\n{table}\n\n{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::spliced;

    #[test]
    fn only_the_table_changes() {
        let text = "a\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nz\n";
        let new = "a\n<!-- measured: begin -->\n\nnew\n\n<!-- measured: end -->\nz\n";
        assert_eq!(spliced(text, "new").ok().as_deref(), Some(new));
        assert!(spliced("a\n", "new").is_err());
    }
}
