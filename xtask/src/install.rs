//! Installs what a chore lacks, with the distribution's own package manager, after saying what and why.

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::packages::{Manager, Need, Probe, Stage, names, needs};
use crate::run::{check, find_program, is_root, output_of, show};

/// Sees to it that everything for `stages` is on this machine.
pub(crate) fn ensure(stages: &[Stage]) -> Result<()> {
    let missing = missing(stages);
    if missing.is_empty() {
        return Ok(());
    }
    let manager = Manager::ALL.into_iter().find(|manager| find_program(manager.program()).is_some());
    let Some(manager) = manager else {
        let lacking: Vec<String> = missing.iter().map(|need| describe(need)).collect();
        bail!(
            "found no package manager that I know (apt, dnf, pacman, zypper). Please install by hand: {}",
            lacking.join("; ")
        );
    };

    println!("Missing on this machine:");
    for need in &missing {
        println!("  {} (package {})", describe(need), need.packages(manager).join(", "));
    }
    let packages = names(&missing, manager);
    if manager == Manager::Apt {
        let _quiet = stages.contains(&Stage::Lab).then(NoServices::new).transpose()?;
        apt(&packages, &names(&needs(stages), manager))?;
    } else {
        privileged(&manager.install(&packages))?;
    }

    let still: Vec<String> = self::missing(stages).iter().map(|need| describe(need)).collect();
    if !still.is_empty() {
        bail!("the packages were installed, and yet there is no {}", still.join("; no "));
    }
    Ok(())
}

/// The needs of `stages` that this machine does not meet.
fn missing(stages: &[Stage]) -> Vec<&'static Need> {
    needs(stages).into_iter().filter(|need| !is_there(need.probe)).collect()
}

/// Looks for one thing.
fn is_there(probe: Probe) -> bool {
    match probe {
        Probe::Library(name) => {
            Command::new("pkg-config").args(["--exists", name]).status().is_ok_and(|status| status.success())
        }
        Probe::Program(name) => find_program(name).is_some(),
        Probe::Driver(name) => {
            [format!("/usr/lib/{ARCH}-linux-gnu"), "/usr/lib64".into(), "/usr/lib".into()].iter().any(|dir| {
                Path::new(dir).join(format!("libvirt/connection-driver/libvirt_driver_{name}.so")).exists()
            })
        }
        Probe::File(path) => Path::new(path).exists(),
        Probe::Python(name) => Command::new("/usr/bin/python3")
            .args(["-c", &format!("import {name}")])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success()),
    }
}

/// A need in words.
fn describe(need: &Need) -> String {
    let what = match need.probe {
        Probe::Library(name) => format!("{name}'s headers"),
        Probe::Program(name) => name.to_owned(),
        Probe::Driver(name) => format!("libvirt's {name} driver"),
        Probe::File(path) => path.to_owned(),
        Probe::Python(name) => format!("Python's module {name}"),
    };
    format!("{what}, for {}", need.why)
}

/// Installs `packages` on Debian or one of its children. `whole` is the chore's full list: where the
/// packages must come from backports, those that are already there have to move along.
fn apt(packages: &[&str], whole: &[&str]) -> Result<()> {
    update_lists()?;
    if simulates(packages, &[]) {
        return privileged(&Manager::Apt.install(packages));
    }
    let Some(codename) = debian_codename() else {
        // Not Debian: let apt itself say what stands in the way.
        return privileged(&Manager::Apt.install(packages));
    };
    let backports = format!("{codename}-backports");
    println!(
        "apt cannot install these next to what is here: some package, qemu-utils for one, is newer than \
         Debian's {codename} has. Taking them from {backports} instead."
    );
    let policy = output_of(Command::new("apt-cache").arg("policy")).unwrap_or_default();
    if !policy.contains(&backports) {
        add_source(&codename, &backports)?;
    }
    let release = ["--target-release", backports.as_str()];
    let line = |packages: &[&str]| {
        let mut line = Manager::Apt.install(packages);
        line.splice(2..2, release.map(str::to_owned));
        line
    };
    privileged(&line(if simulates(packages, &release) { packages } else { whole }))
}

/// Whether apt sees a way to install `packages`.
fn simulates(packages: &[&str], options: &[&str]) -> bool {
    Command::new("apt-get")
        .args(["install", "--simulate", "--no-install-recommends", "--no-remove"])
        .args(options)
        .args(packages)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The release name if this is Debian itself.
fn debian_codename() -> Option<String> {
    codename_in(&fs::read_to_string("/etc/os-release").ok()?)
}

/// Debian's release name in the text of an os-release file.
fn codename_in(os_release: &str) -> Option<String> {
    let value = |key: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim_matches('"').to_owned())
    };
    (value("ID")? == "debian").then(|| value("VERSION_CODENAME"))?
}

/// Adds Debian's backports, from the mirror that this machine already uses.
fn add_source(codename: &str, backports: &str) -> Result<()> {
    let Some(mirror) = mirror_of(codename) else {
        bail!("cannot tell which mirror to take {backports} from: please add it to apt's sources");
    };
    let file = format!("/etc/apt/sources.list.d/{backports}.list");
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let key = if Path::new(keyring).exists() { format!("[signed-by={keyring}] ") } else { String::new() };
    let line = format!("deb {key}{mirror} {backports} main");
    println!("Adding {file}: {line}");
    let script = format!("printf '%s\\n' '{line}' > '{file}'");
    privileged(&["sh".to_owned(), "-c".to_owned(), script])?;
    update_lists()
}

/// Fetches apt's lists of packages anew.
pub(crate) fn update_lists() -> Result<()> {
    privileged(&words("apt-get update --quiet"))
}

/// The mirror that this machine has its packages from, if it is Debian itself.
pub(crate) fn debian_mirror() -> Option<String> {
    mirror_of(&debian_codename()?)
}

/// The mirror that apt has `codename`'s main packages from.
fn mirror_of(codename: &str) -> Option<String> {
    let targets = output_of(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]));
    mirror_in(&targets.unwrap_or_default(), codename)
}

/// The mirror that serves `codename`'s main packages, from `apt-get indextargets`.
fn mirror_in(targets: &str, codename: &str) -> Option<String> {
    targets.lines().find_map(|line| {
        let mirror = line.strip_prefix(codename)?.strip_prefix(" main ")?;
        Some(mirror.to_owned())
    })
}

/// A command line without quoting, in its words.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Runs a command as root: as it is when we are root, else through sudo.
fn privileged(line: &[String]) -> Result<()> {
    let setting = "DEBIAN_FRONTEND=noninteractive";
    let mut command = if is_root() {
        Command::new("env")
    } else if find_program("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        bail!("installing needs root, and there is no sudo here. As root, run: {}", line.join(" "));
    };
    command.arg(setting).args(line);
    println!("$ {}", show(&command));
    check(&mut command).context("could not install")
}

/// The script that Debian's packages ask whether they may start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// How we know our own.
const MARK: &str = "# Written by kvmnet's `cargo xtask test` while it installs packages; safe to remove.";

/// While this lives, a Debian package that is installed starts no service: the tests run a libvirtd of
/// their own, inside namespaces, and the host must get none that it didn't have.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn new() -> Result<Self> {
        println!(
            "libvirt's daemon is not started by this: the tests run their own, shut in network namespaces.\n\
             Where systemd runs, its package does switch it on for the next boot; if you want none, then:\n  \
             systemctl disable libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
        );
        let there = fs::read_to_string(POLICY);
        let ours = there.as_ref().map_or(true, |text| text.contains(MARK));
        if ours {
            fs::write(POLICY, format!("#!/bin/sh\n{MARK}\nexit 101\n"))
                .and_then(|()| fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)))
                .with_context(|| format!("cannot write {POLICY}"))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{codename_in, mirror_in};

    #[test]
    fn backports_are_for_debian_itself() {
        assert_eq!(
            codename_in("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n"),
            Some("bookworm".to_owned())
        );
        assert_eq!(codename_in("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n"), None);
        assert_eq!(codename_in("ID=debian\n"), None);
        assert_eq!(codename_in("VERSION_CODENAME=\"trixie\"\nID=\"debian\"\n"), Some("trixie".to_owned()));
    }

    #[test]
    fn the_mirror_is_the_one_of_the_release_itself() {
        let targets = "bookworm-security main http://mirror.example/debian-security/\n\
                       bookworm-updates main http://mirror.example/debian/\n\
                       bookworm contrib http://other.example/debian/\n\
                       bookworm main http://mirror.example/debian/\n";
        assert_eq!(mirror_in(targets, "bookworm").as_deref(), Some("http://mirror.example/debian/"));
        assert_eq!(mirror_in(targets, "trixie"), None);
    }
}
