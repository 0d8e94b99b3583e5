//! Booted Debian machines, for what kvmnet does to the host's own network.
//!
//! A [`Lan`] is a switch in namespaces of its own, with a router (198.18.0.1, 2001:2:0:1::1), a DHCP server and a peer
//! (198.18.0.9, 2001:2:0:1::9). On it stand [`Machine`]s: systemd with the one [`Flavour`] of network configuration that
//! the test asks for, on a disk that outlives its power. Their NIC `enp4s0` is a cable into that switch; nothing leads
//! to the network of the machine around us. A machine boots in one to two seconds, and leaves nothing behind.
//!
//! A LAN that can't run says so as `Lab::start` does.

#![allow(dead_code, reason = "each test binary uses a part of the lab")]

pub(crate) mod configs;
mod flavour;
mod lan;
mod line;
mod power;
mod program;
mod running;
mod state;

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) use flavour::Flavour;
pub(crate) use lan::Lan;
pub(crate) use line::Connection;
use power::On;
pub(crate) use state::State;

use crate::asking::Asking;
use crate::site::Out;

/// Lays a machine's disk out; see there.
const PREPARE: &str = include_str!("prepare.sh");

/// The hardware address of the first machine's first NIC.
pub(crate) const MAC: &str = "52:54:00:aa:00:04";

/// How long a machine may take to start, and then to get an address.
const PATIENCE: Duration = Duration::from_secs(60);
/// So long it waits before it looks again: every look starts processes on the machine, and ten machines share few cores.
const OFTEN: Duration = Duration::from_millis(100);

/// A network card.
struct Nic {
    name: String,
    mac: String,
}

/// A machine on a [`Lan`]. Its disk is there as long as this is.
pub(crate) struct Machine<'a> {
    lan: &'a Lan,
    name: String,
    flavour: Flavour,
    nics: Vec<Nic>,
    on: Option<On>,
}

impl<'a> Machine<'a> {
    #[track_caller]
    fn new(
        lan: &'a Lan,
        name: String,
        flavour: Flavour,
        nics: Vec<Nic>,
        files: &[(&str, &str, u32)],
    ) -> Self {
        let tree = lan::home().join(flavour.tree());
        let tree = tree.to_str().expect("the target folder has a plain name");
        lan.run(&["bash", "-c", PREPARE, "prepare", &name, tree, flavour.units(), flavour.spare_units()])
            .ok();
        let machine = Self { lan, name, flavour, nics, on: None };
        for (path, text, mode) in flavour.files().iter().chain(files) {
            machine.put(path, text);
            fs::set_permissions(machine.path(path), fs::Permissions::from_mode(*mode)).expect("root may");
        }
        machine
    }

    /// What configures its network.
    pub(crate) fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Waits until it has an address and answers the peer.
    #[track_caller]
    pub(crate) fn wait_for_network(&self) {
        self.wait_until("answers", |machine| {
            machine.addresses().first().is_some_and(|(_, ip, _)| machine.lan.pings(&ip.to_string()))
        });
    }

    /// Waits until it has this address on this device.
    #[track_caller]
    pub(crate) fn wait_for_address(&self, device: &str, address: &str) {
        let wanted: IpAddr = address.parse().expect("a test knows how addresses are written");
        self.wait_until(&format!("has {address} on {device}"), |machine| {
            machine.addresses().iter().any(|(dev, ip, _)| dev == device && *ip == wanted)
        });
    }

    /// Waits until something is true of it.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        self.within(PATIENCE, what, is);
    }

    /// The same, for what takes its time.
    #[track_caller]
    pub(crate) fn within(&self, patience: Duration, what: &str, is: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is(self) {
            let log = || format!("{:#?}\n{}", self.addresses(), self.log());
            assert!(began.elapsed() < patience, "the machine never {what}\n{}", log());
            sleep(OFTEN);
        }
    }

    /// The last of its journal, for messages.
    pub(crate) fn log(&self) -> String {
        self.run(&["journalctl", "--no-pager", "-o", "short-monotonic", "-n", "200"]).stdout
    }

    /// Its addresses on the LAN, IPv4 first: device, address, length of the prefix. None that is still being looked up.
    pub(crate) fn addresses(&self) -> Vec<(String, IpAddr, u64)> {
        let mut found = Vec::new();
        for device in self.ip(&["addr"]).as_array().into_iter().flatten() {
            for info in device["addr_info"].as_array().into_iter().flatten() {
                let lasting = info["scope"] == "global" && info["tentative"] != true;
                let ip = info["local"].as_str().and_then(|ip| ip.parse::<IpAddr>().ok());
                if let (true, Some(ip), Some(name)) = (lasting, ip, device["ifname"].as_str()) {
                    found.push((name.to_owned(), ip, info["prefixlen"].as_u64().unwrap_or_default()));
                }
            }
        }
        found.sort_by_key(|(_, ip, _)| ip.is_ipv6());
        found
    }

    /// Its first address on the LAN, IPv4 before IPv6.
    #[track_caller]
    pub(crate) fn address(&self) -> IpAddr {
        self.addresses().first().unwrap_or_else(|| panic!("the machine has no address\n{}", self.log())).1
    }

    /// What `ip -j` says of it.
    fn ip(&self, args: &[&str]) -> serde_json::Value {
        let out = self.lan.run(&[&["ip", "-n", &self.name, "-j"], args].concat());
        serde_json::from_str(&out.stdout).unwrap_or_default()
    }

    /// Runs a command on it.
    pub(crate) fn run(&self, argv: &[&str]) -> Out {
        Out::of(&mut self.command(argv), argv.join(" "))
    }

    /// Runs a shell script on it, and insists that it succeeds.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.run(&["sh", "-euc", script]).ok().stdout
    }

    /// A command line, ready to run on it, with nothing on its standard input and the plainest environment.
    ///
    /// What is spawned here is `nsenter`. To kill the program itself, do it on the machine, where nobody else has processes:
    /// `machine.run(&["pkill", "-KILL", "-x", "kvmnet"])`.
    #[track_caller]
    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        let on = self.on.as_ref().expect("the machine is on");
        let group = self.lan.path(&format!("{}/login.scope", self.group_path()));
        // As after a login: in a control group of the machine, but in none of its services; and, as all that runs on the machine,
        // without what the clock and the modules of the machine around us are changed by.
        let join = "mkdir -p \"$0\"; echo $$ >\"$0/cgroup.procs\"
            exec setpriv --bounding-set=-sys_time,-sys_module,-mac_admin --inh-caps=-sys_time,-sys_module,-mac_admin \
                nsenter -t \"$@\"";
        let mut cmd = Command::new("bash");
        cmd.args(["-c", join]).arg(group).arg(on.init.to_string());
        cmd.args(["-m", "-n", "-p", "-i", "-u", "-C", "--"]).args(argv);
        cmd.env_clear()
            .envs([("PATH", crate::site::PATH), ("LC_ALL", "C.UTF-8"), ("HOME", "/root"), ("TERM", "dumb")])
            .env("RUST_BACKTRACE", "1")
            .current_dir("/")
            .stdin(Stdio::null());
        cmd
    }

    /// Runs kvmnet on it, without a terminal.
    #[track_caller]
    pub(crate) fn kvmnet(&self, args: &[&str]) -> Out {
        self.finish(self.kvmnet_command(args), args)
    }

    /// Runs kvmnet on it as someone would who came in over this connection.
    #[track_caller]
    pub(crate) fn kvmnet_over(&self, connection: &Connection, args: &[&str]) -> Out {
        let mut cmd = self.kvmnet_command(args);
        cmd.env("SSH_CONNECTION", connection.ssh());
        self.finish(cmd, args)
    }

    #[track_caller]
    fn finish(&self, mut cmd: Command, args: &[&str]) -> Out {
        let out = Out::of(&mut cmd, format!("kvmnet {}", args.join(" ")));
        assert!(!out.stderr.contains("panicked at"), "{}", out.report());
        out
    }

    /// The command line of kvmnet with `args`, ready to run on it; the caller may give it an environment and an input.
    #[track_caller]
    pub(crate) fn kvmnet_command(&self, args: &[&str]) -> Command {
        self.command(&[&["/usr/local/bin/kvmnet"], args].concat())
    }

    /// Has the way back be taken as its timer would have it, without waiting until the time is up.
    #[track_caller]
    pub(crate) fn the_time_is_up(&self) {
        let units = ["systemctl", "list-units", "--plain", "--no-legend", "kvmnet-put-back-*"];
        let known = self.run(&units).stdout;
        for unit in known.lines().filter_map(|line| line.split(' ').next()) {
            if let Some(name) = unit.strip_suffix(".timer") {
                // It may have come by itself just now.
                self.run(&["systemctl", "start", &format!("{name}.service")]);
            }
        }
        if known.is_empty() {
            // It was never armed, or is over already.
            return;
        }
        // A service whose DHCP client lives on stays known.
        self.wait_until("is through with the way back", |machine| {
            // It may go just now.
            let record = machine.path("/var/lib/kvmnet/window/window.json");
            let is_open = fs::read_to_string(record).is_ok_and(|text| !text.contains("\"put-back\""));
            !is_open && !machine.run(&units).stdout.contains(".timer")
        });
    }

    /// Starts kvmnet on a terminal of its own and waits until it asks its question. It may be given a connection that it
    /// was started over.
    #[track_caller]
    pub(crate) fn kvmnet_asks(&self, connection: Option<&Connection>, args: &[&str]) -> Asking {
        let line = [&["/usr/local/bin/kvmnet"], args].concat().join(" ");
        let mut cmd = self.command(&["script", "-qec", &line, "/dev/null"]);
        cmd.envs(connection.map(|connection| ("SSH_CONNECTION", connection.ssh())));
        Asking::start(cmd, line)
    }

    /// Writes a file on it, whose folder is made if need be.
    #[track_caller]
    pub(crate) fn put(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("root may");
        fs::write(path, text).expect("root may");
    }

    /// The text of a file on it.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Whether it has that file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// A path on it, as seen from here. Symbolic links in it would lead astray if they begin with a slash. What is only
    /// in its memory (`/run`, `/tmp`) is not there while it is off.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        let path = path.trim_start_matches('/');
        match &self.on {
            Some(on) => PathBuf::from(format!("/proc/{}/root", on.init)).join(path),
            None => self.lan.path(&format!("/run/lab/machines/{}/root", self.name)).join(path),
        }
    }

    /// Fills its disk to the last byte: nothing can be written any more, except to `/run` and `/tmp`.
    pub(crate) fn fill(&self) {
        let disk = format!("/run/lab/machines/{}/disk", self.name);
        // What runs on it may be writing just now.
        let full = "for _ in $(seq 100); do
            ! mount -o remount,size=$(df -k --output=used \"$0\" | tail -n 1 | tr -d ' ')k \"$0\" || exit 0
        done 2>/dev/null; exit 1";
        self.lan.run(&["sh", "-euc", full, &disk]).ok();
    }

    /// Makes room on its disk again.
    pub(crate) fn unfill(&self) {
        let disk = format!("/run/lab/machines/{}/disk", self.name);
        self.lan.run(&["mount", "-o", "remount,size=256m", &disk]).ok();
    }

    /// What is written in its `/etc`, and what its kernel's network is like once no address is tentative any more.
    #[track_caller]
    pub(crate) fn state(&self) -> State {
        let began = Instant::now();
        while self.ip(&["addr"]).to_string().contains("\"tentative\":true") && began.elapsed() < PATIENCE {
            sleep(OFTEN);
        }
        State::of(self)
    }

    /// Insists that it is, or comes to be, in this state: what a router or a DHCP server has a part in takes its time.
    #[track_caller]
    pub(crate) fn is_again(&self, before: &State) {
        let began = Instant::now();
        let mut now = self.state();
        while now != *before && began.elapsed() < PATIENCE / 2 {
            sleep(OFTEN * 2);
            now = self.state();
        }
        if now != *before {
            eprintln!("{}", self.log());
        }
        before.is_same(&now);
    }

    /// Its control group.
    fn group(&self) -> String {
        format!("{}{}", self.lan.groups(), self.name)
    }

    /// Where its control group is, in the LAN's site.
    pub(crate) fn group_path(&self) -> String {
        format!("/run/lab/cgroup/{}", self.group())
    }

    /// The switch's end of a NIC's cable.
    fn port(&self, nic: &Nic) -> String {
        format!("{}-{}", self.name, nic.name.trim_start_matches("enp"))
    }

    /// Pulls the cable of a NIC out of the switch.
    pub(crate) fn unplug(&self, nic: &str) {
        let nic = self.nics.iter().find(|n| n.name == nic).expect("it has that NIC");
        self.lan.run(&["ip", "link", "set", &self.port(nic), "down"]).ok();
    }

    /// Puts it in again.
    pub(crate) fn plug(&self, nic: &str) {
        let nic = self.nics.iter().find(|n| n.name == nic).expect("it has that NIC");
        self.lan.run(&["ip", "link", "set", &self.port(nic), "up"]).ok();
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        self.power_off();
        // With its root and its disk the machine is gone for good.
        let files = format!("/run/lab/machines/{}", self.name);
        self.lan.run(&["umount", "-l", &format!("{files}/root"), &format!("{files}/disk")]);
    }
}
