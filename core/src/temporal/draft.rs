//! A first model for a category, written from its data: what the inferred fold does, as handlers to be edited.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::TemporalError;
use super::shapes::{MAX_FIELDS, ShapesView, TypeShape, shapes_and};
use crate::id::Category;
use crate::model::{FieldPath, Step, inferred_lines};
use crate::store::Log;

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
    // One payload a type, with every field that any event of it has.
    let mut samples: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let view = shapes_and(log, Some(category), go_on, &mut |event_type, fields| {
        let sample = match samples.get_mut(event_type) {
            Some(sample) => sample,
            None => samples.entry(event_type.to_owned()).or_default(),
        };
        for (name, value) in fields {
            if sample.len() < MAX_FIELDS {
                sample.entry(name).or_insert(value);
            }
        }
    })?;
    if view.looked_at == 0 {
        return Ok(None);
    }
    Ok(Some(write(category, &view, &samples)))
}

fn write(
    category: &Category,
    view: &ShapesView,
    samples: &BTreeMap<String, Map<String, Value>>,
) -> String {
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

fn lines(
    shape: &TypeShape,
    category: &Category,
    sample: Option<&Map<String, Value>>,
    text: &mut String,
) {
    let mut any = false;
    if shape.more_fields > 0 {
        let _ = writeln!(
            text,
            "# its payloads have more than {MAX_FIELDS} different fields: those past them are not here"
        );
    }
    let set = match sample {
        Some(fields) if !fields.is_empty() => {
            let fields = Value::Object(fields.clone());
            inferred_lines(&shape.event_type, category.as_str(), fields)
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
            let _ = match seen {
                Some(field) => {
                    let count = field.seen.count;
                    writeln!(text, "# in {count} of {} events:\n# {line}", shape.events)
                }
                None => writeln!(text, "# in some events:\n# {line}"),
            };
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
    format!("{root}[{}]", text_of_expression(name))
}

/// A text in an expression, with the escapes that those know.
fn text_of_expression(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
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
