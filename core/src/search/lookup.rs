//! The segments of the text index in the cache: written, put together, and asked.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::candidates::Wanted;
use super::segment::{Bits, Builder, Damaged, MAX_EVENTS, Reader};
use crate::cache::CacheError;
use crate::position::Position;

/// Bytes that the words of a segment under construction may take. Where events are large it holds fewer of them.
const MAX_WEIGHT: usize = 48 << 20;

/// A segment: the events from `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Bytes that its words took when it was made.
    weight: u64,
}

impl Segment {
    fn events(&self) -> usize {
        (self.last + 1).saturating_sub(self.first) as usize
    }
}

/// The segments that hold events between two positions, both inclusive, in order.
fn segments(conn: &Connection, low: Position, high: Position) -> Result<Vec<Segment>, CacheError> {
    let mut statement = conn.prepare_cached(
        "SELECT first, last, weight FROM text_segments WHERE last >= ?1 AND first <= ?2 ORDER BY first",
    )?;
    let segments = statement.query_map([low.0, high.0], |row| {
        Ok(Segment {
            first: row.get(0)?,
            last: row.get(1)?,
            weight: row.get(2)?,
        })
    })?;
    let segments = segments.collect::<rusqlite::Result<Vec<Segment>>>()?;
    // A bit for each event is made room for.
    match segments
        .iter()
        .all(|segment| (1..=MAX_EVENTS).contains(&segment.events()))
    {
        true => Ok(segments),
        false => Err(damaged()),
    }
}

/// The segment that an event is in.
pub(super) fn segment_of(
    conn: &Connection,
    position: Position,
) -> Result<Option<Segment>, CacheError> {
    Ok(segments(conn, position, position)?.first().copied())
}

/// A segment under construction.
pub(super) struct Draft<'b> {
    first: u64,
    builder: &'b mut Builder,
    /// The segment that it takes the place of, whose events it is given anew.
    instead_of: Option<Segment>,
}

impl<'b> Draft<'b> {
    /// Of the events after `covered`. Nothing is read or locked for it before it is written.
    pub(super) fn after(builder: &'b mut Builder, covered: Position) -> Draft<'b> {
        builder.clear();
        Draft {
            first: covered.0 + 1,
            builder,
            instead_of: None,
        }
    }

    /// In place of a segment.
    pub(super) fn instead_of(builder: &'b mut Builder, segment: Segment) -> Draft<'b> {
        builder.clear();
        Draft {
            first: segment.first,
            builder,
            instead_of: Some(segment),
        }
    }

    /// Whether the event at a position may be added. The first one may.
    pub(super) fn has_room(&self, position: Position) -> bool {
        position.0 - self.first < MAX_EVENTS as u64 && self.builder.weight() < MAX_WEIGHT
    }

    /// Adds the words of an event, which has room.
    pub(super) fn add(&mut self, position: Position, words: &str) {
        let place = u16::try_from(position.0 - self.first);
        let place = place.expect("INVARIANT: a segment has room for as many events as it says");
        self.builder.add_event(place, words);
    }

    /// Puts it together with the last segments that are not much longer than what is put together with them: so an event
    /// is written again as often as the logarithm of how many there are. Returns those that it takes the place of.
    fn take_in(&mut self, conn: &Connection, last: Position) -> Result<Vec<Segment>, CacheError> {
        let mut taken = Vec::new();
        let (mut first, mut weight) = (self.first, 0);
        while let Some(before) = segment_of(conn, Position(first - 1))? {
            let (len, events) = (before.events() as u64, last.0 + 1 - first);
            weight += before.weight;
            if len > 2 * events
                || len + events > MAX_EVENTS as u64
                || weight > MAX_WEIGHT as u64 / 2
                || before.last + 1 != first
            {
                break;
            }
            first = before.first;
            taken.push(before);
        }
        if taken.is_empty() {
            return Ok(taken);
        }
        let own = self.builder.part_with_places();
        for segment in taken.iter().rev() {
            let mut blocks = conn.prepare_cached(
                "SELECT b.block FROM text_words w JOIN text_blocks b ON b.id = w.block
                 WHERE w.first = ?1 ORDER BY w.word",
            )?;
            let mut rows = blocks.query([segment.first])?;
            while let Some(row) = rows.next()? {
                let block = row.get_ref(0)?.as_blob().map_err(|_| damaged())?;
                self.builder.add_block(block, segment.first - first)?;
            }
        }
        self.builder.take_back(own, self.first - first)?;
        self.first = first;
        Ok(taken)
    }

    /// Writes the segment, which ends with `last`, and removes those that it takes the place of.
    pub(super) fn write(
        mut self,
        transaction: &Transaction<'_>,
        last: Position,
    ) -> Result<(), CacheError> {
        let replaced = match self.instead_of {
            Some(segment) => vec![segment],
            None => self.take_in(transaction, last)?,
        };
        let Draft { first, builder, .. } = self;
        for segment in replaced {
            for statement in [
                "DELETE FROM text_blocks WHERE id IN (SELECT block FROM text_words WHERE first = ?1)",
                "DELETE FROM text_words WHERE first = ?1",
                "DELETE FROM text_segments WHERE first = ?1",
            ] {
                transaction
                    .prepare_cached(statement)?
                    .execute([segment.first])?;
            }
        }
        let weight = builder.weight();
        let mut block_in =
            transaction.prepare_cached("INSERT INTO text_blocks(block) VALUES (?1)")?;
        let mut word_in = transaction
            .prepare_cached("INSERT INTO text_words(first, word, block) VALUES (?1, ?2, ?3)")?;
        builder.finish((last.0 + 1 - first) as usize, &mut |word, block| {
            let id = block_in.insert([block])?;
            word_in.execute((first, word, id))?;
            Ok::<(), CacheError>(())
        })?;
        transaction
            .prepare_cached("INSERT INTO text_segments(first, last, weight) VALUES (?1, ?2, ?3)")?
            .execute((first, last.0, weight as u64))?;
        Ok(())
    }
}

/// Calls `each` with the events between two positions, both inclusive, that the index proposes, a segment at a time, in
/// order or backwards, until it says that it is enough. They are bits, the first of them for the event at the position
/// given beside them.
pub(super) fn ask(
    conn: &Connection,
    wanted: &Wanted,
    (low, high): (Position, Position),
    backwards: bool,
    each: &mut dyn FnMut(u64, &Bits) -> bool,
) -> Result<(), CacheError> {
    let mut segments = segments(conn, low, high)?;
    if backwards {
        segments.reverse();
    }
    for segment in segments {
        let mut bits = bits_of(conn, segment, wanted)?;
        bits.keep(
            low.0.saturating_sub(segment.first) as usize,
            (high.0 - segment.first) as usize,
        );
        if !each(segment.first, &bits) {
            break;
        }
    }
    Ok(())
}

fn bits_of(conn: &Connection, segment: Segment, wanted: &Wanted) -> Result<Bits, CacheError> {
    match wanted {
        Wanted::Word { text, prefix } => word(conn, segment, text.as_bytes(), *prefix),
        Wanted::Any(some) => {
            let mut all = Bits::none(segment.events());
            for wanted in some {
                all.or(&bits_of(conn, segment, wanted)?);
            }
            Ok(all)
        }
        Wanted::All(some) => {
            let mut all: Option<Bits> = None;
            for wanted in some {
                let bits = bits_of(conn, segment, wanted)?;
                match &mut all {
                    None => all = Some(bits),
                    Some(all) => all.and(&bits),
                }
                if all.as_ref().is_some_and(Bits::is_none) {
                    break;
                }
            }
            Ok(all.unwrap_or_else(|| Bits::none(segment.events())))
        }
        Wanted::Without(there, gone) => {
            let mut bits = bits_of(conn, segment, there)?;
            if !bits.is_none() {
                bits.without(&bits_of(conn, segment, gone)?);
            }
            Ok(bits)
        }
    }
}

/// The events in which a word stands, or one that begins like it.
fn word(
    conn: &Connection,
    segment: Segment,
    text: &[u8],
    prefix: bool,
) -> Result<Bits, CacheError> {
    let mut bits = Bits::none(segment.events());
    let mut start = conn.prepare_cached(
        "SELECT word FROM text_words WHERE first = ?1 AND word <= ?2 ORDER BY word DESC LIMIT 1",
    )?;
    let start: Option<Vec<u8>> = start
        .query_row((segment.first, text), |row| row.get(0))
        .optional()?;
    let mut blocks = conn.prepare_cached(
        "SELECT b.block FROM text_words w JOIN text_blocks b ON b.id = w.block
         WHERE w.first = ?1 AND w.word >= ?2 ORDER BY w.word",
    )?;
    let mut rows = blocks.query((segment.first, start.unwrap_or_default()))?;
    while let Some(row) = rows.next()? {
        let mut reader = Reader::new(row.get_ref(0)?.as_blob().map_err(|_| damaged())?);
        while reader.next()? {
            if reader.word == text || (prefix && reader.word.starts_with(text)) {
                reader.places.mark(&mut bits)?;
            } else if reader.word.as_slice() > text {
                return Ok(bits);
            }
        }
        if !prefix {
            return Ok(bits);
        }
    }
    Ok(bits)
}

/// What the cache is replaced for.
fn damaged() -> CacheError {
    CacheError::Engine(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some("a segment of the text index cannot be read".to_owned()),
    ))
}

impl From<Damaged> for CacheError {
    fn from(_: Damaged) -> CacheError {
        damaged()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::candidates::PART;

    /// The words of an event, by its position.
    fn words(position: u64) -> String {
        let third = if position.is_multiple_of(3) {
            "third "
        } else {
            ""
        };
        format!("all {third}n{position} m{}", position % 100)
    }

    /// Adds so many events, as the index does.
    fn add(conn: &mut Connection, covered: &mut u64, more: u64) {
        let head = *covered + more;
        let mut builder = Builder::default();
        while *covered < head {
            let transaction = conn.transaction().unwrap();
            let at = Position(*covered);
            let mut draft = Draft::after(&mut builder, at);
            while *covered < head && draft.has_room(Position(*covered + 1)) {
                *covered += 1;
                draft.add(Position(*covered), &words(*covered));
            }
            assert!(*covered > at.0, "each draft takes one at least");
            draft.write(&transaction, Position(*covered)).unwrap();
            transaction.commit().unwrap();
        }
    }

    fn found(conn: &Connection, wanted: &Wanted, low: u64, high: u64, backwards: bool) -> Vec<u64> {
        let mut found = Vec::new();
        ask(
            conn,
            wanted,
            (Position(low), Position(high)),
            backwards,
            &mut |first, bits| {
                bits.each(backwards, &mut |place| {
                    found.push(first + place);
                    true
                });
                true
            },
        )
        .unwrap();
        found
    }

    fn holds(conn: &Connection, covered: u64) {
        let all = segments(conn, Position(1), Position(covered)).unwrap();
        let mut next = 1;
        for segment in &all {
            assert_eq!(segment.first, next, "no gap and no overlap");
            next = segment.last + 1;
        }
        assert_eq!(next, covered + 1);
        let blocks = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
        assert_eq!(
            blocks("SELECT count(*) FROM text_blocks"),
            blocks(
                "SELECT count(*) FROM text_words WHERE first IN (SELECT first FROM text_segments)"
            ),
            "nothing is left of what was replaced"
        );
        let word = |text: &str, prefix| Wanted::Word {
            text: text.to_owned(),
            prefix,
        };
        let both = Wanted::All(vec![word("third", false), word("m7", true)]);
        let less = Wanted::Without(Box::new(both.clone()), Box::new(word("m7", false)));
        type Truth<'t> = &'t dyn Fn(u64) -> bool;
        let third = |p: u64| p.is_multiple_of(3);
        let sevens = |p: u64| p % 100 == 7 || p % 100 / 10 == 7;
        let questions: [(Wanted, Truth<'_>); 5] = [
            (word("all", false), &|_| true),
            (word("al", false), &|_| false),
            (word("n41", true), &|p| p.to_string().starts_with("41")),
            (both, &|p| third(p) && sevens(p)),
            (less, &|p| third(p) && sevens(p) && p % 100 != 7),
        ];
        for (wanted, truth) in &questions {
            for (low, high) in [(1, covered), (covered / 3 + 1, covered / 3 * 2 + 1)] {
                let mut want: Vec<u64> = (low..=high).filter(|p| truth(*p)).collect();
                assert!(found(conn, wanted, low, high, false) == want, "{wanted:?}");
                want.reverse();
                assert!(found(conn, wanted, low, high, true) == want, "{wanted:?}");
            }
        }
    }

    fn empty() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(PART.create).unwrap();
        conn
    }

    #[test]
    fn a_segment_ends_where_it_is_full_and_the_next_goes_on() {
        let (mut conn, mut covered) = (empty(), 0);
        for more in [10, 70_000, 1, 1, 60_000, 10_000] {
            add(&mut conn, &mut covered, more);
        }
        holds(&conn, covered);
    }

    #[test]
    fn events_that_come_one_by_one_make_few_segments() {
        let (mut conn, mut covered) = (empty(), 0);
        for _ in 0..500 {
            add(&mut conn, &mut covered, 1);
        }
        holds(&conn, covered);
        let all = segments(&conn, Position(1), Position(covered)).unwrap();
        assert!(all.len() <= 10, "{}", all.len());
    }

    #[test]
    fn a_segment_that_cannot_be_is_damage() {
        for change in [
            "UPDATE text_segments SET last = 1 << 40",
            "UPDATE text_segments SET last = -1",
            "UPDATE text_blocks SET block = x'ff'",
        ] {
            let (mut conn, mut covered) = (empty(), 0);
            add(&mut conn, &mut covered, 10);
            conn.execute_batch(change).unwrap();
            let all = Wanted::Word {
                text: "all".to_owned(),
                prefix: false,
            };
            let range = (Position(1), Position(10));
            let asked = ask(&conn, &all, range, false, &mut |_, _| true);
            // One that ends before it begins holds no event that is asked for.
            assert!(asked.is_err() || change.contains("-1"), "{change}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn whatever_comes_at_once_is_found(more in prop::collection::vec(1..300u64, 1..20)) {
            let (mut conn, mut covered) = (empty(), 0);
            for more in more {
                add(&mut conn, &mut covered, more);
            }
            holds(&conn, covered);
        }
    }
}
