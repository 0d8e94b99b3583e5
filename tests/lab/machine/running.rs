//! A kvmnet that is watched while it works, and ended in the middle of it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, Signal, kill_process};

use super::{Connection, Machine};

/// How long a program may take to be started.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that runs on a machine, and says each step before it makes it.
pub(crate) struct Running {
    child: Child,
    said: BufReader<Box<dyn Read>>,
    /// Held for its being open: a terminal whose input has ended is no terminal.
    _stdin: Option<ChildStdin>,
}

impl Machine<'_> {
    /// Starts kvmnet, which then says what it does no faster than that is read: it waits with its next step until the one
    /// before has been heard.
    #[track_caller]
    pub(crate) fn watched(&self, connection: Option<&Connection>, args: &[&str]) -> Running {
        // One packet has room in it: a second write waits until the first was read.
        let (ours, theirs) = pipe_with(PipeFlags::DIRECT | PipeFlags::CLOEXEC).expect("a pipe can be had");
        fcntl_setpipe_size(&theirs, 4096).expect("a pipe can be that small");
        let mut cmd = self.kvmnet_command(args);
        cmd.envs(connection.map(|connection| ("SSH_CONNECTION", connection.ssh())));
        cmd.stdout(Stdio::null()).stderr(theirs);
        let child = cmd.spawn().expect("nsenter starts");
        Running { child, said: BufReader::new(Box::new(File::from(ours))), _stdin: None }
    }

    /// Starts kvmnet on a terminal, from a shell that tells it when the terminal is gone, as those of logins do, and writes
    /// its exit code into `/run/code`.
    #[track_caller]
    pub(crate) fn on_a_terminal(&self, connection: Option<&Connection>, args: &[&str]) -> Running {
        let line = format!(
            "rm -f /run/code; trap 'kill -HUP $k' HUP; /usr/local/bin/kvmnet {} & k=$!; wait $k; wait $k; \
             echo $? >/run/code.new; mv /run/code.new /run/code",
            args.join(" ")
        );
        // Whoever runs the tests may have them ignore it, which a shell can't undo.
        let hears = ["env", "--default-signal=HUP"];
        let mut cmd: Command = self.command(&[&hears, &["script", "-qec", &line, "/dev/null"][..]].concat());
        cmd.envs(connection.map(|connection| ("SSH_CONNECTION", connection.ssh())));
        cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = cmd.spawn().expect("nsenter starts");
        let said: Box<dyn Read> = Box::new(child.stdout.take().expect("a pipe was asked for"));
        let stdin = child.stdin.take();
        Running { child, said: BufReader::new(said), _stdin: stdin }
    }
}

impl Running {
    /// The next step that it says; `None` once it has ended.
    pub(crate) fn step(&mut self) -> Option<String> {
        loop {
            let mut line = Vec::new();
            // Of a terminal that is gone it can't be read any more.
            let read = self.said.read_until(b'\n', &mut line).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            if read == 0 {
                return None;
            }
            if let Some(step) = line.trim().strip_prefix("kvmnet: ") {
                return Some(step.to_owned());
            }
        }
    }

    /// Reads on until it says this step.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: &str) {
        let mut said = Vec::new();
        while let Some(step) = self.step() {
            if step.starts_with(wanted) {
                return;
            }
            said.push(step);
        }
        panic!("it never said {wanted:?}, but {said:#?}");
    }

    /// Ends it so long after it was started; it may have ended by itself by then.
    pub(crate) fn kill_after(&self, time: Duration) {
        let pid = self.child.id();
        let is_started = || {
            // What came before it had children of its own.
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            name.trim() == "nsenter" && !children.trim().is_empty()
        };
        let began = Instant::now();
        while !is_started() && began.elapsed() < PATIENCE {
            sleep(Duration::from_millis(1));
        }
        sleep(time);
        self.kill();
    }

    /// Ends it at once: SIGKILL for kvmnet, or for what holds its terminal.
    pub(crate) fn kill(&self) {
        // What was spawned is what entered the machine's namespaces; its only child is what was meant.
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let first = children.split_whitespace().next().and_then(|pid| pid.parse().ok());
        if let Some(pid) = first.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Has it end by itself. Gives its exit code, -1 if it was killed.
    pub(crate) fn ends(mut self) -> i32 {
        while self.step().is_some() {}
        self.child.wait().expect("it is a child of ours").code().unwrap_or(-1)
    }
}
