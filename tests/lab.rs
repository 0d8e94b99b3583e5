//! kvmnet on a real libvirtd: each test makes a [`lab::Lab`] and uses the program as a user would.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skipped lab must be heard"
)]

#[path = "lab/mod.rs"]
mod lab;

#[path = "lab/harness.rs"]
mod harness;
#[path = "lab/moves.rs"]
mod moves;

#[path = "lab/targets.rs"]
mod targets;

#[path = "lab/saved.rs"]
mod saved;

#[path = "lab/many.rs"]
mod many;

#[path = "lab/real.rs"]
mod real;

#[path = "lab/live.rs"]
mod live;

#[path = "lab/booted.rs"]
mod booted;
#[path = "lab/by_bridge.rs"]
mod by_bridge;
#[path = "lab/checked.rs"]
mod checked;
#[path = "lab/cut_off.rs"]
mod cut_off;
#[path = "lab/cut_short.rs"]
mod cut_short;
#[path = "lab/elsewhere.rs"]
mod elsewhere;
#[path = "lab/meanwhile.rs"]
mod meanwhile;
#[path = "lab/modes.rs"]
mod modes;
#[path = "lab/networks.rs"]
mod networks;
#[path = "lab/other_ports.rs"]
mod other_ports;
#[path = "lab/previews.rs"]
mod previews;
#[path = "lab/reach.rs"]
mod reach;
#[path = "lab/reattach.rs"]
mod reattach;
#[path = "lab/unprivileged.rs"]
mod unprivileged;
#[path = "lab/unseen.rs"]
mod unseen;
