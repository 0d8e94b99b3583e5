//! The kvmnet that runs on the machines: the one under test, if their Debian has a C library that is new enough for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::lan::home;

/// The program, or why there is none.
pub(super) fn kvmnet() -> Result<&'static Path, &'static str> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PROGRAM.get_or_init(find).as_deref().map_err(String::as_str)
}

fn find() -> Result<PathBuf, String> {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_kvmnet"));
    if runs(&built) { Ok(built) } else { build_static() }
}

/// Whether the program starts with the libraries of that Debian.
fn runs(program: &Path) -> bool {
    let tree = home().join("debian");
    let libraries = tree.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
    let loader = ["lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"].map(|name| tree.join(name));
    let Some(loader) = loader.iter().find(|loader| loader.exists()) else { return false };
    let mut cmd = Command::new(loader);
    cmd.arg("--library-path").arg(libraries).arg(program).arg("--version");
    cmd.output().is_ok_and(|out| out.status.success())
}

/// Builds one that needs no library.
fn build_static() -> Result<PathBuf, String> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let dir = home().with_file_name("lab-host-static");
    let mut cmd = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cmd.args(["build", "--quiet", "--package", "kvmnet", "--bin", "kvmnet", "--no-default-features"])
        // With a target named, the flags are for the program only and not for what runs while it is built.
        .args(["--target", &target, "--target-dir"])
        .arg(&dir)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let out = cmd.output().map_err(|e| e.to_string())?;
    let program = dir.join(target).join("debug/kvmnet");
    if out.status.success() { Ok(program) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}
