//! Connections to libvirt, as the verbs want them.

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
    let host = (context.connector)(&to)?;
    context.screen.detail(&format!("kvmnet: connected to {}", host.uri()));
    Ok(host)
}
