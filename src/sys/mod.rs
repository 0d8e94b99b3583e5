//! Everything outside the process. No other room names `std::fs`, `std::process`, `std::env`, the clock, the terminal
//! or libvirt; `tests/architecture.rs` sees to that.

pub mod announce;
pub mod answers;
pub mod armed;
pub mod aside;
pub mod bridge;
pub mod clock;
pub mod dnsmasq;
pub mod exec;
pub mod files;
pub mod firewall;
pub mod folders;
pub mod hypervisor;
pub mod interrupt;
pub mod kept;
pub mod kernel;
#[cfg(feature = "libvirt")]
pub mod libvirt;
pub mod links;
pub mod netstate;
pub mod networks;
pub mod nics;
pub mod relay;
pub mod routes;
pub mod scratch;
pub mod swap;
pub mod tap;
pub mod terminal;
pub mod tree;

#[cfg(test)]
pub mod fake;
