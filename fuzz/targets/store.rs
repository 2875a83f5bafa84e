//! Files that are almost logs: opening and reading one ends in an answer or an error.
#![no_main]

#[path = "../bodies/store.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
