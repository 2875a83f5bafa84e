//! Going through the values of a payload, each with its path.

use serde_json::Value;

use crate::event::{Event, Part, Payload};

/// Calls `each` with the path and the text of every name, text and number of a payload, list places as `[]`.
pub(super) fn walk(payload: &Payload, each: &mut dyn FnMut(&str, Leaf<'_>)) {
    let value = payload
        .json_text()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    match value {
        Some(value) => go(&value, &mut String::new(), each),
        // What is no JSON is one text.
        None => each("", Leaf::Text(&String::from_utf8_lossy(&payload.bytes))),
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leaf<'v> {
    /// A name of a field.
    Key(&'v str),
    /// A text.
    Text(&'v str),
    /// A number as written.
    Number(&'v str),
    /// A list or an object.
    Branch,
}

fn go(value: &Value, path: &mut String, each: &mut dyn FnMut(&str, Leaf<'_>)) {
    let len = path.len();
    match value {
        Value::Object(fields) => {
            each(path, Leaf::Branch);
            for (key, value) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                each(path, Leaf::Key(key));
                go(value, path, each);
                path.truncate(len);
            }
        }
        Value::Array(items) => {
            each(path, Leaf::Branch);
            path.push_str("[]");
            for item in items {
                go(item, path, each);
            }
            path.truncate(len);
        }
        Value::String(text) => each(path, Leaf::Text(text)),
        Value::Number(number) => each(path, Leaf::Number(&number.to_string())),
        Value::Bool(_) | Value::Null => {}
    }
}

/// The two payloads of an event that are there.
pub(super) fn payloads(event: &Event) -> impl Iterator<Item = (Part, &Payload)> {
    let data = event.data.iter().map(|payload| (Part::Data, payload));
    let metadata = event
        .metadata
        .iter()
        .map(|payload| (Part::Metadata, payload));
    data.chain(metadata)
}
