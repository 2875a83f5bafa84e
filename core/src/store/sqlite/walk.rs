//! A large part of a log that is walked from its beginning to its end is read by two threads, a stretch of positions
//! each in turn, and given in order to the one who asked.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::log::{Log, head};
use super::plan::Plan;
use super::reader::Reader;
use super::row::FurtherLinks;
use crate::event::Event;
use crate::store::{EventQuery, Head, LinkView, ReadError};

/// Threads that read.
const READERS: usize = 2;

/// Positions that one of them reads before it is the other's turn.
const STRETCH: i64 = 1_000;

/// Positions from which on a walk is worth threads.
const WORTH: i64 = 10_000;

/// Events handed over at once, or fewer if their payloads reach [`BATCH_BYTES`].
const BATCH: usize = 250;

/// See [`BATCH`].
const BATCH_BYTES: usize = 1 << 20;

/// Batches of one thread that wait.
const WAITING: usize = 4;

/// An event and the streams it is linked into.
type Linked = (Event, Vec<LinkView>);

/// Events that one thread hands over.
struct Batch {
    events: Vec<Linked>,
    bytes: usize,
    /// It is the other's turn after it.
    ends: bool,
}

impl Batch {
    fn new(ends: bool) -> Batch {
        Batch {
            events: Vec::with_capacity(if ends { 0 } else { BATCH }),
            bytes: 0,
            ends,
        }
    }
}

/// A walk that is worth threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Long {
    /// The log as everybody must see it.
    head: Head,
    /// Positions, inclusive.
    range: (i64, i64),
}

impl Long {
    /// That of a plan, if it walks the rows forwards and they are many.
    pub(super) fn of(reader: &Reader, plan: &Plan) -> rusqlite::Result<Option<Long>> {
        match plan.rows_forwards() {
            Some(range) if range.1 - range.0 >= WORTH => Ok(Some(Long {
                head: head(reader)?,
                range,
            })),
            _ => Ok(None),
        }
    }
}

/// What one thread has to read: every stretch that is its turn.
struct Share<'q> {
    query: &'q EventQuery,
    /// The log as everybody must see it.
    head: Head,
    /// Positions, inclusive.
    range: (i64, i64),
    turn: usize,
}

impl Log {
    /// As [`Log::for_each_event`], for what [`Long::of`] found; `false` where nothing was done, since somebody
    /// appended since and the threads would not see the same log.
    pub(super) fn walk(
        &self,
        query: &EventQuery,
        Long { head, range }: Long,
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<bool, ReadError> {
        let (low, high) = range;
        std::thread::scope(|scope| {
            let (ready, readies) = bounded(READERS);
            // Dropped when this ends, which ends the reading.
            let lanes: Vec<Receiver<Result<Batch, ReadError>>> = (0..READERS)
                .map(|turn| {
                    let (send, receive) = bounded(WAITING);
                    let ready = ready.clone();
                    let share = Share {
                        query,
                        head,
                        range,
                        turn,
                    };
                    scope.spawn(move || {
                        if let Err(error) = self.read_share(&share, &ready, &send) {
                            // Whoever is not told first was not begun with, and reads by itself.
                            let _ = ready.send(false);
                            let _ = send.send(Err(error));
                        }
                    });
                    receive
                })
                .collect();
            drop(ready);
            if readies.iter().take(READERS).filter(|same| *same).count() < READERS {
                return Ok(false);
            }
            let mut turns = lanes.iter().cycle();
            let stretches = (high - low) / STRETCH + 1;
            for _ in 0..stretches {
                let Some(lane) = turns.next() else { break };
                loop {
                    // Where a thread panicked the scope does so at its end.
                    let Ok(batch) = lane.recv() else {
                        return Ok(true);
                    };
                    let Batch { events, ends, .. } = batch?;
                    for (event, links) in events {
                        if !each(event, links) {
                            return Ok(true);
                        }
                    }
                    if ends {
                        break;
                    }
                }
            }
            Ok(true)
        })
    }

    /// Reads the stretches of one thread in one transaction, as long as somebody takes them.
    fn read_share(
        &self,
        share: &Share<'_>,
        ready: &Sender<bool>,
        send: &Sender<Result<Batch, ReadError>>,
    ) -> Result<(), ReadError> {
        self.read(|reader| {
            let same = head(reader)? == share.head;
            if ready.send(same).is_err() || !same {
                return Ok(());
            }
            let Some(mut plan) = Plan::make(reader, share.query)? else {
                return Ok(());
            };
            let links = FurtherLinks::look(reader)?;
            let (low, high) = share.range;
            let first = low + STRETCH * i64::try_from(share.turn).unwrap_or(0);
            for start in (first..=high).step_by(STRETCH as usize * READERS) {
                plan.narrow(start, high.min(start + STRETCH - 1));
                reader.part_with_texts();
                let mut batch = Batch::new(false);
                let mut taken = true;
                let mut failed = None;
                let outcome = plan.read(reader, usize::MAX, &mut |event| {
                    let bytes = |payload: &Option<_>| {
                        payload
                            .as_ref()
                            .map_or(0, |p: &crate::event::Payload| p.bytes.len())
                    };
                    batch.bytes += bytes(&event.data) + bytes(&event.metadata);
                    match links.of(reader, event.position) {
                        Ok(links) => batch.events.push((event, links)),
                        Err(error) => failed = Some(error),
                    }
                    if batch.events.len() == BATCH || batch.bytes >= BATCH_BYTES {
                        let full = std::mem::replace(&mut batch, Batch::new(false));
                        taken = send.send(Ok(full)).is_ok();
                        reader.part_with_texts();
                    }
                    taken && failed.is_none()
                });
                let outcome = outcome.and(failed.map_or(Ok(()), |error| Err(error.into())));
                batch.ends = outcome.is_ok();
                // What was read before it failed is given.
                if !taken || send.send(Ok(batch)).is_err() {
                    return Ok(());
                }
                outcome?;
                self.tell_read(0)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{NewEvent, NewLink, Payload};
    use crate::id::Category;
    use crate::position::Position;
    use crate::progress::WorkProgress;
    use crate::store::contract::{batch, event, fixed, stream};
    use crate::store::{Direction, ExpectedVersion, Extraction, LogWriter};
    use std::sync::Arc;

    fn large(folder: &std::path::Path, events: u64) -> LogWriter {
        let writer = LogWriter::create(&folder.join("x.annals"), fixed()).unwrap();
        let mut bulk = writer.bulk("s", &Extraction::standard()).unwrap();
        for n in 0..events {
            let home = stream(&format!("{}-{}", ["a", "b"][n as usize % 2], n % 700));
            let links = match n % 5 {
                0 => vec![NewLink {
                    stream: stream("c-1"),
                    qualifier: "to".into(),
                }],
                _ => Vec::new(),
            };
            let data = match n % 3_000 {
                7 => format!("\"{}\"", "x".repeat(BATCH_BYTES)),
                _ => n.to_string(),
            };
            let event = NewEvent {
                links,
                data: Payload::json(data).unwrap(),
                ..event("Counted", "{}")
            };
            bulk.add(&home, None, event).unwrap();
        }
        bulk.commit().unwrap();
        writer
    }

    fn long(log: &Log, query: &EventQuery) -> Option<Long> {
        log.read(|reader| match Plan::make(reader, query)? {
            Some(plan) => Ok(Long::of(reader, &plan)?),
            None => Ok(None),
        })
        .unwrap()
    }

    /// What a walk gives, and whether two threads read.
    fn walked(log: &Log, query: &EventQuery, most: usize) -> (Vec<Linked>, bool) {
        let mut all = Vec::new();
        let long = long(log, query);
        let shared = long.is_some_and(|long| {
            log.walk(query, long, &mut |event, links| {
                all.push((event, links));
                all.len() < most
            })
            .unwrap()
        });
        (all, shared)
    }

    /// The same from one reader, page by page.
    fn paged(log: &Log, query: &EventQuery) -> Vec<Linked> {
        let mut all = Vec::new();
        let mut query = query.clone();
        loop {
            let page = log.events(&query, 777).unwrap();
            for event in page.events {
                let links =
                    log.read(|reader| Ok(super::super::row::links(reader, event.position)?));
                all.push((event, links.unwrap()));
            }
            match page.next {
                None => return all,
                after => query.after = after,
            }
        }
    }

    #[test]
    fn two_readers_give_what_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let writer = large(folder.path(), 23_457);
        for _ in 0..5 {
            let events = vec![event("Late", "{}")];
            let append = batch("b-9", ExpectedVersion::Any, events);
            writer.append(vec![append]).unwrap();
        }
        let log = writer.log();
        let category = |name: &str| Some(Category::new(name).unwrap());
        let queries = [
            EventQuery::default(),
            EventQuery {
                category: category("b"),
                ..EventQuery::default()
            },
            EventQuery {
                after: Some(Position(1_234)),
                known: Some(Position(20_000)),
                ..EventQuery::default()
            },
        ];
        for query in &queries {
            let (all, shared) = walked(&log, query, usize::MAX);
            assert!(shared, "{query:?}");
            assert!(all == paged(&log, query), "{query:?}");
        }
        let (some, shared) = walked(&log, &queries[0], 1_301);
        assert!(shared);
        let positions: Vec<u64> = some.iter().map(|(event, _)| event.position.0).collect();
        assert_eq!(positions, (1..=1_301).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_few_or_not_in_rows_is_left_to_one_reader() {
        let folder = tempfile::tempdir().unwrap();
        let writer = large(folder.path(), 12_000);
        let log = writer.log();
        for query in [
            EventQuery {
                direction: Direction::Backwards,
                ..EventQuery::default()
            },
            EventQuery {
                stream: Some(stream("a-0")),
                ..EventQuery::default()
            },
            EventQuery {
                known: Some(Position(5_000)),
                ..EventQuery::default()
            },
            EventQuery {
                category: Some(Category::new("none").unwrap()),
                ..EventQuery::default()
            },
        ] {
            assert_eq!(walked(&log, &query, usize::MAX), (Vec::new(), false));
        }
    }

    #[test]
    fn a_walk_ends_where_it_is_cancelled_or_a_row_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let writer = large(folder.path(), 12_000);
        let progress = Arc::new(WorkProgress::default());
        let log = writer.log().watched(Arc::clone(&progress));
        let mut seen = 0;
        let all = EventQuery::default();
        let whole = long(&log, &all).unwrap();
        let ended = log.walk(&all, whole, &mut |_, _| {
            seen += 1;
            progress.cancel();
            true
        });
        assert!(matches!(ended, Err(ReadError::Cancelled)), "{ended:?}");
        assert!(seen < 12_000, "{seen}");
        let conn = rusqlite::Connection::open(writer.path()).unwrap();
        conn.execute_batch(
            "DROP TRIGGER events_update; UPDATE events SET data_type = 77 WHERE position = 5000",
        )
        .unwrap();
        let mut seen = 0;
        let ended = writer.log().walk(&all, whole, &mut |event, _| {
            seen = event.position.0;
            true
        });
        let at = Position(5_000);
        assert!(
            matches!(ended, Err(ReadError::Damaged { position, .. }) if position == at),
            "{ended:?}"
        );
        assert_eq!(seen, 4_999);
    }
}
