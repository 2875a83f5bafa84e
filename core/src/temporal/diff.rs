//! What differs between two states, path by path.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use ts_rs::TS;

use crate::model::{FieldPath, PathError, Step, Touch};

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The path came to be.
    Added,
    /// The path went.
    Removed,
    /// The path has another value.
    Changed,
}

/// One path that differs.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Change {
    /// Path in the state: `items[0].price`, `["odd key"]` for names that are not words; empty for the whole.
    pub path: String,
    /// What kind of change.
    pub kind: ChangeKind,
    /// Value before; absent if it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub before: Option<Box<RawValue>>,
    /// Value after; absent if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub after: Option<Box<RawValue>>,
}

/// Why changes could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The path is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Nothing is where the change says.
    #[error("nothing stands at {0:?} that could be changed")]
    Missing(String),
}

/// What differs, as few paths as say it: in the order of `to`, then those removed, last first.
///
/// Numbers differ where their digits do (`1.0` and `1.00`). Lists are compared place by place after what they share at
/// both ends; so one element more or less is one change.
///
/// ```
/// use annals_core::temporal::changes;
/// use serde_json::json;
/// let from = json!({"status": "Placed", "items": ["a", "b"]});
/// let to = json!({"status": "Shipped", "items": ["a", "x", "b"]});
/// let paths: Vec<String> = changes(&from, &to).into_iter().map(|change| change.path).collect();
/// assert_eq!(paths, ["status", "items[1]"]);
/// ```
#[must_use]
pub fn changes(from: &Value, to: &Value) -> Vec<Change> {
    let mut found = Found::default();
    let empty = Value::Object(serde_json::Map::new());
    match (from, to) {
        // The state before the first event has no fields.
        (Value::Null, Value::Object(fields)) if !fields.is_empty() => {
            found.compare(&FieldPath::default(), &empty, to);
        }
        _ => found.compare(&FieldPath::default(), from, to),
    }
    found.finish()
}

/// What an event changed, from the places it touched: the same changes that comparing the whole states would give,
/// in the order of the touches.
pub(super) fn changes_at(touches: Vec<Touch<'_>>) -> Vec<Change> {
    let mut found = Found::default();
    for Touch {
        path,
        before,
        after,
    } in touches
    {
        match (before.as_deref(), after.as_deref()) {
            (Some(before), Some(after)) => found.compare(&path, before, after),
            (None, Some(after)) => found.added(&path, after),
            (Some(before), None) => found.changes.push(removal(&path, before)),
            (None, None) => {}
        }
    }
    found.finish()
}

/// Applies what [`changes`] found.
///
/// # Errors
/// [`ApplyError`] if the value is not the one that the changes start from.
pub fn apply_changes(value: &mut Value, changes: &[Change]) -> Result<(), ApplyError> {
    for change in changes {
        let path: FieldPath = change.path.parse()?;
        let missing = || ApplyError::Missing(change.path.clone());
        let after = change
            .after
            .as_ref()
            .and_then(|raw| crate::model::json::parse_state(raw.get()));
        let Some((last, parent)) = path.0.split_last() else {
            *value = after.unwrap_or(Value::Null);
            continue;
        };
        if parent.is_empty() && value.is_null() {
            *value = Value::Object(serde_json::Map::new());
        }
        let parent = FieldPath(parent.to_vec())
            .get_mut(value)
            .ok_or_else(missing)?;
        match (change.kind, last, parent, after) {
            (
                ChangeKind::Added | ChangeKind::Changed,
                Step::Key(key),
                Value::Object(fields),
                Some(after),
            ) => {
                fields.insert(key.clone(), after);
            }
            (ChangeKind::Added, Step::Index(at), Value::Array(items), Some(after))
                if *at <= items.len() =>
            {
                items.insert(*at, after);
            }
            (ChangeKind::Changed, Step::Index(at), Value::Array(items), Some(after)) => {
                *items.get_mut(*at).ok_or_else(missing)? = after;
            }
            (ChangeKind::Removed, Step::Key(key), Value::Object(fields), _) => {
                fields.shift_remove(key).ok_or_else(missing)?;
            }
            (ChangeKind::Removed, Step::Index(at), Value::Array(items), _) if *at < items.len() => {
                items.remove(*at);
            }
            _ => return Err(missing()),
        }
    }
    Ok(())
}

/// A value as text for the wire.
pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value prints as JSON")
}

#[derive(Default)]
struct Found {
    changes: Vec<Change>,
    removed: Vec<Change>,
}

impl Found {
    /// The changes, those inside values before the removals, last first.
    fn finish(mut self) -> Vec<Change> {
        self.removed.reverse();
        self.changes.append(&mut self.removed);
        self.changes
    }

    fn compare(&mut self, path: &FieldPath, from: &Value, to: &Value) {
        match (from, to) {
            (Value::Object(from), Value::Object(to)) => {
                for (key, after) in to {
                    match from.get(key) {
                        Some(before) => {
                            if before != after {
                                self.compare(&path.then(Step::Key(key.clone())), before, after);
                            }
                        }
                        None => self.added(&path.then(Step::Key(key.clone())), after),
                    }
                }
                for (key, before) in from {
                    if !to.contains_key(key) {
                        self.removed(&path.then(Step::Key(key.clone())), before);
                    }
                }
            }
            (Value::Array(from), Value::Array(to)) => self.compare_lists(path, from, to),
            (from, to) if from == to => {}
            (from, to) => self.changes.push(Change {
                path: path.to_string(),
                kind: ChangeKind::Changed,
                before: Some(raw(from)),
                after: Some(raw(to)),
            }),
        }
    }

    /// What the lists share at their ends is left aside. Of the rest, places that both have are compared, and the
    /// longer one's surplus was added or removed. So all indices before the surplus mean the same in both lists.
    fn compare_lists(&mut self, path: &FieldPath, from: &[Value], to: &[Value]) {
        let shared = |a: &[Value], b: &[Value]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let start = shared(from, to);
        let (from_rest, to_rest) = (&from[start..], &to[start..]);
        let end = from_rest
            .iter()
            .rev()
            .zip(to_rest.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let from_rest = &from_rest[..from_rest.len() - end];
        let to_rest = &to_rest[..to_rest.len() - end];
        let place = |i: usize| path.then(Step::Index(start + i));
        for (i, (before, after)) in from_rest.iter().zip(to_rest).enumerate() {
            self.compare(&place(i), before, after);
        }
        let both = from_rest.len().min(to_rest.len());
        for (i, after) in to_rest.iter().enumerate().skip(both) {
            self.added(&place(i), after);
        }
        for (i, before) in from_rest.iter().enumerate().skip(both) {
            self.removed(&place(i), before);
        }
    }

    fn added(&mut self, path: &FieldPath, after: &Value) {
        self.changes.push(Change {
            path: path.to_string(),
            kind: ChangeKind::Added,
            before: None,
            after: Some(raw(after)),
        });
    }

    fn removed(&mut self, path: &FieldPath, before: &Value) {
        self.removed.push(removal(path, before));
    }
}

fn removal(path: &FieldPath, before: &Value) -> Change {
    Change {
        path: path.to_string(),
        kind: ChangeKind::Removed,
        before: Some(raw(before)),
        after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(from: &Value, to: &Value) -> Vec<(String, ChangeKind)> {
        changes(from, to)
            .into_iter()
            .map(|change| (change.path, change.kind))
            .collect()
    }

    #[test]
    fn changes_are_few_and_in_order() {
        use ChangeKind::*;
        for (from, to, want) in [
            (json!(null), json!(null), vec![]),
            (
                json!(null),
                json!({"a": 1, "b": 2}),
                vec![("a", Added), ("b", Added)],
            ),
            (json!(null), json!({}), vec![("", Changed)]),
            (json!({"a": 1}), json!(null), vec![("", Changed)]),
            (
                json!({"gone": 1, "a": {"x": 1, "y": 2}, "b c": 1}),
                json!({"new": 1, "a": {"x": 1, "y": 3}, "b c": 2}),
                vec![
                    ("new", Added),
                    ("a.y", Changed),
                    ("[\"b c\"]", Changed),
                    ("gone", Removed),
                ],
            ),
            (
                json!([1, 2, 3]),
                json!([1, 2, 3, 4, 5]),
                vec![("[3]", Added), ("[4]", Added)],
            ),
            (
                json!([1, 2, 3, 4]),
                json!([1, 4]),
                vec![("[2]", Removed), ("[1]", Removed)],
            ),
            (
                json!([{"a": 1}, 2]),
                json!([{"a": 2}, 2]),
                vec![("[0].a", Changed)],
            ),
            (json!({"a": 1}), json!({"a": [1]}), vec![("a", Changed)]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(p, k)| (p.to_owned(), k)).collect();
            assert_eq!(told(&from, &to), want, "{from} -> {to}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (0i64..4).prop_map(Value::from),
            Just(crate::model::json::parse("1.50").unwrap().value),
            "[a-c \"]{0,2}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::vec(("[a-d .]{0,2}", inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn changes_applied_to_one_give_the_other(from in values(), to in values()) {
            let mut value = from.clone();
            apply_changes(&mut value, &changes(&from, &to)).unwrap();
            prop_assert_eq!(value, to);
        }

        #[test]
        fn equal_values_do_not_differ(value in values()) {
            prop_assert_eq!(told(&value, &value), vec![]);
        }
    }
}
