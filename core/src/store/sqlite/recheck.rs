//! Whether one event is still what was recorded: its leaf hash computed again from its bytes.
//!
//! Left out: whether the log as a whole is; and the columns extracted for searching, which no leaf holds.

use rusqlite::{Connection, OptionalExtension, Row};

use super::log::{Log, sql_position};
use super::packed::Packing;
use super::salts::{self, Salts};
use super::tiles::TILE;
use super::verify::damaged;
use crate::event::{Event, Part};
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::integrity::Hash;
use crate::integrity::leaf::{Identity, Leaf, NO_METADATA, Salt, TimeFlags, hash_part};
use crate::position::Position;
use crate::store::{LinkView, ReadError};

/// What is beside an event in its row: salts, and content types also of what was erased.
struct Beside {
    salts: Salts,
    data_type: Option<String>,
    metadata_type: Option<String>,
}

/// Computes the event's leaf hash from its bytes and compares it with the one recorded, and that with the stored
/// tile of the tree where there is one. `None`: all agree.
pub(super) fn recheck(
    conn: &Connection,
    event: &Event,
    links: &[LinkView],
) -> Result<Option<Finding>, ReadError> {
    let computed = leaf_of(conn, Packing::of(conn)?, event, links)?;
    let detail = if computed != Some(event.leaf) {
        format!(
            "this event was changed after it was recorded: its bytes give the leaf hash {}, recorded was {}",
            computed.map_or("none (a salt or hash is missing)".to_owned(), |hash| hash
                .to_string()),
            event.leaf
        )
    } else if let Some(tiled) = tiled(conn, event)?.filter(|tiled| *tiled != event.leaf) {
        format!(
            "this event was replaced after it was recorded: its leaf hash is {}, the log's tree holds {tiled}",
            event.leaf
        )
    } else {
        return Ok(None);
    };
    Ok(Some(Finding {
        kind: FindingKind::HashMismatch,
        severity: Severity::Severe,
        count: 1,
        place: Place {
            stream: event.stream.as_ref().map(ToString::to_string),
            version: Some(event.version),
            position: Some(event.position),
            ..Place::default()
        },
        detail,
    }))
}

/// What an event's leaf is made of.
#[derive(Debug, Clone)]
pub(super) struct LeafParts {
    /// Salts of identity, data and metadata; `None` where the part was erased or there is none.
    pub(super) salts: Salts,
    /// Identity bytes; of no use where the identity was erased.
    pub(super) identity: Vec<u8>,
    /// Leaf bytes.
    pub(super) leaf: Vec<u8>,
    /// Their hash.
    pub(super) hash: Hash,
}

impl Log {
    /// Computes the leaf hash of an event from its bytes, as they were read, and compares it with the one recorded
    /// and with the stored tile of the tree where there is one. `None`: all agree.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn recheck(&self, event: &Event, links: &[LinkView]) -> Result<Option<Finding>, ReadError> {
        self.read(|conn| recheck(conn, event, links))
    }
}

/// `None` if something that the hash needs is not there.
pub(super) fn leaf_of(
    conn: &Connection,
    packing: Packing,
    event: &Event,
    links: &[LinkView],
) -> Result<Option<Hash>, ReadError> {
    Ok(parts_of(conn, packing, event, links)?.map(|parts| parts.hash))
}

/// The parts of a leaf that make the hash recorded with the event.
pub(super) fn sound_parts_of(
    conn: &Connection,
    packing: Packing,
    event: &Event,
    links: &[LinkView],
) -> Result<LeafParts, ReadError> {
    parts_of(conn, packing, event, links)?
        .filter(|parts| parts.hash == event.leaf)
        .ok_or_else(|| damaged(event.position, "its content is not what its leaf hash says"))
}

/// `None` if something that the leaf needs is not there.
fn parts_of(
    conn: &Connection,
    packing: Packing,
    event: &Event,
    links: &[LinkView],
) -> Result<Option<LeafParts>, ReadError> {
    let beside = conn
        .prepare_cached(&format!(
            "SELECT {}, dt.name, mt.name FROM events e
             LEFT JOIN content_types dt ON dt.id = e.data_type
             LEFT JOIN content_types mt ON mt.id = e.metadata_type WHERE e.position = ?1",
            salts::columns(packing)
        ))?
        .query_row([sql_position(event.position)], |row| {
            let metadata_type: Option<String> = row.get(4)?;
            let [identity, data, metadata] = salts::read(row, 0, packing)?;
            // A seed gives one for what is not there, too.
            let metadata = metadata.filter(|_| metadata_type.is_some());
            Ok(Beside {
                salts: [identity, data, metadata],
                data_type: row.get(3)?,
                metadata_type,
            })
        })?;
    let mut identity_bytes = Vec::new();
    if let (Some(id), Some(stream), Some(category)) = (&event.id, &event.stream, &event.category) {
        let links: Vec<(&str, u64, &str)> = links
            .iter()
            .map(|link| {
                (
                    link.stream.as_str(),
                    link.version.0,
                    link.qualifier.as_str(),
                )
            })
            .collect();
        Identity {
            id: id.as_str(),
            stream: stream.as_str(),
            category: category.as_str(),
            links: &links,
            source: event.source.source.as_deref(),
            source_id: event.source.source_id.as_deref(),
            source_version: event.source.source_version.as_deref(),
            source_position: event.source.source_position.as_deref(),
            source_recorded_at: event.source.source_recorded_at,
        }
        .encode(&mut identity_bytes);
    }
    let part = |part: Part, salt: Option<Salt>, bytes: Option<&[u8]>| match (salt, bytes) {
        (Some(salt), Some(bytes)) if !event.erased.contains(&part) => {
            Ok(Some(hash_part(part, &salt, bytes)))
        }
        (None, _) if event.erased.contains(&part) => erased_hash(conn, event.position, part),
        _ => Ok(None),
    };
    let identity = part(Part::Identity, beside.salts[0], Some(&identity_bytes))?;
    let bytes = event.data.as_ref().map(|data| data.bytes.as_slice());
    let data = part(Part::Data, beside.salts[1], bytes)?;
    let metadata = match &beside.metadata_type {
        None => Some(NO_METADATA),
        Some(_) => {
            let bytes = event.metadata.as_ref().map(|m| m.bytes.as_slice());
            part(Part::Metadata, beside.salts[2], bytes)?
        }
    };
    let (Some(identity), Some(data), Some(metadata), Some(data_type)) =
        (identity, data, metadata, beside.data_type)
    else {
        return Ok(None);
    };
    let leaf = Leaf {
        event_type: event.event_type.as_str(),
        version: event.version.0,
        time: event.time.time,
        time_flags: TimeFlags::of(&event.time),
        time_text: event.time.text.as_deref(),
        recorded_us: event.recorded_at.us(),
        schema_version: event.schema_version.as_deref(),
        data_type: &data_type,
        metadata_type: beside.metadata_type.as_deref(),
        identity,
        data,
        metadata,
    };
    let mut bytes = Vec::with_capacity(256);
    let hash = leaf.hash_with(&mut bytes);
    // The byte before the leaf's own keeps leaves and nodes apart.
    bytes.remove(0);
    Ok(Some(LeafParts {
        salts: beside.salts,
        identity: identity_bytes,
        leaf: bytes,
        hash,
    }))
}

/// The hash that stands for an erased part.
pub(super) fn erased_hash(
    conn: &Connection,
    position: Position,
    part: Part,
) -> rusqlite::Result<Option<Hash>> {
    let hash = |row: &Row<'_>| {
        let bytes = row.get_ref(0)?.as_blob().ok();
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Hash))
    };
    conn.prepare_cached("SELECT hash FROM erasures WHERE position = ?1 AND part = ?2")?
        .query_row((sql_position(position), part.name()), hash)
        .optional()
        .map(Option::flatten)
}

/// The event's leaf hash as the tree holds it; `None` while its tile is not full.
fn tiled(conn: &Connection, event: &Event) -> Result<Option<Hash>, ReadError> {
    let Some(index) = event.position.0.checked_sub(1) else {
        return Ok(None);
    };
    let tile: Option<Vec<u8>> = conn
        .prepare_cached("SELECT hashes FROM tiles WHERE level = 0 AND idx = ?1")?
        .query_row([index / TILE as u64], |row| row.get(0))
        .optional()?;
    let at = (index % TILE as u64) as usize;
    Ok(tile.and_then(|tile| {
        let (hashes, _) = tile.as_chunks::<32>();
        hashes.get(at).copied().map(Hash)
    }))
}
