//! The part of a growing file that an earlier import has read, where it stands there byte for byte as it did: its
//! records are in the log, and are not read again.
//!
//! Only JSON Lines grow at their end without anything before it becoming another. What cannot be told from a hash
//! (a record that was rejected, a list in a line) is read again, and so is a file of which one byte changed, so that
//! the comparison with what was seen finds what did.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde::Serialize;
use sha2::{Digest, Sha256};
use ts_rs::TS;

use super::Progress;
use super::gather::LastTime;
use crate::event::Event;
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::store::{Direction, EventQuery, Log, ReadError};
use crate::time::Time;

const CHUNK_BYTES: usize = 256 * 1024;
/// Events of a stream that are looked at together.
const PAGE: usize = 64;

/// The part of a file that was not read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct UnchangedPart {
    /// Bytes from the beginning of the file.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Records in it: counted as read, and as duplicates.
    #[ts(type = "number")]
    pub records: u64,
    /// When it was read.
    pub since: Time,
}

/// What the last import of a source left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    bytes: u64,
    sha256: Hash,
    pub format: String,
    pub mapping_sha256: Option<Hash>,
    positions: Vec<Position>,
    at: Time,
}

impl Known {
    /// What the log keeps of a source; `None` where there is nothing, or where a record of it was rejected.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub(super) fn of(log: &Log, source: &str) -> Result<Option<Known>, ReadError> {
        let Some(seen) = log.last_seen(source)? else {
            return Ok(None);
        };
        Ok(log
            .imported_file(seen.import, source)?
            .filter(|file| file.read == seen.file.positions.len())
            .map(|file| Known {
                bytes: file.bytes,
                sha256: file.sha256,
                format: file.format,
                mapping_sha256: file.mapping_sha256,
                positions: seen.file.positions.iter().collect(),
                at: seen.at,
            }))
    }
}

/// The time of the last event of a stream among those at `among`, which are sorted; `None` where it has none there.
///
/// # Errors
/// [`ReadError`] of the engine.
pub(super) fn last_time(
    log: &Log,
    stream: &StreamId,
    among: &[Position],
) -> Result<Option<LastTime>, ReadError> {
    let (Some(first), Some(last)) = (among.first(), among.last()) else {
        return Ok(None);
    };
    let mut query = EventQuery {
        stream: Some(stream.clone()),
        known: Some(*last),
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    loop {
        let page = log.events(&query, PAGE)?;
        let is_among = |event: &Event| among.binary_search(&event.position).is_ok();
        // What stands before the first of them is none of them.
        let end = |event: &&Event| is_among(event) || event.position < *first;
        if let Some(event) = page.events.iter().find(end) {
            let time = &event.time;
            return Ok(is_among(event).then(|| LastTime {
                time: time.time,
                is_clock: time.text.is_none() && time.time == event.recorded_at,
            }));
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(None);
        }
    }
}

/// A beginning that need not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beginning {
    pub bytes: u64,
    /// Lines in it, blank ones, too.
    pub lines: u64,
    /// Where the events of its records stand.
    pub positions: Vec<Position>,
    pub since: Time,
}

impl Beginning {
    /// Compares a file with what is known of it; `None` where its beginning is another, or what its records were
    /// cannot be told.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn of(
        path: &Path,
        known: &Known,
        progress: &Progress,
    ) -> std::io::Result<Option<Beginning>> {
        let mut file = File::open(path)?.take(known.bytes);
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut at, mut lines, mut records) = (0, 0, 0_usize);
        // The line at hand holds something; where the last whole line ends, and what had been counted there.
        let (mut is_record, mut whole) = (false, (0, 0, 0));
        loop {
            if progress.cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let read = file.read(&mut chunk)?;
            let part = &chunk[..read];
            if read == 0 {
                break;
            }
            if at == 0 && part.starts_with(b"\xEF\xBB\xBF") {
                return Ok(None);
            }
            hash.update(part);
            for (offset, byte) in part.iter().enumerate() {
                if *byte == b'\n' {
                    records += usize::from(std::mem::take(&mut is_record));
                    lines += 1;
                    whole = (at + offset as u64 + 1, lines, records);
                } else {
                    is_record |= !byte.is_ascii_whitespace();
                }
            }
            at += read as u64;
        }
        let (bytes, lines, records) = whole;
        let is_same = at == known.bytes && Hash(hash.finalize().into()) == known.sha256;
        // A last line without an end was a record, or was left for this import: it is read in any case.
        let is_told = (records..=records + 1).contains(&known.positions.len());
        Ok((is_same && is_told && records > 0).then(|| Beginning {
            bytes,
            lines,
            positions: known.positions[..records].to_vec(),
            since: known.at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NewEvent;
    use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
    use crate::surroundings::Surroundings;
    use crate::time::SourceTime;

    /// Of a stream that other sources write to as well, before and behind what a file brought, over several pages.
    #[test]
    fn the_last_event_among_others_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Surroundings::fixed(Time::MIN, 7);
        let writer = LogWriter::create(&folder.path().join("x.annals"), surroundings).unwrap();
        let at = |n: usize| {
            SourceTime::parse(
                &format!("2024-01-01T00:{:02}:{:02}Z", n / 60, n % 60),
                chrono_tz::UTC,
            )
            .unwrap()
        };
        let append = |stream: &str, range: std::ops::Range<usize>| {
            let event = |n| NewEvent {
                time: Some(at(n)),
                ..NewEvent::json("Counted", "{}").unwrap()
            };
            let append = StreamAppend {
                stream: StreamId::new(stream).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: range.map(event).collect(),
            };
            writer.append(vec![append]).unwrap();
        };
        append("a-1", 1..201);
        append("b-1", 201..202);
        append("a-1", 202..400);
        let log = writer.log();
        let found = |stream: &str, among: &[u64]| {
            let among: Vec<Position> = among.iter().copied().map(Position).collect();
            let found = last_time(&log, &StreamId::new(stream).unwrap(), &among).unwrap();
            found.map(|last| (last.time, last.is_clock))
        };
        assert_eq!(found("a-1", &[3, 7, 201]), Some((at(7).time, false)));
        assert_eq!(found("a-1", &[150]), Some((at(150).time, false)));
        assert_eq!(found("b-1", &[3, 7, 201]), Some((at(201).time, false)));
        assert_eq!(found("b-1", &[3, 7]), None);
        assert_eq!(found("b-1", &[300]), None);
        assert_eq!(found("a-1", &[201]), None);
        assert_eq!(found("a-1", &[]), None);
    }
}
