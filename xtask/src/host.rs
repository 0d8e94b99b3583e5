//! The Debian that the tests' machines boot, made ready in the target folder. What becomes of it is the lab's affair:
//! `tests/lab/machine/`.

use std::env;
use std::fs::{self, File};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::install::{self, debian_mirror};
use crate::packages::Stage;
use crate::run::{check, output_of, program_dir};

/// How the trees are made.
const SCRIPT: &str = include_str!("host.sh");

/// What such a machine has on it: each program that configures networks, and what they and the tests call.
const PACKAGES: [&str; 14] = [
    "bridge-utils",
    "dbus",
    "ifupdown",
    "iproute2",
    "iputils-arping",
    "iputils-ping",
    "isc-dhcp-client",
    "libnss-systemd",
    "netplan.io",
    "network-manager",
    "procps",
    "strace",
    "systemd-sysv",
    "udev",
];

/// Sees to it that the tests' machines have something to boot.
pub(crate) fn ensure() -> Result<()> {
    let programs = program_dir()?;
    let home = programs.parent().unwrap_or(&programs).join("lab-host");
    // Two runs at the same time: one makes it, the other waits and finds it made.
    let lock = home.with_extension("lock");
    let lock = File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
    lock.lock().context("cannot wait for another run")?;
    // Whatever has an effect on the trees is in the key, for they are made anew when it changes.
    let packages = PACKAGES.join(",");
    let key = format!("{packages}\n{SCRIPT}");
    if fs::read_to_string(home.join("key")).is_ok_and(|old| old == key) {
        return Ok(());
    }
    install::ensure(&[Stage::Host])?;
    let mirror = debian_mirror().unwrap_or_else(|| "http://deb.debian.org/debian".to_owned());
    println!(
        "Making the Debian that the tests' machines boot, from {mirror}; it is kept in {}, and nothing of it is installed.",
        home.display()
    );
    // Whatever is interrupted leaves no folder of the right name.
    let work = home.with_extension("new");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    let mut command = Command::new("unshare");
    command
        .args(["-m", "bash", "-c", SCRIPT, "host"])
        .arg(&work)
        .args([&mirror, &packages])
        .args(apt_options());
    check(&mut command).context("cannot make the Debian that the tests' machines boot")?;
    fs::write(work.join("key"), &key).with_context(|| format!("cannot write into {}", work.display()))?;
    let old = home.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    let _ = fs::rename(&home, &old);
    fs::rename(&work, &home).with_context(|| format!("cannot make {}", home.display()))?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Whether the tests may not leave out what can't be had.
pub(crate) fn demanded() -> bool {
    let required = env::var("KVMNET_REQUIRE").unwrap_or_default();
    env::var_os("CI").is_some() || required.split([',', ' ']).any(|word| word == "lab")
}

/// How this machine's own apt goes to the mirrors: proxies and the like.
fn apt_options() -> Vec<String> {
    let told = output_of(Command::new("apt-config").args(["dump", "Acquire"])).unwrap_or_default();
    ways_in(&told)
}

/// Those of apt's settings that say how mirrors are reached and believed.
fn ways_in(dump: &str) -> Vec<String> {
    let wanted = ["Acquire::http::", "Acquire::https::", "Acquire::Check-"];
    let said = |line: &&str| !line.ends_with("\"\";") && wanted.iter().any(|key| line.starts_with(key));
    dump.lines().filter(said).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, ways_in};

    #[test]
    fn a_proxy_goes_along() {
        let dump = "Acquire::http \"\";\nAcquire::http::Proxy \"http://proxy.example:3128\";\n\
                    Acquire::https::Proxy \"\";\nAcquire::Languages \"none\";\nAcquire::Check-Date \"false\";\n";
        assert_eq!(
            ways_in(dump),
            ["Acquire::http::Proxy \"http://proxy.example:3128\";", "Acquire::Check-Date \"false\";"]
        );
    }

    #[test]
    fn each_package_is_named_once() {
        assert!(PACKAGES.is_sorted() && PACKAGES.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
