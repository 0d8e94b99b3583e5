//! From `kvmnet` to `kvmnet-libvirt`.
//!
//! Merely being linked to libvirt costs a process about 15 ms at its start, ten times what converting a file takes. So
//! there are two executables of the same program: `kvmnet` isn't linked to libvirt, and when a command first needs a
//! connection, it becomes `kvmnet-libvirt`, which begins anew with the same arguments. Nothing was read from standard
//! input or written before that.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::problem::Problem;

const NAME: &str = "kvmnet-libvirt";

/// Becomes `kvmnet-libvirt`.
///
/// # Errors
/// It isn't there, can't be started, or libvirt's library is missing.
pub fn become_linked() -> anyhow::Result<Infallible> {
    if !cfg!(feature = "libvirt") {
        return Err(Problem::new(
            "this kvmnet was built without libvirt and works on files only",
            "use --file PATH, or a kvmnet built with its default features",
        ));
    }
    let Some(path) = find() else {
        return Err(Problem::new(
            format!("{NAME}, which belongs to kvmnet and talks to libvirt, isn't installed beside it"),
            "install kvmnet anew (both programs), or work on files with --file PATH",
        ));
    };
    if library_is_missing() {
        return Err(Problem::new(
            "libvirt's library (libvirt.so.0) isn't installed",
            "install it (Debian, Ubuntu: libvirt0; Fedora: libvirt-libs), or work on files with --file PATH",
        ));
    }
    let error = Command::new(&path).args(std::env::args_os().skip(1)).exec();
    Err(anyhow::Error::new(error).context(format!("cannot start {}", path.display())))
}

fn find() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let beside = own.parent()?;
    [beside.join(NAME), beside.join("../lib/kvmnet").join(NAME), beside.join("../libexec/kvmnet").join(NAME)]
        .into_iter()
        .find(|path| path.is_file())
}

/// Does the dynamic linker's cache say that there is no libvirt? Where there is no such cache, or other places are
/// searched too, the linker has the word.
fn library_is_missing() -> bool {
    let searched_elsewhere = std::env::var_os("LD_LIBRARY_PATH").is_some_and(|path| !path.is_empty());
    let Ok(cache) = std::fs::read("/etc/ld.so.cache") else { return false };
    let name = b"libvirt.so.0";
    !searched_elsewhere && !cache.windows(name.len()).any(|w| w == name)
}
