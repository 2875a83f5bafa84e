//! Records of one size in order, any number of them in little memory.
//!
//! Those that came last are held; when they are many they go, sorted, as a *run* into an unnamed temporary file, and
//! reading merges the runs. Records are compared byte by byte, so numbers in them stand highest byte first. Nothing is
//! left behind by a process that is killed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Records held before they become a run.
const IN_MEMORY: usize = 1 << 19;

/// Records of a run that are read at once.
const AHEAD: usize = 2_048;

/// See the module.
#[derive(Debug)]
pub(crate) struct Runs<const N: usize> {
    newest: Vec<[u8; N]>,
    /// Number of records of each run, in their order in the file.
    runs: Vec<u64>,
    file: Option<File>,
    folder: PathBuf,
    in_memory: usize,
    len: u64,
}

impl<const N: usize> Runs<N> {
    /// None yet; runs will go into a file in this folder.
    pub(crate) fn in_folder(folder: &Path) -> Runs<N> {
        Runs {
            newest: Vec::new(),
            runs: Vec::new(),
            file: None,
            folder: folder.to_owned(),
            in_memory: IN_MEMORY,
            len: 0,
        }
    }

    /// Number of records.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Adds one.
    ///
    /// # Errors
    /// Of the system, where a run cannot be written.
    pub(crate) fn push(&mut self, record: [u8; N]) -> Result<()> {
        self.newest.push(record);
        self.len += 1;
        if self.newest.len() >= self.in_memory {
            self.write_run()?;
        }
        Ok(())
    }

    fn write_run(&mut self) -> Result<()> {
        self.newest.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        for record in &self.newest {
            out.write_all(record)?;
        }
        out.flush()?;
        self.runs.push(self.newest.len() as u64);
        self.newest.clear();
        Ok(())
    }

    /// All of them in order.
    ///
    /// # Errors
    /// Of the system, where a run cannot be read.
    pub(crate) fn sorted(mut self) -> Result<Sorted<N>> {
        self.newest.sort_unstable();
        let mut at = 0;
        let mut sources = Vec::with_capacity(self.runs.len() + 1);
        for len in self.runs {
            let bytes = len * N as u64;
            sources.push(Source {
                at,
                end: at + bytes,
                records: Vec::new().into_iter(),
            });
            at += bytes;
        }
        sources.push(Source {
            at,
            end: at,
            records: self.newest.into_iter(),
        });
        let mut sorted = Sorted {
            file: self.file,
            sources,
            next: BinaryHeap::new(),
        };
        for source in 0..sorted.sources.len() {
            sorted.draw(source)?;
        }
        Ok(sorted)
    }
}

/// A run, or what was held, as it is read.
#[derive(Debug)]
struct Source<const N: usize> {
    /// Where its next records are in the file, and where they end, in bytes.
    at: u64,
    end: u64,
    records: std::vec::IntoIter<[u8; N]>,
}

/// Records in order.
#[derive(Debug)]
pub(crate) struct Sorted<const N: usize> {
    file: Option<File>,
    sources: Vec<Source<N>>,
    /// The next record of each source that has one.
    next: BinaryHeap<Reverse<([u8; N], usize)>>,
}

impl<const N: usize> Sorted<N> {
    /// Takes the next record of a source.
    fn draw(&mut self, source: usize) -> Result<()> {
        let Source { at, end, records } = &mut self.sources[source];
        if let Some(file) = self
            .file
            .as_mut()
            .filter(|_| records.len() == 0 && at < end)
        {
            let bytes = (*end - *at).min((AHEAD * N) as u64);
            file.seek(SeekFrom::Start(*at))?;
            let mut read = vec![[0; N]; bytes as usize / N];
            file.read_exact(read.as_flattened_mut())?;
            *at += bytes;
            *records = read.into_iter();
        }
        if let Some(record) = records.next() {
            self.next.push(Reverse((record, source)));
        }
        Ok(())
    }
}

impl<const N: usize> Iterator for Sorted<N> {
    type Item = Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((record, source)) = self.next.pop()?;
        Some(self.draw(source).map(|()| record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_runs_comes_back_in_order() {
        for (in_memory, len) in [(1, 5), (7, 0), (7, 7), (100, 10_000), (3_000, 10_000)] {
            let mut runs = Runs {
                in_memory,
                ..Runs::<4>::in_folder(&std::env::temp_dir())
            };
            // In no order, some of them twice.
            let record = |n: u32| (n.wrapping_mul(2_654_435_761) >> 18).to_be_bytes();
            (0..len).for_each(|n| runs.push(record(n)).unwrap());
            assert_eq!(runs.len(), u64::from(len));
            let mut want: Vec<[u8; 4]> = (0..len).map(record).collect();
            want.sort_unstable();
            let back: Vec<[u8; 4]> = runs.sorted().unwrap().map(Result::unwrap).collect();
            assert_eq!(back, want, "{in_memory}");
        }
    }
}
