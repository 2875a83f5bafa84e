//! Whether a condition holds of a state.

use std::cmp::Ordering;

use serde_json::Value;

use super::grammar::{Comparison, Condition, Literal};
use crate::model::{FieldPath, compare_written};

/// Fields, and their values at one time.
#[derive(Clone, Copy)]
pub(super) struct Values<'v> {
    pub(super) fields: &'v [FieldPath],
    pub(super) values: &'v [Option<Value>],
}

impl<'v> Values<'v> {
    /// A field's value; none where it is `null`.
    pub(super) fn get(&self, path: &FieldPath) -> Option<&'v Value> {
        let at = self.fields.iter().position(|field| field == path)?;
        self.values[at].as_ref().filter(|value| !value.is_null())
    }
}

/// Whether the condition holds. `mixed` is told of a value that is of another kind than what it is compared with.
///
/// A field without a value, or with `null`, compares with nothing, so that no comparison holds of it, `!=` included.
/// Values of different kinds are not equal, and neither is before the other.
pub(super) fn holds(
    condition: &Condition,
    values: Values<'_>,
    mixed: &mut dyn FnMut(&FieldPath, &Value, &Literal),
) -> bool {
    match condition {
        Condition::Compare {
            path,
            comparison,
            value,
        } => {
            let Some(found) = values.get(path) else {
                return false;
            };
            let order = compare(found, value);
            if order.is_none() {
                mixed(path, found, value);
            }
            match comparison {
                Comparison::Equal => order == Some(Ordering::Equal),
                Comparison::Differs => order != Some(Ordering::Equal),
                Comparison::Less => order == Some(Ordering::Less),
                Comparison::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                Comparison::More => order == Some(Ordering::Greater),
                Comparison::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
        Condition::In {
            path,
            values: wanted,
        } => {
            let Some(found) = values.get(path) else {
                return false;
            };
            let kinds = wanted
                .iter()
                .filter(|value| compare(found, value).is_some());
            if kinds.count() == 0
                && let Some(first) = wanted.first()
            {
                mixed(path, found, first);
            }
            wanted
                .iter()
                .any(|value| compare(found, value) == Some(Ordering::Equal))
        }
        Condition::Missing(path) => values.get(path).is_none(),
        Condition::Present(path) => values.get(path).is_some(),
        Condition::Not(inner) => !holds(inner, values, mixed),
        Condition::And(a, b) => {
            // Both are looked at, so that what is mixed is told whatever the order.
            let a = holds(a, values, mixed);
            holds(b, values, mixed) && a
        }
        Condition::Or(a, b) => {
            let a = holds(a, values, mixed);
            holds(b, values, mixed) || a
        }
    }
}

/// How a value compares with a literal; `None` where they are of different kinds.
pub(super) fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::String(a), Literal::Text(b)) => Some(a.as_str().cmp(b)),
        (Value::Number(a), Literal::Number(b)) => compare_written(a.as_str(), b),
        (Value::Bool(a), Literal::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// What kind a value is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What kind a literal is, for messages.
pub(super) fn kind_of_literal(literal: &Literal) -> &'static str {
    match literal {
        Literal::Text(_) => "text",
        Literal::Number(_) => "a number",
        Literal::Bool(_) => "true or false",
    }
}
