//! XES of any content.
#![no_main]

#[path = "../bodies/import_xes.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
