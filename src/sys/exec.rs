//! Programs of the host's, run to their end.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The most that is kept of what a program says, in bytes.
const MOST: u64 = 64 * 1024;

/// Runs a program with nothing on its standard input, in the plainest language, and gives what it said on its standard
/// output.
///
/// # Errors
/// It isn't there, doesn't end within `patience` (then it is killed), or fails; with the last line that it said.
pub fn run(argv: &[String], patience: Duration) -> Result<String> {
    if argv.is_empty() {
        return Ok(String::new());
    }
    let (ended, out, err) = ended(argv, patience, MOST)?;
    if ended.success() {
        return Ok(out);
    }
    let line = argv.join(" ");
    bail!("'{line}' failed ({}){}", how(ended), last_lines(&err).or(last_lines(&out)).unwrap_or_default())
}

/// Runs a program as [`run`] does, and gives what it said on its standard error, however it ended.
///
/// # Errors
/// It isn't there, doesn't end within `patience`, or was killed.
pub fn heard(argv: &[String], patience: Duration) -> Result<String> {
    let (ended, _, err) = ended(argv, patience, 64 << 20)?;
    match ended.code() {
        Some(_) => Ok(err),
        None => bail!("'{}' failed ({})", argv.first().map_or("", String::as_str), how(ended)),
    }
}

/// One of the host's programs, found wherever they usually are too: after Debian's `su`, in cron's jobs and elsewhere `PATH`
/// lacks the folders of what only root runs.
pub fn program(name: &str) -> Command {
    let roots = "/usr/local/sbin:/usr/sbin:/sbin";
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
    let path = format!("{path}:{roots}");
    let mut command = Command::new(name);
    command.env("PATH", path);
    command
}

/// How a program ended, and what it said.
fn ended(argv: &[String], patience: Duration, most: u64) -> Result<(ExitStatus, String, String)> {
    let Some((name, args)) = argv.split_first() else { bail!("no program") };
    let line = || match args.len() {
        0..20 => argv.join(" "),
        _ => format!("{} …", argv[..5].join(" ")),
    };
    let mut child = program(name)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("'{}' can't be run", line()))?;
    let (out, err) = (reader(child.stdout.take(), most), reader(child.stderr.take(), most));
    let until = Instant::now() + patience;
    let ended = loop {
        match child.try_wait().with_context(|| format!("'{}'", line()))? {
            Some(status) => break status,
            None if Instant::now() >= until => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("'{}' didn't end within {} s", line(), patience.as_secs());
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    // What a program leaves running behind it (a DHCP client) may hold its end of the pipes open.
    Ok((ended, said(&out), said(&err)))
}

type Said = std::sync::Arc<std::sync::Mutex<(Vec<u8>, bool)>>;

/// Collects what comes out of a pipe.
fn reader<R: Read + Send + 'static>(pipe: Option<R>, most: u64) -> Said {
    let said = Said::default();
    let Some(pipe) = pipe else { return said };
    let theirs = said.clone();
    thread::spawn(move || {
        let mut pipe = pipe.take(u64::MAX);
        let mut part = [0; 4096];
        while let Ok(n @ 1..) = pipe.read(&mut part) {
            if let Ok(mut said) = theirs.lock()
                && (said.0.len() as u64) < most
            {
                said.0.extend_from_slice(&part[..n]);
            }
        }
        if let Ok(mut said) = theirs.lock() {
            said.1 = true;
        }
    });
    said
}

/// What was said by the end of the program: all of it if the pipe is closed, or what came until a moment after.
fn said(said: &Said) -> String {
    let until = Instant::now() + Duration::from_millis(100);
    loop {
        let Ok(held) = said.lock() else { return String::new() };
        if held.1 || Instant::now() >= until {
            return String::from_utf8_lossy(&held.0).into_owned();
        }
        drop(held);
        thread::sleep(Duration::from_millis(1));
    }
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "no exit code".into(),
    }
}

/// The last lines that were said: the very last often says only that it failed, and one before it why.
fn last_lines(text: &str) -> Option<String> {
    const LINES: usize = 3;
    let plain = |line: &str| -> String { line.chars().filter(|c| !c.is_control()).take(300).collect() };
    let all: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(plain).collect();
    let last = &all[all.len().saturating_sub(LINES)..];
    (!last.is_empty()).then(|| format!(": {}", last.join("; ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sh(script: &str, patience: u64) -> Result<String> {
        run(&["sh".into(), "-c".into(), script.into()], Duration::from_millis(patience))
    }

    #[test]
    fn programs_end_one_way_or_another() {
        assert_eq!(sh("echo a; echo b >&2", 5000).unwrap(), "a\n");
        let e = sh("echo x; echo 'no such device' >&2; exit 3", 5000).unwrap_err().to_string();
        assert!(e.ends_with("failed (exit code 3): no such device"), "{e}");
        assert!(sh("sleep 9", 50).unwrap_err().to_string().contains("didn't end"));
        let e = run(&["no-such-program".into()], Duration::from_secs(1)).unwrap_err();
        assert!(format!("{e:#}").contains("can't be run: No such file"), "{e:#}");
        let begun = Instant::now();
        assert_eq!(sh("echo c; sleep 3 & exit 0", 5000).unwrap(), "c\n");
        assert!(begun.elapsed() < Duration::from_secs(2), "what is left running isn't waited for");
    }
}
