//! Streams that name each other in their payloads.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::TemporalError;
use super::{Search, TieKind, TieView};
use crate::event::{Event, Payload};
use crate::id::StreamId;
use crate::model::{FieldPath, Step, json};
use crate::search::{Mentioned, Reach, SearchError, TextIndex, TextQuery};
use crate::store::ReadError;

/// Most different values of a stream's payloads that are looked up as names of streams.
const MAX_VALUES: usize = 2_000;
/// Most events that the text index proposes and that are looked at, for each way to name a stream, the oldest.
const MAX_NAMING: usize = 5_000;

/// Ends of names of fields that hold an id; what stands before is a category.
const SUFFIXES: [&str; 5] = ["Id", "_id", "ID", "Ref", "_ref"];

impl Search<'_> {
    /// Looks the values in the stream's payloads up as names of streams: whole, and with the name of their field as
    /// the category (`customerId: 456` is `customer-456`).
    pub(super) fn named(&mut self, own: &[Event]) -> Result<(), TemporalError> {
        let mut looked_up = BTreeSet::new();
        let mut past = 0;
        for event in own.iter().rev() {
            for (path, value) in values(event) {
                for name in names(&path, &value) {
                    if looked_up.len() >= MAX_VALUES {
                        past += 1;
                        continue;
                    }
                    if !looked_up.insert(name.clone()) {
                        continue;
                    }
                    let Ok(stream) = StreamId::new(name) else {
                        continue;
                    };
                    if self.log.stream(&stream)?.is_some() {
                        let tie = TieView {
                            kind: TieKind::RefersTo,
                            value: value.clone(),
                            path: Some(path.clone()),
                            position: event.position,
                        };
                        self.tie(Some(&stream), tie);
                    }
                }
            }
        }
        self.searched.values = looked_up.len() as u64;
        if past > 0 {
            self.searched.not_searched.push(format!(
                "{past} more values of the stream's older events: {MAX_VALUES} are looked up"
            ));
        }
        Ok(())
    }

    /// Finds the events, wherever they are, whose payloads name the stream: by its whole name, or by what follows
    /// its category in a field that is called like that.
    pub(super) fn naming(&mut self, index: &TextIndex) -> Result<(), TemporalError> {
        let name = self.stream.clone();
        let whole = TextQuery::of_value(name.as_str(), &[]);
        let whole = whole.map(|text| (text, format!("{name} as a value")));
        let in_field = name.as_str().split_once('-').and_then(|(category, rest)| {
            let fields = SUFFIXES.map(|suffix| format!("{category}{suffix}"));
            let said = format!("{rest} in a payload with a field such as {}", fields[0]);
            Some((TextQuery::of_value(rest, &fields)?, said))
        });
        if whole.is_none() {
            self.searched.not_searched.push(
                "events that name the stream: its name has no letter or digit to search for"
                    .to_owned(),
            );
        }
        let query = self.query();
        let mut behind_index = 0;
        for (text, said) in [whole, in_field].into_iter().flatten() {
            let found = index.mentions(&text, &query, &name, MAX_NAMING, &mut |event| {
                self.tie_if_it_names(event);
            });
            let Mentioned {
                looked_at,
                behind,
                not_looked_at,
                goes_on_at,
                reach,
            } = found.map_err(|error| match error {
                SearchError::Read(error) => error,
                SearchError::Cancelled => ReadError::Cancelled,
            })?;
            self.searched.naming_events += looked_at;
            if let Some(position) = goes_on_at {
                self.searched.not_searched.push(format!(
                    "{not_looked_at} more events that may name the stream, with {said}, from position {position} on: {MAX_NAMING} are looked at"
                ));
            }
            self.searched.naming_reach = reach;
            behind_index = behind_index.max(behind);
        }
        self.searched.naming_events += behind_index;
        let Reach {
            searched_to,
            head,
            complete,
            ..
        } = &self.searched.naming_reach;
        if !complete {
            let behind = format!(
                "events after position {searched_to} of {head} that name the stream: the text index has got so far"
            );
            self.searched.not_searched.push(behind);
        }
        Ok(())
    }

    /// Ties the stream of an event to this one if the event's payload names this one.
    pub(super) fn tie_if_it_names(&mut self, event: &Event) {
        if event.stream.as_ref() == Some(&self.stream) {
            return;
        }
        let own = self.stream.as_str();
        let naming = values(event)
            .into_iter()
            .find(|(path, value)| names(path, value).iter().any(|name| name == own));
        if let Some((path, value)) = naming {
            let tie = TieView {
                kind: TieKind::ReferredBy,
                value,
                path: Some(path),
                position: event.position,
            };
            self.tie(event.stream.as_ref(), tie);
        }
    }
}

/// The texts and numbers in an event's payload and context that may be ids, with their paths.
fn values(event: &Event) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (root, payload) in [("data", &event.data), ("metadata", &event.metadata)] {
        let text = payload.as_ref().and_then(Payload::json_text);
        if let Some(parsed) = text.and_then(|text| json::parse(text).ok()) {
            let root = FieldPath(vec![Step::Key(root.to_owned())]);
            gather(&parsed.value, &root, &mut found);
        }
    }
    found
}

fn gather(value: &Value, at: &FieldPath, found: &mut Vec<(String, String)>) {
    match value {
        // No id is as long as a paragraph.
        Value::String(text) if !text.is_empty() && text.len() <= 256 => {
            found.push((at.to_string(), text.clone()));
        }
        Value::Number(number) => found.push((at.to_string(), number.to_string())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, &at.then(Step::Index(index)), found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                gather(value, &at.then(Step::Key(key.clone())), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Names that a stream may have that a value means.
fn names(path: &str, value: &str) -> Vec<String> {
    let mut names = Vec::new();
    // A bare number is the name of no stream.
    if !value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        names.push(value.to_owned());
    }
    let key = path.rsplit('.').next().unwrap_or(path);
    let category = SUFFIXES
        .iter()
        .find_map(|suffix| key.strip_suffix(suffix))
        .filter(|category| !category.is_empty());
    if let Some(category) = category {
        names.push(format!("{category}-{value}"));
    }
    names
}
