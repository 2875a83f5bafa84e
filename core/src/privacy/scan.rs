//! Likely personal data in all events of a log, by field.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use super::PersonalKind;
use super::likely::{by_name, by_value, masked};
use super::walk::{Leaf, payloads, walk};
use crate::event::{Event, Part};
use crate::model::ModelSet;
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError};

/// Most fields that are listed; the others are counted.
const MAX_ROWS: usize = 2_000;

/// Examples of one field.
const EXAMPLES: usize = 3;

/// A field that seems to hold personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LikelyRow {
    /// Type of the events.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Part of the event. What stands in the identity (`stream`, `id`) is never erased.
    pub part: Part,
    /// Where in it: lists as `[]`.
    pub path: String,
    /// What it looks like.
    pub kind: PersonalKind,
    /// By the form of its values; else by its name alone.
    pub by_value: bool,
    /// Number of events that have it.
    #[ts(type = "number")]
    pub events: u64,
    /// The first of them.
    pub first: Position,
    /// A model marks the field as personal.
    pub marked: bool,
    /// Up to three values, masked.
    pub examples: Vec<String>,
}

/// Likely personal data of a log: `annals privacy scan --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PrivacyScanView {
    /// Number of events that were looked at.
    #[ts(type = "number")]
    pub events: u64,
    /// Events with something that looks personal.
    #[ts(type = "number")]
    pub events_with: u64,
    /// Events of which a part was erased, which holds nothing any more.
    #[ts(type = "number")]
    pub events_erased: u64,
    /// The fields, by type, part and path.
    pub rows: Vec<LikelyRow>,
    /// Fields that are not listed, because there are more than 2,000.
    #[ts(type = "number")]
    pub rows_left_out: u64,
}

type Key = (String, Part, String, PersonalKind);

/// Looks through every event for what seems to be personal data: by the form of values (e-mail, telephone, IBAN,
/// payment card, IP address) and by names of fields. It guesses: it misses and it errs. `go_on` is told how many
/// events were looked at, and stops the search by `false`.
///
/// # Errors
/// [`ReadError`] of the log; [`ReadError::Cancelled`].
///
/// ```
/// use annals_core::{model::ModelSet, privacy, store::Log};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("guide.annals");
/// annals_core::sample::guide(&path)?;
/// let view = privacy::scan(&Log::explore(&path)?, &ModelSet::default(), &mut |_| true)?;
/// assert!(view.rows.iter().any(|row| row.kind == privacy::PersonalKind::Email));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn scan(
    log: &Log,
    models: &ModelSet,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<PrivacyScanView, ReadError> {
    let mut rows: BTreeMap<Key, LikelyRow> = BTreeMap::new();
    let (mut events, mut with, mut erased, mut left_out) = (0u64, 0, 0, 0);
    let mut cancelled = false;
    log.for_each_event(&EventQuery::default(), &mut |event, _| {
        events += 1;
        if events.is_multiple_of(1_000) && !go_on(events) {
            cancelled = true;
            return false;
        }
        erased += u64::from(!event.erased.is_empty());
        let found = found_in(&event);
        with += u64::from(!found.is_empty());
        for ((part, path, kind), (by_value, example)) in found {
            let key = (event.event_type.to_string(), part, path, kind);
            if !rows.contains_key(&key) && rows.len() >= MAX_ROWS {
                left_out += 1;
                continue;
            }
            let marked = is_marked(models, &event, part, &key.2);
            let row = rows.entry(key).or_insert_with_key(|key| LikelyRow {
                event_type: key.0.clone(),
                part,
                path: key.2.clone(),
                kind,
                by_value: false,
                events: 0,
                first: event.position,
                marked,
                examples: Vec::new(),
            });
            row.events += 1;
            row.by_value |= by_value;
            if let Some(example) = example
                && row.examples.len() < EXAMPLES
                && !row.examples.contains(&example)
            {
                row.examples.push(example);
            }
        }
        true
    })?;
    if cancelled {
        return Err(ReadError::Cancelled);
    }
    Ok(PrivacyScanView {
        events,
        events_with: with,
        events_erased: erased,
        rows: rows.into_values().collect(),
        rows_left_out: left_out,
    })
}

/// Fields of one event, each once, with whether a value tells, and an example.
fn found_in(event: &Event) -> BTreeMap<(Part, String, PersonalKind), (bool, Option<String>)> {
    let mut found: BTreeMap<_, (bool, Option<String>)> = BTreeMap::new();
    for (part, payload) in payloads(event) {
        let mut named = None;
        walk(payload, &mut |path, leaf| match leaf {
            Leaf::Key(name) => named = by_name(name).map(|kind| (path.to_owned(), kind)),
            Leaf::Branch => {}
            Leaf::Text(text) | Leaf::Number(text) => {
                let by_form = match leaf {
                    Leaf::Text(_) => by_value(text),
                    // A number is not written as a telephone or a card is.
                    _ => None,
                };
                let by_field = named
                    .as_ref()
                    .filter(|(at, _)| path.strip_suffix("[]").unwrap_or(path) == at)
                    .map(|(_, kind)| *kind);
                let kind = by_form.or(by_field.filter(|_| !text.is_empty()));
                if let Some(kind) = kind {
                    let entry = found.entry((part, path.to_owned(), kind)).or_default();
                    entry.0 |= by_form.is_some();
                    entry.1.get_or_insert_with(|| masked(text));
                }
            }
        });
    }
    let stream = event.stream.as_ref().map(|name| ("stream", name.as_str()));
    let id = event.id.as_ref().map(|id| ("id", id.as_str()));
    for (what, name) in stream.into_iter().chain(id) {
        // `customer-ada@example.com`: the category is no part of it.
        let own = name.split_once('-').map_or(name, |(_, own)| own);
        if let Some(kind @ (PersonalKind::Email | PersonalKind::Iban | PersonalKind::IpAddress)) =
            by_value(name).or_else(|| by_value(own))
        {
            let key = (Part::Identity, what.to_owned(), kind);
            found.insert(key, (true, Some(masked(own))));
        }
    }
    found
}

fn is_marked(models: &ModelSet, event: &Event, part: Part, path: &str) -> bool {
    let Some(category) = &event.category else {
        return false;
    };
    let model = models.for_category(category.as_str());
    let Some(personal) = model.personal() else {
        return false;
    };
    let fields = match part {
        Part::Identity => return false,
        Part::Data => &personal.data,
        Part::Metadata => &personal.metadata,
    };
    fields.iter().any(|field| {
        let field = field.to_string();
        path.strip_prefix(&field)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
