//! Signed notes, checkpoints and verifier keys of any text: an answer, and what was read is written as it was.

use annals_core::integrity::checkpoint::SignedCheckpoint;
use annals_core::integrity::note::{Note, VerifyingKey};

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_text(), text);
        assert!(note.verify(&[]).is_err(), "nobody signed for nobody");
    }
    if let Ok(signed) = SignedCheckpoint::parse(text) {
        assert_eq!(signed.checkpoint.to_text(), signed.note.text());
    }
    if let Ok(key) = text.parse::<VerifyingKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}
