//! How many events of each common type and of each busy actor lie in each block of positions: numbers by which a
//! histogram or a count of one of them needs no walk along all of its events ([`super::wide`]).
//!
//! INVARIANT: they are of whole blocks, which are all indexed, so only an erasure changes them later, and they are not
//! used after one until they are counted anew. Nothing depends on them: without them the events are counted one by one.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::log::Log;
use super::reader::Reader;
use super::times::{Sizes, Times};
use super::wide::FoundIn;
use crate::position::Position;
use crate::store::ReadError;

/// The events of names that have many, in each block of positions.
#[derive(Debug)]
pub(super) struct Shares {
    sizes: Sizes,
    /// Up to here blocks were counted; all of them are whole.
    pub(super) covered: Position,
    /// Parts that had been erased: a later erasure may take an actor from an event.
    erased: u64,
    /// By the table that finds the name's events, and its id there.
    counts: HashMap<(&'static str, i64), Vec<u16>>,
}

impl Shares {
    fn count(reader: &Reader, times: &Times) -> Result<Shares, ReadError> {
        let sizes = times.sizes;
        let blocks = times.covered.0 / sizes.block;
        let covered = Position(blocks * sizes.block);
        let mut counts = HashMap::new();
        for found_in in [FoundIn::TYPE, FoundIn::ACTOR] {
            let many = reader
                .prepare_cached(found_in.many)?
                .query_map([sizes.wide], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut statement = reader.prepare_cached(&format!(
                "SELECT position FROM {} WHERE {} = ?1 AND position <= ?2",
                found_in.table, found_in.column
            ))?;
            for id in many {
                let mut of_name = vec![0u16; usize::try_from(blocks).unwrap_or(0)];
                let mut rows = statement.query((id, covered.0))?;
                while let Some(row) = rows.next()? {
                    let position: u64 = row.get(0)?;
                    let block = position.saturating_sub(1) / sizes.block;
                    if let Some(count) =
                        usize::try_from(block).ok().and_then(|n| of_name.get_mut(n))
                    {
                        *count += 1;
                    }
                }
                counts.insert((found_in.table, id), of_name);
            }
        }
        Ok(Shares {
            sizes,
            covered,
            erased: erased(reader)?,
            counts,
        })
    }

    /// Whether nothing was erased since.
    pub(super) fn hold(&self, reader: &Reader) -> rusqlite::Result<bool> {
        Ok(erased(reader)? == self.erased)
    }

    /// How many events of a name lie in the whole blocks that positions begin with, and the position that these end at;
    /// `None` where none was counted.
    pub(super) fn beginning(
        &self,
        (found_in, id): &(FoundIn, i64),
        positions: RangeInclusive<u64>,
        sizes: Sizes,
    ) -> Option<(u64, u64)> {
        let before = positions.start().checked_sub(1)?;
        let block = self.sizes.block;
        let end = (*positions.end()).min(self.covered.0) / block * block;
        if sizes != self.sizes || !before.is_multiple_of(block) || end <= before {
            return None;
        }
        let of_name = self.counts.get(&(found_in.table, *id))?;
        let blocks = usize::try_from(before / block).ok()?..usize::try_from(end / block).ok()?;
        let count = of_name.get(blocks)?.iter().map(|n| u64::from(*n)).sum();
        Some((count, end))
    }
}

/// Parts of events that were erased.
fn erased(reader: &Reader) -> rusqlite::Result<u64> {
    reader
        .prepare_cached("SELECT count(*) FROM erasures")?
        .query_row([], |row| row.get(0))
}

impl Log {
    /// Counts how the events of common types and of busy actors lie along the log, as far as [`Log::count_times`] has
    /// counted; counted again once the log is a quarter longer. Their histograms and counts are answered faster from
    /// then on, with every clone of this log. Some tenths of a second for a million events, in memory.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn count_shares(&self) -> Result<(), ReadError> {
        self.read(|reader| {
            let Some(times) = self.times(reader)? else {
                return Ok(());
            };
            let known = match self.shares() {
                Some(shares) if shares.hold(reader)? => Some(shares.covered.0),
                _ => None,
            };
            if known.is_none_or(|known| times.covered.0 - known.min(times.covered.0) > known / 4) {
                self.know_shares(Shares::count(reader, &times)?);
            }
            Ok(())
        })
    }
}
