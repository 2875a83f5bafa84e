//! The stored tree: full tiles of 256 hashes (C2SP tlog-tiles), and the frontier in the head row.
//!
//! Level 0 holds leaf hashes, level n the roots of the full tiles of level n − 1. Partial tiles are not
//! stored: they come from the leaves of the last events and from the tiles below.

use rusqlite::{Connection, OptionalExtension};

use crate::integrity::{Hash, tree};

/// Hashes in a full tile.
pub(super) const TILE: usize = 256;

/// The tree as its writer holds it: the frontier, and the partial tile of each level.
#[derive(Debug, Default)]
pub(super) struct TreeWriter {
    pub(super) frontier: tree::Frontier,
    partial: Vec<Vec<Hash>>,
}

impl TreeWriter {
    /// Loads the tree's right edge.
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<TreeWriter> {
        let (size, roots): (u64, Vec<u8>) =
            conn.query_row("SELECT size, frontier FROM head", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let frontier = tree::Frontier::from_parts(size, hashes(&roots)?)
            .ok_or_else(|| corrupt("the frontier does not fit the size of the log"))?;
        let partial = partial_tiles(conn, size)?;
        Ok(TreeWriter { frontier, partial })
    }

    /// Appends a leaf; writes the tiles that it fills.
    pub(super) fn push(&mut self, conn: &Connection, leaf: Hash) -> rusqlite::Result<()> {
        self.frontier.push(leaf);
        let mut hash = leaf;
        let mut count = self.frontier.size();
        for level in 0.. {
            if self.partial.len() == level {
                self.partial.push(Vec::new());
            }
            let tile = &mut self.partial[level];
            tile.push(hash);
            if tile.len() < TILE {
                break;
            }
            count /= TILE as u64;
            let bytes: Vec<u8> = tile.iter().flat_map(|h| h.0).collect();
            conn.prepare_cached("INSERT INTO tiles(level, idx, hashes) VALUES (?1, ?2, ?3)")?
                .execute((level, count - 1, bytes))?;
            hash = tree::root(tile);
            tile.clear();
        }
        Ok(())
    }

    /// The frontier as the head row holds it.
    pub(super) fn frontier_bytes(&self) -> Vec<u8> {
        self.frontier.roots().iter().flat_map(|h| h.0).collect()
    }
}

/// Root of the tree over the first `size` leaves, which the log has.
pub(super) fn root_at(conn: &Connection, size: u64) -> rusqlite::Result<Hash> {
    let mut roots = Vec::new();
    for tile in partial_tiles(conn, size)?.iter().rev() {
        let mut frontier = tree::Frontier::default();
        tile.iter().for_each(|hash| frontier.push(*hash));
        roots.extend_from_slice(frontier.roots());
    }
    tree::Frontier::from_parts(size, roots)
        .map(|frontier| frontier.root())
        .ok_or_else(|| corrupt("the tiles do not fit the size of the log"))
}

/// The partial tile of each level in the tree over the first `size` leaves, from the leaves upwards.
fn partial_tiles(conn: &Connection, size: u64) -> rusqlite::Result<Vec<Vec<Hash>>> {
    let mut partial = Vec::new();
    let mut done = (size / TILE as u64) * TILE as u64;
    let mut leaves =
        conn.prepare_cached("SELECT leaf FROM events WHERE position > ?1 AND position <= ?2")?;
    let level_0 = leaves
        .query_map([done, size], |row| row.get::<_, Vec<u8>>(0))?
        .map(|leaf| {
            hashes(&leaf?)?
                .pop()
                .ok_or_else(|| corrupt("an empty leaf"))
        })
        .collect::<rusqlite::Result<Vec<Hash>>>()?;
    partial.push(level_0);
    let mut level = 0;
    while done >= TILE as u64 {
        done /= TILE as u64;
        let first = (done / TILE as u64) * TILE as u64;
        let mut above = Vec::new();
        for idx in first..done {
            let tile: Option<Vec<u8>> = conn
                .prepare_cached("SELECT hashes FROM tiles WHERE level = ?1 AND idx = ?2")?
                .query_row((level, idx), |row| row.get(0))
                .optional()?;
            let tile = tile.ok_or_else(|| corrupt("a tile is missing"))?;
            above.push(tree::root(&hashes(&tile)?));
        }
        partial.push(above);
        done = first;
        level += 1;
    }
    Ok(partial)
}

/// Cuts stored bytes into hashes.
pub(super) fn hashes(bytes: &[u8]) -> rusqlite::Result<Vec<Hash>> {
    let (whole, []) = bytes.as_chunks::<32>() else {
        return Err(corrupt("a hash is cut off"));
    };
    Ok(whole.iter().map(|h| Hash(*h)).collect())
}

/// An error that says the file contradicts itself.
pub(super) fn corrupt(reason: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(reason.to_owned()),
    )
}
