//! Tables of any content.
#![no_main]

#[path = "../bodies/import_csv.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
