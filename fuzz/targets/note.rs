//! Signed notes, checkpoints and verifier keys of any text: an answer, and what was read is written as it was.
#![no_main]

#[path = "../bodies/note.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
