//! Proofs (`.tlog-proof`) of any text: an answer, and what was read is written as it was.

use annals_core::integrity::proof::LogProof;
use annals_core::integrity::tree::empty_root;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(proof) = LogProof::parse(text) {
        assert_eq!(LogProof::parse(&proof.to_text()), Ok(proof.clone()));
        let origin = &proof.checkpoint.checkpoint.origin;
        assert!(proof.verify(&empty_root(), origin, &[]).is_err());
    }
}
