//! How events lie along time and along positions: numbers by which a wide range of time is answered without a walk
//! along all of its events.
//!
//! Chunks of time say how many events they hold, each some thousands: the number of events before any instant is a sum
//! and one count inside a chunk. Blocks of positions say between which times their events lie: a page of a range of
//! time comes from the blocks that have events in it, in order of position.
//!
//! INVARIANT: both are of the events up to `covered`, all of which are in `by_time`. Neither ever tells what is not
//! there: without them the same questions are answered by [`super::plan`].

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::log::Log;
use super::reader::Reader;
use super::row;
use crate::position::Position;
use crate::store::ReadError;
use crate::time::Time;

/// Events of a chunk of time: at least so many, and less than twice as many, unless they are of one instant.
const CHUNK: u64 = 2_048;
/// Positions of a block.
const BLOCK: u64 = 4_096;
/// A range of fewer events is looked up in `by_time` itself.
const WIDE: u64 = 8_192;
/// Where more events than these came at once, it is all counted again, along the narrow table.
const MANY: u64 = 200_000;

/// How the events of a log lie along time and along positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// The events up to here are in it.
    pub covered: Position,
    /// In order of time.
    pub chunks: Vec<Chunk>,
    /// In order of position, each of as many positions, the last one of fewer.
    pub blocks: Vec<Block>,
    pub(super) sizes: Sizes,
}

/// A stretch of time, from its first instant to that of the next chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its first instant.
    pub from: Time,
    /// Number of events in it.
    pub events: u64,
}

/// A stretch of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Earliest time in it.
    pub first: Time,
    /// Latest time in it.
    pub last: Time,
}

/// How large the parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    chunk: u64,
    pub(super) block: u64,
    /// Least number of events of a wide range.
    pub(super) wide: u64,
}

const SIZES: Sizes = Sizes {
    chunk: CHUNK,
    block: BLOCK,
    wide: WIDE,
};

impl Times {
    /// Puts together what [`Times`] was taken apart into; `None` if the parts do not fit each other.
    #[must_use]
    pub fn from_parts(covered: Position, chunks: Vec<Chunk>, blocks: Vec<Block>) -> Option<Times> {
        let counted = chunks.iter().try_fold(0u64, |n, c| n.checked_add(c.events));
        let rising = chunks.windows(2).all(|pair| pair[0].from < pair[1].from);
        let fits = counted == Some(covered.0)
            && rising
            && blocks.len() as u64 == covered.0.div_ceil(BLOCK)
            && blocks.iter().all(|block| block.first <= block.last);
        fits.then_some(Times {
            covered,
            chunks,
            blocks,
            sizes: SIZES,
        })
    }

    /// Counts along `by_time`.
    fn count(conn: &Connection, sizes: Sizes) -> Result<Times, ReadError> {
        let covered = super::tail::indexed(conn)?;
        let mut times = Times {
            covered,
            chunks: Vec::new(),
            blocks: Vec::new(),
            sizes,
        };
        let mut open: Option<Chunk> = None;
        let mut last = None;
        let mut statement = conn.prepare_cached(
            "SELECT position, time_us, time_sub_ns FROM by_time ORDER BY time_us, time_sub_ns, position",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let position = Position(row.get(0)?);
            let time = row::time(row, 1, position)?;
            times.put_in_block(position, time);
            // An instant is never divided.
            match &mut open {
                Some(chunk) if chunk.events < sizes.chunk || last == Some(time) => {
                    chunk.events += 1;
                }
                open => {
                    times.chunks.extend(open.take());
                    *open = Some(Chunk {
                        from: time,
                        events: 1,
                    });
                }
            }
            last = Some(time);
        }
        times.chunks.extend(open);
        Ok(times)
    }

    fn put_in_block(&mut self, position: Position, time: Time) {
        let n = position.0.saturating_sub(1) / self.sizes.block;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        if self.blocks.len() <= n {
            let none = Block {
                first: Time::MAX,
                last: Time::MIN,
            };
            self.blocks.resize(n + 1, none);
        }
        if let Some(block) = self.blocks.get_mut(n) {
            block.first = block.first.min(time);
            block.last = block.last.max(time);
        }
    }

    /// Takes the events up to `to` in.
    fn follow(&mut self, conn: &Connection, to: Position) -> Result<(), ReadError> {
        let mut statement = conn.prepare_cached(
            "SELECT position, time_us, time_sub_ns FROM events NOT INDEXED
             WHERE position > ?1 AND position <= ?2 ORDER BY position",
        )?;
        let mut rows = statement.query((self.covered.0, to.0))?;
        let mut grown = Vec::new();
        while let Some(row) = rows.next()? {
            let position = Position(row.get(0)?);
            let time = row::time(row, 1, position)?;
            self.put_in_block(position, time);
            let at = self.chunks.partition_point(|chunk| chunk.from <= time);
            match at.checked_sub(1) {
                Some(at) => self.chunks[at].events += 1,
                None => match self.chunks.first_mut() {
                    Some(first) => {
                        first.from = time;
                        first.events += 1;
                    }
                    None => self.chunks.push(Chunk {
                        from: time,
                        events: 1,
                    }),
                },
            }
            // One of a single instant cannot be divided, and is looked at again when more came.
            let events = self.chunks[at.saturating_sub(1)].events;
            if events >= 2 * self.sizes.chunk && events.is_multiple_of(self.sizes.chunk) {
                grown.push(time);
            }
        }
        self.covered = to;
        for time in grown {
            self.divide(conn, time)?;
        }
        Ok(())
    }

    /// Divides the chunk of an instant as long as it holds too much.
    fn divide(&mut self, conn: &Connection, time: Time) -> Result<(), ReadError> {
        let mut at = self.chunks.partition_point(|chunk| chunk.from <= time);
        at = at.saturating_sub(1);
        let mut place = conn.prepare_cached(
            "SELECT position, time_us, time_sub_ns FROM by_time
             WHERE (time_us, time_sub_ns) > (?1, ?2) AND position <= ?3
             ORDER BY time_us, time_sub_ns, position LIMIT 1 OFFSET ?4",
        )?;
        while let Some(chunk) = self.chunks.get(at).copied() {
            if chunk.events < 2 * self.sizes.chunk {
                break;
            }
            let (us, ns) = (chunk.from.us(), chunk.from.sub_ns());
            // Those of its first instant stay together, and come before what is skipped.
            let instant = self.inside(conn, chunk.from, chunk.from.next_ns())?;
            let skip = self.sizes.chunk.saturating_sub(instant);
            let found = place
                .query_row((us, ns, self.covered.0, skip), |row| {
                    Ok(row::time(row, 1, Position(row.get(0)?)))
                })
                .optional()?;
            let Some(from) = found.transpose()? else {
                break;
            };
            let end = self.chunks.get(at + 1).map(|next| next.from);
            if end.is_some_and(|end| from >= end) {
                break;
            }
            let left = self.inside(conn, chunk.from, from)?;
            self.chunks[at].events = left;
            let right = Chunk {
                from,
                events: chunk.events - left,
            };
            self.chunks.insert(at + 1, right);
            at += 1;
        }
        Ok(())
    }

    /// Number of events from one instant to before another.
    fn inside(&self, conn: &Connection, from: Time, before: Time) -> Result<u64, ReadError> {
        let count = conn
            .prepare_cached(
                "SELECT count(*) FROM by_time WHERE (time_us, time_sub_ns) >= (?1, ?2)
                 AND (time_us, time_sub_ns) < (?3, ?4) AND position <= ?5",
            )?
            .query_row(
                (
                    from.us(),
                    from.sub_ns(),
                    before.us(),
                    before.sub_ns(),
                    self.covered.0,
                ),
                |row| row.get(0),
            )?;
        Ok(count)
    }

    /// Number of events before an instant in microseconds and nanoseconds on top, which may lie past the last one that
    /// there is.
    pub(super) fn before_parts(
        &self,
        conn: &Connection,
        (us, ns): (i64, i64),
    ) -> Result<u64, ReadError> {
        match u16::try_from(ns)
            .ok()
            .and_then(|ns| Time::from_parts(us, ns))
        {
            Some(time) => self.before(conn, time),
            None => Ok(self.covered.0),
        }
    }

    /// Number of events before an instant, of those that are in it.
    pub(super) fn before(&self, conn: &Connection, time: Time) -> Result<u64, ReadError> {
        let after = self.chunks.partition_point(|chunk| chunk.from < time);
        let Some(at) = after.checked_sub(1) else {
            return Ok(0);
        };
        let whole: u64 = self.chunks[..at].iter().map(|chunk| chunk.events).sum();
        let chunk = self.chunks[at];
        let end = self.chunks.get(after).map(|next| next.from);
        if end == Some(time) {
            return Ok(whole + chunk.events);
        }
        Ok(whole + self.inside(conn, chunk.from, time)?)
    }

    /// About how many events lie in a range, at most two chunks too many.
    pub(super) fn about(&self, from: Time, to: Time) -> u64 {
        let first = self.chunks.partition_point(|chunk| chunk.from <= from);
        let end = self.chunks.partition_point(|chunk| chunk.from <= to);
        let chunks = self.chunks.get(first.saturating_sub(1)..end);
        let chunks = chunks.unwrap_or_default().iter();
        chunks.map(|chunk| chunk.events).sum()
    }
}

impl Log {
    /// Counts how the events lie along time, unless that is known. Questions about wide ranges of time are answered
    /// faster from then on, and with every clone of this log. A walk along a narrow table: a second or so for ten
    /// million events.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn count_times(&self) -> Result<(), ReadError> {
        self.read(|reader| match self.times(reader)? {
            Some(_) => Ok(()),
            None => {
                self.know_times(Times::count(reader, SIZES)?);
                Ok(())
            }
        })
    }

    /// As [`Log::count_times`], in parts so small that tests meet their edges.
    #[cfg(test)]
    pub(crate) fn count_times_by(&self, chunk: u64, block: u64) -> Result<(), ReadError> {
        let sizes = Sizes {
            chunk,
            block,
            wide: 0,
        };
        self.read(|reader| {
            self.know_times(Times::count(reader, sizes)?);
            Ok(())
        })
    }

    /// How the events lie along time, as far as that is known by now.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn known_times(&self) -> Result<Option<Arc<Times>>, ReadError> {
        self.read(|reader| self.times(reader))
    }

    /// What is known of how events lie along time, brought to where `by_time` ends; `None` where nothing is.
    pub(super) fn times(&self, reader: &Reader) -> Result<Option<Arc<Times>>, ReadError> {
        let Some(mut times) = self.kept_times() else {
            return Ok(None);
        };
        let indexed = super::tail::indexed(reader)?;
        // What a reader knows that began later is too much for this one.
        if times.covered > indexed {
            return Ok(None);
        }
        if times.covered < indexed {
            let followed = Arc::make_mut(&mut times);
            if indexed.0 - followed.covered.0 > MANY.max(followed.covered.0 / 4) {
                *followed = Times::count(reader, followed.sizes)?;
            } else {
                followed.follow(reader, indexed)?;
            }
            self.know_times(Arc::clone(&times));
        }
        Ok(Some(times))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::writer::LogWriter;
    use super::*;
    use crate::event::{NewEvent, Part};
    use crate::store::{
        BulkOutcome, Direction, ErasedPart, EventQuery, ExpectedVersion, Extraction, StreamAppend,
    };
    use crate::surroundings::Surroundings;
    use crate::time::SourceTime;

    /// Appends events at these times; in bulk they are in `by_time` at once.
    fn append(writer: &LogWriter, times: &[(i64, u16)], in_bulk: bool) {
        let stream: crate::id::StreamId = "a-1".parse().unwrap();
        let event = |(us, ns): &(i64, u16)| {
            let kind = if us % 3 == 0 { "Rang" } else { "Ticked" };
            let mut event = NewEvent::json(kind, "{}").unwrap();
            let metadata = format!("{{\"userId\":\"user-{}\"}}", us % 2);
            event.metadata = Some(crate::event::Payload::json(metadata).unwrap());
            event.time = Time::from_parts(*us, *ns).map(SourceTime::unwritten);
            event
        };
        if in_bulk {
            let mut bulk = writer.bulk("list", &Extraction::standard()).unwrap();
            for time in times {
                let outcome = bulk.add(&stream, None, event(time)).unwrap();
                assert!(matches!(outcome, BulkOutcome::Stored(_)));
            }
            bulk.commit().unwrap();
        } else if !times.is_empty() {
            let append = StreamAppend {
                stream,
                category: None,
                expected: ExpectedVersion::Any,
                events: times.iter().map(event).collect(),
            };
            writer.append(vec![append]).unwrap();
        }
    }

    fn time() -> impl Strategy<Value = (i64, u16)> {
        (
            0i64..40,
            proptest::sample::select(&[0u16, 0, 0, 1, 999][..]),
        )
    }

    fn range() -> impl Strategy<Value = EventQuery> {
        let end = || proptest::option::weighted(0.8, time());
        let known = proptest::option::weighted(0.2, 0u64..120);
        let name =
            proptest::sample::select(&["", "", "Rang", "Ticked", "Never", "user-0", "user-1"][..]);
        (end(), end(), known, any::<bool>(), name).prop_map(|(a, b, known, back, name)| {
            let (a, b) = match (a, b) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                other => other,
            };
            let time = |end: Option<(i64, u16)>| end.and_then(|(us, ns)| Time::from_parts(us, ns));
            EventQuery {
                from: time(a),
                to: time(b),
                known: known.map(Position),
                event_type: name.parse().ok().filter(|_| !name.starts_with("user")),
                actor: name.parse().ok().filter(|_| name.starts_with("user")),
                direction: if back {
                    Direction::Backwards
                } else {
                    Direction::Forwards
                },
                ..EventQuery::default()
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn what_is_known_of_times_changes_no_answer(
            rounds in proptest::collection::vec((proptest::collection::vec(time(), 0..30), any::<[bool; 3]>()), 1..5),
            ranges in proptest::collection::vec(range(), 6),
            limit in 1usize..6,
        ) {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("x.annals");
            let start = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
            let writer = LogWriter::create(&path, Surroundings::fixed(start, 7)).unwrap();
            let (knows, plain) = (Log::explore(&path).unwrap(), Log::explore(&path).unwrap());
            for (times, [in_order, in_bulk, erases]) in &rounds {
                let mut times = times.clone();
                if *in_order {
                    times.sort_unstable();
                }
                append(&writer, &times, *in_bulk);
                if knows.kept_times().is_none() {
                    knows.count_times_by(2, 3).unwrap();
                }
                knows.count_shares().unwrap();
                if *erases && knows.head().unwrap().size.0 > 0 {
                    let half = Position(knows.head().unwrap().size.0.div_ceil(2));
                    let describe = |_: &[ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
                    writer.erase(&[(half, Part::Metadata)], &"e-1".parse().unwrap(), &describe).unwrap();
                }
                let size = knows.head().unwrap().size.0;
                for query in &ranges {
                    prop_assert_eq!(knows.count(query).unwrap(), plain.count(query).unwrap(), "{:?}", query);
                    prop_assert_eq!(knows.density(query, 7).unwrap(), plain.density(query, 7).unwrap(), "{:?}", query);
                    for skip in (0..=size + 1).step_by(3) {
                        let (ours, theirs) = (knows.events_from(query, skip, limit).unwrap(), plain.events_from(query, skip, limit).unwrap());
                        prop_assert_eq!(&ours, &theirs, "{} of {:?}", skip, query);
                        let next = EventQuery { after: ours.next, ..query.clone() };
                        prop_assert_eq!(knows.events(&next, limit).unwrap(), plain.events(&next, limit).unwrap(), "{:?}", next);
                    }
                    for position in (0..=size + 1).step_by(5) {
                        let at = Position(position);
                        prop_assert_eq!(knows.row_of(query, at).unwrap(), plain.row_of(query, at).unwrap(), "{} in {:?}", position, query);
                    }
                }
                let times = knows.known_times().unwrap().unwrap();
                let chunks = times.chunks.iter().map(|chunk| chunk.events);
                prop_assert_eq!(chunks.sum::<u64>(), times.covered.0);
                knows.read(|reader| {
                    for (n, chunk) in times.chunks.iter().enumerate() {
                        let end = times.chunks.get(n + 1).map_or(Time::MAX, |next| next.from);
                        assert_eq!(times.inside(reader, chunk.from, end)?, chunk.events);
                        let instant = times.inside(reader, chunk.from, chunk.from.next_ns())?;
                        assert!(chunk.events < instant + 8, "{chunk:?} is not divided");
                    }
                    Ok(())
                }).unwrap();
            }
        }
    }

    #[test]
    fn parts_that_do_not_fit_each_other_are_no_times() {
        let at = |us| Time::from_parts(us, 0).unwrap();
        let chunk = |us, events| Chunk {
            from: at(us),
            events,
        };
        let block = Block {
            first: at(1),
            last: at(2),
        };
        let make = |covered, chunks: &[Chunk], blocks: &[Block]| {
            Times::from_parts(Position(covered), chunks.to_vec(), blocks.to_vec())
        };
        assert!(make(0, &[], &[]).is_some());
        assert!(make(3, &[chunk(1, 1), chunk(2, 2)], &[block]).is_some());
        assert!(make(4, &[chunk(1, 1), chunk(2, 2)], &[block]).is_none());
        assert!(make(3, &[chunk(2, 1), chunk(1, 2)], &[block]).is_none());
        assert!(make(3, &[chunk(1, 3)], &[]).is_none());
    }
}
