//! Running other programs, and where things are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder that this build's programs are in (`target/debug`), wherever the target folder is.
pub(crate) fn program_dir() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_path_buf())
}

/// The cargo that started us, at the top of the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root());
    command
}

/// Runs `command` to its end and makes an error of a failure.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// The same, for what may hang: after `most` it is ended, with all that it started.
pub(crate) fn check_within(command: &mut Command, most: Duration) -> Result<()> {
    let shown = show(command);
    let cannot = || format!("cannot run `{shown}`");
    let mut child = command.spawn().with_context(cannot)?;
    let began = Instant::now();
    loop {
        match child.try_wait().with_context(cannot)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("`{shown}` failed ({status})"),
            None if began.elapsed() < most => sleep(Duration::from_millis(100)),
            None => {
                end(&family(child.id()));
                let _ = child.wait();
                bail!("`{shown}` hung: it was ended after {} minutes", most.as_secs() / 60);
            }
        }
    }
}

/// The tests that `command` fails, as the test harness names them, while all that it prints is passed on; `None` if it
/// succeeds.
///
/// # Errors
/// It can't be run, hangs, or fails otherwise than by tests that fail: cut short, it says nothing of those it didn't run.
pub(crate) fn failing_tests(command: &mut Command, most: Duration) -> Result<Option<Vec<String>>> {
    let shown = show(command);
    let cannot = || format!("cannot run `{shown}`");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(cannot)?;
    let out = child.stdout.take().with_context(cannot)?;
    let id = child.id();
    let (done, is_done) = channel::<()>();
    let watch = thread::spawn(move || {
        let hangs = is_done.recv_timeout(most) == Err(RecvTimeoutError::Timeout);
        if hangs {
            end(&family(id));
        }
        hangs
    });
    let (mut failing, mut is_through) = (Vec::new(), false);
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        println!("{line}");
        let name = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"));
        failing.extend(name.map(String::from));
        is_through |= line.starts_with("test result: FAILED.") && counts(&line) == Some(failing.len());
    }
    drop(done);
    let status = child.wait().with_context(cannot)?;
    if watch.join().unwrap_or_default() {
        bail!("`{shown}` hung: it was ended after {} minutes", most.as_secs() / 60);
    }
    match (status.success(), is_through) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(failing)),
        (false, false) => bail!("`{shown}` failed ({status})"),
    }
}

/// How many tests failed, by the last line of the test harness.
fn counts(line: &str) -> Option<usize> {
    line.split("; ").find_map(|part| part.strip_suffix(" failed")?.parse().ok())
}

/// A process, its children and theirs.
fn family(id: u32) -> Vec<u32> {
    let mut all = vec![id];
    let mut next = 0;
    while let Some(id) = all.get(next) {
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|ids| ids.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
            .collect();
        all.extend(children);
        next += 1;
    }
    all
}

/// Ends processes at once.
fn end(ids: &[u32]) {
    let _ = Command::new("kill").arg("-KILL").args(ids.iter().map(u32::to_string)).status();
}

/// What `command` prints on stdout, or nothing when it cannot be run or fails.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as a person would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    let mut shown = name.into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&quoted(&arg.to_string_lossy()));
    }
    shown
}

/// `arg` in quotes if a shell would otherwise split or expand it.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

/// The program `name` on PATH, or in the system folders that an ordinary user's PATH may lack.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::{check_within, failing_tests, find_program, quoted, show};
    use std::process::Command;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    #[test]
    fn a_shown_command_can_be_pasted() {
        let mut command = Command::new("/usr/bin/kvmnet");
        command.args(["convert", "--file", "my guest.xml", "--to-bridge", "br0"]);
        assert_eq!(show(&command), "kvmnet convert --file 'my guest.xml' --to-bridge br0");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("test:///a/b.xml"), "test:///a/b.xml");
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_started() {
        let dir = std::env::temp_dir().join(format!("kvmnet-xtask-{}", std::process::id()));
        let script = format!("sleep 1000 & echo $! >{0}; sh -c 'sleep 1000; exit 0'; exit 0", dir.display());
        let said = check_within(Command::new("sh").args(["-c", &script]), Duration::from_millis(500));
        let pid = std::fs::read_to_string(&dir).unwrap_or_default();
        let _ = std::fs::remove_file(&dir);
        assert!(said.is_err_and(|e| e.to_string().contains("hung")));
        let stat = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        let is_gone = || stat().is_empty() || stat().contains(") Z ");
        let began = Instant::now();
        while !is_gone() && began.elapsed() < Duration::from_secs(9) {
            sleep(Duration::from_millis(5));
        }
        assert!(!pid.is_empty() && is_gone(), "{}", stat());
        assert!(check_within(&mut Command::new("true"), Duration::from_secs(9)).is_ok());
        assert!(check_within(&mut Command::new("false"), Duration::from_secs(9)).is_err());
    }

    #[test]
    fn failing_tests_are_named() {
        let run =
            |script: &str| failing_tests(Command::new("sh").args(["-c", script]), Duration::from_secs(9));
        let said = "echo 'test a::b ... ok'; echo 'test a::c ... FAILED'";
        let end = |failed| {
            format!("{said}; echo 'test result: FAILED. 1 passed; {failed} failed; 0 ignored'; exit 101")
        };
        assert_eq!(run(&end(1)).ok().flatten(), Some(vec!["a::c".to_owned()]));
        assert!(run(&end(2)).is_err());
        assert!(run(&format!("{said}; exit 101")).is_err(), "it was cut short");
        assert!(run(said).is_ok_and(|failing| failing.is_none()));
        assert!(run("exit 101").is_err());
        let hangs = failing_tests(Command::new("sh").args(["-c", "sleep 1000"]), Duration::from_millis(100));
        assert!(hangs.is_err_and(|e| e.to_string().contains("hung")));
    }

    #[test]
    fn programs_are_found_or_not() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
