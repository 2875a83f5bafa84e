//! Comparing what two tables hold without holding either: a sum over keyed hashes of their entries.
//!
//! The key is random and new each time, so nobody can prepare entries whose hashes add up to the same.

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{FromSqlError, ValueRef};

use super::{Progress, STEPS_AT_ONCE};

/// Secret numbers of one verification.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key([[u64; 3]; 2]);

impl Key {
    /// Makes the key of random bytes.
    pub(super) fn new(random: &crate::surroundings::Random) -> Key {
        let mut bytes = [0u8; 48];
        random(&mut bytes);
        let mut words = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|w| u64::from_le_bytes(*w) | 1);
        let mut next = || words.next().unwrap_or(1);
        Key([[next(), next(), next()], [next(), next(), next()]])
    }
}

/// Number of entries, and the sum over the hashes of all. Equal sums: the same entries, in whatever order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    sums: [u64; 2],
}

impl Sum {
    /// Adds an entry of numbers.
    pub(super) fn add(&mut self, key: &Key, entry: &[u64]) {
        self.count += 1;
        for (sum, key) in self.sums.iter_mut().zip(&key.0) {
            let hash = entry
                .iter()
                .fold(key[0], |hash, word| fold(hash ^ word, key[1]));
            *sum = sum.wrapping_add(fold(hash ^ entry.len() as u64, key[2]));
        }
    }

    /// Adds an entry of a text and a number.
    pub(super) fn add_text(&mut self, key: &Key, text: &[u8], number: u64) {
        self.count += 1;
        let (words, rest) = text.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        for (sum, key) in self.sums.iter_mut().zip(&key.0) {
            let mut hash = key[0] ^ text.len() as u64;
            for word in words.iter().chain([&last]) {
                hash = fold(hash ^ u64::from_le_bytes(*word), key[1]);
            }
            *sum = sum.wrapping_add(fold(hash ^ number, key[2]));
        }
    }

    /// Adds all entries of another sum.
    pub(super) fn join(&mut self, other: &Sum) {
        self.count += other.count;
        for (sum, other) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.wrapping_add(other);
        }
    }
}

/// Name of the function that adds up.
const FUNCTION: &str = "annals_sum";

/// A function of the engine that adds up the rows that it is called with: rows that are not handed out one by one, their
/// columns one by one, cost a third less.
#[derive(Debug)]
pub(super) struct Summing {
    pub(super) key: Key,
    /// Which of its arguments is the position.
    pub(super) position: usize,
    /// Rows at positions after this one are passed over.
    pub(super) end: u64,
    pub(super) progress: Progress,
}

/// Adds up all rows of `rest`, which is what follows the bracket of the function: its arguments, two or four, and the
/// table. Of two arguments the first may be a text.
pub(super) fn by_engine(conn: &Connection, summing: Summing, rest: &str) -> rusqlite::Result<Sum> {
    let progress = summing.progress.clone();
    conn.create_aggregate_function(FUNCTION, -1, FunctionFlags::SQLITE_DIRECTONLY, summing)?;
    let sum = conn.query_row(&format!("SELECT {FUNCTION}({rest}"), [], |row| {
        let words = row.get_ref(0)?.as_blob()?.as_chunks::<8>().0;
        let word = |n: usize| words.get(n).map_or(0, |word| u64::from_le_bytes(*word));
        Ok(Sum {
            count: word(0),
            sums: [word(1), word(2)],
        })
    });
    match sum {
        // Whoever cancelled wants none.
        Err(_) if progress.is_cancelled() => Ok(Sum::default()),
        sum => sum,
    }
}

impl Aggregate<(Sum, u64), Vec<u8>> for Summing {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<(Sum, u64)> {
        Ok(Default::default())
    }

    fn step(&self, row: &mut Context<'_>, (sum, seen): &mut (Sum, u64)) -> rusqlite::Result<()> {
        *seen += 1;
        if seen.is_multiple_of(STEPS_AT_ONCE) {
            self.progress.advance(STEPS_AT_ONCE);
            if self.progress.is_cancelled() {
                return Err(rusqlite::Error::UserFunctionError("cancelled".into()));
            }
        }
        let word = |n: usize| row.get::<i64>(n).map(|n| n as u64);
        let position = word(self.position)?;
        if position > self.end {
            return Ok(());
        }
        if row.len() == 2 {
            match row.get_raw(0) {
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    sum.add_text(&self.key, text, position);
                }
                _ => {
                    return Err(rusqlite::Error::UserFunctionError(Box::new(
                        FromSqlError::InvalidType,
                    )));
                }
            }
        } else {
            sum.add(&self.key, &[word(0)?, word(1)?, word(2)?, word(3)?]);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, all: Option<(Sum, u64)>) -> rusqlite::Result<Vec<u8>> {
        let (sum, seen) = all.unwrap_or_default();
        self.progress.advance(seen % STEPS_AT_ONCE);
        let words = [sum.count, sum.sums[0], sum.sums[1]];
        Ok(words.map(u64::to_le_bytes).as_flattened().to_vec())
    }
}

/// Both halves of a product, folded into one.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        let now = crate::time::Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
        Key::new(&crate::surroundings::Surroundings::fixed(now, 3).random)
    }

    #[test]
    fn a_sum_does_not_depend_on_order_and_depends_on_every_entry() {
        let key = key();
        let sum = |entries: &[[u64; 2]]| {
            let mut sum = Sum::default();
            entries.iter().for_each(|e| sum.add(&key, e));
            sum
        };
        let all = [[1, 2], [3, 4], [0, 0], [3, 5]];
        let mut turned = all;
        turned.reverse();
        assert_eq!(sum(&all), sum(&turned));
        assert_ne!(
            sum(&all),
            sum(&[[1, 2], [3, 5], [0, 0], [3, 5]]),
            "one changed"
        );
        assert_ne!(
            sum(&all),
            sum(&[[1, 4], [3, 2], [0, 0], [3, 5]]),
            "two exchanged"
        );
        assert_ne!(sum(&all), sum(&all[..3]), "one left out");
        let mut halves = sum(&all[..2]);
        halves.join(&sum(&all[2..]));
        assert_eq!(halves, sum(&all));
    }

    #[test]
    fn texts_of_every_length_differ() {
        let key = key();
        let one = |text: &[u8], number| {
            let mut sum = Sum::default();
            sum.add_text(&key, text, number);
            sum
        };
        let texts: Vec<Vec<u8>> = (0..40).map(|len| vec![0; len]).collect();
        for (i, a) in texts.iter().enumerate() {
            for b in &texts[..i] {
                assert_ne!(one(a, 1), one(b, 1), "{} and {}", a.len(), b.len());
            }
            assert_ne!(one(a, 1), one(a, 2));
        }
    }
}
