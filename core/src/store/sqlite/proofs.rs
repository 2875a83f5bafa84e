//! Proofs from the stored tree: a handful of tiles each, however large the log is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension};

use super::log::{Log, head};
use super::reader::Reader;
use super::tiles::{TILE, corrupt, hashes};
use crate::integrity::{Hash, tree};
use crate::position::Position;
use crate::store::ReadError;

/// Roots of subtrees that a connection remembers.
const MAX_SUBTREES: usize = 16_384;

/// Levels of the tree in one tile.
const TILE_LEVELS: u32 = TILE.ilog2();

impl Log {
    /// Proof that the event at `position` is among the log's first `size` (RFC 6962, section 2.1.1).
    ///
    /// It is as good as the stored tree: whoever verifies it compares it with a root and the event's own leaf.
    ///
    /// # Errors
    /// [`ReadError::NoEvent`] where the log, or its first part of that size, has no such event; [`ReadError`] of the
    /// engine.
    ///
    /// ```
    /// use annals_core::integrity::tree::verify_inclusion;
    /// use annals_core::{position::Position, store::Log};
    /// let folder = tempfile::tempdir().unwrap();
    /// let store = folder.path().join("guide.annals");
    /// annals_core::sample::guide(&store).unwrap();
    /// let log = Log::explore(&store).unwrap();
    /// let (head, event) = (log.head().unwrap(), log.event(Position(7)).unwrap().unwrap());
    /// let proof = log.inclusion_proof(Position(7), head.size).unwrap();
    /// assert!(verify_inclusion(&event.leaf, 6, head.size.0, &proof, &head.root));
    /// ```
    pub fn inclusion_proof(
        &self,
        position: Position,
        size: Position,
    ) -> Result<Vec<Hash>, ReadError> {
        let path = position
            .leaf_index()
            .and_then(|index| tree::inclusion_path(index, size.0));
        self.proof(size, path, || {
            format!("at position {position} of the log's first {size}")
        })
    }

    /// Proof that the log's first `old` events are the first of its first `new` (RFC 6962, section 2.1.2).
    ///
    /// # Errors
    /// [`ReadError::NoEvent`] where the log has fewer than `new` events, or `old` is 0 or over `new`; [`ReadError`] of
    /// the engine.
    pub fn consistency_proof(&self, old: Position, new: Position) -> Result<Vec<Hash>, ReadError> {
        let path = tree::consistency_path(old.0, new.0);
        self.proof(new, path, || format!("{old} of the log's first {new}"))
    }

    /// Proof that the events from `first` to `last` are all events between these places among the log's first `size`
    /// ([`tree::range_proof`]).
    ///
    /// # Errors
    /// As [`Log::inclusion_proof`].
    pub fn range_proof(
        &self,
        first: Position,
        last: Position,
        size: Position,
    ) -> Result<Vec<Hash>, ReadError> {
        let start = first.leaf_index();
        let path = start.and_then(|start| tree::range_path(start..last.0, size.0));
        self.proof(size, path, || {
            format!("at positions {first} to {last} of the log's first {size}")
        })
    }

    /// Leaf hashes of the events from `first` to `last`, as their rows hold them.
    ///
    /// # Errors
    /// [`ReadError`] of the engine; [`ReadError::NoEvent`] where one is not there.
    pub fn leaves(&self, first: Position, last: Position) -> Result<Vec<Hash>, ReadError> {
        let found = self.read(|conn| Ok(leaves(conn, first.0.saturating_sub(1)..last.0)?))?;
        if found.len() as u64 != (last.0 + 1).saturating_sub(first.0.max(1)) {
            return Err(ReadError::NoEvent(format!("at each of {first} to {last}")));
        }
        Ok(found)
    }

    /// Bytes of an event's leaf, made again from its row.
    ///
    /// # Errors
    /// [`ReadError::NoEvent`] where there is none; [`ReadError::Damaged`] where the row does not give the leaf hash
    /// recorded with it.
    pub fn leaf_bytes(&self, position: Position) -> Result<Vec<u8>, ReadError> {
        let event = self
            .event(position)?
            .ok_or_else(|| ReadError::NoEvent(format!("at position {position}")))?;
        self.read(|conn| {
            let links = super::row::links(conn, position)?;
            Ok(super::recheck::sound_parts_of(
                conn,
                super::packed::Packing::of(conn)?,
                &event,
                &links,
            )?
            .leaf)
        })
    }

    fn proof(
        &self,
        size: Position,
        path: Option<Vec<Range<u64>>>,
        asked: impl Fn() -> String,
    ) -> Result<Vec<Hash>, ReadError> {
        let path = path.ok_or_else(|| ReadError::NoEvent(asked()))?;
        self.read(|conn| {
            if head(conn)?.size < size {
                return Err(ReadError::NoEvent(asked()));
            }
            let stored = StoredTree::new(conn)?;
            path.into_iter()
                .map(|under| Ok(stored.root(under)?))
                .collect()
        })
    }
}

/// Leaf hashes of a range of indexes, as the rows hold them.
fn leaves(conn: &Connection, indexes: Range<u64>) -> rusqlite::Result<Vec<Hash>> {
    conn.prepare_cached(
        "SELECT leaf FROM events WHERE position > ?1 AND position <= ?2 ORDER BY position",
    )?
    .query_map([indexes.start, indexes.end], |row| row.get::<_, Vec<u8>>(0))?
    .map(|leaf| {
        let found = hashes(&leaf?)?;
        let [leaf] = found[..] else {
            return Err(corrupt("a leaf hash is not 32 bytes"));
        };
        Ok(leaf)
    })
    .collect()
}

/// The subtrees of the head's frontier, by level and index. Empty where the head contradicts itself.
fn edge(conn: &Connection) -> rusqlite::Result<HashMap<(u32, u64), Hash>> {
    let (size, frontier): (u64, Vec<u8>) = conn
        .prepare_cached("SELECT size, frontier FROM head")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(frontier) = tree::Frontier::from_parts(size, hashes(&frontier)?) else {
        return Ok(HashMap::new());
    };
    let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
    let subtrees = levels.zip(frontier.roots());
    Ok(subtrees
        .map(|(level, root)| ((level, (size >> level) - 1), *root))
        .collect())
}

/// Hashes of a tile, where it is stored.
type StoredTile = Option<Vec<Hash>>;

/// Subtrees of the stored tree, with the tiles that one question has read.
pub(super) struct StoredTree<'c> {
    conn: &'c Reader,
    /// Roots of the subtrees at the right edge, as the head keeps them: they stand in no tile, and to make them anew
    /// costs a hash for every leaf of the last tiles.
    edge: HashMap<(u32, u64), Hash>,
    /// By level and index of the tile; `None` where it is not full and so not stored.
    tiles: RefCell<HashMap<(u32, u64), StoredTile>>,
}

impl StoredTree<'_> {
    pub(super) fn new(conn: &Reader) -> rusqlite::Result<StoredTree<'_>> {
        Ok(StoredTree {
            conn,
            edge: edge(conn)?,
            tiles: RefCell::default(),
        })
    }

    /// Root over the leaves of a range that is a subtree, or the right edge of one.
    pub(super) fn root(&self, under: Range<u64>) -> rusqlite::Result<Hash> {
        let len = under.end - under.start;
        if len.is_power_of_two() {
            let level = len.ilog2();
            return self.perfect(level, under.start >> level);
        }
        let middle = under.start + tree::split(len);
        let left = self.root(under.start..middle)?;
        Ok(tree::node(&left, &self.root(middle..under.end)?))
    }

    /// Root of the subtree of 2^`level` leaves, the `index`th of its size.
    fn perfect(&self, level: u32, index: u64) -> rusqlite::Result<Hash> {
        let place = (level, index);
        if let Some(known) = self.edge.get(&place) {
            return Ok(*known);
        }
        let known = self.conn.subtrees.borrow().get(&place).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let root = self.make(level, index)?;
        // Smaller ones cost little.
        if level >= TILE_LEVELS {
            let mut subtrees = self.conn.subtrees.borrow_mut();
            if subtrees.len() >= MAX_SUBTREES {
                subtrees.clear();
            }
            subtrees.insert(place, root);
        }
        Ok(root)
    }

    fn make(&self, level: u32, index: u64) -> rusqlite::Result<Hash> {
        // The roots of whole tiles are one level up, in a tile of which they are single hashes.
        let (tile_level, inner) = (level / TILE_LEVELS, level % TILE_LEVELS);
        let first = index << inner;
        let found = self.in_tile(tile_level, first, 1 << inner)?;
        if let Some(root) = found {
            return Ok(root);
        }
        // That tile is not full yet.
        if inner > 0 {
            let left = self.perfect(level - 1, 2 * index)?;
            return Ok(tree::node(&left, &self.perfect(level - 1, 2 * index + 1)?));
        }
        if tile_level > 0 {
            let below = (index << TILE_LEVELS, TILE);
            return self
                .in_tile(tile_level - 1, below.0, below.1)?
                .ok_or_else(|| corrupt("a tile is missing"));
        }
        match leaves(self.conn, index..index + 1)?.as_slice() {
            [leaf] => Ok(*leaf),
            _ => Err(corrupt("an event is missing")),
        }
    }

    /// Root over hashes of one level, all in one tile; `None` if the tile is not stored.
    fn in_tile(&self, level: u32, first: u64, count: usize) -> rusqlite::Result<Option<Hash>> {
        let idx = first / TILE as u64;
        let mut tiles = self.tiles.borrow_mut();
        let tile = match tiles.entry((level, idx)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                let bytes: Option<Vec<u8>> = self
                    .conn
                    .prepare_cached("SELECT hashes FROM tiles WHERE level = ?1 AND idx = ?2")?
                    .query_row((level, idx), |row| row.get(0))
                    .optional()?;
                let tile = bytes.map(|bytes| hashes(&bytes)).transpose()?;
                if tile.as_ref().is_some_and(|tile| tile.len() != TILE) {
                    return Err(corrupt("a tile is not of 256 hashes"));
                }
                unknown.insert(tile)
            }
        };
        let start = (first % TILE as u64) as usize;
        Ok(tile
            .as_ref()
            .map(|tile| tree::root(&tile[start..start + count])))
    }
}
