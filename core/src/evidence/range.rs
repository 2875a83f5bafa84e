//! The range proof, `proof/range.bin`: every position of a range, shown or closed, and the way to the root.
//!
//! `docs/formats/evidence-package.md` draws the bytes.

use crate::integrity::decode::{DecodeError, Reader};
use crate::integrity::leaf::Salt;
use crate::integrity::{Hash, tree};
use crate::position::Position;

/// First bytes of a range proof.
pub const MAGIC: &[u8; 16] = b"annals-range/1\0\0";

const CLOSED: u8 = 0;
const OTHER: u8 = 1;
const ROW: u8 = 2;
const END: u8 = 255;

/// What is shown of a part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartShown<'b> {
    /// Withheld, or not needed.
    Closed,
    /// Whole, with the salt that makes its hash.
    Open {
        /// The salt.
        salt: Salt,
        /// Its bytes.
        bytes: &'b [u8],
    },
    /// The log has it no more.
    Erased,
    /// There is none (metadata only).
    None,
    /// A payload in which members were withheld: it does not make the hash.
    InPart(&'b [u8]),
}

/// An event that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'b> {
    /// Place in the log.
    pub position: Position,
    /// Whether it is a row.
    pub row: bool,
    /// Rule of extraction: index into the manifest's list.
    pub rule: u16,
    /// Leaf bytes.
    pub leaf: &'b [u8],
    /// Identity, data and metadata, in the order of [`crate::event::Part`].
    pub parts: [PartShown<'b>; 3],
}

/// A range proof that was read. It has accounted for each position from `first` to `last` exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range<'b> {
    /// Number of leaves of the tree.
    pub size: u64,
    /// First position.
    pub first: u64,
    /// Last position; `first` − 1 where the range is empty.
    pub last: u64,
    /// Events that are shown, by position.
    pub shown: Vec<Shown<'b>>,
    /// Number of positions that are closed.
    pub closed: u64,
    /// Roots of the parts of the tree without shown events, from left to right.
    pub hashes: Vec<Hash>,
}

/// Writes a range proof, item by item in order of position.
#[derive(Debug)]
pub struct RangeWriter {
    out: Vec<u8>,
    next: u64,
    last: u64,
}

impl RangeWriter {
    /// Begins the proof of the positions from `first` to `last` in a tree of `size` leaves.
    #[must_use]
    pub fn new(size: u64, first: u64, last: u64) -> RangeWriter {
        let mut out = MAGIC.to_vec();
        for number in [size, first, last] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        RangeWriter {
            out,
            next: first,
            last,
        }
    }

    /// Adds an event; what lies between it and the one before is closed.
    pub fn show(&mut self, shown: &Shown<'_>) {
        let Shown {
            position,
            row,
            rule,
            leaf,
            parts,
        } = shown;
        self.close_up_to(position.0);
        self.out.push(if *row { ROW } else { OTHER });
        self.out.extend_from_slice(&rule.to_be_bytes());
        put_bytes(&mut self.out, leaf);
        for part in parts {
            match part {
                PartShown::Closed => self.out.push(0),
                PartShown::Open { salt, bytes } => {
                    self.out.push(1);
                    self.out.extend_from_slice(salt);
                    put_bytes(&mut self.out, bytes);
                }
                PartShown::Erased => self.out.push(2),
                PartShown::None => self.out.push(3),
                PartShown::InPart(bytes) => {
                    self.out.push(4);
                    put_bytes(&mut self.out, bytes);
                }
            }
        }
        self.next = position.0 + 1;
    }

    /// Number of bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Ends the proof with the hashes of [`cover`].
    #[must_use]
    pub fn finish(mut self, hashes: &[Hash]) -> Vec<u8> {
        self.close_up_to(self.last + 1);
        self.out.push(END);
        let count = u32::try_from(hashes.len()).unwrap_or(u32::MAX);
        self.out.extend_from_slice(&count.to_be_bytes());
        hashes
            .iter()
            .for_each(|hash| self.out.extend_from_slice(&hash.0));
        self.out
    }

    fn close_up_to(&mut self, position: u64) {
        if position > self.next {
            self.out.push(CLOSED);
            self.out
                .extend_from_slice(&(position - self.next).to_be_bytes());
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

impl<'b> Range<'b> {
    /// Reads a range proof; computes nothing.
    ///
    /// # Errors
    /// [`DecodeError`] where it does not account for each position of its range exactly once, in order.
    pub fn read(bytes: &'b [u8]) -> Result<Range<'b>, DecodeError> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError("it does not begin with annals-range/1"));
        }
        let (size, first, last) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let end = last
            .checked_add(1)
            .filter(|end| first >= 1 && first <= *end && (last <= size || first == *end));
        let end = end.ok_or(DecodeError("its range is none in its tree"))?;
        let mut range = Range {
            size,
            first,
            last,
            shown: Vec::new(),
            closed: 0,
            hashes: Vec::new(),
        };
        let mut next = first;
        let mut after_closed = false;
        loop {
            let kind = reader.u8()?;
            match kind {
                CLOSED => {
                    let count = reader.u64()?;
                    if count == 0 || after_closed || count > end - next {
                        return Err(DecodeError(
                            "a closed stretch is empty, doubled or too long",
                        ));
                    }
                    range.closed += count;
                    next += count;
                }
                OTHER | ROW => {
                    if next >= end {
                        return Err(DecodeError("it shows more events than its range has"));
                    }
                    let position = Position(next);
                    range.shown.push(shown(&mut reader, position, kind == ROW)?);
                    next += 1;
                }
                END => break,
                _ => return Err(DecodeError("an item is of no known kind")),
            }
            after_closed = kind == CLOSED;
        }
        if next != end {
            return Err(DecodeError("it does not account for its whole range"));
        }
        let count = reader.u32()?;
        for _ in 0..count {
            range.hashes.push(reader.hash()?);
        }
        reader.end()?;
        Ok(range)
    }

    /// The root that the leaves shown and the hashes make; `None` where the hashes are too few or too many.
    /// `leaves` are the leaf hashes of [`Range::shown`], in order.
    #[must_use]
    pub fn root(&self, leaves: &[Hash]) -> Option<Hash> {
        if leaves.len() != self.shown.len() {
            return None;
        }
        if self.size == 0 {
            return self.hashes.is_empty().then(tree::empty_root);
        }
        let at: Vec<(u64, Hash)> = self
            .shown
            .iter()
            .zip(leaves)
            .map(|(shown, leaf)| (shown.position.0 - 1, *leaf))
            .collect();
        let mut hashes = self.hashes.iter();
        let root = walk(0, self.size, &at, &mut |_, _| hashes.next().copied())?;
        hashes.next().is_none().then_some(root)
    }
}

fn shown<'b>(
    reader: &mut Reader<'b>,
    position: Position,
    row: bool,
) -> Result<Shown<'b>, DecodeError> {
    let rule = reader.u16()?;
    let leaf = reader.bytes()?;
    let mut parts = [PartShown::Closed; 3];
    for (at, part) in parts.iter_mut().enumerate() {
        *part = match reader.u8()? {
            0 => PartShown::Closed,
            1 => PartShown::Open {
                salt: reader.array()?,
                bytes: reader.bytes()?,
            },
            2 => PartShown::Erased,
            3 if at == 2 => PartShown::None,
            4 if at > 0 => PartShown::InPart(reader.bytes()?),
            _ => return Err(DecodeError("a part is of no known kind")),
        };
    }
    Ok(Shown {
        position,
        row,
        rule,
        leaf,
        parts,
    })
}

/// The leaves under each hash of a range proof, from left to right, where the events at `shown` (indexes, ascending) of
/// a log of `size` are shown. `None` if one is outside.
///
/// ```
/// use annals_core::evidence::range::cover;
/// assert_eq!(cover(7, &[2, 3]), Some(vec![0..2, 4..7]));
/// assert_eq!(cover(1_000_000, &[]), Some(vec![0..1_000_000]));
/// assert_eq!(cover(2, &[2]), None);
/// ```
#[must_use]
pub fn cover(size: u64, shown: &[u64]) -> Option<Vec<std::ops::Range<u64>>> {
    if shown.last().is_some_and(|last| *last >= size) {
        return None;
    }
    let mut under = Vec::new();
    if size > 0 {
        // What is computed on the way is not used; what is asked for is.
        let any = tree::empty_root();
        let at: Vec<(u64, Hash)> = shown.iter().map(|index| (*index, any)).collect();
        walk(0, size, &at, &mut |from, to| {
            under.push(from..to);
            Some(any)
        });
    }
    Some(under)
}

/// Root over the indexes from `from` up to but not including `to`; `other` gives the root of a part without shown
/// leaves.
fn walk(
    from: u64,
    to: u64,
    shown: &[(u64, Hash)],
    other: &mut dyn FnMut(u64, u64) -> Option<Hash>,
) -> Option<Hash> {
    match shown {
        [] => return other(from, to),
        [(_, leaf)] if to - from == 1 => return Some(*leaf),
        _ => {}
    }
    let half = from + tree::split(to - from);
    let (left, right) = shown.split_at(shown.partition_point(|(at, _)| *at < half));
    let left = walk(from, half, left, other)?;
    let right = walk(half, to, right, other)?;
    Some(tree::node(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn leaf_bytes(index: u64) -> Vec<u8> {
        format!("leaf {index}").into_bytes()
    }

    fn leaf(index: u64) -> Hash {
        let bytes = leaf_bytes(index);
        Hash(
            Sha256::new()
                .chain_update([0])
                .chain_update(bytes)
                .finalize()
                .into(),
        )
    }

    fn proof(size: u64, first: u64, last: u64, shown: &[u64]) -> Vec<u8> {
        let leaves: Vec<Hash> = (0..size).map(leaf).collect();
        let mut writer = RangeWriter::new(size, first, last);
        for index in shown {
            writer.show(&Shown {
                position: Position(index + 1),
                row: index % 2 == 0,
                rule: 0,
                leaf: &leaf_bytes(*index),
                parts: [
                    PartShown::Open {
                        salt: [9; 16],
                        bytes: b"id",
                    },
                    PartShown::InPart(b"{}"),
                    PartShown::None,
                ],
            });
        }
        let hashes: Vec<Hash> = cover(size, shown)
            .unwrap()
            .into_iter()
            .map(|under| tree::root(&leaves[under.start as usize..under.end as usize]))
            .collect();
        writer.finish(&hashes)
    }

    fn hashes_of(range: &Range<'_>) -> Vec<Hash> {
        range
            .shown
            .iter()
            .map(|shown| leaf(shown.position.0 - 1))
            .collect()
    }

    proptest! {
        #[test]
        fn any_shown_events_lead_to_the_root_and_no_other_hashes_do(
            size in 0u64..200, picks in proptest::collection::btree_set(0u64..200, 0..30),
        ) {
            let shown: Vec<u64> = picks.into_iter().filter(|i| *i < size).collect();
            let bytes = proof(size, 1, size, &shown);
            let range = Range::read(&bytes).unwrap();
            prop_assert_eq!(range.shown.len() as u64 + range.closed, size);
            let all: Vec<Hash> = (0..size).map(leaf).collect();
            let leaves = hashes_of(&range);
            prop_assert_eq!(range.root(&leaves), Some(tree::root(&all)));
            for at in 0..leaves.len() {
                let mut other = leaves.clone();
                other[at] = leaf(999);
                prop_assert_ne!(range.root(&other), Some(tree::root(&all)));
            }
            let mut more = range.clone();
            more.hashes.push(leaf(1));
            prop_assert_eq!(more.root(&leaves), None);
            if !range.hashes.is_empty() {
                let mut fewer = range.clone();
                fewer.hashes.pop();
                prop_assert_eq!(fewer.root(&leaves), None);
            }
        }
    }

    #[test]
    fn a_million_closed_events_cost_some_hashes() {
        let hashes = cover(1_000_000, &[500_000]).unwrap();
        assert!(hashes.len() <= 20, "{} hashes", hashes.len());
    }

    #[test]
    fn every_cut_and_what_does_not_account_for_the_range_is_refused() {
        let bytes = proof(9, 2, 8, &[2, 3, 6]);
        assert!(Range::read(&bytes).is_ok());
        for len in 0..bytes.len() {
            assert!(Range::read(&bytes[..len]).is_err(), "{len} bytes");
        }
        assert!(
            Range::read(&[&bytes[..], &[0]].concat()).is_err(),
            "one byte more"
        );
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            Range::read(&bytes).is_err()
        };
        assert!(with(&|b| b[0] = b'b'), "another magic");
        assert!(with(&|b| b[31] = 0), "first is 0");
        assert!(with(&|b| b[39] = 10), "last beyond the tree");
        assert!(with(&|b| b[39] = 7), "one event too many");
        assert!(with(&|b| b[40] = 77), "no such item");
        assert!(with(&|b| b[48] = 0), "an empty closed stretch");
    }
}
