//! Salts of an event's parts, as its row holds them.
//!
//! In a log of format 3 the column `salts` holds the seed that all three are made of, until a part is erased; from then
//! on it holds the salts of the parts that are left, each at its place, and zeros for the others: the seed would bring
//! the erased one back. Formats 1 and 2 have a column for each.

use rusqlite::Row;

use super::packed::Packing;
use crate::integrity::leaf::{Salt, salts_of};

/// Bytes of a salt that is gone.
const GONE: Salt = [0; 16];

/// Salts of identity, data and metadata; `None` where one is gone.
pub(super) type Salts = [Option<Salt>; 3];

/// Columns of `events`, three, as [`read`] reads them.
pub(super) fn columns(packing: Packing) -> &'static str {
    match packing {
        Packing::NONE => "salt_identity, salt_data, salt_metadata",
        _ => "salts, NULL, NULL",
    }
}

/// Reads three columns from `at` on. What is no salt counts as gone.
///
/// # Errors
/// Of the engine.
pub(super) fn read(row: &Row<'_>, at: usize, packing: Packing) -> rusqlite::Result<Salts> {
    let blob = |column: usize| row.get_ref(column).map(|value| value.as_blob().ok());
    if packing == Packing::NONE {
        let salt = |column: usize| -> rusqlite::Result<Option<Salt>> {
            Ok(blob(column)?.and_then(|bytes| bytes.try_into().ok()))
        };
        return Ok([salt(at)?, salt(at + 1)?, salt(at + 2)?]);
    }
    let Some(bytes) = blob(at)? else {
        return Ok([None; 3]);
    };
    Ok(match (bytes.try_into(), bytes.as_chunks::<16>()) {
        (Ok(seed), _) => salts_of(&seed).map(Some),
        (Err(_), ([identity, data, metadata], [])) => {
            [identity, data, metadata].map(|salt| (*salt != GONE).then_some(*salt))
        }
        _ => [None; 3],
    })
}

/// What the column holds once a part is gone.
pub(super) fn left(salts: &Salts) -> Vec<u8> {
    salts
        .map(|salt| salt.unwrap_or(GONE))
        .as_flattened()
        .to_vec()
}
