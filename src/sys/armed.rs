//! What must happen by itself: at a moment, or at the next boot, and whatever becomes of this process until then.
//!
//! A folder holds what is to be done (the record) and a copy of this program, for the one that runs may stand on a file
//! system that is reached over the network at stake. Where systemd runs, a timer of its own starts that copy; elsewhere
//! a process in a session of its own waits for the moment. A unit that runs before anything configures the network does
//! the same after a power cut.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, setsid};
use serde::{Deserialize, Serialize};

use super::exec;
use super::files::{Lock, private_folder, read_if_there, state_dir, sync_folder};

/// Says where the folder is, for whoever has another environment than the process that armed it.
const POINTER: &str = "/run/kvmnet/window";

/// The unit that runs at boot, and what has it run.
const UNIT: &str = "/etc/systemd/system/kvmnet-put-back.service";
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/kvmnet-put-back.service";

/// For the tools of systemd, which answer at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// The folder of what must happen by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    folder: PathBuf,
}

/// What waits for the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// A timer of systemd's, by the name of its unit.
    Timer(String),
    /// A process.
    Process(Alive),
}

impl Alarm {
    /// Is it still there?
    pub fn is_armed(&self) -> bool {
        match self {
            Alarm::Process(process) => process.is_there(),
            Alarm::Timer(unit) => {
                let argv = ["systemctl", "is-active", "--quiet", &format!("{unit}.timer")].map(String::from);
                exec::run(&argv, PATIENCE).is_ok()
            }
        }
    }

    /// Nothing waits any more.
    fn end(&self) {
        match self {
            Alarm::Process(process) => process.end(),
            Alarm::Timer(unit) => {
                let argv = ["systemctl", "stop", &format!("{unit}.timer")].map(String::from);
                let _ = exec::run(&argv, PATIENCE);
            }
        }
    }
}

/// A process that can't be taken for another of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    pid: u32,
    /// When it was started, as the kernel counts.
    since: u64,
}

/// A start of the host's. In a container the kernel's own number stays the same, and the first process is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    id: String,
    init: Alive,
}

impl Boot {
    /// The last one; `None` if it can't be told.
    pub fn this() -> Option<Boot> {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_string();
        Some(Boot { id, init: Alive::of(1)? })
    }
}

impl Alive {
    /// This process.
    pub fn this() -> Option<Alive> {
        Alive::of(std::process::id())
    }

    fn of(pid: u32) -> Option<Alive> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut words = stat.rsplit_once(')')?.1.split_whitespace();
        let is_dead = words.next()? == "Z";
        Some(Alive { pid, since: words.nth(18)?.parse().ok()? }).filter(|_| !is_dead)
    }

    /// Is it still there?
    pub fn is_there(&self) -> bool {
        Alive::of(self.pid).as_ref() == Some(self)
    }

    /// Ends it, at once; not if it is this one.
    pub fn end(&self) {
        if self.is_there()
            && self.pid != std::process::id()
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            // That it has ended meanwhile is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Armed {
    /// The folder in kvmnet's state, whether something is armed there or not; `None` if it isn't known where that is.
    pub fn of_state() -> Option<Armed> {
        Some(Armed { folder: state_dir()?.join("window") })
    }

    /// That at a path.
    pub fn at(folder: &Path) -> Armed {
        Armed { folder: folder.into() }
    }

    /// The folder where something is armed: that of kvmnet's state, or wherever another process said.
    pub fn found() -> Option<Armed> {
        let said = fs::read_link(POINTER).ok().map(|folder| Armed { folder });
        let root = || Some(Armed::at(Path::new("/var/lib/kvmnet/window")));
        let all = [Armed::of_state(), said, root()];
        all.into_iter().flatten().find(|armed| armed.record_path().exists())
    }

    /// Is something armed, as far as somebody can see who may not look what it is?
    pub fn is_said() -> bool {
        Path::new(POINTER).is_symlink()
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn record_path(&self) -> PathBuf {
        self.folder.join("window.json")
    }

    /// What is to be done; `None` if nothing is.
    ///
    /// # Errors
    /// It can't be read.
    pub fn record(&self) -> io::Result<Option<String>> {
        Ok(read_if_there(&self.record_path())?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes down what is to be done; it is on the disk when this returns.
    ///
    /// # Errors
    /// The disk is full, or the folder can't be written to; then what was written down before still stands.
    pub fn write(&self, record: &str) -> io::Result<()> {
        private_folder(&self.folder)?;
        let new = self.folder.join("window.new");
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(record.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.record_path())?;
        sync_folder(&self.folder);
        Ok(())
    }

    /// Keeps other processes from the record until it is dropped.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn lock(&self) -> io::Result<Lock> {
        Lock::take(&self.folder, || {})
    }

    /// Keeps what somebody else had written, and says where.
    ///
    /// # Errors
    /// The disk is full.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let folder = self.folder.with_file_name("found");
        private_folder(&folder)?;
        let path = folder.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Has `after` and the next boot do what is written down. The timer comes first: whatever is left by a process that is
    /// killed from then on, it takes away.
    ///
    /// # Errors
    /// It can't be made sure of; then nothing will happen.
    pub fn arm(&self, id: &str, after: Duration) -> Result<Alarm> {
        let program = self.program()?;
        // Without it, whoever has the same environment finds the folder all the same.
        let _ = fs::DirBuilder::new().mode(0o755).recursive(true).create("/run/kvmnet");
        let _ = fs::remove_file(POINTER);
        let _ = std::os::unix::fs::symlink(&self.folder, POINTER);
        if !is_systemd() {
            return self.wait_in_a_process(&program, after).map(Alarm::Process);
        }
        let alarm = match self.timer(&program, id, after) {
            Ok(unit) => Alarm::Timer(unit),
            // It runs, but can't be asked for a timer.
            Err(_) => Alarm::Process(self.wait_in_a_process(&program, after)?),
        };
        self.enable_at_boot(&program)?;
        Ok(alarm)
    }

    /// Has `after` do what is written down in the place of `alarm`, for when whoever does it now is killed. The next boot
    /// stays as it is armed.
    ///
    /// # Errors
    /// It can't be made sure of; then `alarm` is as it was.
    pub fn arm_again(&self, id: &str, after: Duration, alarm: Option<&Alarm>) -> Result<Alarm> {
        let copy = self.folder.join("kvmnet");
        let program = if copy.exists() { copy } else { std::env::current_exe()? };
        let in_a_process = || self.wait_in_a_process(&program, after).map(Alarm::Process);
        let again = match is_systemd() {
            true => self.timer(&program, id, after).map(Alarm::Timer).or_else(|_| in_a_process())?,
            false => in_a_process()?,
        };
        alarm.into_iter().for_each(Alarm::end);
        Ok(again)
    }

    fn timer(&self, program: &Path, id: &str, after: Duration) -> Result<String> {
        let unit = format!("kvmnet-put-back-{id}");
        let words = [
            "systemd-run".to_string(),
            "--quiet".into(),
            "--collect".into(),
            format!("--unit={unit}"),
            "--description=Put the host's network back unless 'kvmnet host bridge confirm' is run".into(),
            format!("--on-active={}ms", after.as_millis()),
            "--timer-property=AccuracySec=100ms".into(),
            // Whoever changes to another target doesn't mean this.
            "--timer-property=IgnoreOnIsolate=yes".into(),
            "--property=IgnoreOnIsolate=yes".into(),
            // A DHCP client that is started on the way back is there to stay.
            "--property=KillMode=process".into(),
            "--".into(),
        ];
        let argv: Vec<String> = words.into_iter().chain(self.way_back(program, &[])).collect();
        exec::run(&argv, PATIENCE)?;
        Ok(unit)
    }

    /// Nothing will happen by itself any more, and nothing is left of what was written down. The record must say by now that
    /// it is over.
    ///
    /// # Errors
    /// A file can't be removed.
    pub fn disarm(&self, alarm: Option<&Alarm>) -> io::Result<()> {
        let gone = |path: &Path| match fs::remove_file(path) {
            // On a file system that can't be written to, what isn't there can't be removed either.
            Err(_) if path.symlink_metadata().is_err() => Ok(()),
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        gone(Path::new(WANTED))?;
        gone(Path::new(UNIT))?;
        // Before the program that it runs: it would fail at its moment.
        alarm.into_iter().for_each(Alarm::end);
        for name in ["window.new", "kvmnet"] {
            gone(&self.folder.join(name))?;
        }
        gone(Path::new(POINTER))?;
        // The last: whoever is killed before that leaves what tells the next one to clear up.
        gone(&self.record_path())
    }

    /// A copy of this program that can be run; if none can, the program where it stands.
    fn program(&self) -> Result<PathBuf> {
        let here = std::env::current_exe().context("this program's own file isn't known")?;
        let copy = self.folder.join("kvmnet");
        let made = || -> io::Result<()> {
            // One that runs can't be written to.
            let _ = fs::remove_file(&copy);
            fs::copy(&here, &copy)?;
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o700))?;
            fs::File::open(&copy)?.sync_all()
        };
        made().with_context(|| format!("cannot copy {} to {}", here.display(), copy.display()))?;
        let runs = |program: &Path| {
            exec::run(&[program.to_string_lossy().into_owned(), "--version".into()], PATIENCE).is_ok()
        };
        // A disk may be mounted so that nothing on it can be run.
        if runs(&copy) {
            Ok(copy)
        } else if runs(&here) {
            Ok(here)
        } else {
            bail!("{} can't be run", copy.display())
        }
    }

    fn way_back(&self, program: &Path, more: &[&str]) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let words = [&text(program), "host", "bridge", "revert", "--armed", &text(&self.folder)];
        words.into_iter().chain(more.iter().copied()).map(String::from).collect()
    }

    fn enable_at_boot(&self, program: &Path) -> Result<()> {
        let quoted = |word: &String| {
            format!(
                "\"{}\"",
                word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$")
            )
        };
        let line: Vec<String> = self.way_back(program, &["--boot"]).iter().map(quoted).collect();
        let text = format!(
            "# Made by kvmnet while a change of the host's network waits for 'kvmnet host bridge confirm'; goes by itself.\n\
             [Unit]\n\
             Description=Put the host's network back as it was before a change that nobody confirmed\n\
             DefaultDependencies=no\n\
             RequiresMountsFor={}\n\
             After=local-fs.target\n\
             Before=network-pre.target networking.service systemd-networkd.service NetworkManager.service\n\
             Wants=network-pre.target\n\
             Conflicts=shutdown.target\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             KillMode=process\n\
             ExecStart={}\n",
            self.folder.display().to_string().replace('%', "%%").replace(' ', "\\x20"),
            line.join(" ")
        );
        let write = || -> io::Result<()> {
            if let Some(folder) = Path::new(WANTED).parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = fs::File::create(UNIT)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            let _ = fs::remove_file(WANTED);
            std::os::unix::fs::symlink(UNIT, WANTED)?;
            [UNIT, WANTED].iter().filter_map(|path| Path::new(path).parent()).for_each(sync_folder);
            Ok(())
        };
        write().with_context(|| format!("cannot write {UNIT}"))
    }

    fn wait_in_a_process(&self, program: &Path, after: Duration) -> Result<Alive> {
        let after = after.as_millis().to_string();
        let argv = self.way_back(program, &["--after", &after]);
        let Some((program, args)) = argv.split_first() else { bail!("nothing to run") };
        let mut child = Command::new(program)
            .args(args)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} can't be run"))?;
        let mut said = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut said)?;
        }
        if said.trim() != "waiting" {
            bail!("the process that would put everything back doesn't wait");
        }
        Alive::of(child.id()).context("the process that would put everything back is gone")
    }
}

/// Leaves the session of whoever started this process, whose terminal then can't take it along, says on standard output
/// that it waits, and waits.
///
/// # Errors
/// Nobody reads that.
pub fn wait_alone(after: Duration) -> io::Result<()> {
    // It fails only where this process leads a session of its own already.
    let _ = setsid();
    println_waiting()?;
    std::thread::sleep(after);
    Ok(())
}

fn println_waiting() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(b"waiting\n")?;
    out.flush()
}

/// Does systemd run this host? As `sd_booted(3)` finds out.
pub fn is_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}
