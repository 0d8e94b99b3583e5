//! Booted Debian machines with a network of their own: each test makes a [`machine::Lan`] and boots what it needs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skipped lab must be heard"
)]

#[allow(dead_code, reason = "it serves tests/lab.rs as well")]
#[path = "lab/asking.rs"]
mod asking;
#[path = "lab/machine/mod.rs"]
mod machine;
#[allow(dead_code, reason = "it serves tests/lab.rs as well")]
#[path = "lab/site.rs"]
mod site;

#[path = "lab/machines.rs"]
mod machines;

#[path = "lab/bridges/mod.rs"]
mod bridges;
#[path = "lab/by_hand.rs"]
mod by_hand;
#[path = "lab/previews_of_hosts.rs"]
mod previews_of_hosts;
