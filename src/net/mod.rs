//! Networks: from what was typed to a definition, what it means, and how an existing one takes another mode.
//!
//! How it fits together: [`resolve`] takes an [`Ask`] and the [`Surroundings`] and decides everything; `modes` holds the
//! table of flags and modes, `addresses`, `dhcp`, `hosts`, `limits` and `names` what libvirt refuses late or not at
//! all; [`xml`] writes the result. [`set_mode`] changes a definition that is there by splices, and leaves alone what may
//! stay. [`reachability`], [`meaning`] and [`notes`] say what a network does. Nothing here asks the host or libvirt.

mod addresses;
mod around;
mod ask;
mod dhcp;
mod element;
mod fault;
mod free;
mod hosts;
mod limits;
mod modes;
mod names;
mod parts;
mod resolve;
mod spec;
mod words;

pub use around::{HostDevice, Surroundings, Taken};
pub use ask::{Ask, Host, Mode, PortgroupAsk};
pub use fault::{FLAGS, Fault};
pub use names::safe_to_start;
pub use parts::xml;
pub use resolve::resolve;
pub use spec::{Dns, Resolved, Spec, Subnet};
