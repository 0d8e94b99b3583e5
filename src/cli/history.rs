//! `kvmnet history` and `kvmnet undo`

use clap::Args;

use super::Consent;

/// List the changes made, newest first
///
/// Each applied change has an id; 'kvmnet undo ID' puts it back. A run that changed several guests has a number, and
/// its changes are NUMBER.1, NUMBER.2 and so on.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example:
  kvmnet history")]
pub struct History {
    /// Show at most this many runs
    ///
    /// Example: kvmnet history --last 5
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}

/// Put a change back
///
/// Puts back what stood before a change, after showing the diff and asking. Without an ID: the newest run that isn't
/// put back yet; if nothing of it is left to put back, the one before it, but never where nobody is asked (-y). If a
/// definition or file has changed since, it is left alone and the difference is shown. After a network's restart that
/// was cut short, its running guests are plugged back too. An undo is a change too: 'kvmnet undo ID' with its id does
/// it again.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet undo
  kvmnet undo 12
  kvmnet undo 12.3 -y")]
pub struct Undo {
    /// The change or run to put back, as 'kvmnet history' lists it
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Go on where another host's devices can't be seen, and one may have the bridge's name: libvirt would delete it
    ///
    /// Example: kvmnet undo 12 --force
    #[arg(long)]
    pub force: bool,
    /// The usual flags of a change.
    #[command(flatten)]
    pub consent: Consent,
}
