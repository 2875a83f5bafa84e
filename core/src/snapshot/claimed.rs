//! Snapshots of other systems: what a file claims that a state was. They serve nothing, since nobody knows how they
//! were made; a replay says whether they are right. Those that are imported lie as JSON Lines in the store's folder
//! (`snapshots/NAME.jsonl`): they are the user's own, and cannot be computed again.
//!
//! Read are the guide's two forms: the JSON object `{aggregateId, version, timestamp, snapshotData}`, alone, in a list
//! or a line each; and its table `Snapshots` (`aggregate_id`, `version`, `snapshot_data`, `timestamp`) as CSV or in a
//! SQLite file.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};

use crate::model::{is_file_name, json, write_whole};

/// Longest file that is read whole, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// What a file claims that a state was.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The aggregate: a stream.
    pub aggregate: String,
    /// Its version then, as its own system counts.
    pub version: u64,
    /// When it was taken, as written.
    pub timestamp: Option<String>,
    /// The state.
    pub data: Value,
    /// Which record of the file it is, first is 1.
    pub record: u64,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    /// Its snapshots.
    pub claims: Vec<Claim>,
    /// Its records that are none.
    pub refused: Vec<Refused>,
}

/// A record that is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which record of the file, first is 1.
    pub record: u64,
    /// What is wrong with it, and what was expected.
    pub reason: String,
}

/// Snapshots of another system that were imported.
#[derive(Debug)]
pub struct Foreign {
    /// Their name: that of the file, without its ending.
    pub name: String,
    /// Length of the file, in bytes.
    pub bytes: u64,
    /// What it holds, or why it cannot be read.
    pub content: Result<Claims, ClaimError>,
}

/// Why a file of snapshots cannot be read, or be kept.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A record is none.
    #[error("{file}{}: {message}", of_record(*record))]
    Malformed {
        /// The file.
        file: String,
        /// Which record, first is 1; 0: the file as a whole.
        record: u64,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// The name cannot be one of a file.
    #[error(
        "{name:?} cannot name snapshots: a name takes letters, digits, `-`, `_` and `.`, and begins with none of the last"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Snapshots of that name were imported before.
    #[error("there are imported snapshots {name} already")]
    Exists {
        /// The name.
        name: String,
    },
}

/// Folder of the snapshots that were imported into a store.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    crate::model::folder(store).join("snapshots")
}

/// Where imported snapshots of a name are to lie.
///
/// # Errors
/// [`ClaimError::Name`], [`ClaimError::Exists`] unless they may be replaced.
pub fn place(store: &Path, name: &str, replace: bool) -> Result<PathBuf, ClaimError> {
    let name = name.to_owned();
    if !is_file_name(&name) {
        return Err(ClaimError::Name { name });
    }
    let file = folder(store).join(format!("{name}.jsonl"));
    match file.exists() && !replace {
        true => Err(ClaimError::Exists { name }),
        false => Ok(file),
    }
}

/// Keeps snapshots at a [`place`], a line each, numbers as they were written.
///
/// # Errors
/// [`ClaimError::Io`].
pub fn keep(place: &Path, claims: &[Claim]) -> Result<(), ClaimError> {
    let mut text = String::new();
    for claim in claims {
        let Claim {
            aggregate,
            version,
            timestamp,
            data,
            record: _,
        } = claim;
        let mut line = Map::new();
        line.insert("aggregateId".to_owned(), aggregate.as_str().into());
        line.insert("version".to_owned(), (*version).into());
        if let Some(timestamp) = timestamp {
            line.insert("timestamp".to_owned(), timestamp.as_str().into());
        }
        line.insert("snapshotData".to_owned(), data.clone());
        text.push_str(&Value::Object(line).to_string());
        text.push('\n');
    }
    write_whole(place, &text).map_err(|source| ClaimError::Io {
        file: place.display().to_string(),
        source,
    })
}

/// The snapshots that were imported into a store, by name.
///
/// # Errors
/// The system's error if their folder is there and cannot be read. What is wrong with one file is said of that.
pub fn imported(store: &Path) -> std::io::Result<Vec<Foreign>> {
    let entries = match std::fs::read_dir(folder(store)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut foreign = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_one = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("jsonl"));
        let Some(stem) = path.file_stem().filter(|_| is_one) else {
            continue;
        };
        foreign.push(Foreign {
            name: stem.to_string_lossy().into_owned(),
            bytes: std::fs::metadata(&path).map_or(0, |file| file.len()),
            content: read(&path),
        });
    }
    foreign.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(foreign)
}

/// Reads the snapshots of a file.
///
/// # Errors
/// [`ClaimError`]: the file cannot be read, is too long, or holds no snapshot.
pub fn read(path: &Path) -> Result<Claims, ClaimError> {
    let file = path.display().to_string();
    let io = |source| ClaimError::Io {
        file: file.clone(),
        source,
    };
    if std::fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
        let message = format!("a file of snapshots is at most {MAX_BYTES} bytes long");
        return Err(malformed(&file, 0, message));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    if bytes.starts_with(b"SQLite format 3\0") {
        return sorted_out(table(path, &file)?, &file);
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| malformed(&file, 0, format!("it is not UTF-8: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    let is_csv = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let records = match is_csv {
        true => rows(text, &file)?,
        false => documents(text, &file)?,
    };
    sorted_out(records, &file)
}

/// Those records that are snapshots, and those that are none.
fn sorted_out(records: Vec<Result<Claim, String>>, file: &str) -> Result<Claims, ClaimError> {
    let mut found = Claims::default();
    for (read, record) in records.into_iter().zip(1..) {
        match read {
            Ok(claim) => found.claims.push(Claim { record, ..claim }),
            Err(reason) => found.refused.push(Refused { record, reason }),
        }
    }
    match found.refused.first() {
        _ if !found.claims.is_empty() => Ok(found),
        Some(first) => Err(malformed(file, first.record, first.reason.clone())),
        None => {
            let message = "it holds no snapshot; expected {aggregateId, version, timestamp, snapshotData}, or a table of \
                 aggregate_id, version, snapshot_data and timestamp";
            Err(malformed(file, 0, message.to_owned()))
        }
    }
}

/// Which record of a file, as an error says it; the file as a whole is none.
fn of_record(record: u64) -> String {
    match record {
        0 => String::new(),
        record => format!(", record {record}"),
    }
}

fn malformed(file: &str, record: u64, message: String) -> ClaimError {
    ClaimError::Malformed {
        file: file.to_owned(),
        record,
        message,
    }
}

/// JSON: one, a list, or a line each.
fn documents(text: &str, file: &str) -> Result<Vec<Result<Claim, String>>, ClaimError> {
    let whole = match json::parse(text) {
        Ok(whole) => {
            let values = match whole.value {
                Value::Array(items) => items,
                value => vec![value],
            };
            return Ok(values.into_iter().map(document).collect());
        }
        Err(error) => error,
    };
    let mut records = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match json::parse(line) {
            Ok(value) => records.push(document(value.value)),
            // One document over several lines is told of as such.
            Err(_) if records.is_empty() => {
                return Err(malformed(file, 1, format!("it is no JSON: {whole}")));
            }
            Err(error) => records.push(Err(format!("it is no JSON: {error}"))),
        }
    }
    Ok(records)
}

fn document(value: Value) -> Result<Claim, String> {
    let Value::Object(mut fields) = value else {
        let expected = "a snapshot is an object {aggregateId, version, timestamp, snapshotData}";
        return Err(expected.to_owned());
    };
    let mut take = |names: &[&str]| names.iter().find_map(|name| fields.shift_remove(*name));
    let aggregate = take(&["aggregateId", "aggregate_id"]);
    let version = take(&["version"]);
    let timestamp = take(&["timestamp"]);
    let data = take(&["snapshotData", "snapshot_data"]);
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    claim(
        aggregate.map(text),
        version.map(|version| version.to_string()),
        timestamp.filter(|time| !time.is_null()).map(text),
        data,
    )
}

/// CSV with a header.
fn rows(text: &str, file: &str) -> Result<Vec<Result<Claim, String>>, ClaimError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let wrong = |error: csv::Error| malformed(file, 0, error.to_string());
    let header = reader.headers().map_err(wrong)?.clone();
    let column = |name: &str| {
        let at = header
            .iter()
            .position(|h| h.trim().eq_ignore_ascii_case(name));
        at.ok_or_else(|| malformed(file, 0, format!("there is no column {name}")))
    };
    let (aggregate, version) = (column("aggregate_id")?, column("version")?);
    let (data, timestamp) = (column("snapshot_data")?, column("timestamp").ok());
    let records = reader.records().map(|row| {
        let row = row.map_err(|error| error.to_string())?;
        let cell = |at: usize| row.get(at).map(str::to_owned);
        claim(
            cell(aggregate),
            cell(version),
            timestamp.and_then(cell).filter(|text| !text.is_empty()),
            cell(data).map(Value::String),
        )
    });
    Ok(records.collect())
}

/// The table `Snapshots` of a SQLite file.
fn table(path: &Path, file: &str) -> Result<Vec<Result<Claim, String>>, ClaimError> {
    let read = || -> rusqlite::Result<Vec<[Option<String>; 4]>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        let mut read = conn.prepare(
            "SELECT CAST(aggregate_id AS TEXT), CAST(version AS TEXT), CAST(timestamp AS TEXT),
                 CAST(snapshot_data AS TEXT) FROM Snapshots",
        )?;
        let rows = read.query_map([], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        rows.collect()
    };
    let rows = read().map_err(|error| {
        let expected =
            "expected a table Snapshots (aggregate_id, version, snapshot_data, timestamp)";
        malformed(file, 0, format!("{error}; {expected}"))
    })?;
    let records = rows
        .into_iter()
        .map(|[aggregate, version, timestamp, data]| {
            claim(aggregate, version, timestamp, data.map(Value::String))
        });
    Ok(records.collect())
}

/// A snapshot from what its record says; which record that is, whoever reads the file knows.
fn claim(
    aggregate: Option<String>,
    version: Option<String>,
    timestamp: Option<String>,
    data: Option<Value>,
) -> Result<Claim, String> {
    let missing = |name: &str| format!("there is no {name}");
    let aggregate = aggregate.filter(|text| !text.is_empty());
    let aggregate = aggregate.ok_or_else(|| missing("aggregateId"))?;
    let version = version.ok_or_else(|| missing("version"))?;
    let version = version
        .trim()
        .parse()
        .map_err(|_| format!("version {version:?} is no whole number"))?;
    // A table holds the state as text.
    let data = match data.ok_or_else(|| missing("snapshotData"))? {
        Value::String(text) => {
            json::parse(&text)
                .map_err(|error| format!("snapshotData is no JSON: {error}"))?
                .value
        }
        data => data,
    };
    Ok(Claim {
        aggregate,
        version,
        timestamp,
        data,
        record: 0,
    })
}
