//! Where the log stands, cheap enough to ask many times a second.

use std::time::Duration;

use super::log::{Log, head};
use super::plan::extreme_time;
use crate::position::Position;
use crate::store::{Direction, ReadError};
use crate::time::Time;

/// How often to look for what other processes wrote; commits of this process wake at once.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Where a log stands: its length and its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The last position: the number of events.
    pub head: Position,
    /// Earliest time; `None` in an empty log.
    pub first_time: Option<Time>,
    /// Latest time; `None` in an empty log.
    pub last_time: Option<Time>,
    /// When the log took its last event; `None` in an empty log.
    pub last_recorded_at: Option<Time>,
}

impl Log {
    /// Where the log stands at this moment. Takes no longer on a large log than on a small one.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn pulse(&self) -> Result<Pulse, ReadError> {
        self.read(|conn| {
            let recorded: Option<i64> =
                conn.query_row("SELECT recorded_us FROM head", [], |row| row.get(0))?;
            Ok(Pulse {
                head: head(conn)?.size,
                first_time: extreme_time(conn, Direction::Forwards)?,
                last_time: extreme_time(conn, Direction::Backwards)?,
                last_recorded_at: recorded.and_then(|us| Time::from_parts(us, 0)),
            })
        })
    }

    /// Waits until the log has grown beyond `size`, whoever appended, or `timeout_ms` is over; returns its last
    /// position then.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    ///
    /// ```
    /// # use annals_core::{event::NewEvent, id::StreamId, position::Position, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// assert_eq!(writer.log().grown(Position::ZERO, 0)?, Position::ZERO);
    /// # writer.append(vec![StreamAppend {
    /// #     stream: StreamId::new("user-1")?, category: None, expected: ExpectedVersion::Any,
    /// #     events: vec![NewEvent::json("UserRegistered", "{}")?],
    /// # }])?;
    /// assert_eq!(writer.log().grown(Position::ZERO, 60_000)?, Position(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grown(&self, size: Position, timeout_ms: u64) -> Result<Position, ReadError> {
        let mut left = Duration::from_millis(timeout_ms);
        loop {
            // Counted before reading, so that a commit in between is not slept through.
            let seen = self.announced();
            let now = self.head()?.size;
            if now > size || left.is_zero() {
                return Ok(now);
            }
            let slice = left.min(POLL);
            if !self.wait(seen, slice) {
                left -= slice;
            }
        }
    }
}
