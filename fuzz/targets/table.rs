//! A mapping and a table, parted by a NUL byte: the mapping is refused with a place or comes back from its own
//! TOML, and every row of the table is stored or rejected. An import does what its preview showed.
#![no_main]

#[path = "../bodies/table.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
