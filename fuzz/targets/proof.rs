//! Proofs (`.tlog-proof`) of any text: an answer, and what was read is written as it was.
#![no_main]

#[path = "../bodies/proof.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
