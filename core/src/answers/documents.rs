//! Answers as documents, which panels of a dashboard read as they read those of projections.

use serde_json::{Map, Value};

use crate::model::json::parse_state;
use crate::question::AnswerView;
use crate::sql::{SqlView, column_keys, printed};

/// What stands for the group of those that have none.
pub(crate) const NO_GROUP: &str = "(none)";

/// The answer to a question as it goes over the wire; a group that is `null` has a name.
pub(crate) fn of_answer(view: &AnswerView) -> Value {
    // Core wrote the text itself.
    let text = serde_json::to_string(view).unwrap_or_default();
    let mut document = parse_state(&text).unwrap_or(Value::Null);
    let groups = document.get_mut("groups").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten() {
        if let Some(name @ Value::Null) = group.get_mut("group") {
            *name = Value::from(NO_GROUP);
        }
    }
    document
}

/// The rows of a query, each an object by column.
pub(crate) fn of_rows(view: &SqlView) -> (Vec<String>, Value) {
    let names = column_keys(&view.columns);
    let row = |cells: &Vec<Value>| {
        let cells = cells.iter().map(|cell| match cell {
            Value::Object(_) => Value::from(printed(cell)),
            other => other.clone(),
        });
        Value::Object(names.iter().cloned().zip(cells).collect())
    };
    let rows: Vec<Value> = view.rows.iter().map(row).collect();
    let mut document = Map::new();
    document.insert("rows".to_owned(), Value::Array(rows));
    (names, Value::Object(document))
}
