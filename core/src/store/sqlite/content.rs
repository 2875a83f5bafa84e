//! When an event is the same as one that the log holds: same content, so a retry writes nothing.
//!
//! Content is the home stream, type, data and metadata with their content types, schema version, source
//! fields, links (stream and qualifier) and, where the writer gave one, the time as written. A part that was
//! erased cannot be compared and is taken as equal: a retry must not bring it back.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::packed::Packing;
use super::row;
use crate::event::{Event, NewEvent, Part, Payload};
use crate::id::{EventId, StreamId};
use crate::store::{AppendError, ReadError};

/// Largest payload, and largest other text of an event, in bytes.
pub(super) const MAX_PAYLOAD_BYTES: usize = 64 << 20;

/// Refuses what the log does not take, whatever stands in it already.
pub(super) fn check(stream: &StreamId, event: &NewEvent) -> Result<(), AppendError> {
    let NewEvent {
        id: _,
        event_type: _,
        time,
        schema_version,
        data,
        metadata,
        source,
        links,
    } = event;
    let texts = [
        time.as_ref().and_then(|t| t.text.as_deref()),
        schema_version.as_deref(),
        source.source.as_deref(),
        source.source_id.as_deref(),
        source.source_version.as_deref(),
        source.source_position.as_deref(),
    ];
    let payloads = [Some(data), metadata.as_ref()].into_iter().flatten();
    let lens = payloads
        .flat_map(|p| [p.bytes.len(), p.content_type.len()])
        .chain(texts.into_iter().flatten().map(str::len))
        .chain(links.iter().map(|link| link.qualifier.len()));
    for len in lens {
        if len > MAX_PAYLOAD_BYTES {
            return Err(AppendError::TooLarge {
                len,
                limit: MAX_PAYLOAD_BYTES,
            });
        }
    }
    // One event of an object-centric log may be about a hundred thousand objects.
    let mut linked = HashSet::with_capacity(links.len());
    for link in links {
        if link.stream == *stream || !linked.insert(&link.stream) {
            return Err(AppendError::LinkedTwice {
                stream: link.stream.clone(),
            });
        }
    }
    Ok(())
}

/// The event that holds an id, if one does.
pub(super) fn by_id(
    conn: &Connection,
    packing: Packing,
    id: &EventId,
) -> Result<Option<Event>, AppendError> {
    let mut found = conn
        .prepare_cached(&format!(
            "SELECT {} FROM events e {} WHERE e.id = ?1",
            row::NAMED_EVENT,
            row::NAMES
        ))
        .map_err(super::open::append_error)?;
    let event = found
        .query_row([packing.text(id.as_str())], |row| Ok(row::named_event(row)))
        .optional()
        .map_err(super::open::append_error)?;
    event.transpose().map_err(|error| match error {
        ReadError::Engine(error) => super::open::append_error(error),
        other => super::open::append_error(super::tiles::corrupt(&other.to_string())),
    })
}

/// Whether `new` for `stream` is what the log holds as `stored`.
pub(super) fn same(
    conn: &Connection,
    stored: &Event,
    stream: &StreamId,
    new: &NewEvent,
) -> rusqlite::Result<bool> {
    let erased = |part: Part| stored.erased.contains(&part);
    let time_matches = match &new.time {
        Some(time) => stored.time == *time,
        None => stored.time.text.is_none() && !stored.time.date_only,
    };
    let identity_matches = erased(Part::Identity)
        || (stored.stream.as_ref() == Some(stream)
            && stored.source == new.source
            && links_match(conn, stored, new)?);
    Ok(time_matches
        && identity_matches
        && stored.event_type == new.event_type
        && stored.schema_version == new.schema_version
        && (erased(Part::Data) || stored.data.as_ref() == Some(&new.data))
        && (erased(Part::Metadata) || stored.metadata == new.metadata))
}

fn links_match(conn: &Connection, stored: &Event, new: &NewEvent) -> rusqlite::Result<bool> {
    let mut wanted: Vec<(&str, &str)> = new
        .links
        .iter()
        .map(|link| (link.stream.as_str(), link.qualifier.as_str()))
        .collect();
    wanted.sort_unstable();
    let links = row::links(conn, stored.position)?;
    let held = links
        .iter()
        .map(|l| (l.stream.as_str(), l.qualifier.as_str()));
    Ok(held.eq(wanted))
}

/// Hash of the content of an imported event, its id and source included.
pub(super) fn digest(stream: &StreamId, event: &NewEvent) -> [u8; 32] {
    let NewEvent {
        id,
        event_type,
        time,
        schema_version,
        data,
        metadata,
        source,
        links,
    } = event;
    let mut hasher = Sha256::new();
    let mut put = |bytes: Option<&[u8]>| match bytes {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    };
    let text = |text: &Option<String>| text.as_ref().map(|t| t.as_bytes().to_vec());
    put(id.as_ref().map(|id| id.as_str().as_bytes()));
    put(Some(stream.as_str().as_bytes()));
    put(Some(event_type.as_str().as_bytes()));
    let payload = |payload: Option<&Payload>, put: &mut dyn FnMut(Option<&[u8]>)| {
        put(payload.map(|p| p.content_type.as_bytes()));
        put(payload.map(|p| p.bytes.as_slice()));
    };
    payload(Some(data), &mut put);
    payload(metadata.as_ref(), &mut put);
    put(text(schema_version).as_deref());
    put(time
        .as_ref()
        .map(|t| t.time.us().to_be_bytes())
        .as_ref()
        .map(|b| &b[..]));
    put(time
        .as_ref()
        .map(|t| t.time.sub_ns().to_be_bytes())
        .as_ref()
        .map(|b| &b[..]));
    put(time
        .as_ref()
        .and_then(|t| t.text.as_ref())
        .map(|t| t.as_bytes()));
    for field in [
        source.source.as_deref(),
        source.source_id.as_deref(),
        source.source_version.as_deref(),
        source.source_position.as_deref(),
    ] {
        put(field.map(str::as_bytes));
    }
    let recorded = source.source_recorded_at.map(|t| t.to_string());
    put(recorded.as_ref().map(|t| t.as_bytes()));
    for link in links {
        put(Some(link.stream.as_str().as_bytes()));
        put(Some(link.qualifier.as_bytes()));
    }
    hasher.finalize().into()
}
