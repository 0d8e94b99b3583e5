//! The cargo subcommands that the tests need, built in the background where they are missing.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output_of, program_dir};

/// A cargo subcommand from crates.io.
pub(crate) struct Tool {
    /// `deny` for `cargo deny`.
    name: &'static str,
    /// The release that is installed when there is none of its series.
    version: &'static str,
    /// What the version begins with when it will do.
    series: &'static str,
}

/// Checks licences and where crates come from; `deny.toml` is written for this series.
pub(crate) const DENY: Tool = Tool { name: "deny", version: "0.20.2", series: "0.20." };
/// Builds and runs fuzz targets.
pub(crate) const FUZZ: Tool = Tool { name: "fuzz", version: "0.13.2", series: "0.13." };

impl Tool {
    /// Whether `cargo <name>` answers with a version that will do.
    fn is_there(&self) -> bool {
        let version = output_of(cargo().args([self.name, "--version"]).stderr(Stdio::null()));
        version.is_some_and(|line| self.accepts(&line))
    }

    /// Whether this line, `cargo-deny 0.20.2`, tells of a version that will do.
    fn accepts(&self, line: &str) -> bool {
        line.split_whitespace().nth(1).is_some_and(|version| version.starts_with(self.series))
    }
}

/// Tools that are being installed, one after the other, by processes of their own. Dropping this ends
/// what is still under way.
pub(crate) struct Installing {
    child: Option<Child>,
    log: PathBuf,
}

impl Installing {
    /// Begins to install those of `tools` that are missing.
    pub(crate) fn start(tools: &[Tool]) -> Result<Self> {
        let log = program_dir()?.join("xtask-tools.log");
        let missing: Vec<String> = tools
            .iter()
            .filter(|tool| !tool.is_there())
            .map(|tool| format!("cargo-{}@{}", tool.name, tool.version))
            .collect();
        if missing.is_empty() {
            return Ok(Self { child: None, log });
        }
        println!(
            "Installing {} from crates.io in the background (log: {})",
            missing.join(" and "),
            log.display()
        );
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = cargo()
            .args(["install", "--locked", "--force"])
            .args(&missing)
            // In the target folder that our own builds use, each would wait for the other.
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot run cargo install")?;
        Ok(Self { child: Some(child), log })
    }

    /// Waits until they are there.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let status = child.wait().context("cannot wait for cargo install")?;
        if !status.success() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            bail!(
                "cargo install failed ({status}):\n{}",
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        Ok(())
    }
}

impl Drop for Installing {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DENY, FUZZ};

    #[test]
    fn another_series_will_not_do() {
        assert!(DENY.accepts("cargo-deny 0.20.2\n"));
        assert!(DENY.accepts("cargo-deny 0.20.9"));
        assert!(!DENY.accepts("cargo-deny 0.19.0"));
        assert!(!DENY.accepts("cargo-deny 0.200.0"));
        assert!(!FUZZ.accepts(""));
    }
}
