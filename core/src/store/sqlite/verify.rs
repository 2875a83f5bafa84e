//! Whether a file holds what its leaves say: each event hashed again from its row, and the tree over them.
//!
//! This is what a copy needs to be trusted. Columns extracted for search, and the indexes, are not looked at.

use rusqlite::{Connection, OptionalExtension, Row};

use super::log::sql_position;
use super::packed::Packing;
use super::recheck::leaf_of;
use super::row;
use crate::event::Event;
use crate::integrity::tree;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::{BackupError, ReadError};

/// Events between two looks at the cancel switch.
const STEP: u64 = 1_000;

/// Hashes every event of the file again and returns the tree over them.
///
/// The first event that is not what its leaf says, is missing or does not stand in its stream is an error.
pub(super) fn verify(
    conn: &Connection,
    progress: &WorkProgress,
) -> Result<tree::Frontier, BackupError> {
    let mut frontier = tree::Frontier::default();
    let mut statement = conn
        .prepare(&format!(
            "SELECT {}, e.stream FROM events e {} ORDER BY e.position",
            row::NAMED_EVENT,
            row::NAMES
        ))
        .map_err(ReadError::from)?;
    let packing = Packing::of(conn).map_err(ReadError::from)?;
    let mut rows = statement.query([]).map_err(ReadError::from)?;
    let further = row::FurtherLinks::look(conn).map_err(ReadError::from)?;
    loop {
        let next = Position(frontier.size() + 1);
        let row = rows.next().map_err(|error| unreadable(next, error))?;
        let Some(row) = row else {
            return Ok(frontier);
        };
        let event = row::named_event(row)?;
        if event.position != next {
            return Err(damaged(next, "there is no event at this position").into());
        }
        if !stands(conn, row, &event)? {
            let reason = "it does not stand in its stream at its version";
            return Err(damaged(next, reason).into());
        }
        let links = further.of(conn, next).map_err(ReadError::from)?;
        if leaf_of(conn, packing, &event, &links)? != Some(event.leaf) {
            return Err(damaged(next, "its content is not what its leaf hash says").into());
        }
        frontier.push(event.leaf);
        progress.advance(1);
        if next.0.is_multiple_of(STEP) && progress.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
    }
}

pub(super) fn damaged(position: Position, reason: &str) -> ReadError {
    ReadError::Damaged {
        position,
        reason: reason.to_owned(),
    }
}

/// What the engine says where it could not read on.
pub(super) fn unreadable(position: Position, error: rusqlite::Error) -> ReadError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => damaged(position, &error.to_string()),
        _ => error.into(),
    }
}

/// Whether an event stands in its home stream at its version; nobody knows it of one whose identity was erased.
fn stands(conn: &Connection, row: &Row<'_>, event: &Event) -> Result<bool, ReadError> {
    let Some(stream) = row.get::<_, Option<i64>>(row::EVENT_LEN)? else {
        return Ok(true);
    };
    let at: Option<u64> = conn
        .prepare_cached(
            "SELECT position FROM links WHERE stream = ?1 AND version = ?2 AND qualifier IS NULL
             UNION ALL
             SELECT position FROM links_tail WHERE stream = ?1 AND version = ?2 AND qualifier IS NULL",
        )?
        .query_row((stream, sql_position(Position(event.version.0))), |row| {
            row.get(0)
        })
        .optional()?;
    Ok(at == Some(event.position.0))
}
