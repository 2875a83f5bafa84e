//! A report template is read or refused with a place in the file, whatever it holds.

use annals_core::compliance::Template;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = Template::parse("fuzz", text) {
        assert!(error.line >= 1 && error.column >= 1);
        assert!(!error.message.is_empty() && !error.hint.is_empty());
    }
}
