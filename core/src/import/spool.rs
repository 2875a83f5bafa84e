//! Events on their way from the files to the log: written down in file order, read back in log order.
//!
//! The first pass appends each event to an unnamed temporary file and puts its key aside; the second takes the keys in
//! order and reads the events back. Most keys are in a file too ([`crate::runs`]), so an import of any size stays small
//! in memory, and one that is killed leaves nothing behind.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::mapping::{Beyond, bytes_of};
use crate::event::{JSON, NewEvent, NewLink, Payload, SourceFields};
use crate::id::{EventId, EventType};
use crate::runs::{Runs, Sorted};
use crate::time::{SourceTime, Time};

const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes that are read at once of an event that does not lie behind the one before.
const FEW_BYTES: usize = 4_096;

/// An event that only lacks its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spooled {
    /// Index of its stream, as the import counts them.
    pub stream: u32,
    pub category: Option<String>,
    /// Index of its file.
    pub file: u32,
    pub line: u64,
    /// Its place among the events of all files, in their order; first is 0.
    pub order: u64,
    pub event: NewEvent,
}

/// What is written down, still borrowed from the record.
pub(super) struct Entry<'a> {
    pub stream: u32,
    pub category: Option<&'a str>,
    pub file: u32,
    pub line: u64,
    pub id: &'a str,
    pub event_type: &'a str,
    /// `None`: the clock's, when the log takes it.
    pub time: Option<&'a SourceTime>,
    pub schema_version: Option<&'a str>,
    pub source: &'a str,
    pub source_id: Option<&'a str>,
    pub source_version: Option<&'a str>,
    pub source_position: Option<&'a str>,
    pub source_recorded_at: Option<Time>,
    pub data: &'a str,
    pub metadata: Option<&'a str>,
    /// What only our own export says.
    pub beyond: Option<&'a Beyond>,
}

impl Entry<'_> {
    /// The event as it would come back; `None` if a name in it is none.
    pub(super) fn whole(&self) -> Option<Spooled> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let json = |text: &str| Payload {
            content_type: JSON.into(),
            bytes: text.as_bytes().to_vec(),
        };
        let mut spooled = Spooled {
            stream: self.stream,
            category: owned(self.category),
            file: self.file,
            line: self.line,
            order: 0,
            event: NewEvent {
                id: Some(EventId::new(self.id).ok()?),
                event_type: EventType::new(self.event_type).ok()?,
                time: self.time.cloned(),
                schema_version: owned(self.schema_version),
                data: json(self.data),
                metadata: self.metadata.map(json),
                source: SourceFields {
                    source: Some(self.source.into()),
                    source_id: owned(self.source_id),
                    source_version: owned(self.source_version),
                    source_position: owned(self.source_position),
                    source_recorded_at: self.source_recorded_at,
                },
                links: Vec::new(),
            },
        };
        if let Some(beyond) = self.beyond {
            add_beyond(&mut spooled.event, beyond.clone());
        }
        Some(spooled)
    }
}

/// Where an event belongs: by the latest time that its stream had reached in the file, then by file order. Behind
/// that its offset in the spool.
type Key = [u8; 26];

fn key(reached: Time, order: u64, offset: u64) -> Key {
    let mut key = [0; 26];
    // Without the sign, so that bytes compare as numbers do.
    let us = reached.us().cast_unsigned() ^ (1 << 63);
    key[..8].copy_from_slice(&us.to_be_bytes());
    key[8..10].copy_from_slice(&reached.sub_ns().to_be_bytes());
    key[10..18].copy_from_slice(&order.to_be_bytes());
    key[18..].copy_from_slice(&offset.to_be_bytes());
    key
}

/// Order and offset of the event that a key is of.
fn order_and_offset(key: &Key) -> (u64, u64) {
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&key[at..at + 8]);
        u64::from_be_bytes(bytes)
    };
    (number(10), number(18))
}

/// The events of an import in file order.
pub(super) struct Spool {
    out: BufWriter<File>,
    keys: Runs<26>,
    offset: u64,
    bytes: Vec<u8>,
}

impl Spool {
    /// A new spool in a folder, on the disk that has to have room for the events anyway.
    pub(super) fn in_folder(folder: &Path) -> std::io::Result<Spool> {
        Ok(Spool {
            out: BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile_in(folder)?),
            keys: Runs::in_folder(folder),
            offset: 0,
            bytes: Vec::new(),
        })
    }

    /// Writes an event down; `reached` is the latest time in its stream (or log) so far, its own included.
    pub(super) fn push(&mut self, reached: Time, entry: &Entry<'_>) -> std::io::Result<()> {
        self.bytes.clear();
        write_entry(&mut self.bytes, entry);
        self.keys.push(key(reached, self.keys.len(), self.offset))?;
        self.out
            .write_all(&(self.bytes.len() as u64).to_le_bytes())?;
        self.out.write_all(&self.bytes)?;
        self.offset += 8 + self.bytes.len() as u64;
        Ok(())
    }

    /// Number of events.
    pub(super) fn len(&self) -> u64 {
        self.keys.len()
    }

    /// The events in log order.
    pub(super) fn sorted(self) -> std::io::Result<SpoolReader> {
        let file = self.out.into_inner().map_err(|e| e.into_error())?;
        Ok(SpoolReader {
            file,
            keys: self.keys.sorted()?,
            held: Vec::new(),
            held_from: 0,
            ahead: FEW_BYTES,
        })
    }
}

/// Reads a spool in log order.
pub(super) struct SpoolReader {
    file: File,
    keys: Sorted<26>,
    /// Bytes of the file, from this offset on.
    held: Vec<u8>,
    held_from: u64,
    /// So many are read at once: many while events come as they lie, few where each lies elsewhere.
    ahead: usize,
}

impl Iterator for SpoolReader {
    type Item = std::io::Result<Spooled>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.keys.next()?;
        Some(key.and_then(|key| {
            let (order, offset) = order_and_offset(&key);
            self.read_at(order, offset)
        }))
    }
}

impl SpoolReader {
    fn read_at(&mut self, order: u64, offset: u64) -> std::io::Result<Spooled> {
        let damaged = || std::io::Error::other("the spool of the import was damaged");
        let len = self.bytes(offset, 8)?.try_into().map_err(|_| damaged())?;
        let len = usize::try_from(u64::from_le_bytes(len)).map_err(std::io::Error::other)?;
        let bytes = self.bytes(offset + 8, len)?;
        read_entry(bytes)
            .map(|spooled| Spooled { order, ..spooled })
            .ok_or_else(damaged)
    }

    /// Bytes of the file.
    fn bytes(&mut self, offset: u64, len: usize) -> std::io::Result<&[u8]> {
        let held = self.held_from..self.held_from + self.held.len() as u64;
        if offset < held.start || offset + len as u64 > held.end {
            self.ahead = match (held.start..=held.end).contains(&offset) {
                true => (self.ahead * 2).min(BUFFER_BYTES),
                false => FEW_BYTES,
            };
            self.held.clear();
            self.held_from = offset;
            self.file.seek(SeekFrom::Start(offset))?;
            let wanted = len.max(self.ahead) as u64;
            (&mut self.file).take(wanted).read_to_end(&mut self.held)?;
        }
        let from = (offset - self.held_from) as usize;
        let bytes = self.held.get(from..from + len);
        bytes.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn write_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.extend_from_slice(&u64::MAX.to_le_bytes()),
        Some(text) => write_text(out, text),
    }
}

fn write_time(out: &mut Vec<u8>, time: Time) {
    out.extend_from_slice(&time.us().to_le_bytes());
    out.extend_from_slice(&time.sub_ns().to_le_bytes());
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let Entry {
        stream,
        category,
        file,
        line,
        id,
        event_type,
        time,
        schema_version,
        source,
        source_id,
        source_version,
        source_position,
        source_recorded_at,
        data,
        metadata,
        beyond,
    } = entry;
    out.extend_from_slice(&stream.to_le_bytes());
    out.extend_from_slice(&file.to_le_bytes());
    out.extend_from_slice(&line.to_le_bytes());
    write_optional(out, *category);
    write_text(out, id);
    write_text(out, event_type);
    let flag = |set: bool, bit: u8| u8::from(set) << bit;
    out.push(
        flag(time.is_some_and(|t| t.date_only), 0)
            | flag(time.is_some_and(|t| t.zone_assumed), 1)
            | flag(time.is_some_and(|t| t.ambiguous), 2)
            | flag(source_recorded_at.is_some(), 3)
            | flag(time.is_some(), 4),
    );
    if let Some(time) = time {
        write_time(out, time.time);
        write_optional(out, time.text.as_deref());
    }
    if let Some(time) = source_recorded_at {
        write_time(out, *time);
    }
    write_optional(out, *schema_version);
    write_text(out, source);
    write_optional(out, *source_id);
    write_optional(out, *source_version);
    write_optional(out, *source_position);
    write_text(out, data);
    write_optional(out, *metadata);
    let beyond = beyond.map(|beyond| serde_json::to_string(beyond).expect("texts are JSON"));
    write_optional(out, beyond.as_deref());
}

/// Takes fields from the front of the bytes.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    fn optional(&mut self) -> Option<Option<String>> {
        let len = u64::from_le_bytes(self.bytes()?);
        if len == u64::MAX {
            return Some(None);
        }
        let (text, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(Some(String::from_utf8(text.to_vec()).ok()?))
    }

    fn text(&mut self) -> Option<String> {
        self.optional()?
    }

    fn time(&mut self) -> Option<Time> {
        let us = i64::from_le_bytes(self.bytes()?);
        Time::from_parts(us, u16::from_le_bytes(self.bytes()?))
    }
}

fn read_entry(bytes: &[u8]) -> Option<Spooled> {
    let mut fields = Fields(bytes);
    let stream = u32::from_le_bytes(fields.bytes()?);
    let file = u32::from_le_bytes(fields.bytes()?);
    let line = u64::from_le_bytes(fields.bytes()?);
    let category = fields.optional()?;
    let id = EventId::new(fields.text()?).ok()?;
    let event_type = EventType::new(fields.text()?).ok()?;
    let [flags] = fields.bytes()?;
    let has = |bit: u8| flags & (1 << bit) != 0;
    let time = if has(4) {
        Some(SourceTime {
            time: fields.time()?,
            text: fields.optional()?,
            date_only: has(0),
            zone_assumed: has(1),
            ambiguous: has(2),
        })
    } else {
        None
    };
    let source_recorded_at = if has(3) { Some(fields.time()?) } else { None };
    let schema_version = fields.optional()?;
    let source = SourceFields {
        source: Some(fields.text()?.into()),
        source_id: fields.optional()?,
        source_version: fields.optional()?,
        source_position: fields.optional()?,
        source_recorded_at,
    };
    let json = |text: String| Payload {
        content_type: JSON.into(),
        bytes: text.into_bytes(),
    };
    let mut spooled = Spooled {
        stream,
        category,
        file,
        line,
        order: 0,
        event: NewEvent {
            id: Some(id),
            event_type,
            time,
            schema_version,
            data: json(fields.text()?),
            metadata: fields.optional()?.map(json),
            source,
            links: Vec::new(),
        },
    };
    if let Some(beyond) = fields.optional()? {
        add_beyond(&mut spooled.event, serde_json::from_str(&beyond).ok()?);
    }
    Some(spooled)
}

fn add_beyond(event: &mut NewEvent, beyond: Beyond) {
    let Beyond {
        links,
        data_type,
        metadata_type,
        data_hex,
        metadata_hex,
    } = beyond;
    let link = |(stream, qualifier)| NewLink { stream, qualifier };
    event.links = links.into_iter().map(link).collect();
    let payloads = [
        (Some(&mut event.data), data_type, data_hex),
        (event.metadata.as_mut(), metadata_type, metadata_hex),
    ];
    for (payload, content_type, hex) in payloads {
        let Some(payload) = payload else { continue };
        if let Some(content_type) = content_type {
            payload.content_type = content_type.into();
        }
        if let Some(bytes) = hex.as_deref().and_then(bytes_of) {
            payload.bytes = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(line: u64, time: &'a SourceTime) -> Entry<'a> {
        Entry {
            stream: 7,
            category: Some("order"),
            file: 1,
            line,
            id: "evt-1",
            event_type: "OrderPlaced",
            time: Some(time),
            schema_version: Some("2"),
            source: "events.jsonl",
            source_id: None,
            source_version: Some("41"),
            source_position: None,
            source_recorded_at: Some(time.time),
            data: "{}",
            metadata: Some("null"),
            beyond: None,
        }
    }

    #[test]
    fn events_come_back_whole_and_in_the_order_of_time_then_file() {
        let at = |text: &str| SourceTime::parse(text, chrono_tz::UTC).unwrap();
        let times = [
            at("2024-01-02T00:00:00Z"),
            at("2024-01-01"),
            at("2024-01-02T00:00:00.000000001Z"),
            at("2024-01-02T00:00:00Z"),
        ];
        let mut spool = Spool::in_folder(&std::env::temp_dir()).unwrap();
        for (line, time) in times.iter().enumerate() {
            spool
                .push(time.time, &entry(line as u64 + 1, time))
                .unwrap();
        }
        let back: Vec<Spooled> = spool.sorted().unwrap().map(Result::unwrap).collect();
        let mut whole = entry(2, &times[1]).whole().unwrap();
        whole.order = 1;
        assert_eq!(back[0], whole);
        assert_eq!(
            back.iter().map(|e| e.line).collect::<Vec<_>>(),
            [2, 1, 4, 3]
        );
        assert_eq!(
            back[0],
            Spooled {
                stream: 7,
                category: Some("order".into()),
                file: 1,
                line: 2,
                order: 1,
                event: NewEvent {
                    id: Some(EventId::new("evt-1").unwrap()),
                    event_type: EventType::new("OrderPlaced").unwrap(),
                    time: Some(times[1].clone()),
                    schema_version: Some("2".into()),
                    data: Payload::json("{}").unwrap(),
                    metadata: Some(Payload::json("null").unwrap()),
                    source: SourceFields {
                        source: Some("events.jsonl".into()),
                        source_id: None,
                        source_version: Some("41".into()),
                        source_position: None,
                        source_recorded_at: Some(times[1].time),
                    },
                    links: vec![],
                },
            }
        );
    }
}
