//! Definitions of models: an error or a model, never a panic or an endless loop.

use annals_core::model::Model;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = Model::parse("fuzz.toml", text) {
        assert!(
            error.line >= 1 && error.column >= 1,
            "an error says where it is"
        );
    }
}
