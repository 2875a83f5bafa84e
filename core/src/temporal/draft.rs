//! A first model for a category, written from its data: what the inferred fold does, as handlers to be edited.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::TemporalError;
use super::shapes::{ShapesView, TypeShape, shapes};
use crate::id::Category;
use crate::model::{FieldPath, Step, inferred_lines, json};
use crate::store::{EventQuery, Log};

/// Writes a first model for a category. It loads and folds every event that can be read; a category without events
/// gives `None`. `go_on` is told the number of events looked at and stops the work by saying no.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read, or the work was stopped.
pub fn draft(
    log: &Log,
    category: &Category,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<String>, TemporalError> {
    let view = shapes(log, Some(category), go_on)?;
    if view.looked_at == 0 {
        return Ok(None);
    }
    let mut samples = BTreeMap::new();
    for shape in &view.types {
        let query = EventQuery {
            category: Some(category.clone()),
            event_type: shape.event_type.parse().ok(),
            ..EventQuery::default()
        };
        let page = log.events(&query, 50)?;
        let mut merged = serde_json::Map::new();
        for event in &page.events {
            let text = event.data.as_ref().and_then(|data| data.json_text());
            if let Some(Value::Object(fields)) =
                text.and_then(|text| Some(json::parse(text).ok()?.value))
            {
                merged.extend(fields);
            }
        }
        samples.insert(shape.event_type.clone(), Value::Object(merged));
    }
    Ok(Some(write(category, &view, &samples)))
}

fn write(category: &Category, view: &ShapesView, samples: &BTreeMap<String, Value>) -> String {
    let mut text = format!(
        "# How the events of {} become its state: a first draft from {} events, to be edited.\n\
         # It does what the fold without a model does. Totals, counters and lists are for you:\n\
         #   \"total.add\" = \"data.amount\"    \"items.push\" = \"data\"    \"count.add\" = \"1\"\n\
         category = {}\n",
        one_line(category.as_str()),
        view.looked_at,
        quoted(category.as_str())
    );
    for shape in &view.types {
        let _ = write!(text, "\n[on.{}]\n", key(&shape.event_type));
        let sample = samples.get(&shape.event_type);
        lines(shape, category, sample, &mut text);
    }
    text
}

fn lines(shape: &TypeShape, category: &Category, sample: Option<&Value>, text: &mut String) {
    let mut any = false;
    let sample = sample.cloned().unwrap_or(Value::Null);
    let set = match sample {
        Value::Object(fields) if !fields.is_empty() => {
            inferred_lines(&shape.event_type, category.as_str(), Value::Object(fields))
        }
        _ => Vec::new(),
    };
    for (name, from) in set {
        let path = FieldPath(vec![Step::Key(from.clone())]);
        let seen = shape
            .fields
            .iter()
            .find(|field| field.path == path.to_string());
        let field = FieldPath(vec![Step::Key(name)]);
        let expression = access("data", &from);
        let line = format!("{} = {}", left(&field), quoted(&expression));
        let always = seen.is_some_and(|field| field.seen.count == shape.events);
        if always {
            any = true;
            let _ = writeln!(text, "{line}");
        } else {
            let count = seen.map_or(0, |field| field.seen.count);
            let _ = writeln!(text, "# in {count} of {} events:\n# {line}", shape.events);
        }
    }
    if !any {
        // A handler sets something.
        let _ = writeln!(text, "lastEvent = \"event.type\"");
    }
}

/// The left side of a line. A name that means something else at that place is told apart.
fn left(field: &FieldPath) -> String {
    let path = field.to_string();
    if path == "when" {
        return "\"when.set\"".to_owned();
    }
    key(&path)
}

/// `data.price`, `data['odd key']`.
fn access(root: &str, name: &str) -> String {
    let word = name
        .chars()
        .enumerate()
        .all(|(i, c)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit()));
    if word && !name.is_empty() && !RESERVED.contains(&name) {
        return format!("{root}.{name}");
    }
    if !name.contains(['\'', '\\']) && !name.chars().any(char::is_control) {
        return format!("{root}['{name}']");
    }
    let inside = serde_json::to_string(name).unwrap_or_default();
    format!("{root}[{inside}]")
}

/// Words that mean something in an expression.
const RESERVED: [&str; 43] = [
    "true",
    "false",
    "let",
    "const",
    "if",
    "else",
    "switch",
    "do",
    "while",
    "until",
    "loop",
    "for",
    "in",
    "continue",
    "break",
    "return",
    "throw",
    "try",
    "catch",
    "import",
    "export",
    "as",
    "global",
    "fn",
    "private",
    "this",
    "is",
    "var",
    "static",
    "shared",
    "goto",
    "exit",
    "match",
    "case",
    "public",
    "protected",
    "new",
    "use",
    "with",
    "module",
    "package",
    "super",
    "thread",
];

/// A key of TOML: bare where it may be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string of TOML: a literal one where that spares escapes.
fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
