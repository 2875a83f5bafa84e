//! A report template is read or refused with a place in the file, whatever it holds.
#![no_main]

use annals_core::compliance::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Template::parse("fuzz", text) {
        assert!(error.line >= 1 && error.column >= 1);
        assert!(!error.message.is_empty() && !error.hint.is_empty());
    }
});
