//! Paths into states: whatever is read prints and reads back as the same path.
#![no_main]

use annals_core::model::FieldPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<FieldPath>() {
        assert_eq!(path.to_string().parse::<FieldPath>().ok(), Some(path));
    }
});
