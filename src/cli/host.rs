//! `kvmnet host`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Show and change the host's own network devices
///
/// Needs no libvirt.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host nics
  kvmnet host nics enp4s0")]
pub struct Host {
    /// What to do.
    #[command(subcommand)]
    pub command: HostCommand,
}

/// What can be done with the host's network devices.
#[derive(Debug, Clone, Subcommand)]
#[allow(missing_docs, reason = "what a command does stands at its struct, where clap finds it")]
pub enum HostCommand {
    Nics(HostNics),
}

/// List the network devices: kind, driver, link, addresses, who configures them, what their names mean
///
/// A name such as enp4s0 says where a device is; that is compared with where it really is. Of names that can change
/// between boots it says so, and which name lasts. For the named devices, or with -v, all of that is shown; without, what
/// isn't as it should be.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet host nics
  kvmnet host nics enp4s0
  kvmnet -v host nics
  kvmnet -o json host nics")]
pub struct HostNics {
    /// The devices, by any of their names; without them all are listed
    #[arg(value_name = "NIC")]
    pub nics: Vec<String>,
    /// Look at the files below this folder instead of at this host; then addresses aren't known
    ///
    /// Example: kvmnet host nics --root /mnt/copy-of-another-host
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}
