//! What users ask: no text may make the parser panic, what is printed reads as the same, and a text that is no
//! question has one near it.

use annals_core::question::Question;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let plain = match Question::parse(text) {
        Ok(question) => question.to_string(),
        Err(error) => error.nearest,
    };
    let again = Question::parse(&plain).expect("what is printed can be read");
    assert_eq!(again.to_string(), plain);
}
