//! Reading ahead: the next pages of events are read by a thread of their own while one is worked on.

use super::log::Log;
use crate::event::Event;
use crate::store::{EventQuery, ReadError};

/// Pages that are read and wait.
const WAITING: usize = 2;

impl Log {
    /// Calls `each` with the events that the query matches, in its direction, in pages of at most `len`, until it returns
    /// `false`. The next pages are read meanwhile, so that reading takes no time from work that takes as long.
    ///
    /// What is appended after this began is not in it.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row; pages before it were given.
    ///
    /// ```
    /// # use annals_core::{event::NewEvent, id::*, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// # let event = |n: i32| NewEvent::json("Counted", &format!("{n}"));
    /// # writer.append(vec![StreamAppend {
    /// #     stream: StreamId::new("a-1")?, category: None, expected: ExpectedVersion::Any,
    /// #     events: (0..25).map(event).collect::<Result<_, _>>()?,
    /// # }])?;
    /// let mut pages = Vec::new();
    /// writer.log().for_each_page(&EventQuery::default(), 10, &mut |page| {
    ///     pages.push(page.len());
    ///     true
    /// })?;
    /// assert_eq!(pages, [10, 10, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn for_each_page(
        &self,
        query: &EventQuery,
        len: usize,
        each: &mut dyn FnMut(Vec<Event>) -> bool,
    ) -> Result<(), ReadError> {
        let size = self.head()?.size;
        let mut query = EventQuery {
            known: Some(query.known.map_or(size, |known| known.min(size))),
            ..query.clone()
        };
        let (send, receive) = crossbeam_channel::bounded::<Result<Vec<Event>, ReadError>>(WAITING);
        std::thread::scope(|scope| {
            // Dropped when this ends, which ends the reading.
            let receive = receive;
            scope.spawn(move || {
                loop {
                    let page = self.read(|reader| {
                        reader.part_with_texts();
                        self.page(reader, &query, len)
                    });
                    let page = page.and_then(|page| {
                        self.tell_read(page.events.len())?;
                        query.after = page.next;
                        Ok(page.events)
                    });
                    let ends = page.is_err() || query.after.is_none();
                    if send.send(page).is_err() || ends {
                        return;
                    }
                }
            });
            for page in &receive {
                let page = page?;
                if !page.is_empty() && !each(page) {
                    break;
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogWriter;
    use super::*;
    use crate::position::Position;
    use crate::store::contract::{batch, event, fixed};
    use crate::store::{Direction, ExpectedVersion};

    #[test]
    fn pages_read_ahead_hold_what_a_page_after_another_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, fixed()).unwrap();
        let append = |count: usize| {
            let events = (0..count).map(|n| event("Counted", &n.to_string()));
            let batch = batch("a-1", ExpectedVersion::Any, events.collect());
            writer.append(vec![batch]).unwrap();
        };
        let log = writer.log();
        let read = |query: &EventQuery, len: usize, most: usize| {
            let mut positions = Vec::new();
            log.for_each_page(query, len, &mut |page| {
                assert!(page.len() <= len, "a page of {} events", page.len());
                positions.extend(page.iter().map(|event| event.position.0));
                positions.len() < most
            })
            .unwrap();
            positions
        };
        assert!(read(&EventQuery::default(), 3, 100).is_empty());
        append(20);
        let all: Vec<u64> = (1..=20).collect();
        for len in [1, 3, 7, 20, 21] {
            assert_eq!(read(&EventQuery::default(), len, 100), all, "{len} a page");
            let backwards = EventQuery {
                direction: Direction::Backwards,
                known: Some(Position(15)),
                after: Some(Position(12)),
                ..EventQuery::default()
            };
            let want: Vec<u64> = (1..=11).rev().collect();
            assert_eq!(read(&backwards, len, 100), want, "{len} a page");
        }
        assert_eq!(
            read(&EventQuery::default(), 3, 5),
            [1, 2, 3, 4, 5, 6],
            "stopped"
        );
        // What is appended meanwhile comes next time.
        let mut seen = 0;
        log.for_each_page(&EventQuery::default(), 5, &mut |page| {
            seen += page.len();
            append(1);
            true
        })
        .unwrap();
        assert_eq!(seen, 20);
    }
}
