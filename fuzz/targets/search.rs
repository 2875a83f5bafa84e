//! What users write into the search box: no text may make it panic, and what is printed reads as the same.
#![no_main]

use annals_core::search::TextQuery;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(query) = TextQuery::parse(text) {
        let again = TextQuery::parse(&query.to_string()).expect("what is printed can be read");
        assert_eq!(again.to_string(), query.to_string());
    }
});
