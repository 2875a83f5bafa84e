//! Files of private keys of any text: an answer. None is opened, since stretching a passphrase is slow on purpose.
#![no_main]

#[path = "../bodies/key_file.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
