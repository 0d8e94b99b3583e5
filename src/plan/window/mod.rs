//! A change of the host's own network, with its way back armed before the first byte is written.
//!
//! What configures the network may cut off the very connection that it is changed over. So nothing here relies on this
//! process, its terminal or its connection: a [`Window`] is written down first (the files with what stood in them, the
//! kernel's state, the commands that bring the old state back), then a timer and a unit at boot are armed with it
//! ([`crate::sys::armed`]), and only then is anything touched ([`carry_out`]). Whoever comes back logs in anew and
//! confirms ([`confirm`]); if nobody does, or something of it fails, everything is put back ([`put_back`]): by this
//! process, by another that was typed, by the timer, or at boot before the network is configured.
//!
//! Putting back asks the backend first, as it knows how to end what it began; then the kernel is compared with what it had
//! before, and whatever the backend didn't mend (a tool that is missing, a bridge that stays) is mended with `ip`.
//!
//! A window belongs to the host: there is one at a time.

mod back;
mod deed;
mod record;
mod verify;

pub use back::{Ended, NotAsBefore, confirm, open, put_back, put_back_at_boot};
pub use deed::{Deed, Progress, Verified, carry_out, place};
pub use record::{Phase, Window};
pub use verify::{Checked, NotFound, Want, check};
