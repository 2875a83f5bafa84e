//! What hosts show of a log: the wire types.

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::event::{Event, Part};
use crate::finding::Finding;
use crate::id::LogId;
use crate::integrity::Hash;
use crate::position::{Position, Version};
use crate::time::Time;

/// One event, as lists and `annals events --json` show it.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EventView {
    /// Place in the log.
    pub position: Position,
    /// Home stream; absent only where the identity was erased.
    pub stream: Option<String>,
    /// Category of the home stream.
    pub category: Option<String>,
    /// Place in the home stream.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC.
    pub time: Time,
    /// The time as the source wrote it, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub time_text: Option<String>,
    /// The source named a day only.
    pub date_only: bool,
    /// When this log took it, UTC.
    pub recorded_at: Time,
    /// Identity.
    pub id: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// Causation id.
    pub causation: Option<String>,
    /// Schema version of the payload, as the source says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub schema_version: Option<String>,
    /// Name of the source it was imported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source: Option<String>,
    /// The source's own id, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source_id: Option<String>,
    /// The source's own number in its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source_version: Option<String>,
    /// The source's own place in its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source_position: Option<String>,
    /// When the source recorded it, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source_recorded_at: Option<Time>,
    /// The payload, every digit as recorded; `null` where it was erased or is not JSON.
    #[ts(type = "unknown")]
    pub data: Option<Box<RawValue>>,
    /// The context; `null` where there is none, it was erased or is not JSON.
    #[ts(type = "unknown")]
    pub metadata: Option<Box<RawValue>>,
    /// Parts that were erased.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Part>>", optional)]
    pub erased: Vec<Part>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> EventView {
        let Event {
            position,
            stream,
            category,
            version,
            event_type,
            time,
            recorded_at,
            id,
            actor,
            correlation,
            causation,
            schema_version,
            source,
            data,
            metadata,
            erased,
            leaf: _,
        } = event;
        let raw = |payload: Option<crate::event::Payload>| {
            let payload = payload?;
            let text = payload.json_text()?;
            RawValue::from_string(text.to_owned()).ok()
        };
        EventView {
            position,
            stream: stream.map(|s| s.to_string()),
            category: category.map(|c| c.to_string()),
            version,
            event_type: event_type.to_string(),
            time: time.time,
            time_text: time.text,
            date_only: time.date_only,
            recorded_at,
            id: id.map(|i| i.to_string()),
            actor: actor.map(|a| a.to_string()),
            correlation,
            causation,
            schema_version,
            source: source.source.as_deref().map(str::to_owned),
            source_id: source.source_id,
            source_version: source.source_version,
            source_position: source.source_position,
            source_recorded_at: source.source_recorded_at,
            data: raw(data),
            metadata: raw(metadata),
            erased,
        }
    }
}

/// A page of events: `annals events --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EventsView {
    /// The events, in the direction asked for.
    pub events: Vec<EventView>,
    /// Position to read on after; `null` at the end.
    pub next: Option<Position>,
}

/// A number of events: `annals events --count --json`.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[ts(export)]
pub struct CountView {
    /// How many events the query matches.
    #[ts(type = "number")]
    pub count: u64,
}

/// Where an event stands in a list: `annals events --row-of --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RowView {
    /// How many matching events stand before it; `null` if it does not match.
    #[ts(type = "number | null")]
    pub row: Option<u64>,
}

/// One event whole: `annals show --json`, the app's event detail.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EventDetailView {
    /// The event.
    pub event: EventView,
    /// Leaf hash in the log's tree.
    pub leaf: Hash,
    /// Content type of the payload; `null` where it was erased.
    pub data_type: Option<String>,
    /// The payload's bytes as recorded: text where they are UTF-8.
    pub data_text: Option<String>,
    /// The payload's bytes in hexadecimal, where they are not UTF-8.
    pub data_hex: Option<String>,
    /// Length of the payload in bytes.
    #[ts(type = "number")]
    pub data_len: u64,
    /// Content type of the context.
    pub metadata_type: Option<String>,
    /// The context's bytes as recorded.
    pub metadata_text: Option<String>,
    /// Streams that the event is linked into, beside its home.
    pub links: Vec<LinkView>,
    /// Its objects: the home stream and those that it is linked into, each with what it is to the event.
    pub objects: Vec<EventObject>,
    /// The event before it in its stream.
    pub previous_in_stream: Option<EventBrief>,
    /// The event after it in its stream.
    pub next_in_stream: Option<EventBrief>,
    /// Other events with its correlation id, in position order, at most 200.
    pub correlated: Vec<EventBrief>,
    /// How many events have its correlation id, itself included; 0 where it has none.
    #[ts(type = "number")]
    pub correlated_count: u64,
    /// That its bytes do not give the leaf hash recorded with it; empty where all is well.
    pub findings: Vec<Finding>,
}

/// An object that an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EventObject {
    /// Its id: a stream.
    pub object: String,
    /// Its type: the stream's category.
    #[serde(rename = "type")]
    pub object_type: String,
    /// What it is to the event; empty where the log does not say.
    pub qualifier: String,
    /// Place of the event in that stream.
    pub version: Version,
    /// The event is at home there, and not only linked.
    pub home: bool,
}

/// An event in one line.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EventBrief {
    /// Place in the log.
    pub position: Position,
    /// Home stream.
    pub stream: Option<String>,
    /// Place in the home stream.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC.
    pub time: Time,
}

impl From<&Event> for EventBrief {
    fn from(event: &Event) -> EventBrief {
        EventBrief {
            position: event.position,
            stream: event.stream.as_ref().map(ToString::to_string),
            version: event.version,
            event_type: event.event_type.to_string(),
            time: event.time.time,
        }
    }
}

/// A further stream that an event is linked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LinkView {
    /// The stream.
    pub stream: String,
    /// Place in that stream.
    pub version: Version,
    /// What the event is to it.
    pub qualifier: String,
}

/// One stream in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StreamRow {
    /// Name.
    pub stream: String,
    /// Category.
    pub category: String,
    /// Number of events, linked ones included. Of a stream asked for by itself and in a list of the whole log this is
    /// the highest version; in a list as of a time or of what was known, those that had happened by then and were
    /// known.
    #[ts(type = "number")]
    pub events: u64,
    /// Earliest time of its events, or of those known, UTC.
    pub first_time: Time,
    /// Latest time of its events, or of those known, UTC; in a list as of a time, a later one says that the stream goes on.
    pub last_time: Time,
}

/// What a backup holds: `annals backup --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct BackupReport {
    /// The store.
    pub store: String,
    /// The backup: a store like any other.
    pub file: String,
    /// Identity of the log, in both.
    pub id: LogId,
    /// Number of events, each of which was hashed again.
    pub size: Position,
    /// Root over them, computed from the copy; the store's at the moment of the backup.
    pub root: Hash,
    /// Length of the file in bytes.
    #[ts(type = "number")]
    pub file_bytes: u64,
    /// The user's own files beside the store (models and other TOML).
    pub beside: BesideReport,
}

/// What a restored store holds: `annals restore --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RestoreReport {
    /// The file that was restored from.
    pub file: String,
    /// The new store.
    pub store: String,
    /// Identity of the log, in both.
    pub id: LogId,
    /// Number of events, each of which was hashed again.
    pub size: Position,
    /// Root over them, computed from the new store; what the log's was at this size.
    pub root: Hash,
    /// Number of the file's events that were left out, all of them after the last restored one.
    #[ts(type = "number")]
    pub left_out: u64,
    /// Whether the restored events and those left out make the file's own root; `false` if what was left out
    /// is damaged.
    pub tied: bool,
    /// The user's own files beside the file (models and other TOML).
    pub beside: BesideReport,
}

/// What became of the user's own files beside a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct BesideReport {
    /// Number of files copied.
    #[ts(type = "number")]
    pub copied: u64,
    /// Number of files that were not copied, because one of that name was there.
    #[ts(type = "number")]
    pub kept: u64,
}

/// What a log holds: `annals info --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct InfoView {
    /// Identity of the log.
    pub id: LogId,
    /// Format of the file.
    pub format: u32,
    /// Number of events.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of streams.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of different actors.
    #[ts(type = "number")]
    pub actors: u64,
    /// Categories, most events first, then by name.
    pub categories: Vec<CategoryRow>,
    /// How many there are: a host may list fewer.
    #[ts(type = "number")]
    pub categories_count: u64,
    /// Types, most events first, then by name.
    pub types: Vec<TypeRow>,
    /// How many there are: a host may list fewer.
    #[ts(type = "number")]
    pub types_count: u64,
    /// Earliest time; `null` in an empty log.
    pub first_time: Option<Time>,
    /// Latest time; `null` in an empty log.
    pub last_time: Option<Time>,
    /// When the log took its last event; `null` in an empty log.
    pub last_recorded_at: Option<Time>,
    /// Number of leaves of the tree: the number of events.
    #[ts(type = "number")]
    pub tree_size: u64,
    /// Root hash of the tree.
    pub root: Hash,
    /// How the file was opened.
    pub access: Access,
    /// Length of the file in bytes.
    #[ts(type = "number")]
    pub file_bytes: u64,
    /// What is odd about the log as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Finding>>", optional)]
    pub findings: Vec<Finding>,
}

/// How a log was opened for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read-only, following what other programs append.
    ReadOnly,
    /// Read-only medium: the file is taken as unchanging.
    Immutable,
    /// Read-only medium with a pending write-ahead log: a temporary copy is read.
    TemporaryCopy,
}

/// One category and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CategoryRow {
    /// Name.
    pub name: String,
    /// Number of streams.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of events whose home is in it.
    #[ts(type = "number")]
    pub events: u64,
}

/// One event type and how often it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct TypeRow {
    /// Name.
    pub name: String,
    /// Number of events.
    #[ts(type = "number")]
    pub events: u64,
}

/// One actor and how often they acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ActorRow {
    /// Name.
    pub name: String,
    /// Number of events.
    #[ts(type = "number")]
    pub events: u64,
}

/// Number of events per equal slice of time: the Time bar's histogram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DensityView {
    /// Start of the first slice; `null` if no event matches.
    pub from: Option<Time>,
    /// End of the last slice, inclusive; `null` if no event matches.
    pub to: Option<Time>,
    /// Number of events in each slice.
    #[ts(type = "number[]")]
    pub counts: Vec<u64>,
    /// Number of events that match.
    #[ts(type = "number")]
    pub events: u64,
}
