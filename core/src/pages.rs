//! Rows of an answer that is too long to hold, kept beside memory and read by their place.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use serde::Serialize;
use serde_json::value::RawValue;
use tempfile::SpooledTempFile;

/// Bytes held in memory; beyond that they are in a temporary file without a name.
const IN_MEMORY_BYTES: usize = 4 << 20;
/// Most bytes that are kept.
pub const MAX_PAGED_BYTES: u64 = 1 << 30;

/// Rows as JSON, in the order in which they were taken.
///
/// ```
/// let mut pages = annals_core::pages::Pages::default();
/// for n in 0..1_000 {
///     assert!(pages.push(&n)?);
/// }
/// let rows: Vec<String> = pages.read(998, 10)?.iter().map(|row| row.get().to_owned()).collect();
/// assert_eq!((pages.len(), rows), (1_000, vec!["998".to_owned(), "999".to_owned()]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Pages {
    file: SpooledTempFile,
    /// Where each row begins, and the last ends.
    places: Vec<u64>,
    row: Vec<u8>,
}

impl Default for Pages {
    fn default() -> Pages {
        Pages {
            file: SpooledTempFile::new(IN_MEMORY_BYTES),
            places: vec![0],
            row: Vec::new(),
        }
    }
}

impl Pages {
    /// Takes a row; says no, and takes none, once [`MAX_PAGED_BYTES`] are kept.
    ///
    /// # Errors
    /// The system's error if the temporary file cannot be written.
    pub fn push(&mut self, row: &impl Serialize) -> std::io::Result<bool> {
        let end = self.places.last().copied().unwrap_or(0);
        if end >= MAX_PAGED_BYTES {
            return Ok(false);
        }
        self.row.clear();
        serde_json::to_writer(&mut self.row, row)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.file.write_all(&self.row)?;
        self.places.push(end + self.row.len() as u64);
        Ok(true)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.places.len() as u64 - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows from a place on, first is 0: as many as there are, at most `count`.
    ///
    /// # Errors
    /// The system's error if the temporary file cannot be read.
    pub fn read(&mut self, first: u64, count: usize) -> std::io::Result<Vec<Box<RawValue>>> {
        let first = usize::try_from(first.min(self.len())).unwrap_or(usize::MAX);
        let last = first.saturating_add(count).min(self.places.len() - 1);
        let places = self.places.get(first..=last).unwrap_or_default();
        let Some(start) = places.first() else {
            return Ok(Vec::new());
        };
        self.file.seek(SeekFrom::Start(*start))?;
        let mut file = BufReader::with_capacity(1 << 16, &mut self.file);
        let mut rows = Vec::with_capacity(places.len());
        for pair in places.windows(2) {
            let len = usize::try_from(pair[1] - pair[0]).unwrap_or(0);
            let mut row = vec![0; len];
            file.read_exact(&mut row)?;
            rows.push(serde_json::from_slice(&row)?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pages: &mut Pages, first: u64, count: usize) -> Vec<String> {
        let rows = pages.read(first, count).unwrap();
        rows.iter().map(|row| row.get().to_owned()).collect()
    }

    #[test]
    fn rows_are_read_by_their_place_and_taken_between() {
        let mut pages = Pages::default();
        assert!(pages.is_empty());
        assert_eq!(texts(&mut pages, 0, 10), Vec::<String>::new());
        for row in ["a", "\n\u{2028}", ""] {
            pages.push(&row).unwrap();
        }
        assert_eq!(texts(&mut pages, 1, 1), ["\"\\n\u{2028}\""]);
        pages.push(&[1, 2]).unwrap();
        assert_eq!(texts(&mut pages, 2, 9), ["\"\"", "[1,2]"]);
        assert_eq!(texts(&mut pages, 4, 9), Vec::<String>::new());
        assert_eq!(texts(&mut pages, 99, 9), Vec::<String>::new());
    }

    #[test]
    fn more_than_memory_holds_is_on_the_disk() {
        let mut pages = Pages::default();
        let long = "x".repeat(100_000);
        for n in 0..100 {
            pages.push(&(n, &long)).unwrap();
        }
        assert!(pages.places[100] > IN_MEMORY_BYTES as u64);
        let row = &texts(&mut pages, 99, 5)[0];
        assert!(row.starts_with("[99,"), "{}", &row[..10]);
    }
}
