//! Which preset a file is of, told by the first of its records.

use std::borrow::Cow;

use serde_json::Value;

use super::super::record::steps;
use super::{Preset, Rule};
use crate::import::Format;

/// Records that are looked at.
const LOOKED_AT: usize = 40;

/// A preset that fits, and how that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Told {
    pub preset: Preset,
    pub why: String,
}

/// Tells the preset of a JSON file from its first bytes: the one with the longest rule that at least half of the
/// records looked at keep.
pub(in crate::import) fn tell(head: &[u8], format: Format, own: &[Preset]) -> Option<Told> {
    let values = values(head, format);
    let is_native = |value: &Value| {
        ["date_only", "recorded_at", "position", "stream"]
            .iter()
            .all(|key| value.get(key).is_some())
    };
    if values.is_empty() || values.iter().any(is_native) {
        return None;
    }
    let mut best: Option<(usize, Told)> = None;
    for preset in Preset::all(own) {
        let lists = lists_of(&preset);
        let mut looked_at: Vec<Cow<'_, Value>> = Vec::new();
        for value in &values {
            match records_in(value, &lists) {
                Some(records) => looked_at.extend(records),
                None => looked_at.push(Cow::Borrowed(value)),
            }
        }
        looked_at.truncate(LOOKED_AT);
        let fitting = looked_at
            .iter()
            .filter(|record| preset.rule.fits(record))
            .count();
        let weight = preset.rule.weight();
        if fitting > 0
            && fitting * 2 >= looked_at.len()
            && best.as_ref().is_none_or(|(other, _)| weight > *other)
        {
            let why = format!(
                "{}: {} ({fitting} of the {} looked at)",
                preset.title,
                preset.rule.told(),
                counted(looked_at.len())
            );
            best = Some((weight, Told { preset, why }));
        }
    }
    best.map(|(_, told)| told)
}

fn counted(records: usize) -> String {
    match records {
        1 => "1 record".to_owned(),
        n => format!("{n} records"),
    }
}

/// Tells the preset of a table from the names of its columns.
pub(in crate::import) fn tell_table(columns: &[String], own: &[Preset]) -> Option<Told> {
    let presets = Preset::all(own).into_iter().filter(|preset| {
        let Rule {
            has,
            any,
            lacks,
            is,
        } = &preset.rule;
        let is_column = |name: &String| columns.contains(name);
        is.is_empty()
            && has.len() >= 2
            && has.iter().all(is_column)
            && (any.is_empty()
                || any.iter().any(|names| {
                    names
                        .split(" & ")
                        .all(|name| columns.iter().any(|c| c == name))
                }))
            && !lacks.iter().any(is_column)
    });
    let preset = presets.reduce(|best, preset| {
        if preset.rule.weight() > best.rule.weight() {
            preset
        } else {
            best
        }
    })?;
    let why = format!("{}: {}", preset.title, preset.rule.told());
    Some(Told { preset, why })
}

impl Rule {
    fn weight(&self) -> usize {
        let Rule {
            has,
            any,
            lacks,
            is,
        } = self;
        has.len() + usize::from(!any.is_empty()) + lacks.len() + 2 * is.len()
    }

    fn fits(&self, record: &Value) -> bool {
        let Rule {
            has,
            any,
            lacks,
            is,
        } = self;
        let there = |paths: &String| paths.split(" & ").all(|path| at(record, path).is_some());
        has.iter().all(there)
            && (any.is_empty() || any.iter().any(there))
            && !lacks.iter().any(there)
            && is.iter().all(|(path, texts)| {
                let Some(found) = at(record, path) else {
                    return false;
                };
                let found = match found {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                texts.iter().any(|text| match text.strip_suffix('*') {
                    Some(beginning) => found.starts_with(beginning),
                    None => *text == found,
                })
            })
    }

    /// The rule as the end of a sentence.
    fn told(&self) -> String {
        let Rule {
            has,
            any,
            lacks,
            is,
        } = self;
        let mut parts: Vec<String> = is
            .iter()
            .map(|(path, texts)| format!("{path} is {}", texts.join(" or ")))
            .collect();
        if !has.is_empty() {
            parts.push(format!("it has {}", has.join(", ")));
        }
        if !any.is_empty() {
            parts.push(format!("it has {}", any.join(" or ").replace('&', "with")));
        }
        if !lacks.is_empty() {
            parts.push(format!("it has no {}", lacks.join(", no ")));
        }
        parts.join("; ")
    }
}

/// The value at a path, if it is there and says something.
fn at<'v>(record: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = record;
    for step in steps(path).ok()? {
        value = match value {
            Value::Object(members) if step == "*" => members.values().next()?,
            Value::Object(members) => members.get(&step)?,
            Value::Array(list) => list.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    (!value.is_null()).then_some(value)
}

/// Where a preset's records stand: the path of a list, and the one in its elements.
fn lists_of(preset: &Preset) -> Vec<(String, String)> {
    let records = preset.mapping.records.as_deref().unwrap_or_default();
    let pairs = records.split(" || ").filter_map(|path| {
        let (list, inner) = path.split_once("[]")?;
        Some((list.to_owned(), inner.trim_start_matches('.').to_owned()))
    });
    pairs.collect()
}

fn records_in<'v>(value: &'v Value, lists: &[(String, String)]) -> Option<Vec<Cow<'v, Value>>> {
    lists.iter().find_map(|(list, inner)| {
        let elements = at(value, list)?.as_array()?;
        Some(
            elements
                .iter()
                .take(LOOKED_AT)
                .map(|element| at(element, inner).unwrap_or(element))
                .map(|record| match record {
                    Value::String(text) if text.starts_with('{') => {
                        serde_json::from_str(text).map_or(Cow::Borrowed(record), Cow::Owned)
                    }
                    other => Cow::Borrowed(other),
                })
                .collect(),
        )
    })
}

/// The first JSON values of a file. What the head cuts off is closed where it was whole last.
fn values(head: &[u8], format: Format) -> Vec<Value> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => {
            let whole = std::str::from_utf8(&head[..error.valid_up_to()]);
            whole.unwrap_or_default()
        }
    };
    let mut values = Vec::new();
    if format != Format::Json {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        for line in lines.take(LOOKED_AT) {
            values.extend(serde_json::from_str(line).ok());
        }
        if !values.is_empty() {
            return values;
        }
    }
    let closed = closed(text);
    let documents = serde_json::Deserializer::from_str(&closed).into_iter::<Value>();
    for document in documents.take(LOOKED_AT) {
        match document {
            Ok(Value::Array(elements)) => values.extend(elements),
            Ok(value) => values.push(value),
            Err(_) => break,
        }
    }
    values.truncate(LOOKED_AT);
    values
}

/// Text of JSON up to the last place where a value ended, with what is open there closed.
fn closed(text: &str) -> String {
    let mut open: Vec<u8> = Vec::new();
    let (mut in_text, mut escaped) = (false, false);
    let (mut whole, mut open_there) = (0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                if open.len() > 200 {
                    break;
                }
                open.push(if byte == b'{' { b'}' } else { b']' });
            }
            b'}' | b']' => {
                open.pop();
                (whole, open_there) = (at + 1, open.clone());
            }
            b',' => (whole, open_there) = (at, open.clone()),
            _ => {}
        }
    }
    let mut out = text[..whole].to_owned();
    out.extend(open_there.iter().rev().map(|byte| char::from(*byte)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_head_cuts_off_is_closed_where_it_was_whole() {
        for (text, want) in [
            (r#"{"a":[{"b":1,"c":2},{"b":"#, r#"{"a":[{"b":1,"c":2}]}"#),
            (r#"{"a":[{"b":1},{"b":3,"c""#, r#"{"a":[{"b":1},{"b":3}]}"#),
            (r#"[{"b":"},{"}"#, r#"[{"b":"},{"}]"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(closed(text), want, "{text}");
        }
    }
}
