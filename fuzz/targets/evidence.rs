//! Packages of any content: always an answer. The first byte says whether the rest is the archive itself, the
//! manifest of one, or its range proof.
#![no_main]

#[path = "../bodies/evidence.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
