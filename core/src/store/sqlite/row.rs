//! From a row of the file to an [`Event`].

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::packed;
use super::reader::{Reader, Table};
use crate::event::{Event, Part, Payload, SourceFields};
use crate::id::{Actor, Category, EventId, EventType, StreamId};
use crate::integrity::{Hash, leaf::TimeFlags};
use crate::position::{Position, Version};
use crate::store::{EventBrief, LinkView, ReadError};
use crate::time::{SourceTime, Time};

/// Columns of an event whose row is `e`, in the order that [`event`] reads: names by their ids. The last one says
/// whether one of those is there that most events lack: asking the engine for a column costs as much as looking at
/// several of them inside it.
pub(super) const EVENT: &str = "e.position, e.stream, NULL, e.version, e.type, \
     e.time_us, e.time_sub_ns, e.time_flags, e.time_text, e.recorded_us, e.id, e.actor, \
     e.correlation, e.causation, e.schema_version, e.source, e.source_id, e.source_version, \
     e.source_position, e.source_recorded_us, e.source_recorded_sub_ns, \
     e.data_type, e.data, e.metadata_type, e.metadata, e.leaf, \
     coalesce(e.causation, e.schema_version, e.source_id, e.source_version, e.source_position, \
     e.source_recorded_us) IS NOT NULL";

/// The same with the names themselves, in the order that [`named_event`] reads.
pub(super) const NAMED_EVENT: &str = "e.position, s.name, c.name, e.version, t.name, \
     e.time_us, e.time_sub_ns, e.time_flags, e.time_text, e.recorded_us, e.id, a.name, \
     e.correlation, e.causation, e.schema_version, o.name, e.source_id, e.source_version, \
     e.source_position, e.source_recorded_us, e.source_recorded_sub_ns, \
     dt.name, e.data, mt.name, e.metadata, e.leaf, \
     coalesce(e.causation, e.schema_version, e.source_id, e.source_version, e.source_position, \
     e.source_recorded_us) IS NOT NULL";

/// How many columns [`EVENT`] names.
pub(super) const EVENT_LEN: usize = 27;

/// Tables of names that [`NAMED_EVENT`] draws on. Left joins, so that the planner keeps `e` outermost and a
/// missing name shows as damage rather than as a missing event.
pub(super) const NAMES: &str = "LEFT JOIN streams s ON s.id = e.stream \
     LEFT JOIN categories c ON c.id = s.category LEFT JOIN types t ON t.id = e.type \
     LEFT JOIN actors a ON a.id = e.actor LEFT JOIN sources o ON o.id = e.source \
     LEFT JOIN content_types dt ON dt.id = e.data_type \
     LEFT JOIN content_types mt ON mt.id = e.metadata_type";

/// Columns of an event in one line, in the order that [`brief`] reads.
pub(super) const BRIEF: &str = "e.position, s.name, e.version, t.name, e.time_us, e.time_sub_ns";

/// Tables of names that [`BRIEF`] draws on.
pub(super) const BRIEF_NAMES: &str =
    "LEFT JOIN streams s ON s.id = e.stream LEFT JOIN types t ON t.id = e.type";

/// What is said of a row whose name of this kind is none.
pub(super) const NO_STREAM: &str = "its stream has no name";
pub(super) const NO_CATEGORY: &str = "its category has no name";
pub(super) const NO_TYPE: &str = "its type has no name";
pub(super) const NO_ACTOR: &str = "its actor has no name";

/// Names of an event that the log keeps once for many of them.
struct Names {
    stream: Option<StreamId>,
    category: Option<Category>,
    event_type: Option<EventType>,
    actor: Option<Actor>,
    source: Option<Arc<str>>,
    data_type: Option<Arc<str>>,
    metadata_type: Option<Arc<str>>,
}

/// Reads an event from a row of [`EVENT`], names from what the connection remembers.
pub(super) fn event(row: &Row<'_>, reader: &Reader) -> Result<Event, ReadError> {
    let damaged = damaged_at(Position(row.get(0)?));
    let id = |at: usize| row.get::<_, Option<i64>>(at);
    let text = |table: Table, at: usize| match id(at)? {
        None => Ok(None),
        Some(id) => reader.text(table, id),
    };
    let (stream, category) = match id(1)? {
        None => (None, None),
        Some(id) => reader.stream(id, &damaged)?,
    };
    let event_type = match id(4)? {
        None => None,
        Some(id) => reader.event_type(id, &damaged)?,
    };
    let actor = match id(11)? {
        None => None,
        Some(id) => reader.actor(id, &damaged)?,
    };
    let names = Names {
        stream,
        category,
        event_type,
        actor,
        source: text(Table::Sources, 15)?,
        data_type: text(Table::ContentTypes, 21)?,
        metadata_type: text(Table::ContentTypes, 23)?,
    };
    decode(row, names)
}

/// Reads an event from a row of [`NAMED_EVENT`] and [`NAMES`].
pub(super) fn named_event(row: &Row<'_>) -> Result<Event, ReadError> {
    let damaged = damaged_at(Position(row.get(0)?));
    let text = |at: usize| row.get::<_, Option<String>>(at);
    let wrong = |what: &'static str| {
        let damaged = &damaged;
        move |_| damaged(what)
    };
    let names = Names {
        stream: text(1)?
            .map(StreamId::new)
            .transpose()
            .map_err(wrong(NO_STREAM))?,
        category: text(2)?
            .map(Category::new)
            .transpose()
            .map_err(wrong(NO_CATEGORY))?,
        event_type: text(4)?
            .map(EventType::new)
            .transpose()
            .map_err(wrong(NO_TYPE))?,
        actor: text(11)?
            .map(Actor::new)
            .transpose()
            .map_err(wrong(NO_ACTOR))?,
        source: text(15)?.map(Arc::from),
        data_type: text(21)?.map(Arc::from),
        metadata_type: text(23)?.map(Arc::from),
    };
    decode(row, names)
}

fn damaged_at(position: Position) -> impl Fn(&str) -> ReadError {
    move |reason| ReadError::Damaged {
        position,
        reason: reason.to_owned(),
    }
}

/// Reads what both kinds of rows have in common.
fn decode(row: &Row<'_>, names: Names) -> Result<Event, ReadError> {
    let position = Position(row.get(0)?);
    let damaged = damaged_at(position);
    let optional = |at: usize| text(row, at);
    // All are NULL that are read by `rare`, and the source's recording time.
    let plain = matches!(row.get_ref(26)?, ValueRef::Integer(0));
    let rare = |at: usize| if plain { Ok(None) } else { text(row, at) };
    let Names {
        stream,
        category,
        event_type,
        actor,
        source,
        data_type,
        metadata_type,
    } = names;
    let had_metadata = metadata_type.is_some();
    let event_type = event_type.ok_or_else(|| damaged("its type is missing"))?;
    let flags = TimeFlags(row.get(7)?);
    let time = Time::from_parts(row.get(5)?, row.get(6)?)
        .ok_or_else(|| damaged("its time is outside the years 0001 to 9999"))?;
    let time = SourceTime {
        time,
        text: packed::time_text(row.get_ref(8)?, time)
            .map_err(|_| damaged("its time as written is neither a text nor a number of digits"))?
            .map(String::from),
        date_only: flags.has(TimeFlags::DATE_ONLY),
        zone_assumed: flags.has(TimeFlags::ZONE_ASSUMED),
        ambiguous: flags.has(TimeFlags::AMBIGUOUS),
    };
    let recorded_at = Time::from_parts(row.get(9)?, 0)
        .ok_or_else(|| damaged("its recording time is outside the years 0001 to 9999"))?;
    let id = optional(10)?
        .map(EventId::new)
        .transpose()
        .map_err(|_| damaged("its id is empty or too long"))?;
    let source_recorded_us: Option<i64> = if plain { None } else { row.get(19)? };
    let source_recorded_at = match source_recorded_us {
        None => None,
        Some(us) => Some(
            Time::from_parts(us, row.get::<_, Option<u16>>(20)?.unwrap_or(0))
                .ok_or_else(|| damaged("its source's recording time is out of range"))?,
        ),
    };
    let payload = |name: Option<Arc<str>>, bytes_at: usize| -> Result<Option<Payload>, ReadError> {
        let bytes: Option<Vec<u8>> = row.get(bytes_at)?;
        let Some(bytes) = bytes else { return Ok(None) };
        let content_type = name.ok_or_else(|| damaged("a payload has no content type"))?;
        Ok(Some(Payload {
            content_type,
            bytes,
        }))
    };
    let data = payload(data_type, 22)?;
    let metadata = payload(metadata_type, 24)?;
    let erased = [
        (Part::Identity, id.is_none()),
        (Part::Data, data.is_none()),
        (Part::Metadata, had_metadata && metadata.is_none()),
    ];
    let leaf: [u8; 32] = row
        .get_ref(25)?
        .as_blob()
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| damaged("its leaf hash is not 32 bytes"))?;
    Ok(Event {
        position,
        stream,
        category,
        version: Version(row.get(3)?),
        event_type,
        time,
        recorded_at,
        id,
        actor,
        correlation: optional(12)?,
        causation: rare(13)?,
        schema_version: rare(14)?,
        source: SourceFields {
            source,
            source_id: rare(16)?,
            source_version: rare(17)?,
            source_position: rare(18)?,
            source_recorded_at,
        },
        data,
        metadata,
        erased: erased
            .into_iter()
            .filter_map(|(part, gone)| gone.then_some(part))
            .collect(),
        leaf: Hash(leaf),
    })
}

/// Text of a column. Most columns of most events hold none, which is told first.
fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        value => Ok(packed::text(value)?.map(String::from)),
    }
}

/// Reads an event in one line from a row of [`BRIEF`].
pub(super) fn brief(row: &Row<'_>) -> Result<EventBrief, ReadError> {
    let position = Position(row.get(0)?);
    Ok(EventBrief {
        position,
        stream: row.get(1)?,
        version: Version(row.get(2)?),
        event_type: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        time: time(row, 4, position)?,
    })
}

/// Reads a time from two columns.
pub(super) fn time(row: &Row<'_>, at: usize, position: Position) -> Result<Time, ReadError> {
    Time::from_parts(row.get(at)?, row.get(at + 1)?).ok_or_else(|| ReadError::Damaged {
        position,
        reason: "a time is outside the years 0001 to 9999".into(),
    })
}

/// [`links`] of many events of one log, in one transaction. In most logs none has any, and no event need be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct FurtherLinks {
    are_there: bool,
}

impl FurtherLinks {
    /// Looks whether any event has some.
    pub(super) fn look(conn: &Connection) -> rusqlite::Result<FurtherLinks> {
        let are_there = conn
            .prepare_cached(
                "SELECT 1 FROM links INDEXED BY links_by_position WHERE qualifier IS NOT NULL
                 UNION ALL
                 SELECT 1 FROM links_tail INDEXED BY links_tail_by_position WHERE qualifier IS NOT NULL LIMIT 1",
            )?
            .exists([])?;
        Ok(FurtherLinks { are_there })
    }

    /// As [`links`].
    pub(super) fn of(
        self,
        conn: &Connection,
        position: Position,
    ) -> rusqlite::Result<Vec<LinkView>> {
        match self.are_there {
            true => links(conn, position),
            false => Ok(Vec::new()),
        }
    }
}

/// Further streams that an event is linked into, by name (byte order).
pub(super) fn links(conn: &Connection, position: Position) -> rusqlite::Result<Vec<LinkView>> {
    let mut statement = conn.prepare_cached(
        "SELECT s.name, l.version, l.qualifier FROM links l INDEXED BY links_by_position
         CROSS JOIN streams s ON s.id = l.stream WHERE l.position = ?1 AND l.qualifier IS NOT NULL
         UNION ALL
         SELECT s.name, l.version, l.qualifier FROM links_tail l INDEXED BY links_tail_by_position
         CROSS JOIN streams s ON s.id = l.stream WHERE l.position = ?1 AND l.qualifier IS NOT NULL
         ORDER BY 1",
    )?;
    statement
        .query_map([super::log::sql_position(position)], |row| {
            Ok(LinkView {
                stream: row.get(0)?,
                version: Version(row.get(1)?),
                qualifier: row.get(2)?,
            })
        })?
        .collect()
}
