//! A NIC becomes a port of a bridge that takes its addresses over, and the way back, as the host's own configuration
//! would have it written.
//!
//! Each [`Backend`] gets the texts of the files that it reads ([`Host::files`]), what the kernel has of the devices, and
//! what is asked ([`Ask`]); it gives a [`Recipe`]: which files become what, which commands of the backend's own bring that
//! into force, and which bring the old state back. It moves what stands in the files rather than translating it: the lines
//! that gave the NIC its addresses give them to the bridge, to the byte as they were, comments too; what belongs to the
//! device itself (how it is matched, its MTU, wake-on-LAN) stays with the NIC. So what a backend knows and kvmnet doesn't
//! is carried over as well.
//!
//! Nothing is read or run here. What can't be done is a [`Fault`] that names the file and what stands in the way.

mod ask;
mod cloud;
mod host;
mod ifupdown;
mod netplan;
mod networkd;
mod networkmanager;
mod recipe;

pub use ask::{Addresses, Ask};
pub use host::{Address, Host, HostDevice, HostFile, NmDhcp};
pub use ifupdown::Ifupdown;
pub use netplan::{Netplan, netplan_fault};
pub use networkd::Networkd;
pub use networkmanager::NetworkManager;
pub use recipe::{Backend, Checkpoint, Command, Fault, FileChange, Found, Recipe, Way, WayOut};

/// The text of a backend's file as it is shown: without secrets. The lines stay, so that a diff of two such texts is one of
/// the files but for them.
pub fn masked(path: &str, text: &str) -> String {
    if path.ends_with(".yaml") { netplan::masked(text) } else { crate::host::config::masked(text) }
}

/// The backend of that name; `None` if there is none that can make bridges.
pub fn backend(name: &str) -> Option<&'static dyn Backend> {
    let all: [&'static dyn Backend; 4] = [&Ifupdown, &Netplan, &Networkd, &NetworkManager];
    all.into_iter().find(|backend| backend.name() == name)
}
