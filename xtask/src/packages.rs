//! What kvmnet's build and tests need from the system, and what each distribution calls it.
//! Nothing here looks at the machine or changes it: `install` does.

/// A package manager that we know the names of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
}

impl Manager {
    /// Every manager, in the order in which they are looked for.
    pub(crate) const ALL: [Self; 4] = [Self::Apt, Self::Dnf, Self::Pacman, Self::Zypper];

    /// Its program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
        }
    }

    /// The command line that installs `packages` without asking.
    pub(crate) fn install(self, packages: &[&str]) -> Vec<String> {
        let options: &[&str] = match self {
            Self::Apt => &["install", "--yes", "--quiet", "--no-remove", "--no-install-recommends"],
            Self::Dnf => &["install", "--assumeyes"],
            Self::Pacman => &["-S", "--needed", "--noconfirm"],
            Self::Zypper => &["--non-interactive", "install"],
        };
        [self.program()].iter().chain(options).chain(packages).map(ToString::to_string).collect()
    }
}

/// How to see whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// pkg-config knows this library: its headers are installed.
    Library(&'static str),
    /// A program of this name is on PATH or in `/usr/sbin`.
    Program(&'static str),
    /// libvirtd can load this driver.
    Driver(&'static str),
    /// This file exists.
    File(&'static str),
    /// The system's own Python, in `/usr/bin`, has this module.
    Python(&'static str),
}

/// What a chore is about to do, which decides what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Build kvmnet with libvirt, which is all that the demo takes.
    Build,
    /// Run the tests that need no daemon.
    Test,
    /// Fuzz for a while.
    Fuzz,
    /// Run the tests that start a libvirtd of their own in namespaces.
    Lab,
    /// Make the Debian that those tests' machines boot.
    Host,
    /// Measure kvmnet beside other programs.
    Bench,
}

/// One thing that must be there.
pub(crate) struct Need {
    stage: Stage,
    /// What it is for, in a few words that follow "for".
    pub(crate) why: &'static str,
    pub(crate) probe: Probe,
    /// Package names in the order of [`Manager::ALL`].
    packages: [&'static [&'static str]; 4],
}

impl Need {
    /// What provides it on a distribution that uses `manager`.
    pub(crate) fn packages(&self, manager: Manager) -> &'static [&'static str] {
        self.packages[manager as usize]
    }
}

/// Everything in these stages.
pub(crate) fn needs(stages: &[Stage]) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| stages.contains(&need.stage)).collect()
}

/// The packages that provide `needs`, each once.
pub(crate) fn names(needs: &[&Need], manager: Manager) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in needs.iter().flat_map(|need| need.packages(manager)) {
        if !names.contains(name) {
            names.push(*name);
        }
    }
    names
}

/// A row of the table below.
const fn need(stage: Stage, probe: Probe, why: &'static str, packages: [&'static [&'static str]; 4]) -> Need {
    Need { stage, why, probe, packages }
}

use Probe::{Driver, File, Library, Program, Python};
use Stage::{Bench, Build, Fuzz, Host, Lab, Test};

/// What the chores need, stage by stage. A Rust toolchain brings the C linker that it works with.
static NEEDS: &[Need] = &[
    need(
        Build,
        Program("pkg-config"),
        "finding libvirt at build time",
        [&["pkg-config"], &["pkgconf-pkg-config"], &["pkgconf"], &["pkgconf-pkg-config"]],
    ),
    need(
        Build,
        Library("libvirt"),
        "building kvmnet with libvirt",
        [&["libvirt-dev"], &["libvirt-devel"], &["libvirt"], &["libvirt-devel"]],
    ),
    need(
        Test,
        Program("xmllint"),
        "a second opinion on the XML that kvmnet writes",
        [&["libxml2-utils"], &["libxml2"], &["libxml2"], &["libxml2-tools"]],
    ),
    need(
        Test,
        Program("script"),
        "tests that need a terminal",
        [&["bsdutils"], &["/usr/bin/script"], &["util-linux"], &["util-linux"]],
    ),
    need(
        Test,
        Python("jsonschema"),
        "holding the SARIF that kvmnet writes against its schema",
        [&["python3-jsonschema"], &["python3-jsonschema"], &["python-jsonschema"], &["python3-jsonschema"]],
    ),
    need(
        Fuzz,
        Program("c++"),
        "building the fuzzer",
        [&["g++", "libc6-dev"], &["gcc-c++"], &["gcc"], &["gcc-c++"]],
    ),
    need(
        Lab,
        Program("libvirtd"),
        "the tests' own libvirtd",
        [&["libvirt-daemon"], &["libvirt-daemon"], &["libvirt"], &["libvirt-daemon"]],
    ),
    need(
        Lab,
        Driver("qemu"),
        "the tests' own libvirtd",
        [
            &["libvirt-daemon-driver-qemu"],
            &["libvirt-daemon-driver-qemu"],
            &["libvirt"],
            &["libvirt-daemon-driver-qemu"],
        ],
    ),
    need(
        Lab,
        Driver("network"),
        "the tests' own libvirtd",
        [
            &["libvirt-daemon-system"],
            &["libvirt-daemon-driver-network"],
            &["libvirt"],
            &["libvirt-daemon-driver-network"],
        ],
    ),
    need(
        Lab,
        File("/etc/libvirt/libvirtd.conf"),
        "the users and configuration that libvirtd starts with",
        [&["libvirt-daemon-system"], &["libvirt-daemon"], &["libvirt"], &["libvirt-daemon"]],
    ),
    need(
        Lab,
        Program("virtlogd"),
        "the guests' console logs",
        [&["libvirt-daemon-system"], &["libvirt-daemon-log"], &["libvirt"], &["libvirt-daemon-log"]],
    ),
    need(
        Lab,
        Program("virsh"),
        "comparing kvmnet with what virsh sees",
        [&["libvirt-clients"], &["libvirt-client"], &["libvirt"], &["libvirt-client"]],
    ),
    need(
        Lab,
        Program("qemu-system-x86_64"),
        "starting guests",
        [&["qemu-system-x86"], &["qemu-system-x86-core"], &["qemu-base"], &["qemu-x86"]],
    ),
    need(
        Lab,
        Program("qemu-img"),
        "the guests' disks",
        [&["qemu-utils"], &["qemu-img"], &["qemu-img"], &["qemu-img"]],
    ),
    need(
        Lab,
        Program("dnsmasq"),
        "DHCP in the tests' networks",
        [&["dnsmasq-base"], &["dnsmasq"], &["dnsmasq"], &["dnsmasq"]],
    ),
    need(
        Lab,
        Program("ping"),
        "who reaches whom in the tests' networks",
        [&["iputils-ping"], &["iputils"], &["iputils"], &["iputils"]],
    ),
    need(
        Lab,
        Program("ip"),
        "network namespaces and bridges",
        [&["iproute2"], &["iproute"], &["iproute2"], &["iproute2"]],
    ),
    need(
        Lab,
        Program("iptables"),
        "the rules of libvirt's NAT networks",
        [&["iptables"], &["iptables"], &["iptables"], &["iptables"]],
    ),
    need(
        Lab,
        Program("nft"),
        "the same with libvirt's other backend",
        [&["nftables"], &["nftables"], &["nftables"], &["nftables"]],
    ),
    need(
        Lab,
        Program("unshare"),
        "keeping the tests' host apart from this one",
        [&["util-linux"], &["util-linux"], &["util-linux"], &["util-linux"]],
    ),
    need(
        Lab,
        Program("busybox"),
        "the programs of the guests that boot",
        [&["busybox-static"], &["busybox"], &["busybox"], &["busybox", "busybox-static"]],
    ),
    need(
        Lab,
        Program("xz"),
        "unpacking kernel modules for guests that boot",
        [&["xz-utils"], &["xz"], &["xz"], &["xz"]],
    ),
    need(
        Lab,
        Program("zstd"),
        "unpacking kernel modules for guests that boot",
        [&["zstd"], &["zstd"], &["zstd"], &["zstd"]],
    ),
    need(
        Host,
        Program("mmdebstrap"),
        "making the Debian that the tests' machines boot",
        [&["mmdebstrap"], &["mmdebstrap"], &["mmdebstrap"], &["mmdebstrap"]],
    ),
    need(
        Host,
        Program("apt-get"),
        "making the Debian that the tests' machines boot",
        [&["apt"], &["apt"], &["apt"], &["apt"]],
    ),
    need(
        Host,
        File("/usr/share/keyrings/debian-archive-keyring.gpg"),
        "knowing Debian's packages from forged ones",
        [
            &["debian-archive-keyring"],
            &["debian-keyring"],
            &["debian-archive-keyring"],
            &["debian-archive-keyring"],
        ],
    ),
    need(
        Bench,
        Program("virt-xml"),
        "comparing kvmnet with it",
        [&["virtinst"], &["virt-install"], &["virt-install"], &["virt-install"]],
    ),
    need(
        Bench,
        Program("xmllint"),
        "comparing kvmnet with it",
        [&["libxml2-utils"], &["libxml2"], &["libxml2"], &["libxml2-tools"]],
    ),
    need(
        Bench,
        Python("libvirt"),
        "comparing kvmnet with a program that redefines guests",
        [&["python3-libvirt"], &["python3-libvirt"], &["libvirt-python"], &["python3-libvirt-python"]],
    ),
    need(Bench, File("/usr/bin/time"), "measuring memory", [&["time"], &["time"], &["time"], &["time"]]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_needs_no_daemon_anywhere() {
        for manager in [Manager::Apt, Manager::Dnf, Manager::Zypper] {
            let names = names(&needs(&[Build]), manager);
            assert!(names.iter().all(|name| !name.contains("daemon") && !name.contains("qemu")), "{names:?}");
        }
        assert_eq!(names(&needs(&[Build]), Manager::Apt), ["pkg-config", "libvirt-dev"]);
        assert_eq!(names(&needs(&[Build]), Manager::Dnf), ["pkgconf-pkg-config", "libvirt-devel"]);
    }

    #[test]
    fn every_need_has_a_package_everywhere() {
        for need in NEEDS {
            for manager in Manager::ALL {
                assert!(!need.packages(manager).is_empty(), "{:?} on {manager:?}", need.probe);
            }
        }
    }

    #[test]
    fn the_columns_are_in_the_managers_order() {
        for (column, manager) in Manager::ALL.into_iter().enumerate() {
            assert_eq!(manager as usize, column);
        }
    }

    #[test]
    fn a_package_is_named_once() {
        let names = names(&needs(&[Build, Test, Fuzz, Lab]), Manager::Pacman);
        assert_eq!(names.iter().filter(|name| **name == "libvirt").count(), 1);
        assert_eq!(names.iter().filter(|name| **name == "util-linux").count(), 1);
    }

    #[test]
    fn what_is_missing_becomes_one_command_line() {
        let missing: Vec<&Need> = needs(&[Build, Test])
            .into_iter()
            .filter(|need| [Library("libvirt"), Program("xmllint")].contains(&need.probe))
            .collect();
        let line = |manager: Manager| manager.install(&names(&missing, manager)).join(" ");
        assert_eq!(
            line(Manager::Apt),
            "apt-get install --yes --quiet --no-remove --no-install-recommends libvirt-dev libxml2-utils"
        );
        assert_eq!(line(Manager::Dnf), "dnf install --assumeyes libvirt-devel libxml2");
        assert_eq!(line(Manager::Pacman), "pacman -S --needed --noconfirm libvirt libxml2");
        assert_eq!(line(Manager::Zypper), "zypper --non-interactive install libvirt-devel libxml2-tools");
    }
}
