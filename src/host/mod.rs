//! The host's network devices: what their names say, whether it is true, and who configures them. Nothing is read here:
//! names, paths and the texts of configuration files come in as they stand.

pub mod bridge;
mod check;
pub mod config;
mod facts;
mod familiar;
mod kind;
mod name;
mod parse;
mod place;
mod spot;
mod stable;
mod verdict;

pub use check::check;
pub use facts::{Facts, Policy};
pub use familiar::Familiar;
pub use kind::{Kind, Signs};
pub use name::{Bios, Says, Series};
pub use place::{PciAddress, Place};
pub use spot::{Pci, Port, Prefix, SchemeName, Spot, Usb, Virtual};
pub use stable::{Advice, Company, LinkFile, advice};
pub use verdict::Verdict;
