//! Files of any content under each format. The first byte picks the format.

use annals_core::import::{Format, Presets};

#[path = "import_as.rs"]
mod import_as;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else {
        return;
    };
    let formats = [
        Format::Auto,
        Format::Jsonl,
        Format::Json,
        Format::Xes,
        Format::Csv,
        Format::Ocel,
    ];
    let format = formats[usize::from(*first) % formats.len()];
    import_as::import_as(format, Presets::default(), content);
}
