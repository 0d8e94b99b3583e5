//! `/etc/network/interfaces`, which Debian's ifupdown (with the hooks of bridge-utils) and ifupdown2 read.
//!
//! The stanzas of the NIC get the bridge's name and the settings that make it one; the NIC gets a stanza that gives it
//! nothing. So everything that stands in them moves along: addresses, routes, commands. Only what is about the NIC itself
//! (its offloads, its speed) goes to its new stanza.

mod addresses;
mod config;
mod edits;
mod existing;
mod hooks;
mod lines;
mod listed;
mod make;
mod notes;
mod obstacles;
mod settings;
mod take_down;
mod ways;

use config::Config;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod property;

use super::{Ask, Backend, Fault, Host, Recipe, WayOut};

/// Debian's ifupdown, or ifupdown2 where that is installed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ifupdown;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flavour {
    /// ifupdown.
    One,
    /// ifupdown2.
    Two,
}

impl Flavour {
    fn of(host: &Host) -> Flavour {
        if host.has("/usr/share/ifupdown2") { Flavour::Two } else { Flavour::One }
    }

    /// The setting that pins the bridge's MAC address.
    fn pin(self) -> &'static str {
        match self {
            // bridge-utils' own: it is set before the first port comes.
            Flavour::One => "bridge_hw",
            Flavour::Two => "hwaddress",
        }
    }

    /// A setting of the bridge's, in the way that each of them has it in its manual.
    fn key(self, one: &'static str, two: &'static str) -> &'static str {
        match self {
            Flavour::One => one,
            Flavour::Two => two,
        }
    }
}

impl Backend for Ifupdown {
    fn name(&self) -> &'static str {
        "ifupdown"
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["/usr/share/ifupdown2", obstacles::HOOKS, "resolvconf", "resolvectl"]
    }

    fn ways_out(&self, host: &Host) -> Vec<WayOut> {
        Config::read(host, Flavour::of(host)).ways_out(host)
    }

    fn defines(&self, host: &Host, bridge: &str) -> bool {
        Config::read(host, Flavour::of(host)).setting(bridge, "bridge-ports").is_some()
    }

    fn make(&self, host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
        make::make(host, ask, Flavour::of(host))
    }

    fn take_down(&self, host: &Host, bridge: &str) -> Result<Recipe, Fault> {
        take_down::take_down(host, bridge, Flavour::of(host))
    }
}
