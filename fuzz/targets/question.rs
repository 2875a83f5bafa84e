//! What users ask: no text may make the parser panic, what is printed reads as the same, and a text that is no
//! question has one near it.
#![no_main]

#[path = "../bodies/question.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
