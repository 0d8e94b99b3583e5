//! The nouns: names, NICs, networks, warnings. Everything here is parsed from a text or a word, never fetched.

mod address;
mod given;
mod mode;
mod name;
mod network;
mod nic;
mod warning;

pub use address::{Address, Reservation, Route, read_address};
pub use given::{Given, Setting};
pub use mode::ForwardMode;
pub use name::{DeviceName, DirectMode, MacAddr, NameError};
pub use network::{Network, Portgroup};
pub use nic::{Nic, Source};
pub use warning::{Code, Warning};
