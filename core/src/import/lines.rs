//! JSON Lines: one record a line. Empty lines are no records.

use std::io::{BufRead, Read};

use super::detect::FileNames;
use super::{ImportError, MAX_RECORD_BYTES};

/// One record as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawRecord<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Its beginning; it is longer than [`MAX_RECORD_BYTES`].
    TooLong(&'a [u8]),
    /// The last line, without an end of line: a JSON object of which more is still to come.
    Unfinished(&'a [u8]),
}

/// Calls `each` with every line that is not blank, and its number; `before` lines stand before the reader.
pub(super) fn read(
    reader: &mut dyn BufRead,
    names: &FileNames,
    before: u64,
    each: &mut dyn FnMut(u64, RawRecord<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut buffer = Vec::new();
    let mut line = before;
    loop {
        line += 1;
        buffer.clear();
        if read_some(reader, &mut buffer).map_err(|e| names.unreadable(line, e))? == 0 {
            return Ok(());
        }
        let ended = buffer.last() == Some(&b'\n');
        if !ended && buffer.len() > MAX_RECORD_BYTES {
            each(line, RawRecord::TooLong(&buffer))?;
            skip_line(reader, &mut buffer).map_err(|e| names.unreadable(line, e))?;
            // A buffer grown by one giant is not kept for all the others.
            buffer = Vec::new();
            continue;
        }
        let record = buffer.trim_ascii();
        if !ended && is_unfinished(record) {
            each(line, RawRecord::Unfinished(record))?;
        } else if !record.is_empty() {
            each(line, RawRecord::Whole(record))?;
        }
    }
}

/// Whether a JSON object begins here and nothing is wrong with it but that it ends too early.
fn is_unfinished(record: &[u8]) -> bool {
    // What half a character of UTF-16 at the end becomes.
    let record = record.strip_suffix(b"\xFF").unwrap_or(record);
    let value: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(record);
    record.starts_with(b"{") && value.is_err_and(|error| error.is_eof())
}

/// Reads to the end of the line, but not more than the limit and one byte.
fn read_some(reader: &mut dyn BufRead, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    reader
        .take(MAX_RECORD_BYTES as u64 + 1)
        .read_until(b'\n', buffer)
}

fn skip_line(reader: &mut dyn BufRead, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        buffer.clear();
        let read = (&mut *reader).take(1 << 20).read_until(b'\n', buffer)?;
        if read == 0 || buffer.last() == Some(&b'\n') {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::names;

    fn lines_of(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut got = Vec::new();
        read(&mut &text[..], &names(), 0, &mut |line, record| {
            match record {
                RawRecord::Whole(bytes) => got.push((line, bytes.to_vec())),
                RawRecord::TooLong(bytes) => got.push((line, bytes[..3].to_vec())),
                RawRecord::Unfinished(bytes) => got.push((line, [b"... ", bytes].concat())),
            }
            Ok(())
        })
        .unwrap();
        got
    }

    #[test]
    fn blank_lines_count_as_lines_but_not_as_records() {
        assert_eq!(
            lines_of(b"{}\r\n\n  \n{\"a\":1}\nend"),
            vec![
                (1, b"{}".to_vec()),
                (4, b"{\"a\":1}".to_vec()),
                (5, b"end".to_vec())
            ]
        );
        assert_eq!(lines_of(b""), vec![]);
    }

    #[test]
    fn only_the_last_line_can_be_unfinished() {
        for (text, is_unfinished) in [
            (&b"{}\n{\"a\":1,"[..], true),
            (b"{}\n{", true),
            (b"{}\n{\"a\":1,\xFF", true),
            (b"{}\n{\"a\":1,\n", false),
            (b"{}\n{\"a\":1}", false),
            (b"{}\n{\"a\" 1", false),
            (b"{}\n[1,", false),
        ] {
            let last = lines_of(text).pop().unwrap();
            assert_eq!(last.1.starts_with(b"... "), is_unfinished, "{text:?}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_one_read() {
        let mut text = vec![b'x'; MAX_RECORD_BYTES + 10];
        text.extend_from_slice(b"\nnext\n");
        assert_eq!(
            lines_of(&text),
            vec![(1, b"xxx".to_vec()), (2, b"next".to_vec())]
        );
        let mut fits = vec![b'x'; MAX_RECORD_BYTES];
        fits.push(b'\n');
        assert_eq!(lines_of(&fits)[0].1.len(), MAX_RECORD_BYTES);
    }

    #[test]
    fn of_a_line_of_100_mb_no_more_than_the_limit_is_ever_held() {
        let giant = std::io::repeat(b'x').take(100_000_000);
        let mut reader = std::io::BufReader::new(giant.chain(&b"\nnext\n"[..]));
        let mut held = Vec::new();
        read(&mut reader, &names(), 0, &mut |line, record| {
            let len = match record {
                RawRecord::Whole(bytes)
                | RawRecord::TooLong(bytes)
                | RawRecord::Unfinished(bytes) => bytes.len(),
            };
            held.push((line, len));
            Ok(())
        })
        .unwrap();
        assert_eq!(held, [(1, MAX_RECORD_BYTES + 1), (2, 4)]);
    }
}
