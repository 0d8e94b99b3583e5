//! netplan: YAML of its own, which it turns into networkd's files or NetworkManager's.
//!
//! What a NIC's definition says of the network moves to a definition of the bridge, in the same file; what is about the
//! device stays. One that is for several devices (`match: {name: en*}`) stays as it is, and the NIC gets one of its own.

mod defs;
mod edit;
mod identity;
mod keys;
mod make;
mod port;
mod take_down;
mod yaml;

use super::networkd::CLOUD_OFF;
use super::{Ask, Backend, Fault, Host, Recipe};

/// netplan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Netplan;

impl Backend for Netplan {
    fn name(&self) -> &'static str {
        "netplan"
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["netplan", CLOUD_OFF]
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
    use super::super::networkd::cases;
    use super::*;

    #[test]
    fn every_folder() {
        cases::every_folder(&Netplan);
    }
}
