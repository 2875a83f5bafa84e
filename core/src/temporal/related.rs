//! What belongs together: streams that share a correlation or a cause with a stream, or name each other, each as of
//! one instant; what caused an event and what it caused; a correlation as lanes of events.
//!
//! It goes as far as the log's indexes and its text index lead and says in [`SearchedView`] what it did not look
//! at.

mod causation;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use ts_rs::TS;

use super::state::stream_row;
use super::{AsOf, AsOfView, Moment, StateView, TemporalError, state};
use crate::event::Event;
use crate::id::{EventId, StreamId};
use crate::model::ModelSet;
use crate::position::{Position, Version};
use crate::search::{Reach, TextIndex};
use crate::store::{Direction, EventBrief, EventQuery, Log, ReadError, StreamRow};
use crate::time::Time;

/// Most events of the stream itself that are looked through, the newest.
const MAX_OWN: usize = 1_000;
/// Most correlations that are followed.
const MAX_CORRELATIONS: usize = 100;
/// Most events of one correlation that are looked at, the oldest.
const MAX_OF_CORRELATION: usize = 1_000;
/// Most streams that are listed.
const MAX_STREAMS: usize = 200;

/// Where to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A stream.
    Stream(StreamId),
    /// An event, and the stream that is its home.
    Event(Position),
}

/// What belongs to a stream or an event: `annals related --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RelatedView {
    /// The stream that was asked about.
    pub stream: String,
    /// The event that was asked about; `null` if a stream was.
    pub event: Option<EventBrief>,
    /// The as-of it answers for: every version below is as of it.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Streams that belong to it, those with most ties first: at most 200.
    pub streams: Vec<RelatedStream>,
    /// How many were found.
    #[ts(type = "number")]
    pub streams_count: u64,
    /// What caused the event and what it caused; of a stream, `null`.
    pub causation: Option<CausationView>,
    /// The events of each correlation, by stream.
    pub correlations: Vec<LanesView>,
    /// What was looked at, and what was not.
    pub searched: SearchedView,
}

/// A stream that belongs to another.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RelatedStream {
    /// Stream.
    pub stream: String,
    /// Its category.
    pub category: String,
    /// Its version as of the instant; 0 if nothing of it had happened.
    pub version: Version,
    /// Number of its events, whatever the instant.
    #[ts(type = "number")]
    pub events: u64,
    /// Why it belongs.
    pub ties: Vec<TieView>,
}

/// How two streams belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum TieKind {
    /// Events of both have the same correlation id.
    Correlation,
    /// An event of it caused one of the stream's.
    Cause,
    /// An event of the stream caused one of its.
    Effect,
    /// A payload of the stream names it.
    RefersTo,
    /// A payload of it names the stream.
    ReferredBy,
}

/// One tie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[ts(export)]
pub struct TieView {
    /// Which kind.
    pub kind: TieKind,
    /// The id that both hold.
    pub value: String,
    /// Where it stands: the field of a payload that names the stream; absent for ids of the events themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// First event of the tie.
    pub position: Position,
}

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The event names its cause.
    Recorded,
    /// The event names none; the one before it with the same correlation is taken.
    Inferred,
    /// The event names a cause that is no event of the log, such as a command.
    Outside,
}

/// What caused an event and what it caused.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CausationView {
    /// Events, causes before effects.
    pub nodes: Vec<CausationNode>,
    /// Number of events with the same correlation that were not looked at.
    #[ts(type = "number")]
    pub not_looked_at: u64,
}

/// An event in a tree of causes.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CausationNode {
    /// The event.
    pub event: EventBrief,
    /// Who did it.
    pub actor: Option<String>,
    /// Position of its cause; `null` for a root.
    pub cause: Option<Position>,
    /// Causation id that the event names; `null` if it names none.
    pub causation: Option<String>,
    /// How sure `cause` is; `null` for an event that has none.
    pub edge: Option<EdgeKind>,
    /// Steps from the event that was asked about: negative for causes, 0 for itself, positive for effects.
    pub depth: i32,
}

/// The events of one correlation, by stream.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct LanesView {
    /// Correlation id.
    pub correlation: String,
    /// A lane a stream, in the order of their first events.
    pub lanes: Vec<Lane>,
    /// Number of events with this id as of the instant.
    #[ts(type = "number")]
    pub events_count: u64,
    /// How many of them stand in the lanes.
    #[ts(type = "number")]
    pub shown: u64,
}

/// Events of one stream in order of time.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Lane {
    /// Home stream.
    pub stream: String,
    /// The events, by time, then position.
    pub events: Vec<EventBrief>,
}

/// What was looked at, and what was not.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SearchedView {
    /// Number of the stream's own events that were looked through.
    #[ts(type = "number")]
    pub own_events: u64,
    /// Number of the stream's own events as of the instant.
    #[ts(type = "number")]
    pub own_events_count: u64,
    /// Number of events with one of its correlations that were looked through.
    #[ts(type = "number")]
    pub correlated_events: u64,
    /// Number of different values in its payloads that were looked up as names of streams.
    #[ts(type = "number")]
    pub values: u64,
    /// Number of events, of any stream, that were looked at since the text index proposes them as ones that name
    /// the stream, or since they are not in it yet.
    #[ts(type = "number")]
    pub naming_events: u64,
    /// How far the look for events that name the stream went.
    pub naming_reach: Reach,
    /// What was not looked at, in words.
    pub not_searched: Vec<String>,
}

/// What belongs to a stream or an event, as of an instant. Versions are those of [`state`](super::state()): where a
/// model has a time of its own, streams of its category are folded for them.
///
/// The log's text index leads to the events whose payloads name the stream. It is asked as far as it is: `searched` says
/// how far that was.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or holds no such stream or event.
pub fn related(
    log: &Log,
    index: &TextIndex,
    models: &ModelSet,
    start: &Start,
    as_of: AsOf,
) -> Result<RelatedView, TemporalError> {
    let (stream, event) = match start {
        Start::Stream(stream) => (stream.clone(), None),
        Start::Event(position) => {
            let none = || ReadError::NoEvent(format!("at position {position}"));
            let event = log.event(*position)?.ok_or_else(none)?;
            let stream = event.stream.clone();
            let erased = || ReadError::NoEvent(format!("with a stream at position {position}"));
            (stream.ok_or_else(erased)?, Some(event))
        }
    };
    stream_row(log, &stream)?;
    let mut search = Search {
        log,
        as_of,
        stream: stream.clone(),
        ties: BTreeMap::new(),
        searched: SearchedView {
            own_events: 0,
            own_events_count: 0,
            correlated_events: 0,
            values: 0,
            naming_events: 0,
            naming_reach: Reach {
                searched_to: Position::ZERO,
                head: Position::ZERO,
                complete: true,
                notes: Vec::new(),
            },
            not_searched: Vec::new(),
        },
    };
    let own = search.own_events()?;
    let correlations = search.correlations(&own, event.as_ref())?;
    search.causes(&own)?;
    search.named(&own)?;
    search.naming(index)?;
    search.say_what_was_not_searched();
    let causation = match &event {
        Some(event) => Some(search.causation(event, &correlations)?),
        None => None,
    };
    let Search { ties, searched, .. } = search;
    let mut streams = Vec::new();
    for (name, ties) in &ties {
        if let Some(row) = log.stream(name)? {
            streams.push((row, ties));
        }
    }
    // Most kinds of tie first, then most ties.
    streams.sort_by_key(|(row, ties)| {
        let kinds: BTreeSet<TieKind> = ties.iter().map(|tie| tie.kind).collect();
        (
            std::cmp::Reverse((kinds.len(), ties.len())),
            row.stream.clone(),
        )
    });
    let streams_count = streams.len() as u64;
    streams.truncate(MAX_STREAMS);
    let mut listed = Vec::new();
    for (row, ties) in streams {
        listed.push(RelatedStream {
            version: version_at(log, models, &row, as_of)?,
            stream: row.stream,
            category: row.category,
            events: row.events,
            ties: ties.iter().cloned().collect(),
        });
    }
    Ok(RelatedView {
        stream: stream.to_string(),
        event: event.as_ref().map(EventBrief::from),
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        reading: None,
        streams: listed,
        streams_count,
        causation,
        correlations: correlations.into_iter().map(|(lanes, _)| lanes).collect(),
        searched,
    })
}

/// Several streams at one instant: `annals state STORE S1 S2 … --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct StatesView {
    /// The states, in the order asked for.
    pub states: Vec<StateView>,
}

/// The states of several streams, all as of one instant.
///
/// # Errors
/// As [`state`](super::state()), for any of them.
pub fn states(
    log: &Log,
    models: &ModelSet,
    streams: &[StreamId],
    as_of: AsOf,
) -> Result<StatesView, TemporalError> {
    let moment = Moment::AsOf(as_of);
    let states = streams
        .iter()
        .map(|stream| state(log, models, stream, &moment));
    Ok(StatesView {
        states: states.collect::<Result<_, _>>()?,
    })
}

/// The version of a stream as of an instant.
fn version_at(
    log: &Log,
    models: &ModelSet,
    row: &StreamRow,
    as_of: AsOf,
) -> Result<Version, TemporalError> {
    let Ok(name) = StreamId::new(row.stream.as_str()) else {
        return Ok(Version::NONE);
    };
    if models.for_category(&row.category).has_time() {
        return Ok(state(log, models, &name, &Moment::AsOf(as_of))?.version);
    }
    let query = EventQuery {
        stream: Some(name.clone()),
        to: as_of.at,
        known: as_of.known,
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    let page = log.events(&query, 1)?;
    let Some(event) = page.events.first() else {
        return Ok(Version::NONE);
    };
    if event.stream.as_ref() == Some(&name) {
        return Ok(event.version);
    }
    let links = log.detail(event.position)?.map(|detail| detail.links);
    let link = links
        .into_iter()
        .flatten()
        .find(|link| link.stream == row.stream);
    Ok(link.map_or(Version::NONE, |link| link.version))
}

/// A search under way.
struct Search<'l> {
    log: &'l Log,
    as_of: AsOf,
    stream: StreamId,
    ties: BTreeMap<StreamId, BTreeSet<TieView>>,
    searched: SearchedView,
}

impl Search<'_> {
    fn query(&self) -> EventQuery {
        EventQuery {
            to: self.as_of.at,
            known: self.as_of.known,
            ..EventQuery::default()
        }
    }

    fn included(&self, event: &Event) -> bool {
        let AsOf { at, known } = self.as_of;
        at.is_none_or(|at| event.time.time <= at)
            && known.is_none_or(|known| event.position <= known)
    }

    fn tie(&mut self, stream: Option<&StreamId>, tie: TieView) {
        let Some(stream) = stream.filter(|stream| **stream != self.stream) else {
            return;
        };
        let ties = self.ties.entry(stream.clone()).or_default();
        let known = ties
            .iter()
            .find(|known| (known.kind, &known.value) == (tie.kind, &tie.value));
        match known.cloned() {
            Some(known) if known.position <= tie.position => {}
            // The first event of a tie stands for it.
            Some(known) => {
                ties.remove(&known);
                ties.insert(tie);
            }
            None => {
                ties.insert(tie);
            }
        }
    }

    /// The stream's own events as of the instant: the newest, oldest first.
    fn own_events(&mut self) -> Result<Vec<Event>, TemporalError> {
        let query = EventQuery {
            stream: Some(self.stream.clone()),
            direction: Direction::Backwards,
            ..self.query()
        };
        let mut own = self.log.events(&query, MAX_OWN)?.events;
        own.reverse();
        self.searched.own_events = own.len() as u64;
        self.searched.own_events_count = self.log.count(&query)?;
        Ok(own)
    }

    /// Follows the correlations of the event, or of all the stream's events.
    fn correlations(
        &mut self,
        own: &[Event],
        event: Option<&Event>,
    ) -> Result<Vec<(LanesView, Vec<Event>)>, TemporalError> {
        let mut ids: Vec<String> = Vec::new();
        let asked = event.map_or(own, std::slice::from_ref);
        for id in asked.iter().filter_map(|event| event.correlation.as_ref()) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        if ids.len() > MAX_CORRELATIONS {
            let more = ids.len() - MAX_CORRELATIONS;
            self.searched.not_searched.push(format!(
                "{more} correlations of the stream's older events: {MAX_CORRELATIONS} are followed"
            ));
            ids.drain(..more);
        }
        let own_ids: BTreeSet<&str> = own
            .iter()
            .filter_map(|event| Some(event.id.as_ref()?.as_str()))
            .collect();
        let mut found = Vec::new();
        for id in ids {
            let query = EventQuery {
                correlation: Some(id.clone()),
                ..self.query()
            };
            let events = self.log.events(&query, MAX_OF_CORRELATION)?.events;
            let count = self.log.count(&query)?;
            self.searched.correlated_events += events.len() as u64;
            for event in &events {
                let tie = |kind, value: &str, path| TieView {
                    kind,
                    value: value.to_owned(),
                    path,
                    position: event.position,
                };
                self.tie(event.stream.as_ref(), tie(TieKind::Correlation, &id, None));
                self.tie_if_it_names(event);
                if let Some(cause) = event.causation.as_deref().filter(|id| own_ids.contains(id)) {
                    self.tie(event.stream.as_ref(), tie(TieKind::Effect, cause, None));
                }
            }
            found.push((lanes(id, &events, count), events));
        }
        Ok(found)
    }

    /// Finds the streams of the events that caused the stream's own.
    fn causes(&mut self, own: &[Event]) -> Result<(), TemporalError> {
        for event in own {
            let Some(cause) = self.cause(event)? else {
                continue;
            };
            let tie = TieView {
                kind: TieKind::Cause,
                value: cause
                    .id
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                path: None,
                position: event.position,
            };
            self.tie(cause.stream.as_ref(), tie);
        }
        Ok(())
    }

    /// The event that an event names as its cause, if it is in the log and in the as-of.
    fn cause(&self, event: &Event) -> Result<Option<Event>, TemporalError> {
        let Some(id) = event
            .causation
            .as_deref()
            .and_then(|id| EventId::new(id).ok())
        else {
            return Ok(None);
        };
        let cause = self.log.event_by_id(&id)?;
        // Some sources name the event itself.
        Ok(cause.filter(|cause| self.included(cause) && cause.position != event.position))
    }

    fn say_what_was_not_searched(&mut self) {
        let SearchedView {
            own_events,
            own_events_count,
            ..
        } = self.searched;
        let not = &mut self.searched.not_searched;
        if own_events < own_events_count {
            not.push(format!(
                "the stream's {} older events: the newest {MAX_OWN} are looked through",
                own_events_count - own_events
            ));
        }
        not.push(
            "effects outside these correlations: the log has no index from a cause to its effects"
                .to_owned(),
        );
    }
}

fn lanes(correlation: String, events: &[Event], events_count: u64) -> LanesView {
    let mut lanes: Vec<Lane> = Vec::new();
    for event in events {
        let stream = event
            .stream
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        match lanes.iter_mut().find(|lane| lane.stream == stream) {
            Some(lane) => lane.events.push(EventBrief::from(event)),
            None => lanes.push(Lane {
                stream,
                events: vec![EventBrief::from(event)],
            }),
        }
    }
    let order = |event: &EventBrief| (event.time, event.position);
    for lane in &mut lanes {
        lane.events.sort_by_key(order);
    }
    lanes.sort_by_key(|lane| {
        lane.events
            .first()
            .map_or((Time::MAX, Position::ZERO), order)
    });
    LanesView {
        correlation,
        shown: events.len() as u64,
        lanes,
        events_count,
    }
}
