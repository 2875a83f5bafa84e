//! Where a subject's data is: events whose model says that they are theirs, and events that name them.

use serde::Serialize;
use ts_rs::TS;

use super::hold::{self, Hold};
use super::walk::{Leaf, payloads, walk};
use super::{PrivacyError, checked};
use crate::event::{Event, Part};
use crate::model::ModelSet;
use crate::position::{Position, Version};
use crate::store::{EventQuery, LinkView, Log, StreamEvent};
use crate::time::Time;

/// How an event is the subject's, or names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The model says that the event's data is theirs, and marks this field.
    Marked,
    /// The value is the subject.
    Value,
    /// The text, or the name of a field, holds the subject as a word of its own; looked for from three characters on.
    Text,
    /// The event's stream, or one that it is linked into, names the subject.
    Stream,
    /// The event's id names the subject.
    Id,
    /// The subject acted.
    Actor,
}

/// One place of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[ts(export)]
pub struct Mention {
    /// Part of the event.
    pub part: Part,
    /// Where in it: lists as `[]`; the name of what it is in the identity.
    pub path: String,
    /// How.
    pub how: How,
}

/// An event that is the subject's or names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SubjectEvent {
    /// Place in the log.
    pub position: Position,
    /// Home stream.
    pub stream: Option<String>,
    /// Place in it.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When, UTC.
    pub time: Time,
    /// The model says that it is theirs.
    pub theirs: bool,
    /// The places, by part and path.
    pub mentions: Vec<Mention>,
    /// Matters that hold it.
    pub held_by: Vec<String>,
}

/// Where a subject's data is: `annals privacy subject --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SubjectView {
    /// The subject as asked for.
    pub subject: String,
    /// Number of events that were looked at.
    #[ts(type = "number")]
    pub looked_at: u64,
    /// Events of which a part was erased: what it held cannot be told.
    #[ts(type = "number")]
    pub erased: u64,
    /// Events that are theirs by a model.
    #[ts(type = "number")]
    pub theirs: u64,
    /// Events that name them and are nobody's or another's by a model.
    #[ts(type = "number")]
    pub named: u64,
    /// Categories whose model has no `[personal]`, so that it does not say whose events are.
    pub unmarked: Vec<String>,
    /// The events in order of position.
    pub events: Vec<SubjectEvent>,
}

/// Finds a subject's events: those whose model's `[personal]` gives this subject, and those that name it anywhere in
/// payload, context, stream, links, id or actor. Looks through the whole log. `go_on` is told how many events were
/// looked at, and stops it by `false`.
///
/// # Errors
/// [`PrivacyError::BadText`] for a subject that is none; [`PrivacyError::Read`]; [`PrivacyError::Cancelled`].
pub fn subject(
    log: &Log,
    models: &ModelSet,
    subject: &str,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SubjectView, PrivacyError> {
    let subject = checked(subject, "the subject")?;
    let holds = hold::in_force(log)?;
    let mut view = SubjectView {
        subject: subject.to_owned(),
        looked_at: 0,
        erased: 0,
        theirs: 0,
        named: 0,
        unmarked: Vec::new(),
        events: Vec::new(),
    };
    let mut unmarked = std::collections::BTreeSet::new();
    let mut cancelled = false;
    log.for_each_event(&EventQuery::default(), &mut |event, links| {
        view.looked_at += 1;
        if view.looked_at.is_multiple_of(1_000) && !go_on(view.looked_at) {
            cancelled = true;
            return false;
        }
        view.erased += u64::from(!event.erased.is_empty());
        let category = event.category.as_ref().map(|name| name.as_str().to_owned());
        if let Some(category) = category.filter(|name| name != "annals")
            && !unmarked.contains(&category)
            && models.for_category(&category).personal().is_none()
        {
            unmarked.insert(category);
        }
        if let Some(found) = look(models, &holds, event, &links, subject) {
            view.theirs += u64::from(found.theirs);
            view.named += u64::from(!found.theirs);
            view.events.push(found);
        }
        true
    })?;
    if cancelled {
        return Err(PrivacyError::Cancelled);
    }
    view.unmarked = unmarked.into_iter().collect();
    Ok(view)
}

/// What an event has to do with the subject; `None`: nothing.
fn look(
    models: &ModelSet,
    holds: &[Hold],
    event: Event,
    links: &[LinkView],
    subject: &str,
) -> Option<SubjectEvent> {
    let mut mentions = mentions(&event, links, subject);
    let event = StreamEvent::at_home(event);
    let owner = owner(models, &event);
    let theirs = owner.as_deref() == Some(subject);
    if theirs {
        mentions.extend(marked(models, &event.event));
    }
    if mentions.is_empty() && !theirs {
        return None;
    }
    mentions.sort_unstable();
    mentions.dedup();
    let held_by = hold::matters(
        holds,
        &event.event,
        links,
        &[owner.as_deref(), Some(subject)],
    );
    let event = event.event;
    Some(SubjectEvent {
        position: event.position,
        stream: event.stream.map(|stream| stream.to_string()),
        version: event.version,
        event_type: event.event_type.to_string(),
        time: event.time.time,
        theirs,
        mentions,
        held_by,
    })
}

/// Whose event it is by its model.
fn owner(models: &ModelSet, event: &StreamEvent) -> Option<String> {
    let category = event.event.category.as_ref()?;
    models.for_category(category.as_str()).subject_of(event)
}

/// The fields that the model marks and the event has.
fn marked(models: &ModelSet, event: &Event) -> Vec<Mention> {
    let Some(category) = &event.category else {
        return Vec::new();
    };
    let model = models.for_category(category.as_str());
    let Some(personal) = model.personal() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (part, payload) in payloads(event) {
        let fields = match part {
            Part::Identity => continue,
            Part::Data => &personal.data,
            Part::Metadata => &personal.metadata,
        };
        let value = payload
            .json_text()
            .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let Some(value) = value else { continue };
        for field in fields {
            if field.get(&value).is_some() {
                found.push(Mention {
                    part,
                    path: field.to_string(),
                    how: How::Marked,
                });
            }
        }
    }
    found
}

/// A place of an event in words that name no value: `Registered data.email`, `stream`.
pub(super) fn place_words(event: &Event, mention: &Mention) -> String {
    match (mention.part, mention.how) {
        (_, How::Stream) => "name of a stream".to_owned(),
        (_, How::Actor) => format!("{} actor", event.event_type),
        (Part::Identity, _) => "id of an event".to_owned(),
        (Part::Data, _) => format!("{} data.{}", event.event_type, mention.path),
        (Part::Metadata, _) => format!("{} metadata.{}", event.event_type, mention.path),
    }
}

/// Where an event names a text.
pub(super) fn mentions(event: &Event, links: &[LinkView], subject: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    for (part, payload) in payloads(event) {
        // Bytes that do not hold it need not be read, unless they may write it with escapes.
        let bytes = &payload.bytes;
        let plain = !bytes.contains(&b'\\');
        if plain && !holds(bytes, subject.as_bytes()) {
            continue;
        }
        walk(payload, &mut |path, leaf| {
            let how = match leaf {
                Leaf::Branch => None,
                Leaf::Text(text) | Leaf::Number(text) if text == subject => Some(How::Value),
                Leaf::Text(text) | Leaf::Key(text) if holds_word(text, subject) => Some(How::Text),
                Leaf::Text(_) | Leaf::Number(_) | Leaf::Key(_) => None,
            };
            if let Some(how) = how {
                found.push(Mention {
                    part,
                    path: path.to_owned(),
                    how,
                });
            }
        });
    }
    let identity = |path: &str, how| Mention {
        part: Part::Identity,
        path: path.to_owned(),
        how,
    };
    let streams = event.stream.iter().map(|stream| stream.as_str());
    let streams = streams.chain(links.iter().map(|link| link.stream.as_str()));
    for stream in streams {
        if names(stream, subject) {
            found.push(identity(&format!("stream {stream}"), How::Stream));
        }
    }
    if event.id.as_ref().is_some_and(|id| id.as_str() == subject) {
        found.push(identity("id", How::Id));
    }
    if event
        .actor
        .as_ref()
        .is_some_and(|actor| actor.as_str() == subject)
    {
        let part = actor_part(event, subject);
        found.push(Mention {
            part,
            path: "actor".to_owned(),
            how: How::Actor,
        });
    }
    found
}

/// Whether bytes hold others.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Shortest subject that is looked for inside texts, in characters: a shorter one stands in every other text.
const MIN_WORD: usize = 3;

/// Whether a text holds the subject as a word, or words, of its own.
fn holds_word(text: &str, subject: &str) -> bool {
    if subject.chars().count() < MIN_WORD {
        return text == subject;
    }
    text.match_indices(subject).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let goes_on = |c: char| c.is_alphanumeric();
        !before.is_some_and(goes_on) && !after.is_some_and(goes_on)
    })
}

/// Whether a stream is named by the subject: as a whole, or behind its category.
fn names(stream: &str, subject: &str) -> bool {
    stream == subject
        || stream
            .strip_suffix(subject)
            .is_some_and(|rest| rest.ends_with('-'))
}

/// The part that the actor was taken from.
fn actor_part(event: &Event, subject: &str) -> Part {
    let in_metadata = event.metadata.as_ref().is_some_and(|metadata| {
        let mut is_there = false;
        walk(metadata, &mut |_, leaf| {
            is_there |= matches!(leaf, Leaf::Text(text) | Leaf::Number(text) if text == subject);
        });
        is_there
    });
    if in_metadata {
        Part::Metadata
    } else {
        Part::Data
    }
}
