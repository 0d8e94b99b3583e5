//! A real libvirtd with real bridges and real (if diskless) guests, for tests as root.
//!
//! Every [`Lab`] is a machine room of its own in Linux namespaces: a LAN (198.18.0.0/24), and on it a host whose NIC
//! `enp4s0` is a port of the bridge `br0`; a second bridge `br1` leads nowhere; libvirtd runs there with its usual NAT
//! network `default` on `virbr0`. Nothing in it can reach, or be reached from, the machine's own network or libvirt.
//! A lab starts in about a second and leaves nothing behind, not even when the test is killed.
//!
//! Where a lab can't run (not root, no libvirtd, …) [`Lab::start`] says so on stderr and gives `None`, unless it is
//! demanded: with `CI` set, or `lab` among the words of `KVMNET_REQUIRE`, that is a failure.
//!
//! Most tests need a guest that runs and no more: [`xml::guest`] is a machine with nothing to boot. Where a guest must have
//! addresses and answer, [`Lab::start_bootable`] gives a lab in which [`guest::Guest`]s boot Linux.

mod asking;
pub(crate) mod guest;
mod initramfs;
mod site;
pub(crate) mod xml;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use asking::Asking;
pub(crate) use site::{Out, Place};
use site::{Site, missing, refuse, say, skipped};

/// The one password that guests here have. No output of kvmnet may ever hold it; [`Lab::kvmnet`] sees to that.
pub(crate) const SECRET: &str = "s3cretPw";

/// What the first process in the site does; see there.
const INIT: &str = include_str!("site.sh");

/// The programs that a lab has besides those of every site.
const NEEDED: [&str; 5] = ["libvirtd", "virtlogd", "virsh", "qemu-system-x86_64", "nft"];

/// A running lab; see the module.
pub(crate) struct Lab {
    site: Site,
}

impl Lab {
    /// A new lab, or `None` (and a loud word) where none can be had.
    pub(crate) fn start() -> Option<Self> {
        Self::start_in(None)
    }

    /// A new lab whose libvirtd keeps its definitions in the folder `etc`, on a disk, as a real one does.
    pub(crate) fn start_in(etc: Option<&Path>) -> Option<Self> {
        Self::start_with(etc, "iptables")
    }

    /// A new lab whose libvirtd makes its firewall rules with nftables, or `None` (and a loud word) where it or the kernel
    /// can't: that is nobody's fault, and no failure.
    pub(crate) fn start_with_nftables() -> Option<Self> {
        let lab = Self::start_with(None, "nftables")?;
        let conf = lab.host(&["cat", "/etc/libvirt/network.conf"]).stdout;
        let why = match lab.try_virsh(&["net-list", "--name"]) {
            _ if !conf.contains("firewall_backend") => "this libvirt has no such backend".into(),
            list if list.stdout.contains("default") => return Some(lab),
            _ => lab.try_virsh(&["net-start", "default"]).stderr.trim().replace('\n', " "),
        };
        say(&format!("NFTABLES BACKEND NOT RUN: {why}"));
        None
    }

    fn start_with(etc: Option<&Path>, firewall: &str) -> Option<Self> {
        if skipped("lab") {
            return None;
        }
        if let Some(why) = missing(&NEEDED) {
            return refuse(&why);
        }
        let etc = etc.map(|etc| ("LAB_ETC", etc.as_os_str()));
        let settings = etc.into_iter().chain([("LAB_FIREWALL", OsStr::new(firewall))]);
        Some(Self { site: Site::start(INIT, settings) })
    }

    /// Runs a command on the host.
    pub(crate) fn host(&self, argv: &[&str]) -> Out {
        Out::of(&mut self.site.command(Place::Host, argv), argv.join(" "))
    }

    /// A command line, ready to run on the host.
    #[allow(dead_code, reason = "only the benchmark needs it")]
    pub(crate) fn host_command(&self, argv: &[&str]) -> Command {
        self.site.command(Place::Host, argv)
    }

    /// Runs a command on the LAN, outside of the host.
    pub(crate) fn lan(&self, argv: &[&str]) -> Out {
        Out::of(&mut self.site.command(Place::Lan, argv), format!("(lan) {}", argv.join(" ")))
    }

    /// Whether `ip` answers when someone knocks from there; that the port is closed is an answer.
    pub(crate) fn answers(&self, from: Place, ip: &str) -> bool {
        let knock = format!("echo >/dev/tcp/{ip}/9");
        let argv = ["timeout", "5", "bash", "-c", &knock];
        Out::of(&mut self.site.command(from, &argv), knock.clone()).stderr.contains("refused")
    }

    /// Runs virsh on the host, and insists that it succeeds.
    #[track_caller]
    pub(crate) fn virsh(&self, args: &[&str]) -> String {
        self.try_virsh(args).ok().stdout
    }

    /// Runs virsh on the host.
    pub(crate) fn try_virsh(&self, args: &[&str]) -> Out {
        self.host(&[&["virsh", "-q"], args].concat())
    }

    /// The command line of kvmnet with `args`, ready to run on the host.
    pub(crate) fn kvmnet_command(&self, args: &[&str]) -> Command {
        let argv = [&[env!("CARGO_BIN_EXE_kvmnet")], args].concat();
        let mut cmd = self.site.command(Place::Host, &argv);
        cmd.env("KVMNET_STATE_DIR", "/run/lab/state");
        cmd
    }

    /// Runs kvmnet on the host, without a terminal. Whatever it does, it must not tell [`SECRET`].
    #[track_caller]
    pub(crate) fn kvmnet(&self, args: &[&str]) -> Out {
        let out = Out::of(&mut self.kvmnet_command(args), format!("kvmnet {}", args.join(" ")));
        assert!(!out.all().contains(SECRET), "a password was told\n{}", out.report());
        assert!(!out.stderr.contains("panicked at"), "{}", out.report());
        out
    }

    /// Starts kvmnet on a terminal of its own and waits until it asks its question.
    #[track_caller]
    pub(crate) fn kvmnet_asks(&self, args: &[&str]) -> Asking {
        let line = [&[env!("CARGO_BIN_EXE_kvmnet")], args].concat().join(" ");
        let mut cmd = self.site.command(Place::Host, &["script", "-qec", &line, "/dev/null"]);
        cmd.env("KVMNET_STATE_DIR", "/run/lab/state");
        Asking::start(cmd, line)
    }

    /// Writes a file on the host and gives its path there.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(&format!("/run/lab/{name}")), content).expect("the site's files can be written");
        format!("/run/lab/{name}")
    }

    /// A path on the host, as seen from here.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.site.root().join(path.trim_start_matches('/'))
    }

    /// Defines one guest.
    #[track_caller]
    pub(crate) fn define(&self, xml: &str) {
        self.virsh(&["define", &self.file("define.xml", xml)]);
    }

    /// Defines many guests, in one run of virsh.
    #[track_caller]
    pub(crate) fn define_all(&self, xmls: &[String]) {
        let mut script = String::new();
        for (i, xml) in xmls.iter().enumerate() {
            script.push_str(&format!("define {};", self.file(&format!("define-{i}.xml"), xml)));
        }
        self.virsh(&[&script]);
    }

    /// Defines a network and starts it.
    #[track_caller]
    pub(crate) fn network(&self, name: &str, xml: &str) {
        let path = self.file("network.xml", xml);
        self.virsh(&[&format!("net-define {path}; net-start {name}")]);
    }

    /// The stored definition, secrets and all: what the guest's next start will use.
    #[track_caller]
    pub(crate) fn xml(&self, guest: &str) -> String {
        self.virsh(&["dumpxml", "--inactive", "--security-info", guest])
    }

    /// The bridge that the tap of a running guest's NIC (counted from 1) is plugged into; empty if into none.
    #[track_caller]
    pub(crate) fn tap_master(&self, guest: &str, nic: usize) -> String {
        let list = self.virsh(&["domiflist", guest]);
        let row = list.lines().nth(nic - 1).unwrap_or_else(|| panic!("{guest} has no NIC {nic}:\n{list}"));
        let tap = row.split_whitespace().next().unwrap_or_default();
        let link = self.host(&["readlink", &format!("/sys/class/net/{tap}/master")]).stdout;
        link.trim().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Starts a guest, says what the tap of its NIC is plugged into, and takes its power away again.
    #[track_caller]
    pub(crate) fn boot_and_see(&self, guest: &str, nic: usize) -> String {
        self.virsh(&["start", guest]);
        let master = self.tap_master(guest, nic);
        self.virsh(&["destroy", guest]);
        master
    }
}

/// The ids of the changes in a journal printed by `kvmnet history -o json`, newest first.
#[track_caller]
pub(crate) fn ids(history: &Out) -> Vec<String> {
    let json = history.json();
    let runs = json["runs"].as_array().unwrap_or_else(|| panic!("no runs in it\n{}", history.report()));
    // The runs come newest first, the changes in each in the order in which they were made.
    let changes = runs.iter().flat_map(|run| run["changes"].as_array().expect("changes").iter().rev());
    changes.map(|change| change["id"].as_str().expect("an id").to_owned()).collect()
}
