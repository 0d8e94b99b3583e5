//! The two ends of a window: it is confirmed, or everything is put back.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::record::{Phase, Window};
use crate::host::bridge::Checkpoint;
use crate::plan::journal;
use crate::problem::{Problem, escaped, message};
use crate::sys::announce::announce;
use crate::sys::armed::{Alive, Armed, Boot};
use crate::sys::aside::Aside;
use crate::sys::{clock, exec, netstate, terminal};

/// For one command of the backend's.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// For whoever makes it to see that it is over, between two of its commands.
const GRACE: Duration = Duration::from_secs(10);

/// For the backend to have the network as it was, before it is mended by hand; less if one of its commands failed.
const SETTLES: Duration = Duration::from_secs(15);
const SETTLES_SOON: Duration = Duration::from_secs(4);

/// For what is mended by hand to be as it was.
const MENDED: Duration = Duration::from_secs(5);

/// For addresses that are back to be announced.
const ANNOUNCED: Duration = Duration::from_secs(3);

/// For another process to go on, if the one that puts everything back is killed. As long as that one lives it waits for it.
const AGAIN: Duration = Duration::from_secs(10);

/// How a window ended.
#[derive(Debug)]
pub struct Ended {
    /// The window.
    pub window: Window,
    /// What isn't as it was, and what else is to be said.
    pub faults: Vec<String>,
    /// Is all as it was, at least until the next boot?
    pub is_as_before: bool,
    /// What was found that somebody else had written meanwhile, and where it is kept.
    pub kept: Vec<String>,
}

/// The window that waits to be confirmed, if there is one.
///
/// # Errors
/// What is written down of it can't be read.
pub fn open() -> Result<Option<Window>> {
    let Some(armed) = Armed::found() else { return Ok(None) };
    let window = Window::read(&armed)?;
    let is_cut_short = |window: &Window| {
        let makes = window.maker.as_ref().is_some_and(Alive::is_there);
        !window.begun && window.phase == Phase::Making && !makes
    };
    let is_over = |window: &Window| matches!(window.phase, Phase::Confirmed | Phase::PutBack);
    Ok(window.filter(|window| !is_over(window) && !is_cut_short(window)))
}

/// Takes the old files' other names away; one that stays does no harm.
fn forget(window: &Window) {
    window.files.iter().for_each(|kept| drop(kept.forget()));
    window.asides.iter().for_each(|aside| drop(aside.forget()));
}

fn nothing() -> anyhow::Error {
    Problem::new(
        "no change of the host's network waits to be confirmed",
        "'kvmnet history' says what was confirmed or put back",
    )
}

/// The window stays.
///
/// # Errors
/// There is none, it isn't made yet, or it is being put back already.
pub fn confirm() -> Result<Window> {
    let armed = Armed::found().ok_or_else(nothing)?;
    let _lock = armed.lock().context("the way back can't be locked")?;
    let mut window = Window::read(&armed)?.ok_or_else(nothing)?;
    match window.phase {
        Phase::Waiting | Phase::Confirmed => {}
        Phase::Making => {
            let still = window.maker.as_ref().is_some_and(Alive::is_there);
            let (what, help) = if still {
                ("is still being made", "wait until it is verified")
            } else {
                ("was never finished, so it will be put back", "'kvmnet host bridge revert' does it at once")
            };
            return Err(Problem::new(format!("the change of {} {what}", window.bridge), help));
        }
        Phase::PuttingBack | Phase::PutBack => {
            let what = format!("the change of {} is being put back", window.bridge);
            let help = match window.putter.as_ref().is_some_and(Alive::is_there) {
                true => "make it again, with more time if it takes you longer: --timeout SECONDS",
                false => "whoever did so was killed: 'kvmnet host bridge revert' goes on with it",
            };
            return Err(Problem::new(what, help));
        }
    }
    if let (Phase::Waiting, Some((checkpoint, Some(name)))) = (window.phase, &window.checkpoint) {
        // Else the backend would put everything back in a while.
        exec::run(&checkpoint.kept(name), PATIENCE)
            .context("the backend's own way back can't be given up")?;
    }
    window.phase = Phase::Confirmed;
    window.write(&armed)?;
    forget(&window);
    armed
        .disarm(window.alarm.as_ref())
        .context("it stays, but what would have put it back can't be removed")?;
    Ok(window)
}

/// Puts everything back, whatever had been done; `None` if there is nothing to put back.
///
/// # Errors
/// What is written down can't be read, or a file can't be put back. Then the window stands as it is, and the next boot or
/// the next call goes on with it.
pub fn put_back(armed: &Armed, why: &str) -> Result<Option<Ended>> {
    let Some(mut window) = begin(armed)? else { return Ok(None) };
    if window.begun {
        let id = format!("{}-{}", window.id, terminal::process_id());
        // If it can't be armed, the one that is armed already comes later.
        if let Ok(again) = armed.arm_again(&id, AGAIN, window.alarm.as_ref()) {
            window.alarm = Some(again);
            let _ = window.write(armed);
        }
    }
    let mut faults = Vec::new();
    let (first, then) = match window.begun {
        true => (window.unmake.before.as_slice(), window.unmake.after.as_slice()),
        false => Default::default(),
    };
    let kept = foreign(armed, &window);
    match &window.checkpoint {
        // It may have run out, or have been taken away by another.
        Some((checkpoint, Some(name))) => drop(exec::run(&checkpoint.rolled_back(name), PATIENCE)),
        // Whoever took it was killed before its name was written down. Left alone, it would undo what is done by then.
        Some((checkpoint, None)) if window.begun => {
            let _ = exec::run(&checkpoint.kept(Checkpoint::ALL), PATIENCE);
        }
        _ => {}
    }
    for argv in first {
        // What was never begun can't be ended.
        let _ = exec::run(argv, PATIENCE);
    }
    files(&window)?;
    for argv in then {
        if let Err(e) = exec::run(argv, PATIENCE) {
            faults.push(message(&e));
        }
    }
    let (mut faults, is_settled) = settle(&window, faults);
    let _ = netstate::look(&window.devices).map(|now| announce(&now, ANNOUNCED));
    // What the backend's tools wrote on the way back goes too.
    let asides = asides(&window);
    let is_as_before = is_settled && asides.is_empty();
    faults.extend(asides);
    end(armed, &mut window, why)?;
    Ok(Some(Ended { window, faults, is_as_before, kept }))
}

/// Puts the files back at boot, before the network is configured; `None` if there is nothing to put back, or the host runs
/// on: then the unit was started for another reason (its target was started anew), and the window stays as it is.
///
/// # Errors
/// As [`put_back`].
pub fn put_back_at_boot(armed: &Armed) -> Result<Option<Ended>> {
    let is_running_on = |window: &Window| window.boot_of.is_some() && window.boot_of == Boot::this();
    if Window::read(armed)?.as_ref().is_some_and(is_running_on) {
        return Ok(None);
    }
    let Some(mut window) = begin(armed)? else { return Ok(None) };
    let kept = foreign(armed, &window);
    files(&window)?;
    let mut faults = asides(&window);
    let is_as_before = faults.is_empty();
    for argv in &window.boot {
        if let Err(e) = exec::run(argv, PATIENCE) {
            faults.push(message(&e));
        }
    }
    end(armed, &mut window, "the host was started anew before it was confirmed")?;
    Ok(Some(Ended { window, faults, is_as_before, kept }))
}

/// From here on nobody else makes or confirms it. Somebody who puts it back already is waited for, and whoever makes it is
/// given the time to see that it is over: it says so then, and changes nothing any more.
fn begin(armed: &Armed) -> Result<Option<Window>> {
    let until = Instant::now() + PATIENCE * 2;
    let mut window = loop {
        if armed.record()?.is_none() {
            return Ok(None);
        }
        let lock = armed.lock().context("the way back can't be locked")?;
        let Some(mut window) = Window::read(armed)? else { return Ok(None) };
        if let Phase::Confirmed | Phase::PutBack = window.phase {
            // Whoever ended it was cut short.
            if window.phase == Phase::Confirmed {
                forget(&window);
            }
            armed.disarm(window.alarm.as_ref())?;
            return Ok(None);
        }
        let this = Alive::this();
        if window.maker == this && this.is_some() {
            // Whoever puts it back need not wait for this process.
            window.maker = None;
            let _ = window.write(armed);
        }
        let other = window.putter.as_ref().filter(|putter| window.putter != this && putter.is_there());
        if window.phase == Phase::PuttingBack && other.is_some() && Instant::now() < until {
            drop(lock);
            clock::sleep(Duration::from_millis(100));
            continue;
        }
        window.phase = Phase::PuttingBack;
        window.putter = this;
        // On a full disk it is put back all the same.
        let _ = window.write(armed);
        break window;
    };
    let until = Instant::now() + GRACE;
    while let Some(maker) = window.maker.take().filter(Alive::is_there) {
        if Instant::now() >= until {
            maker.end();
            break;
        }
        clock::sleep(Duration::from_millis(50));
        window.maker = Window::read(armed)?.and_then(|now| now.maker);
    }
    Ok(Some(window))
}

/// Keeps what somebody else wrote where the files stand: nothing shall be lost. It is looked at before the backend's own
/// way back is taken, which may write its files in its own way.
fn foreign(armed: &Armed, window: &Window) -> Vec<String> {
    let found = window.files.iter().filter_map(|kept| Some((kept, kept.foreign()?)));
    found
        .map(|(kept, text)| {
            let path = escaped(&kept.path);
            let name = kept.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let what = format!("{path} had been changed by somebody else meanwhile");
            match armed.keep(&format!("{}-{name}", window.id), &text) {
                Ok(at) => format!("{what}; their text is in {}", escaped(&at)),
                Err(e) => format!("{what}, and their text is lost ({e})"),
            }
        })
        .collect()
}

fn files(window: &Window) -> Result<()> {
    for kept in &window.files {
        kept.put_back().with_context(|| format!("{} can't be put back", escaped(&kept.path)))?;
    }
    Ok(())
}

fn asides(window: &Window) -> Vec<String> {
    let said = |aside: &Aside| {
        // Before anything was touched there is nothing of it but another name.
        let done = if window.begun { aside.put_back() } else { aside.forget() };
        Some(format!("{} can't be put back: {}", escaped(aside.path()), done.err()?))
    };
    window.asides.iter().filter_map(said).collect()
}

/// Waits until the kernel has what it had; what the backend doesn't mend is mended with `ip`. Gives what is to be said, and
/// whether all is as it was.
fn settle(window: &Window, mut faults: Vec<String>) -> (Vec<String>, bool) {
    let look = || netstate::look(&window.devices);
    let until = Instant::now() + if faults.is_empty() { SETTLES } else { SETTLES_SOON };
    loop {
        match look().map(|now| now.since(&window.before)) {
            Ok(left) if left.is_empty() => return (Vec::new(), true),
            Ok(left) if left.iter().any(|mend| mend.comes_back) && Instant::now() < until => {
                clock::sleep(Duration::from_millis(100));
            }
            Ok(left) => {
                if !left.iter().any(|mend| mend.comes_back) {
                    // What the backend sees to is as it was.
                    faults.clear();
                }
                break;
            }
            Err(e) => return (vec![message(&e)], false),
        }
    }
    // Again and again: a bridge that is there anew can be set and brought up, with it and an address on it routes are
    // possible, and a router takes its time to say that it is one.
    let until = Instant::now() + MENDED;
    loop {
        let left = look().map(|now| now.since(&window.before)).unwrap_or_default();
        left.iter().for_each(|mend| drop(mend.mend()));
        if left.is_empty() || Instant::now() >= until {
            break;
        }
        clock::sleep(Duration::from_millis(100));
    }
    let left: Vec<String> = match look() {
        Ok(now) => now.since(&window.before).into_iter().map(|mend| mend.what).collect(),
        Err(e) => vec![message(&e)],
    };
    let is_as_before = left.is_empty();
    match (is_as_before, faults.is_empty()) {
        (true, true) => {}
        (true, false) => {
            faults = vec![format!(
                "{}; the network was put back with 'ip' instead, as it was until the next boot",
                faults.join("; ")
            )];
        }
        (false, _) => faults.extend(left),
    }
    (faults, is_as_before)
}

fn end(armed: &Armed, window: &mut Window, why: &str) -> Result<()> {
    window.phase = Phase::PutBack;
    let _ = window.write(armed);
    if let Some(folder) = &window.journal {
        note(folder, &window.id, why);
    }
    armed.disarm(window.alarm.as_ref()).context("what would have put it back can't be removed")
}

/// Has the journal say that it was put back.
fn note(folder: &Path, id: &str, why: &str) {
    // Without that, undo looks at what stands and finds nothing to put back.
    let _ = journal::failed(folder, id, why);
}

/// The change that a window is about, for an error.
pub(super) fn in_the_way(window: &Window) -> anyhow::Error {
    Problem::new(
        format!("a change of the host's network waits to be confirmed ({})", window.headline),
        "kvmnet host bridge confirm\nor put it back with 'kvmnet host bridge revert'",
    )
}

/// A change failed, and not all of it could be put back.
#[derive(Debug)]
pub struct NotAsBefore {
    /// What isn't as it was.
    faults: Vec<String>,
    /// What can be done about it.
    pub help: &'static str,
}

impl std::fmt::Display for NotAsBefore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it failed, and could not be put back as it was ({})", self.faults.join("; "))
    }
}

impl std::error::Error for NotAsBefore {}

/// Why something failed, and that all was put back, or what wasn't: that is a [`NotAsBefore`].
pub(super) fn after_putting_back(error: anyhow::Error, ended: Result<Option<Ended>>) -> anyhow::Error {
    match ended {
        Ok(Some(Ended { is_as_before: false, faults, kept, .. })) => {
            let faults = faults.into_iter().chain(kept).collect();
            let help = "the files are as they were: the next boot, or the backend's own tool, makes the network of them";
            error.context(NotAsBefore { faults, help })
        }
        Ok(ended) => {
            let said: Vec<String> =
                ended.into_iter().flat_map(|e| e.faults.into_iter().chain(e.kept)).collect();
            error.context(match said.is_empty() {
                true => "it failed, and everything was put back as it was".into(),
                false => format!("it failed, and everything was put back as it was ({})", said.join("; ")),
            })
        }
        Err(e) => {
            let help =
                "kvmnet host bridge revert\nonce what stands in its way is gone; it goes on where it was";
            error.context(NotAsBefore { faults: vec![message(&e)], help })
        }
    }
}
