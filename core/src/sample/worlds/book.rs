//! Known answers: what is said of a world by plain counting while it is made, with neither models nor aggregates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::position::Position;

/// Values that are kept account of, at most: the rest of a large world is like its beginning.
const MAX_VALUES: usize = 400;

/// Answers that a sample is known to give: `known-answers.json` beside its store. They were counted while the events
/// were made, with neither models nor folds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownAnswers {
    /// Number of events of each type.
    pub types: BTreeMap<String, u64>,
    /// Number of streams of each category that have an event of their own.
    pub streams: BTreeMap<String, u64>,
    /// Values in states.
    pub values: Vec<KnownValue>,
}

/// The value at a path of a stream's state, and the events that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownValue {
    /// Stream.
    pub stream: String,
    /// Path in its state.
    pub path: String,
    /// The value after each event that changed it, oldest first.
    pub history: Vec<KnownChange>,
}

/// One change of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownChange {
    /// Position of the event.
    pub position: Position,
    /// The value from then on.
    pub value: Value,
}

/// The account as it is kept.
#[derive(Debug, Default)]
pub(in crate::sample) struct Book {
    types: BTreeMap<String, u64>,
    /// Streams that have an event of their own, by category.
    streams: BTreeMap<String, std::collections::HashSet<String>>,
    values: Vec<KnownValue>,
    places: std::collections::HashMap<(String, &'static str), usize>,
}

impl Book {
    /// Counts an event that was stored.
    pub(super) fn count(&mut self, stream: &str, event_type: &str) {
        match self.types.get_mut(event_type) {
            Some(count) => *count += 1,
            None => {
                self.types.insert(event_type.to_owned(), 1);
            }
        }
        let (category, id) = stream.split_once('-').unwrap_or((stream, ""));
        match self.streams.get_mut(category) {
            Some(streams) if streams.contains(id) => {}
            Some(streams) => {
                streams.insert(id.to_owned());
            }
            None => {
                let first = std::collections::HashSet::from([id.to_owned()]);
                self.streams.insert(category.to_owned(), first);
            }
        }
    }

    /// Writes down a value from an event on; it may be the one that it was.
    pub(in crate::sample) fn note(
        &mut self,
        stream: &str,
        path: &'static str,
        position: u64,
        value: Value,
    ) {
        let place = (stream.to_owned(), path);
        let at = match self.places.get(&place) {
            Some(at) => *at,
            None if self.values.len() >= MAX_VALUES => return,
            None => {
                self.values.push(KnownValue {
                    stream: stream.to_owned(),
                    path: path.to_owned(),
                    history: Vec::new(),
                });
                self.places.insert(place, self.values.len() - 1);
                self.values.len() - 1
            }
        };
        let history = &mut self.values[at].history;
        let position = Position(position);
        match history.last_mut() {
            Some(last) if last.value == value => {}
            Some(last) if last.position == position => last.value = value,
            _ => history.push(KnownChange { position, value }),
        }
    }

    /// What is known at the end of a log of so many events.
    pub(super) fn answers(mut self, size: u64) -> KnownAnswers {
        for value in &mut self.values {
            value.history.retain(|change| change.position.0 <= size);
        }
        self.values.retain(|value| !value.history.is_empty());
        KnownAnswers {
            types: self.types,
            streams: self
                .streams
                .into_iter()
                .map(|(category, streams)| (category, streams.len() as u64))
                .collect(),
            values: self.values,
        }
    }
}
