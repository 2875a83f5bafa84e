//! The question nearest to a text that is none: the cheapest way to put words in, take them out or replace them.

use std::collections::BTreeSet;

use super::parse::read;
use super::scan::{Expected, Fault, piece};

/// Texts tried at most.
const TRIES: usize = 400;
/// Longest text that is mended; longer ones are cut first.
const LONGEST: usize = 300;
/// What is given where nothing near was found.
const EXAMPLE: &str = "count order at 2024-01-31";

/// The nearest text that is a question.
pub(super) fn nearest(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    // By cost, then the text itself, so that the same text always has the same nearest question.
    let mut open: BTreeSet<(u32, String)> = BTreeSet::from([(0, text)]);
    let mut seen = BTreeSet::new();
    for _ in 0..TRIES {
        let Some((cost, text)) = open.pop_first() else {
            break;
        };
        if !seen.insert(text.clone()) {
            continue;
        }
        match read(&text) {
            Ok(question) => return question.to_string(),
            Err(fault) => {
                for (more, text) in mended(&text, &fault) {
                    open.insert((cost + more, text));
                }
            }
        }
    }
    EXAMPLE.to_owned()
}

/// What a text could be made into at its fault, and what each costs.
fn mended(text: &str, fault: &Fault) -> Vec<(u32, String)> {
    let (before, rest) = text.split_at(fault.at);
    let found = piece(rest);
    let after = &rest[found.len()..];
    let mut all = Vec::new();
    if let Some(instead) = &fault.instead {
        all.push((1, format!("{before}{instead}{after}")));
    }
    for expected in &fault.expected {
        match expected {
            Expected::Word("end of the question") => {}
            Expected::Word(word) => {
                if !found.is_empty() {
                    let distance = distance(&found.to_lowercase(), word);
                    let near = distance * 2 <= word.len();
                    let cost = if near { 2 * distance as u32 } else { 9 };
                    all.push((cost, format!("{before} {word} {after}")));
                }
                all.push((5, format!("{before} {word} {rest}")));
            }
            Expected::Kind(_, sample) => {
                if !found.is_empty() {
                    let quoted = serde_json::to_string(found).unwrap_or_default();
                    if *sample == "\"\"" {
                        all.push((1, format!("{before} {quoted} {after}")));
                    } else if !sample.starts_with(|c: char| c.is_ascii_digit()) {
                        all.push((4, format!("{before} {quoted} {after}")));
                    }
                    all.push((6, format!("{before} {sample} {after}")));
                }
                all.push((5, format!("{before} {sample} {rest}")));
            }
        }
    }
    if !found.is_empty() {
        all.push((6, format!("{before} {after}")));
        if !after.trim().is_empty() {
            all.push((12, before.to_owned()));
        }
    }
    all
}

/// How many letters must be put in, taken out or replaced to make one word the other.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
