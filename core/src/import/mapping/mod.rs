//! A JSON record becomes a draft of an event. `docs/import.md` states the rules for users.
//!
//! Nothing is lost: what the event has a place for goes there with its text; everything else stays in the
//! payload (flat record) or in the context (record with a payload of its own), byte for byte.

mod cloudevent;
pub(super) mod epoch;
pub(super) mod keys;
mod native;

use std::borrow::Cow;
use std::collections::HashSet;

use chrono_tz::Tz;
use serde_json::value::RawValue;

use super::MAX_DEPTH;
use super::shape::shape_of;
pub(super) use crate::event::{Key, Members, members_of};
use crate::time::{SourceTime, Time};
pub(super) use cloudevent::map as map_own_cloudevent;
use keys::{Role, Slot};
pub(super) use native::{Beyond, bytes_of};

/// An event on its way into the log, before it has an id, a time and a type for sure.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft<'a> {
    pub stream: Cow<'a, str>,
    pub category: Option<Cow<'a, str>>,
    pub event_type: Option<Cow<'a, str>>,
    pub time: Option<SourceTime>,
    /// Why the time that the record names is none.
    pub unread_time: Option<String>,
    pub id: Option<Cow<'a, str>>,
    pub schema_version: Option<Cow<'a, str>>,
    /// Source that the record itself names; else it is the file.
    pub source: Option<Cow<'a, str>>,
    pub source_id: Option<Cow<'a, str>>,
    pub source_version: Option<Cow<'a, str>>,
    pub source_position: Option<Cow<'a, str>>,
    pub source_recorded_at: Option<Time>,
    pub data: Cow<'a, str>,
    pub metadata: Option<Cow<'a, str>>,
    /// The order of the file says nothing: only time orders the events of a stream.
    pub unordered: bool,
    /// The file is a log itself, whose order between streams is to be kept.
    pub in_log_order: bool,
    /// A key that an object of the record holds twice.
    pub repeated_key: Option<String>,
    /// Columns of a table whose cell is not of their kind and stays text.
    pub kind_differs: Vec<usize>,
    /// What only our own export says.
    pub beyond: Option<Box<Beyond>>,
}

/// What a mapping needs to know beside the record.
#[derive(Debug, Clone)]
pub(super) struct Rules<'r> {
    /// Zone of times that name none.
    pub zone: Tz,
    /// Stream of records that name none.
    pub stem: &'r str,
}

/// Maps one record.
///
/// # Errors
/// Why it cannot be taken, in a sentence for the user. Lines in it are counted from `line`.
pub(super) fn map<'a>(record: &'a [u8], rules: &Rules<'_>, line: u64) -> Result<Draft<'a>, String> {
    let text = std::str::from_utf8(record)
        .map_err(|e| format!("not UTF-8 at byte {} of the record", e.valid_up_to() + 1))?;
    if !text.starts_with('{') {
        return Err(not_an_object(text, line));
    }
    let members = members_of(text).map_err(|e| not_json(&e, line))?;
    let shape = shape_of(text);
    if shape.depth > MAX_DEPTH {
        return Err(format!(
            "nested more than {MAX_DEPTH} deep; that is the most that is taken"
        ));
    }
    let mut draft = if native::looks_native(&members) {
        if members.iter().any(|(key, _)| key == "erased") {
            return Err("a part of this event was erased before it was exported, so it cannot be made again".to_owned());
        }
        match native::map(text) {
            Some(draft) => draft,
            None => map_members(text, &members, rules)?,
        }
    } else {
        map_members(text, &members, rules)?
    };
    draft.repeated_key = shape.repeated_key;
    Ok(draft)
}

pub(super) fn not_an_object(text: &str, line: u64) -> String {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.trim() == "null" => {
            "null is no record; a topic of Kafka holds it after a deletion (a tombstone)".to_owned()
        }
        Ok(_) => "a record must be a JSON object".to_owned(),
        Err(e) => not_json(&e, line),
    }
}

pub(super) fn not_json(error: &serde_json::Error, line: u64) -> String {
    let whole = error.to_string();
    let what = whole.split(" at line ").next().unwrap_or(&whole);
    let column = error.column();
    match error.line() {
        0 | 1 => format!("not JSON: {what} at column {column}"),
        n => format!(
            "not JSON: {what} at line {} column {column}",
            line + n as u64 - 1
        ),
    }
}

/// Text of a string that is not empty, or a number as written; `None` for anything else.
pub(super) fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' if text.len() == 2 => None,
        b'"' if !text.contains('\\') => Some(Cow::Borrowed(&text[1..text.len() - 1])),
        b'"' => serde_json::from_str::<String>(text).ok().map(Cow::Owned),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

/// Refuses a text that is to name something and cannot be read: half a surrogate pair is no character.
fn check_texts(members: &Members<'_>, sorted: &Sorted) -> Result<(), String> {
    for ((key, value), role) in members.iter().zip(&sorted.roles) {
        let names = match role {
            Role::Slot(Slot::Data | Slot::Metadata, _) => false,
            Role::Slot(..) | Role::Business(_) | Role::User => true,
            Role::StreamKey | Role::Context | Role::NestedContext | Role::Unknown => false,
        };
        let text = value.get();
        if names && text.starts_with('"') && text.contains('\\') {
            serde_json::from_str::<String>(text).map_err(|_| {
                format!("{key}: the text holds half a surrogate pair (\\ud800 to \\udfff by itself), which is no character")
            })?;
        }
    }
    Ok(())
}

/// What each member is, once every contest for a slot is decided.
struct Sorted {
    /// Role of each member that stays unknown where it lost or cannot fill its slot.
    roles: Vec<Role>,
    slots: [Option<(u8, usize)>; Slot::COUNT],
    business: Option<(u8, usize)>,
    user: Option<usize>,
}

fn sort(members: &Members<'_>) -> Sorted {
    let mut sorted = Sorted {
        roles: Vec::with_capacity(members.len()),
        slots: [None; Slot::COUNT],
        business: None,
        user: None,
    };
    for (i, (key, value)) in members.iter().enumerate() {
        let role = keys::role(key, value);
        sorted.roles.push(role);
        match role {
            Role::Slot(slot, rank) => {
                let best = &mut sorted.slots[slot as usize];
                match *best {
                    Some((better, _)) if better < rank => sorted.roles[i] = Role::Unknown,
                    beaten => {
                        // The same key twice: reading takes the last.
                        if let Some((_, loser)) = beaten {
                            sorted.roles[loser] = Role::Unknown;
                        }
                        *best = Some((rank, i));
                    }
                }
            }
            Role::Business(rank) if sorted.business.is_none_or(|(best, _)| rank < best) => {
                sorted.business = Some((rank, i));
            }
            Role::User => sorted.user = Some(i),
            Role::Business(_)
            | Role::StreamKey
            | Role::Context
            | Role::NestedContext
            | Role::Unknown => {}
        }
    }
    sorted
}

impl Sorted {
    fn index(&self, slot: Slot) -> Option<usize> {
        self.slots[slot as usize].map(|(_, i)| i)
    }

    /// Gives a slot up: its member is unknown again.
    fn release(&mut self, slot: Slot) {
        if let Some((_, i)) = self.slots[slot as usize].take() {
            self.roles[i] = Role::Unknown;
        }
    }
}

fn map_members<'a>(
    text: &'a str,
    members: &Members<'a>,
    rules: &Rules<'_>,
) -> Result<Draft<'a>, String> {
    let mut sorted = sort(members);
    check_texts(members, &sorted)?;
    let stream_index = sorted.index(Slot::Stream);
    let named = stream_index.is_some() || sorted.business.is_some() || sorted.user.is_some();
    // A bare `id` is the event's only in what is an event for other reasons; else it is the record's own.
    let is_event = sorted.index(Slot::Type).is_some()
        && (named || sorted.index(Slot::Time).is_some() || sorted.index(Slot::Data).is_some());
    if !is_event && sorted.slots[Slot::Id as usize].is_some_and(|(rank, _)| rank == keys::BARE_ID) {
        sorted.release(Slot::Id);
    }
    let place_rank = sorted.slots[Slot::Position as usize].map(|(rank, _)| rank);
    if sorted.index(Slot::Data).is_none() && place_rank == Some(keys::IN_PAYLOAD) {
        sorted.release(Slot::Position);
    }
    let value = |index: Option<usize>| index.and_then(|i| scalar(members[i].1));
    let mut draft = Draft {
        id: value(sorted.index(Slot::Id)),
        event_type: value(sorted.index(Slot::Type)),
        schema_version: value(sorted.index(Slot::Schema)),
        source_version: value(sorted.index(Slot::Version)),
        source_position: value(sorted.index(Slot::Position)),
        category: value(sorted.index(Slot::Category)),
        ..Draft::default()
    };
    name_stream(&mut draft, members, &mut sorted, rules);
    if let Some(i) = sorted.index(Slot::Recorded) {
        draft.source_recorded_at = epoch::time_of(members[i].1, rules.zone)
            .ok()
            .map(|t| t.time);
    }
    draft.time = time_of(members, &sorted, rules)?;
    // The text of the recording time is kept where the record keeps what has no place in the event.
    sorted.release(Slot::Recorded);
    write_payloads(&mut draft, text, members, &sorted);
    Ok(draft)
}

/// Stream by the record's own key for it, else by a business key such as `orderId`, else by the user, else by
/// the file. Marks what was used up.
fn name_stream<'a>(
    draft: &mut Draft<'a>,
    members: &Members<'a>,
    sorted: &mut Sorted,
    rules: &Rules<'_>,
) {
    if let Some(i) = sorted.index(Slot::Stream) {
        let name = scalar(members[i].1).unwrap_or_default();
        if !keys::is_aggregate_id(&members[i].0) || keys::has_prefix(&name) {
            draft.stream = name;
            return;
        }
        match &draft.category {
            Some(category) if !keys::is_uuid(&name) => {
                draft.stream = Cow::Owned(format!("{category}-{name}"));
            }
            Some(_) => draft.stream = name,
            None => {
                draft.stream = name;
                draft.category = Some(Cow::Borrowed("aggregate"));
            }
        }
        return;
    }
    match sorted.business.map(|(_, i)| i).or(sorted.user) {
        Some(i) => {
            let (key, value) = &members[i];
            let value = scalar(value).unwrap_or_default();
            draft.stream = if keys::has_prefix(&value) {
                value
            } else {
                Cow::Owned(format!("{}-{value}", keys::entity(key)))
            };
            sorted.roles[i] = Role::StreamKey;
        }
        None => draft.stream = Cow::Owned(rules.stem.to_owned()),
    }
}

fn time_of(
    members: &Members<'_>,
    sorted: &Sorted,
    rules: &Rules<'_>,
) -> Result<Option<SourceTime>, String> {
    if let Some(i) = sorted.index(Slot::Time) {
        let (key, value) = &members[i];
        return epoch::time_of(value, rules.zone)
            .map(Some)
            .map_err(|e| format!("{key}: {e}"));
    }
    if let Some(i) = sorted.index(Slot::Metadata) {
        let inner = members_of(members[i].1.get()).unwrap_or_default();
        let best = inner
            .iter()
            .filter_map(|(key, value)| match keys::role(key, value) {
                Role::Slot(Slot::Time, rank) => Some((rank, value)),
                _ => None,
            })
            .min_by_key(|(rank, _)| *rank);
        if let Some((_, value)) = best
            && let Ok(time) = epoch::time_of(value, rules.zone)
        {
            return Ok(Some(time));
        }
    }
    Ok(sorted
        .index(Slot::Recorded)
        .and_then(|i| epoch::time_of(members[i].1, rules.zone).ok()))
}

/// Writes data and metadata from what the event has no other place for.
fn write_payloads<'a>(
    draft: &mut Draft<'a>,
    text: &'a str,
    members: &Members<'a>,
    sorted: &Sorted,
) {
    let nested = sorted.index(Slot::Data);
    let metadata = sorted.index(Slot::Metadata).map(|i| members[i].1.get());
    let own = metadata.and_then(|m| members_of(m).ok());
    let own: HashSet<&str> = own.iter().flatten().map(|(key, _)| &**key).collect();
    let has_own = |key: &str| own.contains(key);
    let mut context = String::new();
    let mut rest = String::new();
    let mut used_up = false;
    for (i, (key, value)) in members.iter().enumerate() {
        match sorted.roles[i] {
            Role::Slot(slot, rank) if nested.is_none() && keys::is_ambiguous(slot, rank) => {
                write_member(&mut rest, key, value);
            }
            Role::Slot(..) => used_up = true,
            // A flat record keeps the key that named its stream as one of its fields.
            Role::StreamKey if nested.is_some() => {}
            Role::Context | Role::User if !has_own(key) => {
                write_member(&mut context, key, value);
            }
            Role::NestedContext if nested.is_some() && !has_own(key) => {
                write_member(&mut context, key, value);
            }
            Role::Context
            | Role::User
            | Role::NestedContext
            | Role::StreamKey
            | Role::Business(_)
            | Role::Unknown => {
                write_member(&mut rest, key, value);
            }
        }
    }
    match nested {
        Some(i) => {
            draft.data = Cow::Borrowed(members[i].1.get());
            if !rest.is_empty() {
                let mut name = String::from("envelope");
                while has_own(&name) {
                    name.push('_');
                }
                write_key(&mut context, &name);
                context.push('{');
                context.push_str(&rest);
                context.push('}');
            }
        }
        None if !used_up && context.is_empty() => draft.data = Cow::Borrowed(text),
        None => draft.data = Cow::Owned(format!("{{{rest}}}")),
    }
    draft.metadata = join_metadata(metadata, context);
}

pub(super) fn write_key(out: &mut String, key: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    write_json_string(out, key);
    out.push(':');
}

pub(super) fn write_member(out: &mut String, key: &str, value: &RawValue) {
    write_key(out, key);
    out.push_str(value.get());
}

/// Appends a text as a JSON string.
pub(crate) fn write_json_string(out: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// The record's own metadata as it is, with the context of the envelope behind it where there is some.
pub(super) fn join_metadata(metadata: Option<&str>, context: String) -> Option<Cow<'_, str>> {
    let metadata = metadata.filter(|m| *m != "null");
    match metadata {
        metadata if context.is_empty() => metadata.map(Cow::Borrowed),
        None => Some(Cow::Owned(format!("{{{context}}}"))),
        Some(object) if object.starts_with('{') => {
            let inner = &object[1..object.len() - 1];
            let comma = if inner.trim().is_empty() { "" } else { "," };
            Some(Cow::Owned(format!("{{{inner}{comma}{context}}}")))
        }
        Some(other) => Some(Cow::Owned(format!("{{\"metadata\":{other},{context}}}"))),
    }
}

#[cfg(test)]
mod tests;
