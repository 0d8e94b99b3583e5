//! The time of day.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now, in UTC, to the second: `2026-11-23T18:43:22Z`.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

/// Now, in seconds since 1970.
pub fn unix() -> u64 {
    OffsetDateTime::now_utc().unix_timestamp().try_into().unwrap_or_default()
}

/// Waits.
pub fn sleep(time: std::time::Duration) {
    std::thread::sleep(time);
}

/// A time in seconds since 1970 as [`now`] writes it; `None` if it is too far away.
pub fn at(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}
