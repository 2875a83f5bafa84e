//! What users write into the search box: no text may make it panic, and what is printed reads as the same.

use annals_core::search::TextQuery;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(query) = TextQuery::parse(text) {
        let again = TextQuery::parse(&query.to_string()).expect("what is printed can be read");
        assert_eq!(again.to_string(), query.to_string());
    }
}
