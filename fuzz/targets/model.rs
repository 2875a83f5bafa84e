//! Definitions of models: an error or a model, never a panic or an endless loop.
#![no_main]

use annals_core::model::Model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Model::parse("fuzz.toml", text) {
        assert!(
            error.line >= 1 && error.column >= 1,
            "an error says where it is"
        );
    }
});
