//! Events as they come: catch-up, then live.

use std::time::Duration;

use super::log::Log;
use super::pulse::POLL;
use crate::event::Event;
use crate::position::Position;
use crate::store::{EventQuery, ReadError};

/// Events as they come: catch-up, then live.
#[derive(Debug)]
pub struct Subscription {
    log: Log,
    after: Position,
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
        Subscription {
            log: self.clone(),
            after,
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
            let query = EventQuery {
                after: Some(self.after),
                ..EventQuery::default()
            };
            let page = self.log.events(&query, limit)?;
            if let Some(last) = page.events.last() {
                self.after = last.position;
                return Ok(page.events);
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
