//! Folding: whatever a model says about whatever payload, there is a state and there are findings, never a panic or
//! an endless loop. The input is a model, a zero byte, and a payload.
#![no_main]

#[path = "../bodies/fold.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
