//! One event whole: bytes, links, neighbours, correlated events.

use rusqlite::{Connection, ToSql};

use super::log::{Log, event_where, sql_position};
use super::packed::Packing;
use super::{links, recheck, row};
use crate::event::{Event, Payload};
use crate::position::Position;
use crate::store::{EventBrief, EventDetailView, EventObject, EventView, LinkView, ReadError};

/// Most correlated events that are listed.
const MAX_CORRELATED: usize = 200;

/// Whether an event of the tail is correlated.
const IN_TAIL: &str = "position > (SELECT indexed FROM head) AND correlation = ?1";

impl Log {
    /// One event whole, with its neighbours in its stream and in its correlation. Its leaf hash is computed again from
    /// its bytes; where it is not the one recorded, the answer has a severe finding.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn detail(&self, position: Position) -> Result<Option<EventDetailView>, ReadError> {
        self.read(|conn| {
            let found = event_where(conn, "e.position = ?1", sql_position(position))?;
            found.map(|event| detail(conn, event)).transpose()
        })
    }
}

fn detail(conn: &Connection, event: Event) -> Result<EventDetailView, ReadError> {
    let at = sql_position(event.position);
    let neighbour = |version: Option<u64>| -> Result<Option<EventBrief>, ReadError> {
        let Some(version) = version.filter(|v| *v > 0) else {
            return Ok(None);
        };
        for table in links::TABLES {
            let found = briefs(
                conn,
                &format!(
                    "events here CROSS JOIN {table} l ON l.stream = here.stream
                     CROSS JOIN events e ON e.position = l.position"
                ),
                "here.position = ?1 AND l.version = ?2",
                &[&at, &sql_position(Position(version))],
            )?;
            if let Some(found) = found.into_iter().next() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    let previous_in_stream = neighbour(event.version.0.checked_sub(1))?;
    let next_in_stream = neighbour(event.version.0.checked_add(1))?;
    let packing = Packing::of(conn)?;
    let correlation = event.correlation.as_deref().map(|text| packing.text(text));
    let (correlated, correlated_count) = match &correlation {
        None => (Vec::new(), 0),
        Some(correlation) => (
            briefs(
                conn,
                "events e NOT INDEXED",
                &format!(
                    "e.position IN (SELECT position FROM (
                         SELECT position FROM by_correlation WHERE correlation = ?1 AND position <> ?2
                         ORDER BY position LIMIT {MAX_CORRELATED})
                     UNION ALL SELECT position FROM events NOT INDEXED WHERE {IN_TAIL} AND position <> ?2)
                     ORDER BY e.position LIMIT {MAX_CORRELATED}"
                ),
                &[correlation, &at],
            )?,
            conn.prepare_cached(&format!(
                "SELECT (SELECT count(*) FROM by_correlation WHERE correlation = ?1)
                      + (SELECT count(*) FROM events NOT INDEXED WHERE {IN_TAIL})"
            ))?
            .query_row([correlation], |row| row.get(0))?,
        ),
    };
    let further = row::links(conn, event.position)?;
    let text =
        |payload: Option<&Payload>| payload.and_then(|p| String::from_utf8(p.bytes.clone()).ok());
    let data_text = text(event.data.as_ref());
    let data_hex = match (&event.data, &data_text) {
        (Some(data), None) => Some(data.bytes.iter().map(|b| format!("{b:02x}")).collect()),
        _ => None,
    };
    let findings = recheck::recheck(conn, &event, &further)?
        .into_iter()
        .collect();
    let objects = objects(conn, &event, &further)?;
    Ok(EventDetailView {
        objects,
        findings,
        leaf: event.leaf,
        data_type: event.data.as_ref().map(|d| d.content_type.to_string()),
        data_text,
        data_hex,
        data_len: event.data.as_ref().map_or(0, |d| d.bytes.len() as u64),
        metadata_type: event.metadata.as_ref().map(|m| m.content_type.to_string()),
        metadata_text: text(event.metadata.as_ref()),
        links: further,
        previous_in_stream,
        next_in_stream,
        correlated,
        correlated_count,
        event: EventView::from(event),
    })
}

/// The home stream and those that the event is linked into.
fn objects(
    conn: &Connection,
    event: &Event,
    links: &[LinkView],
) -> Result<Vec<EventObject>, ReadError> {
    let mut objects = Vec::with_capacity(links.len() + 1);
    if let Some(stream) = &event.stream {
        objects.push(EventObject {
            object: stream.to_string(),
            object_type: event
                .category
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            qualifier: event.qualifier_of(stream.as_str()),
            version: event.version,
            home: true,
        });
    }
    let mut category = conn.prepare_cached(
        "SELECT c.name FROM streams s JOIN categories c ON c.id = s.category WHERE s.name = ?1",
    )?;
    for LinkView {
        stream,
        version,
        qualifier,
    } in links
    {
        let mut rows = category.query([stream])?;
        let object_type = match rows.next()? {
            Some(row) => row.get(0)?,
            None => String::new(),
        };
        objects.push(EventObject {
            object: stream.clone(),
            object_type,
            qualifier: qualifier.clone(),
            version: *version,
            home: false,
        });
    }
    Ok(objects)
}

fn briefs(
    conn: &Connection,
    tables: &str,
    conditions: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<EventBrief>, ReadError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {tables} {} WHERE {conditions}",
        row::BRIEF,
        row::BRIEF_NAMES
    ))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::brief(row)?);
    }
    Ok(found)
}
