//! Switching machines on and off.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Machine, OFTEN, PATIENCE, lan, program};

/// Switches a machine on; see there.
const BOOT: &str = include_str!("boot.sh");
/// What answers the peer; see there.
const SERVE: &str = include_str!("serve.py");

/// A machine that is switched on.
pub(super) struct On {
    /// The process that ends with the machine.
    power: Child,
    /// The machine's first process, as numbered here.
    pub(super) init: u32,
    /// What answers the peer.
    server: Option<Child>,
}

impl On {
    /// A machine that ends stops all that runs on it for a moment, before it ends it. `nsenter` stops along with what it
    /// entered the machine for, and goes on only when it is told; until then that is not buried, and the machine not gone.
    fn wake_server(&self) {
        let id = self.server.as_ref().map(Child::id);
        if let Some(pid) = id.and_then(|id| rustix::process::Pid::from_raw(id as i32)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
        }
    }
}

impl Machine<'_> {
    /// Switches it on and waits until its services have started.
    #[track_caller]
    pub(crate) fn power_on(&mut self) {
        assert!(self.on.is_none(), "it is on");
        let nics: Vec<String> = self.nics.iter().map(|nic| format!("{}={}", nic.name, nic.mac)).collect();
        let argv = ["bash", "-c", BOOT, "boot", &self.name, &self.group(), &nics.join(" ")];
        let mut cmd = self.lan.command(&argv);
        cmd.env("LAB_KVMNET", program::kvmnet().expect("Lan::start has seen to it"));
        cmd.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut power = cmd.spawn().expect("nsenter starts");
        let mut said = String::new();
        let stdout = power.stdout.take().expect("a pipe was asked for");
        BufReader::new(stdout).read_line(&mut said).expect("a pipe can be read");
        if said != "on\n" {
            let out = power.wait_with_output().expect("it has ended");
            panic!("the machine didn't start: {said}{}", String::from_utf8_lossy(&out.stderr));
        }
        // What entered the site has `unshare` for a child, and that one the machine's first process, which may have
        // children of its own already.
        let init = child(child(power.id()));
        self.on = Some(On { power, init, server: None });
        let began = Instant::now();
        loop {
            let state = self.run(&["systemctl", "is-system-running"]).stdout;
            if ["running\n", "degraded\n"].contains(&state.as_str()) {
                break;
            }
            let log = || self.run(&["systemctl", "list-jobs", "--no-pager"]).report() + &self.log();
            assert!(began.elapsed() < PATIENCE, "the machine is still {state}\n{}", log());
            sleep(OFTEN);
        }
        let mut server = self.command(&["python3", "-c", SERVE]);
        let mut server = server.stdout(Stdio::piped()).spawn().expect("nsenter starts");
        let stdout = server.stdout.take().expect("a pipe was asked for");
        said.clear();
        BufReader::new(stdout).read_line(&mut said).expect("a pipe can be read");
        assert_eq!(said, "listening\n", "what answers the peer didn't start");
        self.on.as_mut().expect("it was just switched on").server = Some(server);
    }

    /// Takes its power away: nothing in it gets a chance to end well. Its NICs go with it, its disk stays.
    pub(crate) fn power_off(&mut self) {
        let Some(mut on) = self.on.take() else { return };
        let pid = rustix::process::Pid::from_raw(on.init as i32).expect("a process has a number");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        on.wake_server();
        let _ = on.power.wait();
        if let Some(server) = &mut on.server {
            let _ = server.wait();
        }
        let gone = Instant::now() + Duration::from_secs(10);
        while PathBuf::from(format!("/proc/{}/root", on.init)).exists() && Instant::now() < gone {
            sleep(Duration::from_millis(5));
        }
        // A device goes some time after its namespace; its other end, taken away by us, takes it along at once.
        let ends: String = self.nics.iter().map(|nic| format!("ip link del {}; ", self.port(nic))).collect();
        self.lan.run(&["sh", "-c", &format!("{ends} ip netns del {}", self.name)]);
        lan::sweep(&self.group());
    }

    /// Has it end all that runs on it and start anew, as `reboot` does. Waits until the machine has an address again.
    #[track_caller]
    pub(crate) fn reboot_in_order(&mut self) {
        // The word comes back, or the machine is gone before.
        self.run(&["systemctl", "reboot"]);
        let began = Instant::now();
        let on = self.on.as_mut().expect("it is on");
        while on.power.try_wait().expect("it is a child of ours").is_none() {
            assert!(began.elapsed() < PATIENCE, "the machine doesn't end");
            on.wake_server();
            sleep(Duration::from_millis(30));
        }
        self.reboot();
    }

    /// A power cut, and a start after it. Waits until the machine has an address again.
    #[track_caller]
    pub(crate) fn reboot(&mut self) {
        self.power_off();
        self.power_on();
        self.wait_for_network();
    }
}

/// The one child that a process has.
fn child(pid: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let first = children.split_whitespace().next().and_then(|child| child.parse().ok());
    first.unwrap_or_else(|| panic!("process {pid} has no child: {children:?}"))
}
