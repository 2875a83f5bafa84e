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
        // What is no object says nothing of a format: a tombstone of Kafka is `null`.
        looked_at.retain(|record| record.is_object());
        looked_at.truncate(LOOKED_AT);
        let inside = inside_of(&preset);
        let fits: Vec<Fit<'_>> = looked_at
            .iter()
            .filter_map(|record| {
                let rule = &preset.rule;
                rule.fits(record)
                    .or_else(|| rule.fits(&inner(record, &inside)))
            })
            .collect();
        let fitting = fits.len();
        let best_fit = fits.into_iter().max_by_key(|fit| fit.weight);
        let Fit { weight, of_any } = best_fit.unwrap_or_default();
        if fitting > 0
            && fitting * 2 >= looked_at.len()
            && best.as_ref().is_none_or(|(other, _)| weight > *other)
        {
            let why = format!(
                "{}: {} ({fitting} of the {} looked at)",
                preset.title,
                preset.rule.told(of_any),
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
    let mut best: Option<(usize, Told)> = None;
    for preset in Preset::all(own) {
        let rule = &preset.rule;
        let is_column = |name: &str| columns.iter().any(|column| column == name);
        // The names of columns say nothing of what stands in them: a rule that asks for that is not kept.
        let Some(Fit { weight, of_any }) = rule.weight(&is_column, &|_| None) else {
            continue;
        };
        // A table has few columns, and one or two names say little.
        let tells = rule.has.len() >= 2 || weight >= 3 + rule.lacks.len();
        if tells && best.as_ref().is_none_or(|(other, _)| weight > *other) {
            let why = format!("{}: {}", preset.title, rule.told(of_any));
            best = Some((weight, Told { preset, why }));
        }
    }
    best.map(|(_, told)| told)
}

/// How a record keeps a rule.
#[derive(Debug, Clone, Copy, Default)]
struct Fit<'r> {
    /// How much of the record the rule speaks of: the rule that says most wins.
    weight: usize,
    /// Of the paths of which some have to be there, those that are.
    of_any: Option<&'r str>,
}

impl Rule {
    /// How much of a record the rule speaks of; `None` where the record does not keep it.
    fn fits(&self, record: &Value) -> Option<Fit<'_>> {
        self.weight(
            // A column that is empty is written as null; where several are asked for it counts as there.
            &|path| at(record, path).is_some(),
            &|path| {
                Some(match at(record, path)? {
                    Value::Null => return None,
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
            },
        )
    }

    fn weight(
        &self,
        is_there: &dyn Fn(&str) -> bool,
        text_at: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Fit<'_>> {
        let Rule {
            has,
            any,
            lacks,
            is,
        } = self;
        let together = |paths: &&String| paths.split(" & ").all(is_there);
        let count = |paths: &&String| paths.split(" & ").count();
        let of_any = match any.is_empty() {
            true => None,
            false => Some(any.iter().filter(together).max_by_key(count)?),
        };
        let is_said = |(path, texts): (&String, &Vec<String>)| {
            text_at(path).is_some_and(|found| {
                texts.iter().any(|text| match text.strip_suffix('*') {
                    Some(beginning) => found.starts_with(beginning),
                    None => *text == found,
                })
            })
        };
        let keeps = has.iter().all(|path| is_there(path))
            && !lacks.iter().any(|path| is_there(path))
            && is.iter().all(is_said);
        keeps.then(|| Fit {
            weight: has.len() + of_any.as_ref().map_or(0, count) + lacks.len() + 2 * is.len(),
            of_any: of_any.map(String::as_str),
        })
    }

    /// The rule as the end of a sentence, of several paths that would do those that are there.
    fn told(&self, of_any: Option<&str>) -> String {
        let Rule {
            has,
            any: _,
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
        if let Some(paths) = of_any {
            parts.push(format!("it has {}", paths.replace(" & ", ", ")));
        }
        if !lacks.is_empty() {
            parts.push(format!("it has no {}", lacks.join(", no ")));
        }
        parts.join("; ")
    }
}

/// The value at a path, if it is there: `null`, too.
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
    Some(value)
}

/// Where in a preset's records the members stand that its paths name.
fn inside_of(preset: &Preset) -> Vec<String> {
    let inside = preset.mapping.inside.as_deref().unwrap_or_default();
    let paths = inside.split(" || ").filter(|path| !path.is_empty());
    paths.map(str::to_owned).collect()
}

/// What of a record the preset's paths name: it, or the first object inside of it that is there.
fn inner<'v>(record: &'v Value, inside: &[String]) -> Cow<'v, Value> {
    let found = inside.iter().find_map(|path| match at(record, path)? {
        value @ Value::Object(_) => Some(Cow::Borrowed(value)),
        Value::String(text) if text.starts_with('{') => {
            let value: Value = serde_json::from_str(text).ok()?;
            value.is_object().then_some(Cow::Owned(value))
        }
        _ => None,
    });
    found.unwrap_or(Cow::Borrowed(record))
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
