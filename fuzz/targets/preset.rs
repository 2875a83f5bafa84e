//! A preset and records, parted by a NUL byte: the preset is refused with a place, or every record that is read by it
//! becomes an event or is rejected.
#![no_main]

#[path = "../bodies/preset.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
