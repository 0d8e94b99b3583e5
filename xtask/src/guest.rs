//! The kernel and the busybox that the lab's guests boot, made ready in the target folder.
//!
//! Where there is apt, both are downloaded as packages and unpacked, never installed; elsewhere they are this machine's
//! own. What becomes of them (the guest's first process, its commands) is the lab's affair: `tests/lab/guest.rs`.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::install::update_lists;
use crate::modules;
use crate::run::{check, find_program, output_of, program_dir, show};

/// The packages whose newest version depends on a kernel that is meant for guests: Debian's, and Ubuntu's.
const FOR_GUESTS: [&str; 2] = ["linux-image-cloud-amd64", "linux-image-virtual"];
/// What a guest can't do without, be it in the kernel or a module of it.
const DRIVERS: [&str; 4] = ["virtio_pci", "virtio_net", "af_packet", "ipv6"];

/// Where a kernel and its modules are.
struct Kernel {
    image: PathBuf,
    /// `lib/modules/VERSION`.
    modules: PathBuf,
}

/// Sees to it that the lab's guests have something to boot.
pub(crate) fn ensure() -> Result<()> {
    let home = program_dir()?;
    let home = home.parent().unwrap_or(&home).join("lab-guest");
    if home.join("vmlinuz").exists() {
        return Ok(());
    }
    if ARCH != "x86_64" {
        bail!("the lab's guests are x86_64 machines, and there is no kernel for them on {ARCH}");
    }
    // Whatever is interrupted leaves no folder of that name.
    let work = home.with_extension("new");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    let unpacked = work.join("unpacked");
    let wants_busybox = static_busybox(Path::new("/")).is_none();
    if let Err(error) = download(&unpacked, wants_busybox) {
        println!("No kernel could be downloaded for the tests' guests: {error:#}");
    }
    let downloaded = kernel_in(&unpacked, "");
    let busybox = static_busybox(&unpacked).or_else(|| static_busybox(Path::new("/")));
    let Some(kernel) = downloaded.or_else(|| kernel_in(Path::new("/"), &running())) else {
        bail!(
            "no kernel for the tests' guests: apt has none to download here, and there is no vmlinuz in /lib/modules/* or \
             /boot. Please install your distribution's kernel package"
        );
    };
    let Some(busybox) = busybox else {
        bail!(
            "no busybox without libraries for the tests' guests. Please install busybox-static, or busybox"
        );
    };
    modules::collect(&kernel.modules, &DRIVERS, &work.join("modules"))
        .with_context(|| format!("{} cannot be booted by the tests' guests", kernel.image.display()))?;
    copy(&busybox, &work.join("busybox"))?;
    copy(&kernel.image, &work.join("vmlinuz"))?;
    let version = kernel.modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let whose = if kernel.image.starts_with(&work) { "downloaded" } else { "this machine's own" };
    println!("The tests' guests boot Linux {version} ({whose}), kept in {}.", home.display());
    let _ = fs::remove_dir_all(&unpacked);
    let _ = fs::remove_dir_all(&home);
    fs::rename(&work, &home).with_context(|| format!("cannot make {}", home.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The version of the kernel that runs here.
fn running() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// A kernel with its modules under `root`, that of version `first` before others.
fn kernel_in(root: &Path, first: &str) -> Option<Kernel> {
    let mut versions = Vec::new();
    for dir in ["usr/lib/modules", "lib/modules"] {
        let entries = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
        versions.extend(entries.map(|entry| entry.path()));
    }
    versions.sort_by_key(|path| !path.ends_with(first));
    versions.into_iter().find_map(|modules| {
        let version = modules.file_name()?.to_string_lossy().into_owned();
        let boot = root.join("boot").join(format!("vmlinuz-{version}"));
        let image = [modules.join("vmlinuz"), boot].into_iter().find(|image| image.exists())?;
        Some(Kernel { image, modules })
    })
}

/// A busybox under `root` that runs without any library.
fn static_busybox(root: &Path) -> Option<PathBuf> {
    let names = ["busybox", "busybox-static", "busybox.static"];
    let dirs = ["bin", "usr/bin", "sbin", "usr/sbin"];
    let paths = dirs.iter().flat_map(|dir| names.map(|name| root.join(dir).join(name)));
    paths.into_iter().find(|path| fs::read(path).is_ok_and(|elf| is_static(&elf)))
}

/// Whether a 64-bit ELF program names no loader that it must be started by (a program header of type `PT_INTERP`).
fn is_static(elf: &[u8]) -> bool {
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let (Some(table), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2)) else {
        return false;
    };
    elf.starts_with(b"\x7fELF\x02\x01")
        && (0..count).all(|i| number(table + i * size, 4).is_some_and(|t| t != 3))
}

/// Downloads the kernel that the distribution means for guests, and busybox if wanted, and unpacks them into `dir`.
fn download(dir: &Path, busybox: bool) -> Result<()> {
    if find_program("apt-get").is_none() || find_program("dpkg").is_none() {
        bail!("this is not a machine with apt");
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    // With lists of packages that are old or not there at all, the second try is the good one.
    if let Err(error) = fetch(dir, busybox) {
        println!("{error:#}; once more with new lists of packages");
        update_lists()?;
        fetch(dir, busybox)?;
    }
    for entry in fs::read_dir(dir)?.flatten() {
        if entry.path().extension().is_some_and(|e| e == "deb") {
            check(Command::new("dpkg").arg("-x").args([entry.path().as_path(), dir]))?;
        }
    }
    Ok(())
}

/// Downloads those packages into `dir`.
fn fetch(dir: &Path, busybox: bool) -> Result<()> {
    let mut packages = FOR_GUESTS
        .iter()
        .map(|name| parts_of_kernel(name, depends_of))
        .find(|parts| !parts.is_empty())
        .with_context(|| format!("apt knows none of {}", FOR_GUESTS.join(", ")))?;
    packages.extend(busybox.then(|| "busybox-static".to_owned()));
    let mut command = Command::new("apt-get");
    command.args(["download", "--quiet", "--option", "APT::Sandbox::User=root"]).args(packages);
    command.current_dir(dir);
    println!("Downloading what the tests' guests boot, into {}; it is not installed.", dir.display());
    println!("$ {}", show(&command));
    check(&mut command)
}

/// The packages that make up the kernel which the package `name` stands for. Some distributions have its modules in a
/// package of their own; the "extra" ones are for hardware that no guest has.
fn parts_of_kernel(name: &str, depends: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let is_part = |name: &String| {
        let prefixes = ["linux-image-", "linux-modules-", "linux-binary-"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) && !name.starts_with("linux-modules-extra-")
    };
    let mut parts: Vec<String> = depends(name).into_iter().filter(is_part).collect();
    let mut next = 0;
    while let Some(part) = parts.get(next) {
        let more: Vec<_> = depends(part).into_iter().filter(is_part).filter(|p| !parts.contains(p)).collect();
        parts.extend(more);
        next += 1;
    }
    parts
}

/// What a package depends on, as apt knows it.
fn depends_of(name: &str) -> Vec<String> {
    let told = output_of(Command::new("apt-cache").args(["depends", name]).stderr(Stdio::null()));
    let told = told.unwrap_or_default();
    told.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{is_static, parts_of_kernel};

    #[test]
    fn a_kernel_is_one_package_or_several() {
        let debian = |name: &str| match name {
            "linux-image-cloud-amd64" => vec!["linux-image-6.1.0-56-cloud-amd64".to_owned()],
            "linux-image-6.1.0-56-cloud-amd64" => vec!["kmod".to_owned(), "linux-base".to_owned()],
            _ => Vec::new(),
        };
        assert_eq!(parts_of_kernel("linux-image-cloud-amd64", debian), ["linux-image-6.1.0-56-cloud-amd64"]);
        let ubuntu = |name: &str| match name {
            "linux-image-virtual" => vec!["linux-image-6.8.0-1-generic".to_owned()],
            "linux-image-6.8.0-1-generic" => {
                vec![
                    "linux-modules-6.8.0-1-generic".to_owned(),
                    "linux-modules-extra-6.8.0-1-generic".to_owned(),
                ]
            }
            _ => Vec::new(),
        };
        assert_eq!(
            parts_of_kernel("linux-image-virtual", ubuntu),
            ["linux-image-6.8.0-1-generic", "linux-modules-6.8.0-1-generic"]
        );
        assert!(parts_of_kernel("no-such-package", debian).is_empty());
    }

    #[test]
    fn a_program_with_a_loader_is_not_static() {
        let mut elf = vec![0; 64 + 2 * 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[32], elf[54], elf[56]) = (64, 56, 2);
        (elf[64], elf[64 + 56]) = (1, 1);
        assert!(is_static(&elf));
        elf[64 + 56] = 3;
        assert!(!is_static(&elf));
        assert!(!is_static(b"#!/bin/sh\n"));
    }
}
