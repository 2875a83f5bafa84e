//! Legal holds: events that must not be erased while a matter is open. Placing and releasing one are events in the log
//! itself, so nobody takes a hold away without a trace, and a copy of the log has them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::{HOLD_PLACED, HOLD_RELEASED, HOLDS, PrivacyError, checked};
use crate::event::{Event, NewEvent, Payload};
use crate::id::{Category, EventType, StreamId};
use crate::position::{Position, Version};
use crate::store::{
    Direction, EventQuery, ExpectedVersion, LinkView, Log, LogWriter, ReadError, StreamAppend,
};
use crate::surroundings::OsUser;
use crate::time::Time;

/// What a hold holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum HoldScope {
    /// Events of a subject, by a model or because they name them.
    Subject(String),
    /// Events of a stream, linked ones included.
    Stream(String),
    /// Events of a category.
    Category(String),
    /// Events from one position to another, both included.
    Positions(Position, Position),
    /// Every event.
    Everything,
}

impl std::fmt::Display for HoldScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HoldScope::Subject(subject) => write!(f, "subject {subject}"),
            HoldScope::Stream(stream) => write!(f, "stream {stream}"),
            HoldScope::Category(category) => write!(f, "category {category}"),
            HoldScope::Positions(from, to) => write!(f, "positions {from} to {to}"),
            HoldScope::Everything => f.write_str("everything"),
        }
    }
}

/// A hold, in force or released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Hold {
    /// Position of the event that placed it: its number.
    pub position: Position,
    /// The matter: a case, a docket, a ticket. An event may be held by several.
    pub matter: String,
    /// What is held.
    pub scope: HoldScope,
    /// Why, in the words of who placed it.
    pub reason: Option<String>,
    /// Who placed it.
    pub placed_by: Option<String>,
    /// When the log took it.
    pub placed_at: Time,
    /// Who released it.
    pub released_by: Option<String>,
    /// When it was released; `null` while it is in force.
    pub released_at: Option<Time>,
    /// Number of events that it held when it was placed: told then, and where it is known without reading them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub holds_now: Option<u64>,
}

/// The holds of a log: `annals privacy hold list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct HoldsView {
    /// In the order in which they were placed.
    pub holds: Vec<Hold>,
}

/// What the event of a placed hold says.
#[derive(Serialize, Deserialize)]
struct Placed {
    matter: String,
    scope: HoldScope,
    #[serde(default)]
    reason: Option<String>,
}

/// What the event of a release says.
#[derive(Serialize, Deserialize)]
struct Released {
    matter: String,
    #[serde(default)]
    reason: Option<String>,
}

/// All holds of a log.
///
/// # Errors
/// [`ReadError`] of the log.
pub fn holds(log: &Log) -> Result<HoldsView, ReadError> {
    let stream = stream();
    let mut holds: Vec<Hold> = Vec::new();
    let mut next = Version(1);
    loop {
        let page = log.read_stream(&stream, next..=Version(u64::MAX), Direction::Forwards, 500)?;
        let Some(last) = page.last() else {
            return Ok(HoldsView { holds });
        };
        next = last.version.next();
        for event in page {
            // Holds of another log that was imported are its history, and no import lifts one of this log.
            if event.event.source.source.is_none() {
                read(&mut holds, &event.event);
            }
        }
    }
}

/// Takes one event of the stream into the list.
fn read(holds: &mut Vec<Hold>, event: &Event) {
    let text = event.data.as_ref().and_then(Payload::json_text);
    let Some(text) = text else { return };
    let by = event.actor.as_ref().map(|actor| actor.as_str().to_owned());
    match event.event_type.as_str() {
        HOLD_PLACED => {
            if let Ok(Placed {
                matter,
                scope,
                reason,
            }) = serde_json::from_str(text)
            {
                holds.push(Hold {
                    position: event.position,
                    matter,
                    scope,
                    reason,
                    placed_by: by,
                    placed_at: event.recorded_at,
                    released_by: None,
                    released_at: None,
                    holds_now: None,
                });
            }
        }
        HOLD_RELEASED => {
            let released = serde_json::from_str::<Released>(text);
            let matter = released.map(|released| released.matter).unwrap_or_default();
            for hold in holds.iter_mut().filter(|hold| hold.matter == matter) {
                if hold.released_at.is_none() {
                    hold.released_at = Some(event.recorded_at);
                    hold.released_by.clone_from(&by);
                }
            }
        }
        _ => {}
    }
}

/// The holds that are in force.
pub(super) fn in_force(log: &Log) -> Result<Vec<Hold>, ReadError> {
    let mut holds = holds(log)?.holds;
    holds.retain(|hold| hold.released_at.is_none());
    Ok(holds)
}

/// The matters that hold an event, each once. `subjects` is whose it is and who is asked about.
pub(super) fn matters(
    holds: &[Hold],
    event: &Event,
    links: &[LinkView],
    subjects: &[Option<&str>],
) -> Vec<String> {
    let is_in = |scope: &HoldScope| match scope {
        HoldScope::Subject(subject) => subjects.contains(&Some(subject.as_str())),
        HoldScope::Stream(stream) => {
            event
                .stream
                .as_ref()
                .is_some_and(|home| home.as_str() == stream)
                || links.iter().any(|link| link.stream == *stream)
        }
        HoldScope::Category(category) => event
            .category
            .as_ref()
            .is_some_and(|own| own.as_str() == category),
        HoldScope::Positions(from, to) => (*from..=*to).contains(&event.position),
        HoldScope::Everything => true,
    };
    let mut matters: Vec<String> = holds
        .iter()
        // A hold in force is not taken away by erasing what it says.
        .filter(|hold| hold.position == event.position || is_in(&hold.scope))
        .map(|hold| hold.matter.clone())
        .collect();
    matters.sort();
    matters.dedup();
    matters
}

/// Places a hold.
///
/// # Errors
/// [`PrivacyError::BadText`] for a matter that is none; [`PrivacyError::Append`].
///
/// ```
/// use annals_core::privacy::{self, HoldScope};
/// use annals_core::store::LogWriter;
/// use annals_core::surroundings::{OsUser, Surroundings};
///
/// let folder = tempfile::tempdir()?;
/// let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
/// let jo = OsUser { name: "jo".into(), uid: None };
/// let scope = HoldScope::Stream("order-789".into());
/// privacy::hold(&writer, "case 12/2024", scope, None, &jo)?;
/// assert_eq!(privacy::holds(&writer.log())?.holds[0].matter, "case 12/2024");
/// privacy::release(&writer, "case 12/2024", None, &jo)?;
/// assert!(privacy::holds(&writer.log())?.holds[0].released_at.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hold(
    writer: &LogWriter,
    matter: &str,
    scope: HoldScope,
    reason: Option<&str>,
    user: &OsUser,
) -> Result<Hold, PrivacyError> {
    let matter = checked(matter, "the matter")?.to_owned();
    let holds_now = holds_now(&writer.log(), &scope)?;
    let placed = Placed {
        matter,
        scope,
        reason: reason.map(str::to_owned),
    };
    let at = append(writer, HOLD_PLACED, &placed, user)?;
    let holds = holds(&writer.log())?.holds;
    let placed = holds.into_iter().find(|hold| hold.position == at);
    let placed = placed.map(|hold| Hold { holds_now, ..hold });
    placed.ok_or_else(|| PrivacyError::Read(ReadError::NoEvent(format!("at position {at}"))))
}

/// Events that a scope holds; `None` where they would have to be read. A hold on what is not there holds nothing,
/// until it is there: whoever placed it may have meant another name.
fn holds_now(log: &Log, scope: &HoldScope) -> Result<Option<u64>, ReadError> {
    let size = log.head()?.size;
    let count = |query: EventQuery| log.count(&query);
    Ok(match scope {
        HoldScope::Subject(_) => None,
        HoldScope::Stream(name) => Some(match StreamId::new(name) {
            Ok(stream) => count(EventQuery {
                stream: Some(stream),
                ..EventQuery::default()
            })?,
            Err(_) => 0,
        }),
        HoldScope::Category(name) => Some(match Category::new(name) {
            Ok(category) => count(EventQuery {
                category: Some(category),
                ..EventQuery::default()
            })?,
            Err(_) => 0,
        }),
        HoldScope::Positions(from, to) => {
            Some((to.0.min(size.0) + 1).saturating_sub(from.0.max(1)))
        }
        HoldScope::Everything => Some(size.0),
    })
}

/// Releases all holds of a matter that are in force; says how many.
///
/// # Errors
/// [`PrivacyError::NoHold`] if none is; [`PrivacyError::Append`].
pub fn release(
    writer: &LogWriter,
    matter: &str,
    reason: Option<&str>,
    user: &OsUser,
) -> Result<u64, PrivacyError> {
    let matter = checked(matter, "the matter")?.to_owned();
    let of_matter = in_force(&writer.log())?;
    let count = of_matter
        .iter()
        .filter(|hold| hold.matter == matter)
        .count();
    if count == 0 {
        return Err(PrivacyError::NoHold { matter });
    }
    let released = Released {
        matter,
        reason: reason.map(str::to_owned),
    };
    append(writer, HOLD_RELEASED, &released, user)?;
    Ok(count as u64)
}

fn append(
    writer: &LogWriter,
    event_type: &str,
    data: &impl Serialize,
    user: &OsUser,
) -> Result<Position, PrivacyError> {
    let appended = writer.append(vec![StreamAppend {
        stream: stream(),
        category: None,
        expected: ExpectedVersion::Any,
        events: vec![event(event_type, data, user)],
    }])?;
    Ok(appended.events[0].position)
}

/// An event of Annals' own about the log, by its user.
pub(super) fn event(event_type: &str, data: &impl Serialize, user: &OsUser) -> NewEvent {
    let json = |value: serde_json::Result<Vec<u8>>| Payload {
        content_type: crate::event::JSON.into(),
        bytes: value.expect("texts and numbers are always JSON"),
    };
    NewEvent {
        id: None,
        event_type: EventType::new(event_type).expect("a constant of this module"),
        time: None,
        schema_version: None,
        data: json(serde_json::to_vec(data)),
        metadata: Some(json(serde_json::to_vec(&json!({ "userId": user.name })))),
        source: crate::event::SourceFields::default(),
        links: Vec::new(),
    }
}

fn stream() -> StreamId {
    StreamId::new(HOLDS).expect("a constant of this module")
}
