//! OCEL of any content: JSON, XML, SQLite.
#![no_main]

#[path = "../bodies/import_ocel.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
