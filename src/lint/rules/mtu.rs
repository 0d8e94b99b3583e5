//! MTUs that the kernel takes.

use std::ops::RangeInclusive;

/// Those of a tap: what any Ethernet device can have, less Ethernet's own header.
pub(super) const TAP: RangeInclusive<u64> = 68..=65521;
