//! One expression of a model over one event: a value or a finding, never a panic or an endless loop.
#![no_main]

#[path = "../bodies/expression.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
