//! The RFC 6962 Merkle tree (RFC 9162, section 2.1) as pure functions over hashes.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::integrity::Hash;

/// Root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// Returns the hash of a node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0u8; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(bytes).into())
}

/// The right edge of a tree: the roots of its perfect subtrees, largest first. All that appending needs.
///
/// ```
/// use annals_core::integrity::{Hash, tree::{Frontier, root}};
/// let leaves: Vec<Hash> = (0..5).map(|i| Hash([i; 32])).collect();
/// let mut frontier = Frontier::default();
/// leaves.iter().for_each(|leaf| frontier.push(*leaf));
/// assert_eq!((frontier.size(), frontier.root()), (5, root(&leaves)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Builds the frontier of a tree of `size` leaves from its stored roots.
    /// `None` if their number is not the number of one bits in `size`.
    #[must_use]
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Option<Frontier> {
        (roots.len() == size.count_ones() as usize).then_some(Frontier { size, roots })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest first: one for each one bit of the size.
    #[must_use]
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .roots
                .pop()
                .expect("INVARIANT: one root for each one bit of the size");
            hash = node(&left, &hash);
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// Returns the root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.roots.iter().rev();
        match from_right.next() {
            None => empty_root(),
            Some(last) => from_right.fold(*last, |right, left| node(left, &right)),
        }
    }
}

/// Returns the root over leaf hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

/// Returns the inclusion proof of the leaf at `index` in the tree over `leaves`, from the leaf upwards
/// (RFC 9162, section 2.1.3.1); `None` if `index` is outside.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    Some(roots_of(
        leaves,
        inclusion_path(index, leaves.len() as u64)?,
    ))
}

/// The leaves under each hash of an inclusion proof, in its order; `None` if `index` is outside.
///
/// ```
/// use annals_core::integrity::tree::inclusion_path;
/// assert_eq!(inclusion_path(2, 5), Some(vec![3..4, 0..2, 4..5]));
/// ```
#[must_use]
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let (mut under, mut path) = (0..size, Vec::new());
    while under.end - under.start > 1 {
        let middle = under.start + split(under.end - under.start);
        if index < middle {
            path.push(middle..under.end);
            under.end = middle;
        } else {
            path.push(under.start..middle);
            under.start = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// Says whether `proof` shows that `leaf` stands at `index` of the tree of `size` leaves with this root
/// (RFC 9162, section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Returns the consistency proof from the tree over the first `old` leaves to the one over all
/// (RFC 9162, section 2.1.4.1); empty if they are all. `None` if `old` is over the number of leaves, and for 0:
/// every tree follows from the empty one, and there is nothing to prove.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old: u64) -> Option<Vec<Hash>> {
    Some(roots_of(
        leaves,
        consistency_path(old, leaves.len() as u64)?,
    ))
}

/// The leaves under each hash of a consistency proof, in its order; `None` as there.
///
/// ```
/// use annals_core::integrity::tree::consistency_path;
/// assert_eq!(consistency_path(3, 5), Some(vec![2..3, 3..4, 0..2, 4..5]));
/// ```
#[must_use]
pub fn consistency_path(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old == 0 || old > new {
        return None;
    }
    let (mut under, mut path) = (0..new, Vec::new());
    while under.end != old {
        let middle = under.start + split(under.end - under.start);
        if old <= middle {
            path.push(middle..under.end);
            under.end = middle;
        } else {
            path.push(under.start..middle);
            under.start = middle;
        }
    }
    // The old tree itself is known to whoever verifies.
    if under.start > 0 {
        path.push(under);
    }
    path.reverse();
    Some(path)
}

/// Says whether `proof` shows that the tree of `old` leaves with `old_root` is the start of the tree of `new`
/// leaves with `new_root` (RFC 9162, section 2.1.4.2). Nothing shows it for the empty tree: `false` if `old` is 0.
#[must_use]
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    // A tree whose size is a power of two is itself the first node of the path.
    let (first, steps) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        match proof.split_first() {
            Some((first, steps)) => (*first, steps),
            None => return false,
        }
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            from_old = node(step, &from_old);
            from_new = node(step, &from_new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node(&from_new, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}

/// Returns the proof that the leaves of a range are the leaves of that range: the roots of what is left and right of
/// it, from left to right. `None` if the range is empty or reaches outside.
#[must_use]
pub fn range_proof(leaves: &[Hash], range: Range<u64>) -> Option<Vec<Hash>> {
    Some(roots_of(leaves, range_path(range, leaves.len() as u64)?))
}

/// The leaves under each hash of a range's proof, from left to right; `None` as there.
///
/// ```
/// use annals_core::integrity::tree::range_path;
/// assert_eq!(range_path(2..4, 7), Some(vec![0..2, 4..7]));
/// assert_eq!(range_path(0..7, 7), Some(vec![]));
/// ```
#[must_use]
pub fn range_path(range: Range<u64>, size: u64) -> Option<Vec<Range<u64>>> {
    if range.is_empty() || range.end > size {
        return None;
    }
    // Right halves wait on a stack, so that the path comes from left to right.
    let mut waiting = Vec::new();
    waiting.push(0..size);
    let mut path = Vec::new();
    while let Some(under) = waiting.pop() {
        if under.end <= range.start || range.end <= under.start {
            path.push(under);
        } else if under.start < range.start || range.end < under.end {
            let middle = under.start + split(under.end - under.start);
            waiting.push(middle..under.end);
            waiting.push(under.start..middle);
        }
    }
    Some(path)
}

/// Says whether `proof` shows that `leaves` stand, one after the other from index `first` on, in the tree of `size`
/// leaves with this root: none is missing between them, and none is there besides.
///
/// ```
/// use annals_core::integrity::{Hash, tree::*};
/// let all: Vec<Hash> = (0..7).map(|i| Hash([i; 32])).collect();
/// let proof = range_proof(&all, 2..5).unwrap();
/// assert!(verify_range(&all[2..5], 2, 7, &proof, &root(&all)));
/// assert!(!verify_range(&all[2..4], 2, 7, &proof, &root(&all)));
/// ```
#[must_use]
pub fn verify_range(leaves: &[Hash], first: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    let Some(end) = first.checked_add(leaves.len() as u64) else {
        return false;
    };
    let Some(path) = range_path(first..end, size).filter(|path| path.len() == proof.len()) else {
        return false;
    };
    let mut given = path.into_iter().zip(proof).peekable();
    let mut known = leaves.iter();
    let mut found = Vec::new();
    let mut at = 0;
    while at < size {
        let (end, hash) = match given.next_if(|(under, _)| under.start == at) {
            Some((under, hash)) => (under.end, Some(hash)),
            None => (at + 1, known.next()),
        };
        let Some(hash) = hash else { return false };
        put_under(&mut found, at..end, *hash, size);
        at = end;
    }
    matches!(found.as_slice(), [(_, whole)] if whole == root)
}

/// Puts the root of a subtree beside those on its left, and joins what makes a larger subtree of the tree of `size`.
fn put_under(found: &mut Vec<(Range<u64>, Hash)>, under: Range<u64>, hash: Hash, size: u64) {
    let (mut under, mut hash) = (under, hash);
    while let Some((left, left_hash)) = found.last() {
        let joined = left.start..under.end;
        let len = joined.end - joined.start;
        // A subtree is as long as a power of two, or ends with the tree; its left half is the larger power below.
        let whole = len.is_power_of_two() || joined.end == size;
        let fits = joined.start.is_multiple_of(len.next_power_of_two())
            && left.end - left.start == split(len);
        if !(whole && fits) {
            break;
        }
        hash = node(left_hash, &hash);
        under = joined;
        found.pop();
    }
    found.push((under, hash));
}

fn roots_of(leaves: &[Hash], path: Vec<Range<u64>>) -> Vec<Hash> {
    path.into_iter()
        .map(|under| root(&leaves[under.start as usize..under.end as usize]))
        .collect()
}

/// Largest power of two below `len` (`len` at least 2).
pub(crate) fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}
