//! Texts of times: whatever is read prints as RFC 3339 and reads back as the same instant.

use annals_core::time::{SourceTime, Time};

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = SourceTime::parse(text, chrono_tz::Europe::Berlin) {
        assert_eq!(Time::parse_rfc3339(&read.time.to_string()), Ok(read.time));
    }
}
