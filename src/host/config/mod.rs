//! Who configures a device, as the files of ifupdown, netplan, systemd-networkd and NetworkManager say it. Only what
//! names devices is read of them.

mod cloud;
mod glob;
mod ifupdown;
mod ini;
mod netplan;
mod networkd;
mod scripts;
mod secret;

pub use cloud::cloud_is_off;
pub use glob::glob;
pub use ifupdown::{Interfaces, Source, is_sourced, read as ifupdown};
pub use ini::{Ini, read as ini};
pub use netplan::{Definition, read as netplan};
pub use networkd::matches as network_matches;
pub use scripts::{SCRIPTS, Script};
pub use secret::{MASK, is_secret, masked};

/// What those files match devices by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Device<'a> {
    /// The device's name.
    pub name: &'a str,
    /// Its MAC address, in lower case.
    pub mac: Option<&'a str>,
    /// The address that it was made with, in lower case.
    pub permanent_mac: Option<&'a str>,
    /// Its driver.
    pub driver: Option<&'a str>,
    /// networkd's word for its type: `ether`, `wlan`, `loopback`.
    pub kind: Option<&'a str>,
}
