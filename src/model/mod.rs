//! The nouns: names, NICs, networks, warnings. Everything here is parsed from a text or a word, never fetched.

mod address;
mod name;
mod network;
mod nic;
mod warning;

pub use address::{Address, Reservation, Route};
pub use name::{DeviceName, DirectMode, MacAddr, NameError};
pub use network::{ForwardMode, Given, Network, Portgroup, Setting};
pub use nic::{Nic, Source};
pub use warning::{Code, Warning};
