//! Links: the places of events in streams, in two tables.
//!
//! `links` is ordered by stream, so a commit of events in many streams would write a page for each of them. An
//! ordinary append puts its links into the small `links_tail` instead; the commit that indexes the tail
//! ([`super::tail`]) moves them all to `links`. So every link in `links_tail` is of a later event, and of a higher
//! version of its stream, than any in `links`: an answer is what the one table says, then what the other says.
//!
//! A log of format 1 has no `links_tail`, and its links are written to `links` at once. Its connections get an empty
//! stand-in, so that the same questions can be asked of both formats.

use rusqlite::Connection;

use super::schema;

/// The two tables, in the order of versions and of positions.
pub(super) const TABLES: [&str; 2] = ["links", "links_tail"];

/// Which of the tables an append writes its links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// `links`.
    Place,
    /// `links_tail`.
    Tail,
}

impl Put {
    /// Where links of ordinary appends go in this file.
    pub(super) fn of(conn: &Connection) -> rusqlite::Result<Put> {
        Ok(match schema::has_table(conn, "links_tail")? {
            true => Put::Tail,
            false => Put::Place,
        })
    }

    /// The statement that writes one link: stream, version, position, qualifier.
    pub(super) fn insert(self) -> &'static str {
        match self {
            Put::Place => {
                "INSERT INTO links(stream, version, position, qualifier) VALUES (?1, ?2, ?3, ?4)"
            }
            Put::Tail => {
                "INSERT INTO links_tail(stream, version, position, qualifier) VALUES (?1, ?2, ?3, ?4)"
            }
        }
    }
}

/// Moves all links of the tail to their place, inside the caller's transaction.
pub(super) fn move_tail(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO links(stream, version, position, qualifier)
         SELECT stream, version, position, qualifier FROM links_tail ORDER BY stream, version",
    )?
    .execute([])?;
    conn.prepare_cached("DELETE FROM links_tail")?.execute([])?;
    Ok(())
}

/// Gives a connection to a log of format 1 an empty table for the one that its file lacks.
pub(super) fn stand_in(conn: &Connection) -> rusqlite::Result<()> {
    let format = schema::format_of(conn)?;
    // An empty file that is to become a log has none yet.
    if !(1..schema::FORMAT_LINKS_TAIL).contains(&format) || schema::has_table(conn, "links_tail")? {
        return Ok(());
    }
    conn.execute_batch(
        "CREATE TEMP TABLE links_tail(
             stream INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL, qualifier TEXT,
             PRIMARY KEY(stream, version)) STRICT, WITHOUT ROWID;
         CREATE INDEX temp.links_tail_by_position ON links_tail(position) WHERE qualifier IS NOT NULL;",
    )
}
