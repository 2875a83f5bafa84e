//! What to read, and how far a page went.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::Event;
use crate::id::{Actor, Category, EventType, StreamId};
use crate::position::{Position, Version};
use crate::store::view::StreamRow;
use crate::time::Time;

/// Order of reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Oldest position first.
    #[default]
    Forwards,
    /// Newest position first.
    Backwards,
}

/// What a stream must look like for an append to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Anything.
    Any,
    /// The stream holds no event.
    NoStream,
    /// The stream's last event has this version.
    Exact(Version),
}

impl std::fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExpectedVersion::Any => f.write_str("any version"),
            ExpectedVersion::NoStream => f.write_str("no stream"),
            ExpectedVersion::Exact(version) => write!(f, "version {version}"),
        }
    }
}

/// Which events to read: all conditions hold. The default is the whole log, forwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct EventQuery {
    /// Home stream or linked stream.
    pub stream: Option<StreamId>,
    /// Category of the home stream.
    pub category: Option<Category>,
    /// Event type.
    #[serde(rename = "type")]
    pub event_type: Option<EventType>,
    /// Actor.
    pub actor: Option<Actor>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// Earliest time, inclusive.
    pub from: Option<Time>,
    /// Latest time, inclusive.
    pub to: Option<Time>,
    /// Highest position: what was known then.
    pub known: Option<Position>,
    /// Order of positions.
    pub direction: Direction,
    /// Read on from this position, exclusive, in `direction`. Keyset pagination: the `next` of the page before.
    pub after: Option<Position>,
}

/// One page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the query's direction.
    pub events: Vec<Event>,
    /// Where to read on (`after` of the next page); `None` if this page reached the end.
    pub next: Option<Position>,
}

/// Which streams to list, in order of name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct StreamQuery {
    /// Category.
    pub category: Option<Category>,
    /// Text that the name contains; ASCII letters match in either case.
    #[serde(rename = "match")]
    pub contains: Option<String>,
    /// Only streams that have an event at or before this time, with the number of those events.
    pub at: Option<Time>,
    /// Only streams that have an event at or before this position, as they were when the log ended there. With `at`,
    /// one and the same event has to be both.
    pub known: Option<Position>,
    /// Read on after this cursor: the `next` of the page before.
    pub after: Option<Cursor>,
}

/// Place in a list of streams: the name of the last one seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct Cursor(pub String);

/// One page of streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StreamPage {
    /// The streams, by name (byte order).
    pub streams: Vec<StreamRow>,
    /// Where to read on; `None` if this page reached the end.
    pub next: Option<Cursor>,
}
