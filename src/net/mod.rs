//! Networks: from what was typed to a definition, what it means, and how an existing one takes another mode.
//!
//! How it fits together: [`resolve()`] takes an [`Ask`] and the [`Surroundings`] and decides everything; `modes` holds the
//! table of flags and modes, `addresses`, `dhcp`, `hosts`, `limits` and `names` what libvirt refuses late or not at
//! all; [`xml`] writes the result. [`set_mode`] changes a definition that is there by splices, and leaves alone what may
//! stay; [`lost`] says what went, and [`doubts()`] what is doubtful in a definition made by hand. [`reachability`], [`meaning()`] and [`notes`] say what a network does. Nothing here asks the host or libvirt.

mod addresses;
mod around;
mod ask;
mod change;
mod dhcp;
mod doubts;
mod element;
mod fault;
mod filter;
mod free;
mod hosts;
mod limits;
mod meaning;
mod modes;
mod names;
mod outlook;
mod parts;
mod reach;
mod resolve;
mod satisfy;
mod spec;
mod words;

pub use addresses::{overlap, unusable};
pub use around::{HostDevice, Surroundings, Taken};
pub use ask::{Ask, Host, Mode, PortgroupAsk};
pub use change::{lost, set_mode};
pub use doubts::doubts;
pub use fault::{FLAGS, Fault};
pub use limits::{MTU, MTU6};
pub use meaning::{meaning, notes};
pub use parts::xml;
pub use reach::{Cell, Family, Party, reachability};
pub use resolve::resolve;
pub use satisfy::satisfies;
pub use spec::{Dns, Resolved, Spec, Subnet};
