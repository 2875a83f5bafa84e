//! Texts of times: whatever is read prints as RFC 3339 and reads back as the same instant.
#![no_main]

use annals_core::time::{SourceTime, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(read) = SourceTime::parse(text, chrono_tz::Europe::Berlin) {
        assert_eq!(Time::parse_rfc3339(&read.time.to_string()), Ok(read.time));
    }
});
