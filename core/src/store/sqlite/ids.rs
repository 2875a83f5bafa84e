//! The ids that a bulk append has used, for any number of events in little memory.
//!
//! The newest stand in a table in memory. When that is full they go, sorted, as a *run* into an unnamed temporary
//! file beside the log, and what stays of a run in memory is a filter that says "surely not here" of nearly every id
//! that is not, and the first key of each page. So an id that is new costs a look at a cache line for each run, one that
//! is there the reading of one page. Nothing is ever told but what was put in: the filter only saves looking.
//!
//! Left out: ids that the log held before, which are looked up in its index.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::prehashed::ByHash;

/// Ids in memory: all that a hash table of 2^19 places takes before it would double.
const IN_MEMORY: usize = (1 << 19) / 8 * 7;

/// Bytes of an id in a run.
const RECORD: usize = 32;

/// Ids in a page of a run.
const PAGE: usize = 128;

/// Where an id that this bulk append has used stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// First 8 bytes of the hash of source, id and content.
    pub(super) content: u64,
    pub(super) position: u64,
    pub(super) version: u64,
}

/// See the module. A key is the first 8 bytes of the SHA-256 of an id.
#[derive(Debug)]
pub(super) struct Ids {
    newest: ByHash<Taken>,
    runs: Vec<Run>,
    file: Option<File>,
    folder: PathBuf,
    in_memory: usize,
}

/// Ids in order of their keys, in the file.
#[derive(Debug)]
struct Run {
    /// Where it begins in the file, in bytes.
    at: u64,
    len: usize,
    /// First key of each page.
    pages: Vec<u64>,
    filter: Filter,
}

impl Ids {
    /// None yet; runs will go into a file in this folder.
    pub(super) fn beside(folder: &Path) -> Ids {
        Ids {
            newest: ByHash::default(),
            runs: Vec::new(),
            file: None,
            folder: folder.to_owned(),
            in_memory: IN_MEMORY,
        }
    }

    /// Looks a key up.
    ///
    /// # Errors
    /// Of the system, where a run cannot be read.
    pub(super) fn get(&mut self, key: u64) -> std::io::Result<Option<Taken>> {
        if let Some(taken) = self.newest.get(&key) {
            return Ok(Some(*taken));
        }
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        for run in self.runs.iter().filter(|run| run.filter.may_hold(key)) {
            if let Some(taken) = run.find(file, key)? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// Puts a key in that is not there.
    ///
    /// # Errors
    /// Of the system, where a run cannot be written.
    pub(super) fn insert(&mut self, key: u64, taken: Taken) -> std::io::Result<()> {
        self.newest.insert(key, taken);
        if self.newest.len() >= self.in_memory {
            self.write_run()?;
        }
        Ok(())
    }

    fn write_run(&mut self) -> std::io::Result<()> {
        let mut records: Vec<(u64, Taken)> = self.newest.drain().collect();
        records.sort_unstable_by_key(|(key, _)| *key);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let at = file.seek(SeekFrom::End(0))?;
        let mut filter = Filter::of(records.len());
        let mut out = BufWriter::with_capacity(PAGE * RECORD * 16, &mut *file);
        for (key, taken) in &records {
            let Taken {
                content,
                position,
                version,
            } = *taken;
            filter.insert(*key);
            for number in [*key, content, position, version] {
                out.write_all(&number.to_le_bytes())?;
            }
        }
        out.flush()?;
        drop(out);
        self.runs.push(Run {
            at,
            len: records.len(),
            pages: records.chunks(PAGE).map(|page| page[0].0).collect(),
            filter,
        });
        Ok(())
    }
}

impl Run {
    fn find(&self, file: &mut File, key: u64) -> std::io::Result<Option<Taken>> {
        let after = self.pages.partition_point(|first| *first <= key);
        let Some(page) = after.checked_sub(1) else {
            return Ok(None);
        };
        let first = page * PAGE;
        let bytes = PAGE.min(self.len - first) * RECORD;
        let mut buffer = [0; PAGE * RECORD];
        file.seek(SeekFrom::Start(self.at + (first * RECORD) as u64))?;
        file.read_exact(&mut buffer[..bytes])?;
        let (records, _) = buffer[..bytes].as_chunks::<RECORD>();
        let number = |record: &[u8; RECORD], nth: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&record[nth * 8..nth * 8 + 8]);
            u64::from_le_bytes(bytes)
        };
        let found = records.binary_search_by_key(&key, |record| number(record, 0));
        Ok(found.ok().map(|at| Taken {
            content: number(&records[at], 1),
            position: number(&records[at], 2),
            version: number(&records[at], 3),
        }))
    }
}

/// A set that may take a key for one of its own that is none (of a thousand about one), and never the other way
/// round: 32 bytes for 16 keys, of which a key sets one bit in each four (a split block Bloom filter).
#[derive(Debug)]
struct Filter(Vec<[u32; 8]>);

/// Odd numbers that spread a key over the words of its block, those of the Parquet format.
const SPREAD: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

impl Filter {
    fn of(keys: usize) -> Filter {
        Filter(vec![[0; 8]; keys.div_ceil(16).max(1)])
    }

    /// Its block: keys are hashes, so they spread evenly.
    fn block(&self, key: u64) -> usize {
        (((key >> 32) * self.0.len() as u64) >> 32) as usize
    }

    fn bits(key: u64) -> [u32; 8] {
        SPREAD.map(|odd| 1 << ((key as u32).wrapping_mul(odd) >> 27))
    }

    fn insert(&mut self, key: u64) {
        let block = self.block(key);
        for (word, bit) in self.0[block].iter_mut().zip(Filter::bits(key)) {
            *word |= bit;
        }
    }

    fn may_hold(&self, key: u64) -> bool {
        let block = &self.0[self.block(key)];
        let missing = block.iter().zip(Filter::bits(key));
        missing.fold(0, |missing, (word, bit)| missing | (!word & bit)) == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A number that looks like a hash.
    fn mixed(n: u64) -> u64 {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn small(in_memory: usize) -> Ids {
        Ids {
            in_memory,
            ..Ids::beside(&std::env::temp_dir())
        }
    }

    #[test]
    fn over_any_number_of_runs_it_tells_what_a_map_tells() {
        for in_memory in [1, 7, 128, 300, 10_000] {
            let (mut ids, mut map) = (small(in_memory), HashMap::new());
            for n in 0..4_000u64 {
                // Every third comes a second time, some of them at once, some long after.
                let key = match n % 3 {
                    0 => mixed(n / 2),
                    _ => mixed(n),
                };
                let taken = Taken {
                    content: n * 7,
                    position: n + 1,
                    version: n % 11,
                };
                assert_eq!(ids.get(key).unwrap(), map.get(&key).copied(), "{n}");
                map.entry(key).or_insert_with(|| {
                    ids.insert(key, taken).unwrap();
                    taken
                });
            }
            for (key, taken) in &map {
                assert_eq!(ids.get(*key).unwrap(), Some(*taken));
            }
            assert_eq!(ids.runs.len(), map.len() / in_memory);
        }
    }

    #[test]
    fn keys_at_the_edges_are_found() {
        let mut ids = small(4);
        let keys = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, 1 << 32];
        for (n, key) in keys.iter().enumerate() {
            let taken = Taken {
                content: 0,
                position: n as u64 + 1,
                version: 1,
            };
            ids.insert(*key, taken).unwrap();
        }
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(ids.get(*key).unwrap().unwrap().position, n as u64 + 1);
        }
        assert_eq!(ids.get(2).unwrap(), None);
    }

    #[test]
    fn the_filter_passes_few_that_are_not_there() {
        let mut filter = Filter::of(10_000);
        (0..10_000).for_each(|n| filter.insert(mixed(n)));
        assert!((0..10_000).all(|n| filter.may_hold(mixed(n))));
        let passed = (10_000..110_000).filter(|n| filter.may_hold(mixed(*n)));
        assert!(passed.count() < 500, "more than five of a thousand");
    }
}
