//! JSON Lines of any content.
#![no_main]

#[path = "../bodies/import_lines.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
