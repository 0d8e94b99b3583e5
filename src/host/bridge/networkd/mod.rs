//! systemd-networkd: `.network` files say what a device gets, `.netdev` files make bridges.
//!
//! Of all `.network` files networkd takes the first, by name, that fits a device. A file of the NIC's own is split: what
//! is about the NIC stays, what is about the network moves to the bridge's file. A file that fits more devices than the NIC
//! (`Name=en*`), or that isn't the administrator's, stays as it is, and a file of the NIC's own goes before it.

mod again;
mod files;
#[cfg(test)]
mod golden;
mod identity;
mod make;
mod moved;
mod net;
mod netdev;
mod parts;
mod port;
mod take_down;
mod text;
mod units;

use super::{Ask, Backend, Fault, Host, Recipe};

pub(super) use files::CLOUD_OFF;
#[cfg(test)]
pub(super) use golden::tests as cases;
pub(super) use identity::{WORDS, iaid};
pub(super) use moved::move_drops;

/// systemd-networkd.
#[derive(Debug, Clone, Copy, Default)]
pub struct Networkd;

impl Backend for Networkd {
    fn name(&self) -> &'static str {
        "networkd"
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["networkctl", CLOUD_OFF]
    }

    fn make(&self, host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
        make::make(host, ask)
    }

    fn take_down(&self, host: &Host, bridge: &str) -> Result<Recipe, Fault> {
        take_down::take_down(host, bridge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder() {
        cases::every_folder(&Networkd);
    }
}
