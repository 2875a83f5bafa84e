//! A preset and records, parted by a NUL byte: the preset is refused with a place, or every record that is read by it
//! becomes an event or is rejected.

use annals_core::import::{Format, Preset, Presets};

#[path = "import_as.rs"]
mod import_as;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let at = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let (toml, records) = bytes.split_at(at);
    match Preset::from_toml("fuzz.toml", &String::from_utf8_lossy(toml)) {
        Err(error) => assert!(error.line >= 1 && error.column >= 1),
        Ok(preset) => {
            let presets = Presets {
                own: Vec::new(),
                chosen: Some(preset),
            };
            let records = records.get(1..).unwrap_or_default();
            import_as::import_as(Format::Auto, presets, records);
        }
    }
}
