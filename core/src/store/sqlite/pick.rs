//! For whoever keeps an index of their own beside the log: the events at positions that it found, held against a
//! query, and what has to be known to keep it true.

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::log::{Log, event_where, head, sql_position};
use super::plan::Plan;
use super::{row, tiles};
use crate::event::Event;
use crate::integrity::{Hash, tree};
use crate::position::Position;
use crate::store::{EventQuery, LinkView, ReadError};

impl Log {
    /// The events at these positions, in this order; positions beyond the log are passed over.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn events_at(&self, positions: &[Position]) -> Result<Vec<Event>, ReadError> {
        self.read(|conn| {
            let mut events = Vec::with_capacity(positions.len());
            for position in positions {
                events.extend(event_where(
                    conn,
                    "e.position = ?1",
                    sql_position(*position),
                )?);
            }
            Ok(events)
        })
    }

    /// Calls `each` with the events at these positions, in this order, and the streams that each is linked into,
    /// until it returns `false`; positions beyond the log are passed over. All of it comes from one moment of the
    /// log.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn for_each_event_at(
        &self,
        positions: &[Position],
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<(), ReadError> {
        self.read(|conn| {
            let links = row::FurtherLinks::look(conn)?;
            for position in positions {
                let found = event_where(conn, "e.position = ?1", sql_position(*position))?;
                if let Some(event) = found
                    && !each(event, links.of(conn, *position)?)
                {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Keeps those of the positions whose events the query matches. `after` and `direction` are left aside. Meant
    /// for few positions; for many, see [`Log::positions`].
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn keep_matching(
        &self,
        query: &EventQuery,
        positions: &mut Vec<Position>,
    ) -> Result<(), ReadError> {
        let query = everywhere(query);
        self.read(|conn| {
            let Some(plan) = Plan::make_for_rows(conn, &query)? else {
                positions.clear();
                return Ok(());
            };
            let (sql, values) = plan.row_condition();
            let mut statement = conn.prepare_cached(&sql)?;
            let mut failed = None;
            positions.retain(|position| {
                let here = values.iter().cloned();
                let here = here.chain([rusqlite::types::Value::Integer(sql_position(*position))]);
                match statement.exists(params_from_iter(here)) {
                    Ok(kept) => kept,
                    Err(error) => {
                        failed.get_or_insert(error);
                        false
                    }
                }
            });
            failed.map_or(Ok(()), |error| Err(error.into()))
        })
    }

    /// Positions between `low` and `high`, both inclusive, whose events the query matches, in rising order.
    /// `after` and `direction` are left aside.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn positions(
        &self,
        query: &EventQuery,
        low: Position,
        high: Position,
    ) -> Result<Vec<Position>, ReadError> {
        let mut query = everywhere(query);
        query.after = Position(low.0.saturating_sub(1)).into();
        query.known = Some(query.known.map_or(high, |known| known.min(high)));
        self.read(|conn| match Plan::make(conn, &query)? {
            None => Ok(Vec::new()),
            Some(plan) => plan.positions(conn),
        })
    }

    /// Root of the tree over the log's first `size` events; `None` if it has fewer.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn root_at(&self, size: Position) -> Result<Option<Hash>, ReadError> {
        self.read(|conn| {
            let head = head(conn)?;
            Ok(match size {
                Position::ZERO => Some(tree::empty_root()),
                size if size > head.size => None,
                size if size == head.size => Some(head.root),
                size => Some(tiles::root_at(conn, size.0)?),
            })
        })
    }

    /// Positions of events of which something was erased by an event after `since`, in rising order.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn erased_since(&self, since: Position) -> Result<Vec<Position>, ReadError> {
        self.read(|conn| {
            if !any_erasure(conn)? {
                return Ok(Vec::new());
            }
            let mut statement = conn.prepare_cached(
                "SELECT DISTINCT position FROM erasures WHERE event_position > ?1 ORDER BY position",
            )?;
            let positions = statement
                .query_map([sql_position(since)], |row| row.get(0).map(Position))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(positions)
        })
    }
}

fn any_erasure(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM erasures LIMIT 1")?
        .query_row([], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

fn everywhere(query: &EventQuery) -> EventQuery {
    EventQuery {
        after: None,
        direction: crate::store::Direction::Forwards,
        ..query.clone()
    }
}
