//! Files of any content under each format: an error or a report whose sums agree, and nothing stored by a dry
//! run. The first byte picks the format.
#![no_main]

#[path = "../bodies/import.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
