//! The record that an import leaves in the log's file. It is beside the events, not among them, and not under
//! the leaf hashes: it tells how events came here, and no proof stands on it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::integrity::Hash;
use crate::position::Position;
use crate::time::Time;
use crate::varint;

/// What an import says of itself, for the log to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportNote {
    /// Records read.
    pub read: u64,
    /// Events stored.
    pub stored: u64,
    /// Records that the log held already.
    pub duplicates: u64,
    /// Records that could not be taken.
    pub rejected: u64,
    /// The files, in order.
    pub files: Vec<ImportedFile>,
    /// What was seen of each of them, in the same order.
    pub seen: Vec<SeenFile>,
}

/// What an import saw of a file: where the event of each of its records stands in the log, in the file's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenFile {
    /// Positions in the order of the file; a record that comes twice is there twice, a rejected one is not.
    pub positions: Positions,
    /// It was found in a folder that was imported.
    pub in_folder: bool,
}

/// Positions one after another, in few bytes: where each stands behind the one before, one byte each.
///
/// They are held as differences from one to the next, zigzag, seven bits a byte, lowest first, which is also what the
/// file holds.
///
/// ```
/// use annals_core::position::Position;
/// use annals_core::store::Positions;
/// let positions: Positions = [7, 8, 9, 9, 2].map(Position).into_iter().collect();
/// assert_eq!(positions.len(), 5);
/// assert_eq!(positions.iter().last(), Some(Position(2)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    bytes: Vec<u8>,
    len: u64,
    last: u64,
}

impl Positions {
    /// Adds one at the end.
    pub fn push(&mut self, Position(position): Position) {
        let step = position.wrapping_sub(self.last).cast_signed();
        varint::put(
            &mut self.bytes,
            ((step << 1) ^ (step >> 63)).cast_unsigned(),
        );
        self.last = position;
        self.len += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives them in their order.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        let (mut bytes, mut before) = (self.bytes.iter(), 0u64);
        std::iter::from_fn(move || {
            let (mut rest, mut shift) = (0u64, 0u32);
            loop {
                let byte = bytes.next()?;
                rest |= u64::from(byte & 0x7f).wrapping_shl(shift);
                if byte & 0x80 == 0 {
                    break;
                }
                shift += 7;
            }
            let step = (rest >> 1).cast_signed() ^ -((rest & 1).cast_signed());
            before = before.wrapping_add(step.cast_unsigned());
            Some(Position(before))
        })
    }

    /// As the file holds them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As they come from the file; a spoilt row gives others.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Positions {
        let mut positions = Positions {
            bytes,
            ..Positions::default()
        };
        let (len, last) = positions
            .iter()
            .fold((0, 0), |(len, _), position| (len + 1, position.0));
        (positions.len, positions.last) = (len, last);
        positions
    }
}

impl FromIterator<Position> for Positions {
    fn from_iter<I: IntoIterator<Item = Position>>(each: I) -> Positions {
        let mut positions = Positions::default();
        each.into_iter()
            .for_each(|position| positions.push(position));
        positions
    }
}

/// What was seen of a source when it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSeen {
    /// The import that looked.
    pub import: u64,
    /// When that was.
    pub at: Time,
    /// How many imports have looked at this source so far.
    pub looks: u64,
    /// What it saw.
    pub file: SeenFile,
}

/// One file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportedFile {
    /// Its name: the source of its events that name none themselves. No folder of that machine.
    pub name: String,
    /// Its size, packed as it was.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of it, packed as it was.
    pub sha256: Hash,
    /// Format that it was read in: `jsonl`, `json`, `xes`, `csv`.
    pub format: String,
    /// SHA-256 of the mapping that its rows became events by.
    pub mapping_sha256: Option<Hash>,
    /// That mapping, as TOML.
    pub mapping: Option<String>,
    /// Records read.
    #[ts(type = "number")]
    pub read: u64,
    /// How much of what happened it holds; left out where it held no event, or a build kept none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub coverage: Option<Coverage>,
}

/// How much of what happened a source holds: of the events looked at, how many do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Coverage {
    /// Events looked at: the first 10,000, then every sixteenth.
    #[ts(type = "number")]
    pub looked_at: u64,
    /// Events of which it is known what was before: they say it, or others stand before them in their stream, and
    /// the source is no log of requests.
    #[ts(type = "number")]
    pub previous: u64,
    /// Events that say when they happened.
    #[ts(type = "number")]
    pub when: u64,
    /// Events that say who did them.
    #[ts(type = "number")]
    pub who: u64,
    /// Events that say why.
    #[ts(type = "number")]
    pub why: u64,
}

impl Coverage {
    /// The four, each as a share of a hundred of the events looked at, rounded down; `None` where none was.
    ///
    /// ```
    /// use annals_core::store::Coverage;
    /// let coverage = Coverage { looked_at: 3, previous: 3, when: 2, who: 1, why: 0 };
    /// assert_eq!(coverage.percent(), Some([100, 66, 33, 0]));
    /// assert_eq!(Coverage::default().percent(), None);
    /// ```
    #[must_use]
    pub fn percent(&self) -> Option<[u64; 4]> {
        let Coverage {
            looked_at,
            previous,
            when,
            who,
            why,
        } = self;
        let share = |count: u64| (count.saturating_mul(100)).checked_div(*looked_at);
        Some([share(*previous)?, share(*when)?, share(*who)?, share(*why)?])
    }
}

/// One import into a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ImportRow {
    /// Its number, first is 1.
    #[ts(type = "number")]
    pub number: u64,
    /// When the log took it, UTC.
    pub recorded_at: Time,
    /// Records read.
    #[ts(type = "number")]
    pub read: u64,
    /// Events stored.
    #[ts(type = "number")]
    pub stored: u64,
    /// Records that the log held already.
    #[ts(type = "number")]
    pub duplicates: u64,
    /// Records that could not be taken. read = stored + duplicates + rejected.
    #[ts(type = "number")]
    pub rejected: u64,
    /// Position of its first event; `null` where it stored none.
    pub first: Option<Position>,
    /// Position of its last event.
    pub last: Option<Position>,
    /// The files, in order.
    pub files: Vec<ImportedFile>,
}

/// The imports into a log: `annals imports --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ImportsView {
    /// Oldest first. Imports by builds that kept no list are not in it.
    pub imports: Vec<ImportRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_as_they_were_seen() {
        for positions in [
            vec![],
            vec![1, 2, 3, 3, 2],
            vec![u64::MAX >> 1, 1, 1 << 40, 0],
        ] {
            let positions: Vec<Position> = positions.into_iter().map(Position).collect();
            let packed: Positions = positions.iter().copied().collect();
            assert_eq!(packed.iter().collect::<Vec<_>>(), positions);
            assert_eq!(Positions::from_bytes(packed.bytes().to_vec()), packed);
        }
        let dense: Positions = (1..=1000).map(Position).collect();
        assert_eq!(dense.bytes().len(), 1000, "a byte a record");
        let spoilt = Positions::from_bytes(vec![0xff; 30]);
        assert!(spoilt.is_empty(), "a spoilt row is no panic");
    }
}
