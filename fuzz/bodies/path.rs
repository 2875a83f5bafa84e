//! Paths into states: whatever is read prints and reads back as the same path.

use annals_core::model::FieldPath;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(path) = text.parse::<FieldPath>() {
        assert_eq!(path.to_string().parse::<FieldPath>().ok(), Some(path));
    }
}
