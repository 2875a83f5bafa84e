//! A report template is read or refused with a place in the file, whatever it holds.
#![no_main]

#[path = "../bodies/report_template.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
