//! Events on their way from the files to the log: written down in file order, read back in log order.
//!
//! The first pass appends each event to an unnamed temporary file and remembers its key (24 bytes); the second
//! sorts the keys and reads the events back. So an import of any size stays small in memory, and one that is
//! killed leaves nothing behind.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::mapping::{Beyond, bytes_of};
use crate::event::{JSON, NewEvent, NewLink, Payload, SourceFields};
use crate::id::{EventId, EventType};
use crate::time::{SourceTime, Time};

const BUFFER_BYTES: usize = 256 * 1024;

/// An event that only lacks its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spooled {
    /// Index of its stream, as the import counts them.
    pub stream: u32,
    pub category: Option<String>,
    /// Index of its file.
    pub file: u32,
    pub line: u64,
    /// Grows along the file.
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

/// Where an event belongs: by the latest time that its stream had reached in the file, then by file order,
/// which is the order of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    us: i64,
    sub_ns: u16,
    offset: u64,
}

/// The events of an import in file order.
pub(super) struct Spool {
    out: BufWriter<File>,
    keys: Vec<Key>,
    offset: u64,
    bytes: Vec<u8>,
}

impl Spool {
    /// A new spool in a folder, on the disk that has to have room for the events anyway.
    pub(super) fn in_folder(folder: &Path) -> std::io::Result<Spool> {
        Ok(Spool {
            out: BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile_in(folder)?),
            keys: Vec::new(),
            offset: 0,
            bytes: Vec::new(),
        })
    }

    /// Writes an event down; `reached` is the latest time in its stream (or log) so far, its own included.
    pub(super) fn push(&mut self, reached: Time, entry: &Entry<'_>) -> std::io::Result<()> {
        self.bytes.clear();
        write_entry(&mut self.bytes, entry);
        self.keys.push(Key {
            us: reached.us(),
            sub_ns: reached.sub_ns(),
            offset: self.offset,
        });
        self.out
            .write_all(&(self.bytes.len() as u64).to_le_bytes())?;
        self.out.write_all(&self.bytes)?;
        self.offset += 8 + self.bytes.len() as u64;
        Ok(())
    }

    /// Number of events.
    pub(super) fn len(&self) -> u64 {
        self.keys.len() as u64
    }

    /// The events in log order.
    pub(super) fn sorted(mut self) -> std::io::Result<SpoolReader> {
        if !self.keys.is_sorted() {
            self.keys.sort_unstable();
        }
        let mut file = self.out.into_inner().map_err(|e| e.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(SpoolReader {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            at: 0,
            keys: self.keys.into_iter(),
            bytes: Vec::new(),
        })
    }
}

/// Reads a spool in log order.
pub(super) struct SpoolReader {
    file: BufReader<File>,
    at: u64,
    keys: std::vec::IntoIter<Key>,
    bytes: Vec<u8>,
}

impl Iterator for SpoolReader {
    type Item = std::io::Result<Spooled>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.keys.next()?;
        Some(self.read_at(key.offset))
    }
}

impl SpoolReader {
    fn read_at(&mut self, offset: u64) -> std::io::Result<Spooled> {
        let distance = i64::try_from(i128::from(offset) - i128::from(self.at))
            .map_err(std::io::Error::other)?;
        self.file.seek_relative(distance)?;
        let mut len = [0; 8];
        self.file.read_exact(&mut len)?;
        let len = u64::from_le_bytes(len);
        self.bytes
            .resize(usize::try_from(len).map_err(std::io::Error::other)?, 0);
        self.file.read_exact(&mut self.bytes)?;
        self.at = offset + 8 + len;
        read_entry(&self.bytes)
            .map(|spooled| Spooled {
                order: offset,
                ..spooled
            })
            .ok_or_else(|| std::io::Error::other("the spool of the import was damaged"))
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
        whole.order = back[0].order;
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
                order: 203,
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
