//! Placeholder until the host exists.
fn main() {}
