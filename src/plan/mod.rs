//! The spine that every change of anything goes along: plan → preview → confirm → apply → verify → record.
//!
//! A verb says what it wants as [`Change`]s: for each guest or file a list of [`Step`]s, each a [`Place`] where a text
//! stands, with the text before and the text after. The rest is written once, here:
//!
//! - [`Plan::preview`] shows all of it and gives a [`Previewed`];
//! - [`Previewed::confirm`] asks, and gives a [`Confirmed`] or takes everything back;
//! - [`Confirmed::apply`] takes one change after the other: a line in the [`Journal`] first, then for each step a look
//!   whether what is about to be replaced still is what the preview was made from, the replacement, and a look at
//!   what was really stored; whatever goes wrong, the steps done are put back. Then the journal's second line.
//!
//! Each stage consumes the one before, so nothing can be applied that wasn't shown. Undoing is a plan too, made from
//! the journal by [`undo`], and goes the same way.

mod apply;
mod change;
mod host;
mod journal;
mod network;
mod path;
mod place;
mod running;
mod spine;
mod start;
pub mod taps;
pub mod undo;
pub mod window;

pub use change::{Change, State, Status, Step, Subject};
pub use host::{HostBridge, Side, lasting};
pub use journal::{Entry, Held, Journal, Outcome, Run, RunHeader, hold, journal_dir, of_host, read_all};
pub use network::{Standing, check_autostart};
pub use place::{Place, Shapes, World};
pub use running::running_fragment;
pub use spine::{Audience, Confirmed, Consent, Declined, Plan, Previewed};
pub use start::has_made;
