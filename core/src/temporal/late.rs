//! Events that are not where their times would put them: the two clocks of a log, compared.

use std::collections::HashMap;

use serde::Serialize;
use ts_rs::TS;

use super::TemporalError;
use super::state::stream_row;
use crate::event::Event;
use crate::id::StreamId;
use crate::position::Position;
use crate::store::{EventBrief, EventQuery, Log, ReadError};
use crate::time::Time;

/// Events that an answer lists where nothing else is asked for.
pub const LATE: usize = 1_000;
/// Events read at once.
const PAGE: usize = 1_000;

/// Events whose time, version and recording disagree: `annals late --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct LateView {
    /// Stream that was looked at; `null`: the whole log.
    pub stream: Option<String>,
    /// The events, by position: the first that fit the limit.
    pub events: Vec<LateEvent>,
    /// How many there are: each happened before an event of its stream with a lower version.
    #[ts(type = "number")]
    pub events_count: u64,
    /// How many of them were recorded after an event of their stream that happened later had been recorded.
    #[ts(type = "number")]
    pub back_dated_count: u64,
    /// Number of events looked at.
    #[ts(type = "number")]
    pub looked_at: u64,
}

/// An event that is not where its time would put it.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct LateEvent {
    /// The event.
    pub event: EventBrief,
    /// When this log took it.
    pub recorded_at: Time,
    /// When the source took it, where that is known.
    pub source_recorded_at: Option<Time>,
    /// It happened before this event of its stream, which has a lower version.
    pub before: EventBrief,
    /// It was recorded later than that event, by the source's clock where both have its time, else by the log's:
    /// until then, states as of its time were without it.
    pub back_dated: bool,
}

/// The events of a log, or of one stream, whose order by time is not their order by version. At most `limit` are
/// listed. `go_on` is told the number of events looked at and stops the work by saying no.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or holds no such stream, or the work was stopped.
pub fn late(
    log: &Log,
    stream: Option<&StreamId>,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<LateView, TemporalError> {
    if let Some(stream) = stream {
        stream_row(log, stream)?;
    }
    let mut view = LateView {
        stream: stream.map(ToString::to_string),
        events: Vec::new(),
        events_count: 0,
        back_dated_count: 0,
        looked_at: 0,
    };
    // The event of each stream that happened last so far, and when it was recorded.
    let mut latest: HashMap<Option<StreamId>, (EventBrief, Recorded)> = HashMap::new();
    let mut after: Option<Position> = None;
    loop {
        let query = EventQuery {
            stream: stream.cloned(),
            after,
            ..EventQuery::default()
        };
        let page = log.events(&query, PAGE)?;
        for event in &page.events {
            view.looked_at += 1;
            let home = stream.cloned().or_else(|| event.stream.clone());
            let now = EventBrief::from(event);
            match latest.get(&home) {
                Some((before, recorded)) if event.time.time < before.time => {
                    let back_dated = Recorded::of(event).is_after(recorded);
                    view.events_count += 1;
                    view.back_dated_count += u64::from(back_dated);
                    if view.events.len() < limit {
                        view.events.push(LateEvent {
                            event: now,
                            recorded_at: event.recorded_at,
                            source_recorded_at: event.source.source_recorded_at,
                            before: before.clone(),
                            back_dated,
                        });
                    }
                }
                _ => {
                    latest.insert(home, (now, Recorded::of(event)));
                }
            }
        }
        if !go_on(view.looked_at) {
            return Err(ReadError::Cancelled.into());
        }
        after = page.next;
        if after.is_none() {
            return Ok(view);
        }
    }
}

/// When an event was recorded, by each of the two clocks.
struct Recorded {
    source: Option<Time>,
    log: Time,
}

impl Recorded {
    fn of(event: &Event) -> Recorded {
        Recorded {
            source: event.source.source_recorded_at,
            log: event.recorded_at,
        }
    }

    /// Times of two clocks say nothing about each other.
    fn is_after(&self, other: &Recorded) -> bool {
        match (self.source, other.source) {
            (Some(own), Some(others)) => own > others,
            _ => self.log > other.log,
        }
    }
}
