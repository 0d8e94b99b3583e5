//! A LAN with nothing on it but a router, a DHCP server and a peer; machines are plugged into it.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::flavour::Flavour;
use super::{MAC, Machine, Nic, program};
use crate::site::{Out, Place, Site, missing, refuse, skipped};

/// What the first process in the site does; see there.
const INIT: &str = include_str!("lan.sh");
/// Takes empty control groups away; see there.
const SWEEP: &str = include_str!("sweep.sh");

/// The peer's address.
pub(crate) const PEER: &str = "198.18.0.9";
/// Its other address, on a LAN with IPv6.
pub(crate) const PEER6: &str = "2001:2:0:1::9";

/// A running LAN; see the module.
pub(crate) struct Lan {
    site: Site,
    /// Does its router advertise a prefix?
    pub(crate) advertises: bool,
    machines: AtomicU8,
}

impl Lan {
    /// A new LAN with DHCP, router advertisements and DHCPv6, or `None` (and a loud word) where none can be had.
    pub(crate) fn start() -> Option<Self> {
        Self::serving("both")
    }

    /// A new LAN on which nobody speaks IPv6, or `None` (and a loud word) where none can be had.
    pub(crate) fn start_v4() -> Option<Self> {
        Self::serving("v4")
    }

    /// A new LAN with IPv6 addresses on which no router says so, or `None` (and a loud word) where none can be had.
    pub(crate) fn start_quiet() -> Option<Self> {
        Self::serving("quiet")
    }

    fn serving(what: &str) -> Option<Self> {
        if skipped("lab") || skipped("hosts") {
            return None;
        }
        if let Some(why) = missing(&["mount", "setpriv", "chroot"]) {
            return refuse(&why);
        }
        if !home().join("key").exists() {
            return refuse("there is no Debian for machines that boot; `cargo xtask host` makes one");
        }
        if let Err(why) = program::kvmnet() {
            return refuse(&format!("kvmnet doesn't run on the Debian of machines that boot: {why}"));
        }
        sweep("kvmnet-lab-*");
        let site = Site::start(INIT, [("LAB_SERVES", OsStr::new(what))]);
        Some(Self { site, advertises: what == "both", machines: AtomicU8::new(0) })
    }

    /// A new machine, switched on, with one NIC, `enp4s0`. It has these files (path, text, mode) besides what its tree has.
    /// It is given when its services have started and it has an address.
    #[track_caller]
    pub(crate) fn boot(&self, flavour: Flavour, files: &[(&str, &str, u32)]) -> Machine<'_> {
        self.boot_with(flavour, files, &["enp4s0"])
    }

    /// The same with other NICs.
    #[track_caller]
    pub(crate) fn boot_with(
        &self,
        flavour: Flavour,
        files: &[(&str, &str, u32)],
        nics: &[&str],
    ) -> Machine<'_> {
        let mut machine = self.install(flavour, files, nics);
        machine.power_on();
        machine.wait_for_network();
        machine
    }

    /// A new machine that has not been switched on.
    #[track_caller]
    pub(crate) fn install(
        &self,
        flavour: Flavour,
        files: &[(&str, &str, u32)],
        nics: &[&str],
    ) -> Machine<'_> {
        let number = self.machines.fetch_add(1, Ordering::Relaxed);
        // Each machine of a LAN has sixteen addresses to give to its NICs; the first one's first is MAC.
        let nic = |(i, name): (usize, &&str)| Nic { name: (*name).into(), mac: mac(number, i as u8) };
        Machine::new(
            self,
            format!("host{}", number + 1),
            flavour,
            nics.iter().enumerate().map(nic).collect(),
            files,
        )
    }

    /// Runs a command as the peer.
    pub(crate) fn run(&self, argv: &[&str]) -> Out {
        Out::of(&mut self.command(argv), format!("(lan) {}", argv.join(" ")))
    }

    /// A command line, ready to run as the peer.
    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        self.site.command(Place::Lan, argv)
    }

    /// Whether the peer gets an answer to a ping.
    pub(crate) fn pings(&self, address: &str) -> bool {
        self.run(&["ping", "-n", "-c1", "-W2", address]).code == 0
    }

    /// A path of the site's, as seen from here.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.site.root().join(path.trim_start_matches('/'))
    }

    /// What the control groups of this LAN's machines begin with.
    pub(super) fn groups(&self) -> String {
        format!("kvmnet-lab-{}-", self.site.init())
    }

    /// Does something in a thread that sees the LAN's network instead of ours. Sockets made there stay there.
    pub(super) fn there<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let net = File::open(format!("/proc/{}/ns/net", self.site.init())).expect("the site lives");
        let inside = || {
            move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("root may do that");
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join().expect("what is done there doesn't panic"))
    }
}

/// Where `cargo xtask host` puts the trees.
pub(super) fn home() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kvmnet"));
    let target = program.parent().and_then(|dir| dir.parent()).expect("it is in target/debug");
    target.join("lab-host")
}

/// The hardware address of a NIC.
fn mac(machine: u8, nic: u8) -> String {
    let first = u8::from_str_radix(&MAC[15..], 16).expect("a hardware address is hexadecimal");
    format!("{}{:02x}", &MAC[..15], first + machine * 16 + nic)
}

/// Takes the empty control groups of that name away.
pub(super) fn sweep(groups: &str) {
    let mut cmd = Command::new("unshare");
    cmd.args(["-m", "bash", "-c", SWEEP, "sweep", groups]).stdin(Stdio::null());
    let _ = cmd.status();
}
