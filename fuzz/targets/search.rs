//! What users write into the search box: no text may make it panic, and what is printed reads as the same.
#![no_main]

#[path = "../bodies/search.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
