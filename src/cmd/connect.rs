//! Connections to libvirt, as the verbs want them.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;

use super::Context;
use crate::cli::Consent;
use crate::problem::Problem;
use crate::sys::hypervisor::{ConnectTo, Hypervisor};

/// A connection to look with; a read-only one will do.
pub(super) fn to_look(context: &Context) -> Result<Box<dyn Hypervisor>> {
    connect(context, true)
}

/// A connection for a change; a read-only one will do for its preview.
///
/// # Errors
/// Also: `--exit-code` without a preview, and a read-only connection for more than a preview.
pub(super) fn to_change(context: &Context, consent: &Consent) -> Result<Box<dyn Hypervisor>> {
    if consent.exit_code && !consent.dry_run {
        return Err(Problem::new("--exit-code tells of a preview", "add --dry-run"));
    }
    let host = connect(context, consent.dry_run)?;
    if host.is_read_only() && !consent.dry_run {
        return Err(Problem::new("a read-only connection can only show what would change", "add --dry-run"));
    }
    Ok(host)
}

fn connect(context: &Context, may_fall_back: bool) -> Result<Box<dyn Hypervisor>> {
    let to = ConnectTo {
        uri: context.global.connect.as_deref(),
        read_only: context.global.readonly,
        may_fall_back,
    };
    let host = open(context, &to)?;
    context.screen.detail(&format!("kvmnet: connected to {}", host.uri()));
    Ok(host)
}

/// Silence that long looks like a hang.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens a connection, and says so if that takes its time: whoever doesn't answer at all is waited for much longer.
pub(super) fn open(context: &Context, to: &ConnectTo<'_>) -> Result<Box<dyn Hypervisor>> {
    let connector = context.connector;
    let (done, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let opening = scope.spawn(move || {
            // Says that it is over, however it ends.
            let _done = done;
            connector(to)
        });
        if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let what = to.uri.map_or_else(|| "libvirt".into(), |uri| format!("libvirt at '{uri}'"));
            context.screen.say(&format!("kvmnet: still connecting to {what} (Ctrl-C ends that)"));
        }
        opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
