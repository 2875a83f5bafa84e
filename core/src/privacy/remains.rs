//! Where the values that an erasure takes still stand afterwards: the same e-mail address in an event of somebody else's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use ts_rs::TS;

use super::PrivacyError;
use super::erase::PlannedEvent;
use super::likely::{by_value, masked};
use super::subject::{mentions, place_words};
use super::walk::{Leaf, payloads, walk};
use crate::event::{Event, Part};
use crate::model::ModelSet;
use crate::position::Position;
use crate::store::{EventQuery, Log};

/// Values that are looked for, at most; a plan says how many more there were.
const MAX_VALUES: usize = 200;
/// Shorter values stand everywhere and tell nothing.
const MIN_CHARS: usize = 4;
/// Places of one value that are listed.
const MAX_PLACES: usize = 10;

/// A value that an erasure takes, and that also stands where it does not reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StayingValue {
    /// The field that it is erased from, first of all: `data.email`.
    pub field: String,
    /// What it is like, not what it is.
    pub masked: String,
    /// Number of events in which it stays.
    #[ts(type = "number")]
    pub events: u64,
    /// The first of them.
    pub first: Position,
    /// Where it stays, each kind of place once, ten at most: `Registered data.email`, `stream`.
    pub places: Vec<String>,
}

/// What was looked for, and what stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remains {
    pub(super) staying: Vec<StayingValue>,
    /// Values that were looked for.
    pub(super) looked_for: u64,
    /// Values beyond those that were looked for.
    pub(super) not_looked_for: u64,
}

/// Looks through the whole log for the values that the planned events lose: those of marked fields, and those that
/// look personal by their form. `go_on` is told how many events were looked at.
///
/// # Errors
/// [`PrivacyError::Read`]; [`PrivacyError::Cancelled`].
pub(super) fn remains(
    log: &Log,
    models: &ModelSet,
    planned: &[PlannedEvent],
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Remains, PrivacyError> {
    let mut remains = Remains::default();
    // By value: the field that it is erased from.
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut beyond: BTreeSet<String> = BTreeSet::new();
    for event in planned {
        let Some(read) = log.event(event.position)? else {
            continue;
        };
        for (value, field) in personal_values(models, &read, &event.parts) {
            if values.len() < MAX_VALUES || values.contains_key(&value) {
                values.entry(value).or_insert(field);
            } else {
                beyond.insert(value);
            }
        }
    }
    remains.looked_for = values.len() as u64;
    remains.not_looked_for = beyond.len() as u64;
    if values.is_empty() {
        return Ok(remains);
    }
    let goes: BTreeSet<(Position, Part)> = planned
        .iter()
        .flat_map(|event| event.parts.iter().map(|part| (event.position, *part)))
        .collect();
    let mut found: BTreeMap<&str, (u64, Position, Vec<String>)> = BTreeMap::new();
    let (mut looked_at, mut cancelled) = (0u64, false);
    log.for_each_event(&EventQuery::default(), &mut |event, links| {
        looked_at += 1;
        if looked_at.is_multiple_of(1_000) && !go_on(looked_at) {
            cancelled = true;
            return false;
        }
        for value in values.keys() {
            let stays = mentions(&event, &links, value);
            let stays = stays
                .iter()
                .filter(|m| !goes.contains(&(event.position, m.part)));
            let words: BTreeSet<String> =
                stays.map(|mention| place_words(&event, mention)).collect();
            if words.is_empty() {
                continue;
            }
            let (events, _, places) = found
                .entry(value)
                .or_insert((0, event.position, Vec::new()));
            *events += 1;
            for word in words {
                if places.len() < MAX_PLACES && !places.contains(&word) {
                    places.push(word);
                }
            }
        }
        true
    })?;
    if cancelled {
        return Err(PrivacyError::Cancelled);
    }
    remains.staying = found
        .into_iter()
        .map(|(value, (events, first, places))| StayingValue {
            field: values[value].clone(),
            masked: masked(value),
            events,
            first,
            places,
        })
        .collect();
    // By where they stay, so that the order tells nothing of the values.
    remains
        .staying
        .sort_by(|a, b| (&a.field, a.first).cmp(&(&b.field, b.first)));
    Ok(remains)
}

/// Values that are personal in the parts of an event that go, each with its field.
fn personal_values(models: &ModelSet, event: &Event, parts: &[Part]) -> Vec<(String, String)> {
    let category = event.category.as_ref().map(|name| name.as_str());
    let model = category.map(|name| models.for_category(name));
    let personal = model.as_ref().and_then(|model| model.personal());
    let mut found = Vec::new();
    for (part, payload) in payloads(event) {
        if !parts.contains(&part) {
            continue;
        }
        let marked: Vec<String> = match (part, personal) {
            (Part::Data, Some(personal)) => personal.data.iter().map(ToString::to_string).collect(),
            (Part::Metadata, Some(personal)) => {
                personal.metadata.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        };
        walk(payload, &mut |path, leaf| {
            let (Leaf::Text(text) | Leaf::Number(text)) = leaf else {
                return;
            };
            let inside = |field: &String| {
                path.strip_prefix(field.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let is_personal = marked.iter().any(inside) || by_value(text).is_some();
            if is_personal && text.chars().count() >= MIN_CHARS {
                let part = if part == Part::Metadata {
                    "metadata"
                } else {
                    "data"
                };
                found.push((text.to_owned(), format!("{part}.{path}")));
            }
        });
    }
    found
}
