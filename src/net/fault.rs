//! What can't be done, and the flag that asks for it.

use std::fmt;

/// Why what was asked for can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The flag that asks for it, or would have to be given: one of [`FLAGS`].
    pub flag: &'static str,
    /// What is wrong; it names the flag.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

/// Every flag that a [`Fault`] may name.
pub const FLAGS: &[&str] = &[
    "NAME",
    "--mode",
    "--host-access",
    "--subnet",
    "--subnet6",
    "--subnet-pool",
    "--dhcp",
    "--no-dhcp",
    "--host",
    "--dev",
    "--bridge",
    "--pool",
    "--domain",
    "--mtu",
    "--no-dns",
    "--dns-host",
    "--dns-forwarder",
    "--nat-ports",
    "--nat-addresses",
    "--portgroup",
];

impl Fault {
    /// `what` follows the flag: `--mtu` and `9: less than …`.
    pub(super) fn new(flag: &'static str, what: impl fmt::Display, help: impl Into<String>) -> Fault {
        Fault { flag, message: format!("{flag} {what}"), help: help.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
