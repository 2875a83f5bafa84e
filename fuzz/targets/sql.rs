//! Statements of any text: rows, or an error that says something; and nothing changes.
#![no_main]

#[path = "../bodies/sql.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
