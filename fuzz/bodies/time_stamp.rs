//! Time stamps and authorities of any bytes: an answer, and none is good by chance.

use annals_core::integrity::timestamp::{Authority, TimeStamp};

const ROOT: &[u8] = include_bytes!("../../core/src/integrity/timestamp/vectors/elliptic-root.pem");

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let _ = Authority::from_pem("x", bytes);
    if let Ok(stamp) = TimeStamp::parse(bytes) {
        let authority = Authority::from_pem("root", ROOT).expect("a vector");
        assert!(
            authority
                .verify(&stamp, b"something that nobody stamped")
                .is_err()
        );
        let _ = stamp.claimed_signer();
    }
}
