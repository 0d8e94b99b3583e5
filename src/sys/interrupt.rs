//! Ctrl-C, a hang-up, a request to end.
//!
//! Before anything was changed the process just ends, in words and with exit code 2. While changes are made, the
//! guest or file at hand is finished first; [`requested`] then says that no further one is to be begun.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level;

static CHANGING: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Takes over the signals that ask a process to end.
///
/// # Errors
/// The kernel refuses a handler.
pub fn watch() -> io::Result<()> {
    let ignored = ignored();
    for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !ignored(*signal)) {
        let handler = || {
            REQUESTED.store(true, Ordering::SeqCst);
            if !CHANGING.load(Ordering::SeqCst) {
                const SAID: &[u8] = b"\nkvmnet: interrupted; nothing was changed\n";
                let _ = rustix::io::write(rustix::stdio::stderr(), SAID);
                low_level::exit(2);
            }
        };
        // SAFETY: the handler stores to atomics, calls write(2) and _exit(2); all are async-signal-safe.
        unsafe { low_level::register(signal, handler)? };
    }
    Ok(())
}

/// The signals that whoever started us (`nohup`) wants ignored.
fn ignored() -> impl Fn(i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask >> (signal - 1) & 1 == 1
}

/// From now on things are changed: finish what is at hand before ending.
pub fn changing() {
    CHANGING.store(true, Ordering::SeqCst);
}

/// Was the process asked to end?
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
