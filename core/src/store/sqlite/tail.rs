//! The tail: events that the tables `by_type`, `by_actor`, `by_time` and `by_correlation` do not hold yet.
//!
//! Those tables find events by something else than their position. Each entry goes to another page, and a commit
//! writes every page it touches, so entries are written for many events at once: up to the position
//! `head.indexed`, the same up to which numbers of events are written. Readers answer from the tables up to
//! there and look at the rows of the few events after it ([`super::plan`]).

use rusqlite::Connection;

use super::packed::{self, Packing};
use crate::position::Position;

/// Events after which the entries of ordinary appends are written.
pub(super) const INDEX_EVERY: u64 = 1_024;

/// Events after which a bulk append writes theirs.
pub(super) const INDEX_EVERY_IN_BULK: usize = 16_384;

/// Where the tail begins: the tables hold the events up to this position.
pub(super) fn indexed(conn: &Connection) -> rusqlite::Result<Position> {
    conn.prepare_cached("SELECT indexed FROM head")?
        .query_row([], |row| row.get(0).map(Position))
}

/// Entries that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: Vec<Entry>,
    correlations: Vec<(String, u64)>,
    /// Entries of correlations are left to somebody else.
    leave_correlations: bool,
}

/// What the tables hold of an event, its correlation aside.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) type_id: i64,
    pub(super) actor: Option<i64>,
    pub(super) stream: Option<i64>,
    pub(super) time_us: i64,
    pub(super) time_sub_ns: u16,
}

impl Tail {
    /// Takes up the entries that the file lacks, from its events.
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Tail> {
        let mut tail = Tail::default();
        let mut events = conn.prepare_cached(
            "SELECT position, type, actor, stream, time_us, time_sub_ns, correlation FROM events NOT INDEXED
             WHERE position > (SELECT indexed FROM head) ORDER BY position",
        )?;
        let mut rows = events.query([])?;
        while let Some(row) = rows.next()? {
            let entry = Entry {
                position: row.get(0)?,
                type_id: row.get(1)?,
                actor: row.get(2)?,
                stream: row.get(3)?,
                time_us: row.get(4)?,
                time_sub_ns: row.get(5)?,
            };
            let correlation = packed::text(row.get_ref(6)?)?;
            tail.push(entry, correlation.as_ref().map(packed::Unpacked::as_str));
        }
        Ok(tail)
    }

    /// Number of events in it.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds the next event.
    pub(super) fn push(&mut self, entry: Entry, correlation: Option<&str>) {
        if let Some(correlation) = correlation.filter(|_| !self.leave_correlations) {
            self.correlations
                .push((correlation.to_owned(), entry.position));
        }
        self.entries.push(entry);
    }

    /// Leaves the entries of correlations aside from now on, for somebody else to write.
    pub(super) fn leave_correlations(&mut self, leave: bool) {
        self.leave_correlations = leave;
    }

    /// Writes the entries, each table's in its order.
    pub(super) fn flush(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let Tail {
            entries,
            correlations,
            leave_correlations: _,
        } = self;
        // Times mostly rise with positions already.
        entries.sort_unstable_by_key(|e| (e.time_us, e.time_sub_ns, e.position));
        let mut by_time = conn.prepare_cached(
            "INSERT INTO by_time(time_us, time_sub_ns, position, stream) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for e in &*entries {
            by_time.execute((e.time_us, e.time_sub_ns, e.position, e.stream))?;
        }
        entries.sort_unstable_by_key(|e| (e.type_id, e.position));
        let mut by_type = conn.prepare_cached(
            "INSERT INTO by_type(type, position, time_us, time_sub_ns) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for e in &*entries {
            by_type.execute((e.type_id, e.position, e.time_us, e.time_sub_ns))?;
        }
        entries.sort_unstable_by_key(|e| (e.actor, e.position));
        let mut by_actor = conn.prepare_cached(
            "INSERT INTO by_actor(actor, position, time_us, time_sub_ns) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for e in entries.drain(..).filter(|e| e.actor.is_some()) {
            by_actor.execute((e.actor, e.position, e.time_us, e.time_sub_ns))?;
        }
        correlations.sort_unstable();
        let mut by_correlation = conn
            .prepare_cached("INSERT INTO by_correlation(correlation, position) VALUES (?1, ?2)")?;
        let packing = Packing::of(conn)?;
        for (correlation, position) in correlations.drain(..) {
            by_correlation.execute((packing.text(&correlation), position))?;
        }
        Ok(())
    }
}

/// Writes the entries of correlations of all events after a position, sorted as a whole.
pub(super) fn index_correlations(conn: &Connection, after: u64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO by_correlation(correlation, position)
         SELECT correlation, position FROM events NOT INDEXED
         WHERE position > ?1 AND correlation IS NOT NULL ORDER BY correlation, position",
    )?
    .execute([after])?;
    Ok(())
}
