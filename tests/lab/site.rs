//! One site: a LAN and what stands on it, all in namespaces of its own.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The programs that every site is made of.
const NEEDED: [&str; 6] = ["bash", "unshare", "nsenter", "ip", "ping", "dnsmasq"];

/// Where programs are looked for, in the site too.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a site lives at most: no test takes half an hour, but one that hangs.
const MOST: Duration = Duration::from_secs(30 * 60);

/// A running site. It ends when this is dropped, and also when the process that holds it is killed:
/// its first process lives only as long as the pipe to its standard input.
pub(crate) struct Site {
    unshare: Child,
    /// Held for its being open.
    _alive: ChildStdin,
    /// The site's first process, as numbered outside.
    init: u32,
    /// Held as long as somebody watches that it doesn't hang.
    watch: Option<Sender<()>>,
}

/// Which part of the site a command runs in.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The machine under test: `enp4s0`, `br0`, `br1`, libvirtd.
    Host,
    /// The other end of its cable.
    Lan,
}

/// Why this machine can't run a site with these programs in it, if it can't.
pub(crate) fn missing(programs: &[&str]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root, for namespaces and network devices".into());
    }
    for name in NEEDED.iter().chain(programs) {
        if !PATH.split(':').any(|dir| PathBuf::from(dir).join(name).exists()) {
            return Some(format!("{name} is not installed"));
        }
    }
    if !PathBuf::from("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".into());
    }
    let probe = Command::new("unshare")
        .args(["-m", "-n", "-p", "-i", "-u", "-f", "--mount-proc", "ip", "link", "add", "type", "bridge"])
        .env("PATH", PATH)
        .stdin(Stdio::null())
        .output();
    match probe {
        Ok(out) if out.status.success() => None,
        Ok(out) => Some(format!(
            "namespaces or bridges can't be made here: {}",
            String::from_utf8_lossy(&out.stderr).trim()
        )),
        Err(e) => Some(format!("unshare: {e}")),
    }
}

impl Site {
    /// Makes a site: runs the script `init` with `settings` in its environment, and waits until it says that all is ready.
    pub(crate) fn start<'a>(init: &str, settings: impl IntoIterator<Item = (&'a str, &'a OsStr)>) -> Self {
        let mut unshare = Command::new("unshare")
            .args(["-m", "-n", "-p", "-i", "-u", "-f", "--kill-child=KILL", "--mount-proc"])
            .args(["bash", "-c", init, "site"])
            .env_clear()
            .envs([("PATH", PATH), ("LC_ALL", "C"), ("HOME", "/run/lab/home")])
            .envs(settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let alive = unshare.stdin.take().expect("a pipe was asked for");
        let mut said = String::new();
        let stdout = unshare.stdout.take().expect("a pipe was asked for");
        BufReader::new(stdout).read_line(&mut said).expect("the site can be read");
        if said != "ready\n" {
            drop(alive);
            let mut why = String::new();
            if let Some(mut stderr) = unshare.stderr.take() {
                let _ = stderr.read_to_string(&mut why);
            }
            let _ = unshare.wait();
            panic!("the lab did not start: {said}{why}");
        }
        // Nobody reads the site's complaints from here on; a full pipe must not stop it.
        unshare.stderr = None;
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let init = fs::read_to_string(&children).expect("the kernel lists children");
        let init = init.trim().parse().expect("unshare has one child");
        let watch = watch(unshare.id());
        Self { unshare, _alive: alive, init, watch: Some(watch) }
    }

    /// The site's file system, seen from outside.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.init))
    }

    /// The site's first process, as numbered here.
    #[allow(dead_code, reason = "only tests/hosts.rs needs it")]
    pub(crate) fn init(&self) -> u32 {
        self.init
    }

    /// A command that will run in the site, with nothing on its standard input and the plainest environment.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, place: Place, argv: &[S]) -> Command {
        let mut cmd = Command::new("nsenter");
        let init = self.init.to_string();
        cmd.args(["-t", &init, "-m", "-n", "-p", "-i", "-u", "--"]);
        if let Place::Host = place {
            cmd.args(["ip", "netns", "exec", "host"]);
        }
        cmd.args(argv)
            .env_clear()
            .envs([("PATH", PATH), ("LC_ALL", "C"), ("HOME", "/run/lab/home"), ("TERM", "dumb")])
            .env("RUST_BACKTRACE", "1")
            .current_dir("/")
            .stdin(Stdio::null());
        cmd
    }
}

/// Ends a site's first process after [`MOST`], unless what this gives is dropped before.
fn watch(unshare: u32) -> Sender<()> {
    let (end, is_ended) = channel();
    let unshare = i32::try_from(unshare).ok().and_then(Pid::from_raw).expect("a process has a number");
    std::thread::spawn(move || {
        if is_ended.recv_timeout(MOST) == Err(RecvTimeoutError::Timeout) {
            // Nobody has waited for it yet, so that the number is still its own.
            let _ = kill_process(unshare, Signal::KILL);
        }
    });
    end
}

impl Drop for Site {
    fn drop(&mut self) {
        self.watch = None;
        // `--kill-child` takes the site's first process along, and the kernel then everything else in it.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        let gone = Instant::now() + Duration::from_secs(10);
        while PathBuf::from(format!("/proc/{}/root", self.init)).exists() && Instant::now() < gone {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether `KVMNET_SKIP` has that word, which then is said aloud.
pub(crate) fn skipped(word: &str) -> bool {
    let skip = std::env::var("KVMNET_SKIP").is_ok_and(|words| words.split([',', ' ']).any(|w| w == word));
    if skip {
        say(&format!("LAB NOT RUN: KVMNET_SKIP has the word {word}"));
    }
    skip
}

/// No lab, for this reason; a failure if one is demanded.
pub(crate) fn refuse<T>(why: &str) -> Option<T> {
    let required = std::env::var("KVMNET_REQUIRE").unwrap_or_default();
    assert!(
        std::env::var_os("CI").is_none() && !required.split([',', ' ']).any(|w| w == "lab"),
        "LAB NOT RUN: {why}"
    );
    say(&format!("LAB NOT RUN: {why}"));
    None
}

/// Says something that is heard even of a test that passes, whose `eprintln!` is not.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What a finished command gave back.
#[derive(Debug)]
pub(crate) struct Out {
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
    /// What was run, for messages.
    what: String,
}

impl Out {
    /// Runs `cmd` to its end.
    pub(crate) fn of(cmd: &mut Command, what: String) -> Self {
        let out = cmd.output().expect("nsenter starts");
        Self {
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
            what,
        }
    }

    /// Insists on an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit {code}\n{}", self.report());
        self
    }

    /// Insists on success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Insists that one of `words` was said, on either stream, in whatever case.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let all = self.all().to_lowercase();
        assert!(
            words.iter().any(|w| all.contains(&w.to_lowercase())),
            "expected one of {words:?} to be said\n{}",
            self.report()
        );
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON: {e}\n{}", self.report()))
    }

    /// Both streams.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Everything there is to know, for a failure's message.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("$ {}\nexit {}\n", self.what, self.code);
        let _ =
            write!(text, "--- stdout\n{}\n--- stderr\n{}", self.stdout.trim_end(), self.stderr.trim_end());
        text
    }
}
