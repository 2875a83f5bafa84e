//! Sample stores with known answers.
//!
//! [`guide`] holds the event-sourcing guide's own examples: every id, number and time as the guide prints it.
//! The events stand in `guide/events.jsonl`, one a line, the models beside them.
//! [`questions`] adds what the guide asks about and gives no example of.
//! [`make_world`] makes one of three worlds of any size, by commands that their rules allow.

mod clinic;
mod read_models;
mod shop;
mod trading;
mod worlds;

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{NewEvent, Payload, SourceFields};
use crate::id::{EventId, EventType, StreamId};
use crate::store::{AppendError, ExpectedVersion, LogWriter, OpenError, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

pub use clinic::ClinicCommand;
pub use read_models::read_models;
pub use shop::{
    Fulfilments, Notification, PAY_WITHIN_SECONDS, PaymentOutcome, ProcessView, ShopCommand,
    send_notifications,
};
pub use trading::TradingCommand;
pub use worlds::{
    Breach, Carry, CommandView, CommandsView, ConsoleError, Fault, FaultKind, KnownAnswers,
    KnownChange, KnownValue, RejectedView, ShopRequest, WORLD_EVENTS, WORLD_MAX_EVENTS, WORLD_SEED,
    World, WorldRequest, carry_out, command_names, injected_faults, known_answers,
    make_shop as shop, make_world, owned_world,
};

/// Why a sample could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The store could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store did not take the events.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The models could not be written.
    #[error("the sample's models could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// So many events were asked for that the sample cannot number them.
    #[error("{events} events are too many (at most {WORLD_MAX_EVENTS})")]
    TooLarge {
        /// Events asked for.
        events: u64,
    },
    /// The caller cancelled.
    #[error("cancelled; no store was made")]
    Cancelled,
}

const EVENTS: &str = include_str!("guide/events.jsonl");

/// Models of the guide sample: file name and text.
const MODELS: [(&str, &str); 3] = [
    ("account.toml", include_str!("guide/account.toml")),
    ("order.toml", include_str!("guide/order.toml")),
    ("user.toml", include_str!("guide/user.toml")),
];

/// What the guide asks about and gives no example of: orders that are pending, customers in a promotion.
const QUESTIONS: &str = include_str!("guide/questions.jsonl");

/// Models of the guide sample with what it asks about.
const QUESTION_MODELS: [(&str, &str); 3] = [
    ("account.toml", include_str!("guide/account.toml")),
    ("order.toml", include_str!("guide/questions-order.toml")),
    ("user.toml", include_str!("guide/user.toml")),
];

/// Definitions that a sample brings beside its models: folder, file name and text.
type Beside = [(&'static str, &'static str, &'static str)];

/// Projections and dashboards of the guide sample.
const BESIDE: &Beside = &[
    (
        "projections",
        "accounts.toml",
        include_str!("guide/projections/accounts.toml"),
    ),
    (
        "dashboards",
        "accounts.toml",
        include_str!("guide/dashboards/accounts.toml"),
    ),
];

/// When the guide sample says its log took the events: after the last of them.
const RECORDED_AT: &str = "2025-10-01T00:00:00Z";

/// Seed of the guide sample's salts and ids. They are public, so they hide nothing; a sample has nothing to hide.
const SEED: u64 = 12345;

/// Makes a new store with the guide's own examples and models for them. The same bytes every time.
///
/// Histories of different sections that contradict each other have streams of their own; where two sections
/// tell of the same aggregate without contradiction (`order-789`), they share one. An event's `source` names
/// the section. An event whose section gives no time has an assumed one, without a text as written, and says
/// so in its metadata.
///
/// # Errors
/// [`SampleError::Open`] if a file is there already or cannot be made, [`SampleError::Append`] if the events
/// could not be stored, [`SampleError::Io`] if the models could not be written.
///
/// ```
/// use annals_core::store::Log;
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// assert_eq!(Log::explore(&store).unwrap().info().unwrap().events, 52);
/// ```
pub fn guide(path: &Path) -> Result<(), SampleError> {
    let now = Time::parse_rfc3339(RECORDED_AT).expect("the constant is a time");
    let writer = LogWriter::create(path, Surroundings::fixed(now, SEED))?;
    writer.append(streams(EVENTS))?;
    writer.close()?;
    write_models(path, &MODELS)?;
    write_definitions(path, BESIDE)
}

/// Makes a new store with the guide's own examples and, after them, fixed events for the three temporal questions that
/// it prints: orders that were pending around January 2024, and customers around a promotion from 2024-11-20 to
/// 2024-12-01. The guide gives no example of either; each of these events says so in its metadata.
///
/// # Errors
/// As [`guide`].
///
/// ```
/// use annals_core::store::Log;
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("questions.annals");
/// annals_core::sample::questions(&store).unwrap();
/// assert_eq!(Log::explore(&store).unwrap().info().unwrap().events, 70);
/// ```
pub fn questions(path: &Path) -> Result<(), SampleError> {
    let now = Time::parse_rfc3339(RECORDED_AT).expect("the constant is a time");
    let writer = LogWriter::create(path, Surroundings::fixed(now, SEED))?;
    writer.append(streams(EVENTS))?;
    writer.append(streams(QUESTIONS))?;
    writer.close()?;
    write_models(path, &QUESTION_MODELS)
}

/// Writes the models that are not there yet: a folder left by an earlier store may hold a user's own.
fn write_models(store: &Path, models: &[(&str, &str)]) -> Result<(), SampleError> {
    write_files(store, "models", models)
}

/// Writes definitions into the folders beside a store that their kinds have.
fn write_definitions(store: &Path, files: &[(&str, &str, &str)]) -> Result<(), SampleError> {
    for (kind, name, text) in files {
        write_files(store, kind, &[(name, text)])?;
    }
    Ok(())
}

/// Writes files into a folder beside a store, those that are not there yet.
fn write_files(store: &Path, kind: &str, files: &[(&str, &str)]) -> Result<(), SampleError> {
    let folder = crate::model::folder(store).join(kind);
    std::fs::create_dir_all(&folder)?;
    for (name, text) in files {
        let file = folder.join(name);
        if !file.exists() {
            std::fs::write(file, text)?;
        }
    }
    Ok(())
}

/// One line of the guide's events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Heading of the guide's section.
    section: String,
    stream: String,
    #[serde(rename = "type")]
    event_type: String,
    /// The guide's id.
    id: Option<String>,
    /// The guide's time, as written.
    time: Option<String>,
    /// Time assumed where the guide gives none; the metadata says by which rule.
    assumed_time: Option<String>,
    /// The guide's number of the event in its stream.
    source_version: Option<String>,
    /// The guide's number of the payload's schema.
    schema_version: Option<String>,
    data: Box<RawValue>,
    metadata: Option<Box<RawValue>>,
}

/// Events by stream, streams and events in the order of the lines.
fn streams(lines: &str) -> Vec<StreamAppend> {
    let mut streams: Vec<StreamAppend> = Vec::new();
    for text in lines.lines() {
        let line: Line =
            serde_json::from_str(text).expect("each line is an event: a test reads all");
        let stream = StreamId::new(line.stream.as_str()).expect("stream names are not empty");
        let event = line.into_event();
        match streams.iter_mut().find(|append| append.stream == stream) {
            Some(append) => append.events.push(event),
            None => streams.push(StreamAppend {
                stream,
                category: None,
                expected: ExpectedVersion::NoStream,
                events: vec![event],
            }),
        }
    }
    streams
}

impl Line {
    fn into_event(self) -> NewEvent {
        let Line {
            section,
            stream: _,
            event_type,
            id,
            time,
            assumed_time,
            source_version,
            schema_version,
            data,
            metadata,
        } = self;
        let time = match (time, assumed_time) {
            (Some(text), None) => {
                SourceTime::parse(&text, chrono_tz::UTC).expect("the guide's times are times")
            }
            (None, Some(text)) => SourceTime::unwritten(
                Time::parse_rfc3339(&text).expect("assumed times are written out"),
            ),
            _ => panic!("INVARIANT: an event of the guide has its own time or an assumed one"),
        };
        let payload = |raw: Box<RawValue>| Payload::json(raw.get()).expect("raw values are JSON");
        NewEvent {
            id: id.map(|id| EventId::new(id).expect("the guide's ids are not empty")),
            event_type: EventType::new(event_type).expect("the guide's types are not empty"),
            time: Some(time),
            schema_version,
            data: payload(data),
            metadata: metadata.map(payload),
            source: SourceFields {
                source: Some(format!("guide: {section}").into()),
                source_version,
                ..SourceFields::default()
            },
            links: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
