//! Texts of times: whatever is read prints as RFC 3339 and reads back as the same instant.
#![no_main]

#[path = "../bodies/time.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
