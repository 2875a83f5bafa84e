//! The rows of a report's tables: written once while the report is made, read as often as it is printed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tempfile::SpooledTempFile;

use super::ReportError;
use super::report::Row;
use crate::integrity::Hash;

/// Bytes of a table's rows held in memory; beyond that they are in a temporary file without a name.
const IN_MEMORY_BYTES: usize = 4 << 20;

/// The rows of every table of a report, by the table's id.
#[derive(Debug, Default)]
pub struct ReportRows {
    tables: BTreeMap<String, Mutex<Spool>>,
}

impl ReportRows {
    /// Calls `each` with the rows of a table, in order, until it says no. A report has no table of another id: then
    /// there are no rows.
    ///
    /// # Errors
    /// [`ReportError::Io`] if the temporary file cannot be read; what `each` returns.
    pub fn for_each(
        &self,
        table: &str,
        each: &mut dyn FnMut(Row) -> Result<bool, ReportError>,
    ) -> Result<(), ReportError> {
        let Some(spool) = self.tables.get(table) else {
            return Ok(());
        };
        let mut spool = spool
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        spool.for_each(each)
    }

    /// Takes all rows of a table, in order; gives their number and the hash that the [`Table`](super::Table) names.
    ///
    /// # Errors
    /// [`ReportError::Io`] if they do not fit into memory and the temporary file cannot be written.
    ///
    /// ```
    /// use annals_core::compliance::{Cell, ReportRows, Row};
    /// let mut rows = ReportRows::default();
    /// let row = Row { event: None, cells: vec![Cell::NotRecorded] };
    /// let (count, _) = rows.take("changes", [row.clone()])?;
    /// let mut read = Vec::new();
    /// rows.for_each("changes", &mut |row| { read.push(row); Ok(true) })?;
    /// assert_eq!((count, read), (1, vec![row]));
    /// # Ok::<(), annals_core::compliance::ReportError>(())
    /// ```
    pub fn take(
        &mut self,
        table: &str,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<(u64, Hash), ReportError> {
        let mut spool = Spool::default();
        for row in rows {
            spool.push(0, &row)?;
        }
        self.keep(table, spool)
    }

    /// Keeps the rows of a table; gives their number and hash.
    pub(super) fn keep(
        &mut self,
        table: &str,
        mut spool: Spool,
    ) -> Result<(u64, Hash), ReportError> {
        let told = spool.finish()?;
        self.tables.insert(table.to_owned(), Mutex::new(spool));
        Ok(told)
    }
}

/// Rows of one table, as lines of JSON.
#[derive(Debug)]
pub(super) struct Spool {
    file: BufWriter<SpooledTempFile>,
    /// Key and place of every row, where they did not come in the order of their keys.
    places: Vec<(u64, u64)>,
    sorted: bool,
    len: u64,
    rows: u64,
    line: Vec<u8>,
    /// Of the lines so far, as long as they are sorted.
    hash: Sha256,
}

impl Default for Spool {
    fn default() -> Spool {
        Spool {
            file: BufWriter::new(SpooledTempFile::new(IN_MEMORY_BYTES)),
            places: Vec::new(),
            sorted: true,
            len: 0,
            rows: 0,
            line: Vec::new(),
            hash: Sha256::new(),
        }
    }
}

impl Spool {
    /// Takes a row. Rows are read in the order of their keys; those of one key as they came.
    pub(super) fn push(&mut self, key: u64, row: &Row) -> Result<(), ReportError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, row).map_err(std::io::Error::from)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)?;
        self.sorted &= self.places.last().is_none_or(|(last, _)| *last <= key);
        if self.sorted {
            self.hash.update(&self.line);
        }
        self.places.push((key, self.len));
        self.len += self.line.len() as u64;
        self.rows += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<(u64, Hash), ReportError> {
        self.file.flush()?;
        let mut hash = std::mem::take(&mut self.hash);
        if self.sorted {
            self.places = Vec::new();
        } else {
            self.places.sort_by_key(|(key, _)| *key);
            hash = Sha256::new();
            self.for_each_line(&mut |line| {
                hash.update(line);
                Ok(true)
            })?;
        }
        Ok((self.rows, Hash(hash.finalize().into())))
    }

    pub(super) fn for_each(
        &mut self,
        each: &mut dyn FnMut(Row) -> Result<bool, ReportError>,
    ) -> Result<(), ReportError> {
        self.for_each_line(&mut |line| {
            each(serde_json::from_slice(line).map_err(std::io::Error::from)?)
        })
    }

    fn for_each_line(
        &mut self,
        each: &mut dyn FnMut(&[u8]) -> Result<bool, ReportError>,
    ) -> Result<(), ReportError> {
        self.file.flush()?;
        let mut line = Vec::new();
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        if self.sorted {
            loop {
                line.clear();
                if reader.read_until(b'\n', &mut line)? == 0 || !each(&line)? {
                    break;
                }
            }
        } else {
            let mut at: u64 = 0;
            for (_, place) in &self.places {
                // What the buffer holds is used where the next row is in it.
                let step = place.wrapping_sub(at).cast_signed();
                reader.seek_relative(step)?;
                line.clear();
                let read = reader.read_until(b'\n', &mut line)?;
                at = place + read as u64;
                if !each(&line)? {
                    break;
                }
            }
        }
        reader.into_inner().seek(SeekFrom::Start(self.len))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::Cell;

    fn row(n: u64) -> Row {
        Row {
            event: None,
            cells: vec![
                Cell::Value(format!("{n}\n\u{2028}")),
                Cell::NotRecorded,
                Cell::Erased,
                Cell::None,
            ],
        }
    }

    fn read(rows: &ReportRows, most: usize) -> Vec<Row> {
        let mut read = Vec::new();
        rows.for_each("t", &mut |row| {
            read.push(row);
            Ok(read.len() < most)
        })
        .unwrap();
        read
    }

    #[test]
    fn rows_come_in_the_order_of_their_keys_and_as_often_as_asked_for() {
        for keys in [vec![1, 1, 2, 3], vec![3, 1, 2, 1], vec![]] {
            let mut spool = Spool::default();
            for (n, key) in keys.iter().enumerate() {
                spool.push(*key, &row(n as u64)).unwrap();
            }
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by_key(|n| keys[*n]);
            let want: Vec<Row> = order.iter().map(|n| row(*n as u64)).collect();
            let mut rows = ReportRows::default();
            let (count, hash) = rows.keep("t", spool).unwrap();
            assert_eq!(count, keys.len() as u64);
            let mut lines = Sha256::new();
            for row in &want {
                lines.update(serde_json::to_vec(row).unwrap());
                lines.update(b"\n");
            }
            assert_eq!(hash, Hash(lines.finalize().into()));
            assert_eq!(read(&rows, usize::MAX), want);
            assert_eq!(read(&rows, 2), want[..want.len().min(2)]);
            assert_eq!(read(&rows, usize::MAX), want);
        }
    }

    #[test]
    fn more_rows_than_memory_holds_are_read_from_the_disk() {
        let mut spool = Spool::default();
        let long = Row {
            event: None,
            cells: vec![Cell::Value("x".repeat(100_000))],
        };
        for n in 0..100 {
            spool
                .push(100 - n, &if n % 2 == 0 { row(n) } else { long.clone() })
                .unwrap();
        }
        assert!(spool.len > IN_MEMORY_BYTES as u64, "{}", spool.len);
        let mut rows = ReportRows::default();
        rows.keep("t", spool).unwrap();
        let read = read(&rows, usize::MAX);
        assert_eq!((read.len(), &read[0], &read[1]), (100, &long, &row(98)));
    }
}
