//! What a state is made of: JSON values whose numbers keep their text, and the limits on them.

use std::cmp::Ordering;

use serde_json::Value;

use super::expression::number::compare_written;

/// Deepest nesting of a state: what every JSON reader takes.
pub(crate) const MAX_DEPTH: usize = 120;

/// Largest state, in [`weight`].
pub(crate) const MAX_WEIGHT: usize = 1_000_000;

/// A rough size of a value: one for each value in it, and one for every 32 bytes of text.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / 32,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => {
            1 + fields
                .iter()
                .map(|(key, value)| key.len() / 32 + weight(value))
                .sum::<usize>()
        }
    }
}

/// How deep a value nests: 0 for one that holds no other.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether two values mean the same: numbers by value (`1.0` is `1.00`), the rest as they are.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            compare_written(a.as_str(), b.as_str()) == Some(Ordering::Equal)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// What kind of value it is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
