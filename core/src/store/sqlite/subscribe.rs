//! Events as they come: catch-up, then live.

use std::time::Duration;

use super::log::Log;
use super::pulse::POLL;
use crate::event::Event;
use crate::position::Position;
use crate::store::{Direction, EventQuery, ReadError};

/// Events as they come: catch-up, then live.
#[derive(Debug)]
pub struct Subscription {
    log: Log,
    /// `after` goes on as events are looked at, those that do not match included.
    query: EventQuery,
}

impl Log {
    /// Events from `after` on, first those that are there, then those that come.
    ///
    /// ```
    /// # use annals_core::{event::NewEvent, id::StreamId, position::Position, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// let mut coming = writer.log().subscribe(Position::ZERO);
    /// assert!(coming.next(10, 0)?.is_empty());
    /// writer.append(vec![StreamAppend {
    ///     stream: StreamId::new("user-1")?,
    ///     category: None,
    ///     expected: ExpectedVersion::Any,
    ///     events: vec![NewEvent::json("UserRegistered", "{}")?],
    /// }])?;
    /// assert_eq!(coming.next(10, 1000)?[0].position, Position(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self, after: Position) -> Subscription {
        self.subscribe_to(EventQuery {
            after: Some(after),
            ..EventQuery::default()
        })
    }

    /// The same for the events that the query matches; its direction is left aside.
    #[must_use]
    pub fn subscribe_to(&self, query: EventQuery) -> Subscription {
        Subscription {
            log: self.clone(),
            query: EventQuery {
                direction: Direction::Forwards,
                ..query
            },
        }
    }
}

impl Subscription {
    /// Returns the next events (at most `limit`), waiting up to `timeout_ms` where there are none; empty when
    /// the time is over.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row; asking again goes on at the same place.
    pub fn next(&mut self, limit: usize, timeout_ms: u64) -> Result<Vec<Event>, ReadError> {
        let mut left = Duration::from_millis(timeout_ms);
        loop {
            // Counted before reading, so that a commit in between is not slept through.
            let seen = self.log.announced();
            let head = self.log.head()?.size;
            if head > self.query.after.unwrap_or(Position::ZERO) {
                let query = EventQuery {
                    known: Some(self.query.known.map_or(head, |known| known.min(head))),
                    ..self.query.clone()
                };
                let page = self.log.events(&query, limit)?;
                self.query.after = page.next.or(Some(head));
                if !page.events.is_empty() {
                    return Ok(page.events);
                }
            }
            if left.is_zero() {
                return Ok(Vec::new());
            }
            let slice = left.min(POLL);
            if !self.log.wait(seen, slice) {
                left -= slice;
            }
        }
    }
}
