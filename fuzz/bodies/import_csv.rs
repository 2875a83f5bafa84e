//! Tables of any content.

use annals_core::import::{Format, Presets};

#[path = "import_as.rs"]
mod import_as;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    import_as::import_as(Format::Csv, Presets::default(), bytes);
}
