//! Time stamps and authorities of any bytes: an answer, and none is good by chance.
#![no_main]

#[path = "../bodies/time_stamp.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
