//! A large part of a log, or of a long stream, that is walked from its beginning to its end is read by two threads, a
//! stretch of positions or versions each in turn, and given in order to the one who asked.

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
struct Batch<T> {
    events: Vec<T>,
    bytes: usize,
    /// It is the other's turn after it.
    ends: bool,
}

impl<T> Batch<T> {
    fn new(ends: bool) -> Batch<T> {
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
    pub(super) head: Head,
    /// Positions or versions, inclusive.
    pub(super) range: (i64, i64),
    /// So many of them are read before it is the other thread's turn.
    pub(super) stretch: i64,
}

impl Long {
    /// That of a plan, if it walks the rows forwards and they are many.
    pub(super) fn of(reader: &Reader, plan: &Plan) -> rusqlite::Result<Option<Long>> {
        match plan.rows_forwards() {
            Some(range) if range.1 - range.0 >= WORTH => Ok(Some(Long {
                head: head(reader)?,
                range,
                stretch: STRETCH,
            })),
            _ => Ok(None),
        }
    }

    /// The stretches of one thread: their first and last.
    fn of_turn(self, turn: usize) -> impl Iterator<Item = (i64, i64)> {
        let (low, high) = self.range;
        let first = low + self.stretch * i64::try_from(turn).unwrap_or(0);
        (first..=high)
            .step_by(self.stretch as usize * READERS)
            .map(move |start| (start, high.min(start + self.stretch - 1)))
    }
}

/// What a thread calls with each event that it has read.
type Take<'t, T> = &'t mut dyn FnMut(T) -> bool;

/// How the threads read: each makes itself a `P` once, with which it reads stretches.
pub(super) struct InStretches<'w, T, P> {
    /// Gives nothing where there is nothing to read.
    pub(super) begin: &'w (dyn Fn(&Reader) -> Result<Option<P>, ReadError> + Sync),
    /// Reads one stretch, until it is told to stop.
    #[allow(
        clippy::type_complexity,
        reason = "one function, named by its arguments"
    )]
    pub(super) read:
        &'w (dyn Fn(&Reader, &mut P, (i64, i64), Take<'_, T>) -> Result<(), ReadError> + Sync),
    /// The event, whose payloads are counted.
    pub(super) event: fn(&T) -> &Event,
}

impl Log {
    /// As [`Log::for_each_event`], for what [`Long::of`] found; `false` where nothing was done, since somebody
    /// appended since and the threads would not see the same log.
    pub(super) fn walk(
        &self,
        query: &EventQuery,
        long: Long,
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<bool, ReadError> {
        let how = InStretches::<Linked, (Plan, FurtherLinks)> {
            begin: &|reader| match Plan::make(reader, query)? {
                Some(plan) => Ok(Some((plan, FurtherLinks::look(reader)?))),
                None => Ok(None),
            },
            read: &|reader, (plan, links), (low, high), take| {
                plan.narrow(low, high);
                let mut failed = None;
                let outcome = plan.read(reader, usize::MAX, &mut |event| match links
                    .of(reader, event.position)
                {
                    Ok(links) => take((event, links)),
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                });
                outcome.and(failed.map_or(Ok(()), |error| Err(error.into())))
            },
            event: |(event, _)| event,
        };
        self.by_turns(long, &how, &mut |(event, links)| each(event, links))
    }

    /// Calls `each` with the events of a walk in order, until it returns `false`; `false` where nothing was done, since
    /// the threads would not see the log that they have to.
    pub(super) fn by_turns<T: Send, P>(
        &self,
        long: Long,
        how: &InStretches<'_, T, P>,
        each: Take<'_, T>,
    ) -> Result<bool, ReadError> {
        std::thread::scope(|scope| {
            let (ready, readies) = bounded(READERS);
            // Dropped when this ends, which ends the reading.
            let lanes: Vec<Receiver<Result<Batch<T>, ReadError>>> = (0..READERS)
                .map(|turn| {
                    let (send, receive) = bounded(WAITING);
                    let ready = ready.clone();
                    scope.spawn(move || {
                        if let Err(error) = self.read_turns((long, turn), how, &ready, &send) {
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
            let stretches = (long.range.1 - long.range.0) / long.stretch + 1;
            for _ in 0..stretches {
                let Some(lane) = turns.next() else { break };
                loop {
                    // Where a thread panicked the scope does so at its end.
                    let Ok(batch) = lane.recv() else {
                        return Ok(true);
                    };
                    let Batch { events, ends, .. } = batch?;
                    for event in events {
                        if !each(event) {
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
    fn read_turns<T, P>(
        &self,
        (long, turn): (Long, usize),
        how: &InStretches<'_, T, P>,
        ready: &Sender<bool>,
        send: &Sender<Result<Batch<T>, ReadError>>,
    ) -> Result<(), ReadError> {
        self.read(|reader| {
            let same = head(reader)? == long.head;
            if ready.send(same).is_err() || !same {
                return Ok(());
            }
            let Some(mut held) = (how.begin)(reader)? else {
                return Ok(());
            };
            for stretch in long.of_turn(turn) {
                reader.part_with_texts();
                let mut batch = Batch::new(false);
                let mut taken = true;
                let outcome = (how.read)(reader, &mut held, stretch, &mut |item| {
                    let Event { data, metadata, .. } = (how.event)(&item);
                    let payloads = data.iter().chain(metadata);
                    batch.bytes += payloads.map(|payload| payload.bytes.len()).sum::<usize>();
                    batch.events.push(item);
                    if batch.events.len() == BATCH || batch.bytes >= BATCH_BYTES {
                        let full = std::mem::replace(&mut batch, Batch::new(false));
                        taken = send.send(Ok(full)).is_ok();
                        reader.part_with_texts();
                    }
                    taken
                });
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
    use crate::position::{Position, Version};
    use crate::progress::WorkProgress;
    use crate::store::contract::{batch, event, fixed, stream};
    use crate::store::{Direction, ExpectedVersion, Extraction, LogWriter, StreamEvent};
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

    /// A log with a stream of so many events, each tenth of them of another home.
    fn with_a_long_stream(folder: &std::path::Path, events: u64) -> LogWriter {
        let writer = LogWriter::create(&folder.join("x.annals"), fixed()).unwrap();
        let mut bulk = writer.bulk("s", &Extraction::standard()).unwrap();
        for n in 0..events {
            let counted = event("Counted", &n.to_string());
            let (home, links) = match n % 10 {
                3 => {
                    let link = NewLink {
                        stream: stream("a-1"),
                        qualifier: "to".into(),
                    };
                    ("b-1", vec![link])
                }
                _ => ("a-1", Vec::new()),
            };
            let counted = NewEvent { links, ..counted };
            bulk.add(&stream(home), None, counted).unwrap();
            bulk.add(&stream("c-1"), None, event("Other", "0")).unwrap();
        }
        bulk.commit().unwrap();
        writer
    }

    /// What a walk through `a-1` gives, from a version on.
    fn through(log: &Log, from: u64, known: Option<Position>, most: usize) -> Vec<StreamEvent> {
        let mut all = Vec::new();
        log.for_each_in_stream(&stream("a-1"), Version(from), known, &mut |event| {
            all.push(event);
            all.len() < most
        })
        .unwrap();
        all
    }

    /// The same by one reader, in one page.
    fn at_once(log: &Log, from: u64, to: u64) -> Vec<StreamEvent> {
        let range = Version(from)..=Version(to);
        log.read_stream(&stream("a-1"), range, Direction::Forwards, usize::MAX)
            .unwrap()
    }

    #[test]
    fn a_long_stream_by_two_readers_is_that_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_a_long_stream(folder.path(), 5_321);
        // The last few are in the tail of links.
        for n in 0..30 {
            let events = vec![event("Late", &n.to_string())];
            let append = batch("a-1", ExpectedVersion::Any, events);
            writer.append(vec![append]).unwrap();
        }
        let log = writer.log();
        let whole = at_once(&log, 1, u64::MAX);
        assert_eq!(whole.len(), 5_351);
        assert!(through(&log, 1, None, usize::MAX) == whole);
        assert!(through(&log, 777, None, usize::MAX) == whole[776..]);
        let known = whole[3_999].event.position;
        assert!(through(&log, 1, Some(known), usize::MAX) == whole[..4_000]);
        assert!(through(&log, 1, None, 3_456) == whole[..3_456]);
        let mut some = Vec::new();
        let range = Version(5)..=Version(4_777);
        log.for_each_between(&stream("a-1"), range, None, &mut |event| {
            some.push(event);
            true
        })
        .unwrap();
        assert!(some == whole[4..4_777]);
    }

    #[test]
    fn a_long_stream_is_as_it_was_at_first_though_somebody_appends() {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_a_long_stream(folder.path(), 4_000);
        let late = || event("Late", "{}");
        let mut seen = 0;
        writer
            .log()
            .for_each_in_stream(&stream("a-1"), Version(1), None, &mut |event| {
                seen += 1;
                assert_eq!(event.version, Version(seen));
                if seen == 100 || seen == 3_000 {
                    let events = vec![late()];
                    let append = batch("a-1", ExpectedVersion::Any, events);
                    writer.append(vec![append]).unwrap();
                }
                true
            })
            .unwrap();
        assert_eq!(seen, 4_000);
    }

    #[test]
    fn a_walk_through_a_long_stream_ends_where_it_is_cancelled_or_a_row_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_a_long_stream(folder.path(), 6_000);
        let progress = Arc::new(WorkProgress::default());
        let log = writer.log().watched(Arc::clone(&progress));
        let mut seen = 0;
        let name = stream("a-1");
        let ended = log.for_each_in_stream(&name, Version(1), None, &mut |_| {
            seen += 1;
            if seen == 2_000 {
                progress.cancel();
            }
            true
        });
        assert!(matches!(ended, Err(ReadError::Cancelled)), "{ended:?}");
        assert_eq!((seen, progress.now().0), (2_000, 2_000));
        let at = at_once(&writer.log(), 5_000, 5_000)[0].event.position;
        let conn = rusqlite::Connection::open(writer.path()).unwrap();
        conn.execute_batch("DROP TRIGGER events_update").unwrap();
        conn.execute(
            "UPDATE events SET data_type = 77 WHERE position = ?1",
            [at.0],
        )
        .unwrap();
        let mut seen = 0;
        let log = writer.log();
        let ended = log.for_each_in_stream(&name, Version(1), None, &mut |event| {
            seen = event.version.0;
            true
        });
        assert!(
            matches!(ended, Err(ReadError::Damaged { position, .. }) if position == at),
            "{ended:?}"
        );
        assert_eq!(seen, 4_999);
    }

    #[test]
    fn a_version_that_no_log_has_does_not_make_a_walk_endless() {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_a_long_stream(folder.path(), 3_000);
        let conn = rusqlite::Connection::open(writer.path()).unwrap();
        let far = i64::MAX - 1;
        conn.execute(
            "INSERT INTO links SELECT stream, ?1, position, 'odd' FROM links WHERE version = 3000",
            [far],
        )
        .unwrap();
        let all = through(&writer.log(), 1, None, usize::MAX);
        assert_eq!(all.len(), 3_001);
        assert_eq!(all[3_000].version, Version(far.unsigned_abs()));
    }
}
