//! A folder of its own for each test, and the program run in it as a user would: nothing of the caller's environment
//! reaches it, nothing it writes leaves it. Every run is held to three promises: it ends, it doesn't panic, and it
//! never shows [`SECRET`].
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skip must be heard"
)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The VNC password of every guest in these tests, and of `ubuntuvm1` on the fixture host.
pub const SECRET: &str = "correct-horse";

/// No command of these tests may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_kvmnet"))
}

/// The fixture host on libvirt's test driver.
pub fn host() -> String {
    format!("test://{}/fixtures/host/node.xml", env!("CARGO_MANIFEST_DIR"))
}

/// A file of `fixtures/real`.
pub fn real(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/real").join(name)).unwrap()
}

/// A guest with a NIC on each of `networks`; its password stands where a diff of the last NIC shows it as context.
pub fn guest(name: &str, networks: &[&str]) -> String {
    let nic = |(n, network): (usize, &&str)| {
        format!(
            "    <interface type='network'>\n      <mac address='52:54:00:00:00:0{}'/>\n      \
             <source network='{network}'/>\n    </interface>\n",
            n + 1
        )
    };
    let nics: String = networks.iter().enumerate().map(nic).collect();
    format!(
        "<domain type='kvm'>\n  <name>{name}</name>\n  <!-- kept -->\n  <devices>\n{nics}    \
         <graphics type='vnc' passwd='{SECRET}'/>\n  </devices>\n</domain>\n"
    )
}

/// What `guest` becomes on bridge br0.
pub fn on_br0(xml: &str) -> String {
    xml.replace("<interface type='network'>", "<interface type='bridge'>")
        .replace("<source network='default'/>", "<source bridge='br0'/>")
}

/// Is this root? If not, says that `what` isn't tested; in CI that is a failure.
pub fn is_root_or_skip(what: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        assert!(std::env::var_os("CI").is_none(), "{what}: needs root, and CI must not skip it");
        eprintln!("SKIPPED, needs root: {what}");
    }
    is_root
}

/// A folder with its own journal.
pub struct Sandbox(TempDir);

impl Sandbox {
    pub fn new() -> Sandbox {
        let dir = tempfile::Builder::new().prefix("kvmnet-test-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Sandbox(dir)
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where the runs are written down.
    pub fn journal(&self) -> PathBuf {
        self.path("state/journal")
    }

    pub fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a guest with one NIC on network default, and returns its text.
    pub fn guest(&self, name: impl AsRef<Path>) -> String {
        let text = guest("web1", &["default"]);
        self.write(name, &text);
        text
    }

    pub fn text(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in a folder, hidden ones too.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Puts files on br0; returns what each of them held.
    pub fn convert(&self, names: &[&str]) -> String {
        let old = guest("web1", &["default"]);
        names.iter().for_each(|name| drop(self.guest(name)));
        self.kvmnet("convert --to-bridge br0 --in-place -y --file").args(names).gives(0);
        old
    }

    /// The runs in the journal, as programs read them.
    pub fn history(&self) -> Vec<Value> {
        let document = self.kvmnet("history -o json").gives(0).says_nothing().json();
        document["runs"].as_array().unwrap().clone()
    }

    /// A command of the program; the words are split at blanks.
    pub fn kvmnet(&self, words: &str) -> Run {
        self.program(program()).args(words.split_whitespace())
    }

    /// A command of another program.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.path("home")).env("KVMNET_STATE_DIR", self.path("state"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run { command, input: None, may_show_secrets: false }
    }

    /// A shell command in which `$K` is the program.
    pub fn shell(&self, script: &str) -> Run {
        self.program("bash").args(["-c", script]).env("K", program())
    }

    /// The program at a terminal: `answer` is typed once the question is there.
    pub fn at_terminal(&self, words: &str, answer: &[u8]) -> Done {
        // Without exec, Ctrl-C would reach the shell too, and its exit code would be seen.
        self.shell_at_terminal(&format!("exec {} {words}", program().display()), "[y/N]", answer)
    }

    /// A shell command at a terminal: `answer` is typed once `question` was printed.
    pub fn shell_at_terminal(&self, command: &str, question: &str, answer: &[u8]) -> Done {
        self.meanwhile_at_terminal(command, question, || {}, answer)
    }

    /// The same; between question and answer something happens. The keyboard stays open to the end: script(1) takes
    /// it badly when it doesn't.
    pub fn meanwhile_at_terminal(
        &self,
        command: &str,
        question: &str,
        meanwhile: impl Fn(),
        answer: &[u8],
    ) -> Done {
        let mut script = self.program("script").args(["-qec", command, "/dev/null"]);
        let mut child =
            script.command.stdin(Stdio::piped()).spawn().expect("script(1) of util-linux is there");
        let mut keyboard = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let (sender, shown) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                let _ = sender.send(buffer[..n].to_vec());
            }
        });
        let (mut seen, mut typed) = (Vec::new(), false);
        let until = Instant::now() + PATIENCE;
        while let Ok(part) = shown.recv_timeout(until.saturating_duration_since(Instant::now())) {
            seen.extend(part);
            if !typed && String::from_utf8_lossy(&seen).contains(question) {
                typed = true;
                meanwhile();
                // The question is printed before its answer is read; a key that ends the process must not be early.
                std::thread::sleep(Duration::from_millis(50));
                keyboard.write_all(answer).and_then(|()| keyboard.flush()).unwrap();
            }
        }
        let _ = reader.join();
        let status = wait(&mut child, &script.command);
        drop(keyboard);
        done(command, status, seen, Vec::new(), false)
    }
}

/// A command to run.
pub struct Run {
    pub command: Command,
    input: Option<Vec<u8>>,
    may_show_secrets: bool,
}

impl Run {
    pub fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.command.args(words);
        self
    }

    pub fn arg(self, word: impl AsRef<OsStr>) -> Run {
        self.args([word])
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Run {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Run {
        self.command.env_remove(name);
        self
    }

    pub fn folder(mut self, path: impl AsRef<Path>) -> Run {
        self.command.current_dir(path);
        self
    }

    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Run {
        self.input = Some(text.into());
        self
    }

    /// Standard output is the XML itself here, with all that is in it.
    pub fn filters(mut self) -> Run {
        self.may_show_secrets = true;
        self
    }

    /// Runs it as a user with no rights (as who we are, if that isn't root).
    pub fn by_nobody(self, sandbox: &Sandbox) -> Run {
        if !rustix::process::geteuid().is_root() {
            return self;
        }
        // The program may stand where nobody else may look.
        let copy = sandbox.path("kvmnet-copy");
        if !copy.exists() {
            fs::copy(program(), &copy).unwrap();
        }
        let mut run = sandbox.program("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let program = self.command.get_program();
        let program = if program == self::program().as_os_str() { copy.as_os_str() } else { program };
        run = run.arg(program).args(self.command.get_args());
        run.command.env_clear();
        for (name, value) in self.command.get_envs() {
            if let (Some(name), Some(value)) = (name.to_str(), value) {
                run = run.env(name, value);
            }
        }
        if let Some(folder) = self.command.get_current_dir() {
            run = run.folder(folder);
        }
        Run { input: self.input, may_show_secrets: self.may_show_secrets, ..run }
    }

    pub fn start(&mut self) -> Started {
        if self.input.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        if let Some(input) = self.input.take() {
            let mut stdin = child.stdin.take().unwrap();
            std::thread::spawn(move || stdin.write_all(&input));
        }
        let (out, err) = (child.stdout.take().map(all), child.stderr.take().map(all));
        Started { child, out, err, what: format!("{:?}", self.command), filters: self.may_show_secrets }
    }

    pub fn run(mut self) -> Done {
        let mut started = self.start();
        let status = wait(&mut started.child, &self.command);
        started.ended(status)
    }

    /// Runs it and holds it to its exit code.
    #[track_caller]
    pub fn gives(self, code: i32) -> Done {
        self.run().gave(code)
    }
}

/// A command that is running.
pub struct Started {
    pub child: Child,
    out: Option<JoinHandle<Vec<u8>>>,
    err: Option<JoinHandle<Vec<u8>>>,
    what: String,
    filters: bool,
}

impl Started {
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn wait(mut self) -> Done {
        let status = wait(&mut self.child, &Command::new(&self.what));
        self.ended(status)
    }

    fn ended(self, status: ExitStatus) -> Done {
        let got = |thread: Option<JoinHandle<Vec<u8>>>| thread.map(|t| t.join().unwrap()).unwrap_or_default();
        done(&self.what, status, got(self.out), got(self.err), self.filters)
    }
}

fn all(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

fn wait(child: &mut Child, what: &Command) -> ExitStatus {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            panic!("it hangs: {what:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A command that ended.
#[derive(Debug)]
pub struct Done {
    pub what: String,
    /// Its exit code; 128 and the signal's number if one killed it.
    pub code: i32,
    pub out: String,
    pub err: String,
}

fn done(what: &str, status: ExitStatus, out: Vec<u8>, err: Vec<u8>, filters: bool) -> Done {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    let done = Done { what: what.into(), code, out: text(out), err: text(err) };
    let all = [done.out.as_str(), &done.err];
    assert!(!all.iter().any(|t| t.contains("panicked") || t.contains("RUST_BACKTRACE")), "it panics: {done}");
    let shown = if filters { &all[1..] } else { &all[..] };
    assert!(!shown.iter().any(|t| t.contains(SECRET)), "it shows the password: {done}");
    done
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |text: &str| -> String {
            let skip = text.chars().count().saturating_sub(2000);
            text.chars().skip(skip).collect()
        };
        let Done { what, code, out, err } = self;
        let what: String = what.chars().take(1000).collect();
        writeln!(f, "{what}\n--- exit code {code}\n--- stdout\n{}--- stderr\n{}", end(out), end(err))
    }
}

impl Done {
    #[track_caller]
    pub fn gave(self, code: i32) -> Done {
        assert!(self.code == code, "not {code}: {self}");
        self
    }

    /// Standard error says all of this.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Done {
        for word in words {
            assert!(self.err.contains(word), "stderr doesn't say {word:?}: {self}");
        }
        self
    }

    /// Standard output shows all of this.
    #[track_caller]
    pub fn shows(self, words: &[&str]) -> Done {
        for word in words {
            assert!(self.out.contains(word), "stdout doesn't show {word:?}: {self}");
        }
        self
    }

    /// Standard output is empty.
    #[track_caller]
    pub fn shows_nothing(self) -> Done {
        assert!(self.out.is_empty(), "stdout isn't empty: {self}");
        self
    }

    /// Standard error is empty.
    #[track_caller]
    pub fn says_nothing(self) -> Done {
        assert!(self.err.is_empty(), "stderr isn't empty: {self}");
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self}"))
    }

    /// The commands that the help lines offer to paste.
    pub fn offers(&self) -> Vec<String> {
        let lines = self.err.lines().filter_map(|line| line.trim().strip_prefix("help: "));
        lines.filter(|line| line.starts_with("kvmnet ")).map(Into::into).collect()
    }
}

/// A name that is no UTF-8.
pub fn odd_name() -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(b"odd-\xff.xml".to_vec())
}
