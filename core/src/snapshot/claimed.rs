//! Snapshots of other systems: what a file claims that a state was. They serve nothing, since nobody knows how they
//! were made; a replay says whether they are right.
//!
//! Read are the guide's two forms: the JSON object `{aggregateId, version, timestamp, snapshotData}`, alone, in a list
//! or a line each; and its table `Snapshots` (`aggregate_id`, `version`, `snapshot_data`, `timestamp`) as CSV or in a
//! SQLite file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::model::json;

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

/// Why a file of snapshots cannot be read.
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
    #[error("{file}, record {record}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// Which record, first is 1; 0: the file as a whole.
        record: u64,
        /// What is wrong, and what was expected.
        message: String,
    },
}

/// Reads the snapshots of a file.
///
/// # Errors
/// [`ClaimError`]: the file cannot be read, is too long, or holds a record that is no snapshot.
pub fn read(path: &Path) -> Result<Vec<Claim>, ClaimError> {
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
        return table(path, &file);
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| malformed(&file, 0, format!("it is not UTF-8: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    let is_csv = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    if is_csv {
        return rows(text, &file);
    }
    documents(text, &file)
}

fn malformed(file: &str, record: u64, message: String) -> ClaimError {
    ClaimError::Malformed {
        file: file.to_owned(),
        record,
        message,
    }
}

/// JSON: one, a list, or a line each.
fn documents(text: &str, file: &str) -> Result<Vec<Claim>, ClaimError> {
    let values = match json::parse(text) {
        Ok(whole) => match whole.value {
            Value::Array(items) => items,
            value => vec![value],
        },
        Err(whole) => {
            let mut values = Vec::new();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let record = values.len() as u64 + 1;
                let value = json::parse(line).map_err(|error| {
                    // One document over several lines is told of as such.
                    let error = if record == 1 { &whole } else { &error };
                    malformed(file, record, format!("it is no JSON: {error}"))
                })?;
                values.push(value.value);
            }
            values
        }
    };
    let claims = values.into_iter().zip(1..);
    claims
        .map(|(value, record)| {
            let Value::Object(mut fields) = value else {
                let message =
                    "a snapshot is an object {aggregateId, version, timestamp, snapshotData}";
                return Err(malformed(file, record, message.to_owned()));
            };
            let mut take =
                |names: [&str; 2]| names.iter().find_map(|name| fields.shift_remove(*name));
            let aggregate = take(["aggregateId", "aggregate_id"]);
            let version = take(["version", "version"]);
            let timestamp = take(["timestamp", "timestamp"]);
            let data = take(["snapshotData", "snapshot_data"]);
            let text = |value: Value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            claim(
                file,
                record,
                aggregate.map(text),
                version.map(|version| version.to_string()),
                timestamp.filter(|time| !time.is_null()).map(text),
                data,
            )
        })
        .collect()
}

/// CSV with a header.
fn rows(text: &str, file: &str) -> Result<Vec<Claim>, ClaimError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let wrong = |record: u64, error: csv::Error| malformed(file, record, error.to_string());
    let header = reader.headers().map_err(|error| wrong(0, error))?.clone();
    let column = |name: &str| {
        let at = header
            .iter()
            .position(|h| h.trim().eq_ignore_ascii_case(name));
        at.ok_or_else(|| malformed(file, 0, format!("there is no column {name}")))
    };
    let (aggregate, version) = (column("aggregate_id")?, column("version")?);
    let (data, timestamp) = (column("snapshot_data")?, column("timestamp").ok());
    let mut claims = Vec::new();
    for (row, record) in reader.records().zip(1..) {
        let row = row.map_err(|error| wrong(record, error))?;
        let cell = |at: usize| row.get(at).map(str::to_owned);
        let data = cell(data).map(Value::String);
        let timestamp = timestamp.and_then(cell).filter(|text| !text.is_empty());
        claims.push(claim(
            file,
            record,
            cell(aggregate),
            cell(version),
            timestamp,
            data,
        )?);
    }
    Ok(claims)
}

/// The table `Snapshots` of a SQLite file.
fn table(path: &Path, file: &str) -> Result<Vec<Claim>, ClaimError> {
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
    rows.into_iter()
        .zip(1..)
        .map(|([aggregate, version, timestamp, data], record)| {
            claim(
                file,
                record,
                aggregate,
                version,
                timestamp,
                data.map(Value::String),
            )
        })
        .collect()
}

fn claim(
    file: &str,
    record: u64,
    aggregate: Option<String>,
    version: Option<String>,
    timestamp: Option<String>,
    data: Option<Value>,
) -> Result<Claim, ClaimError> {
    let missing = |name: &str| malformed(file, record, format!("there is no {name}"));
    let aggregate = aggregate.filter(|text| !text.is_empty());
    let aggregate = aggregate.ok_or_else(|| missing("aggregateId"))?;
    let version = version.ok_or_else(|| missing("version"))?;
    let version = version.trim().parse().map_err(|_| {
        malformed(
            file,
            record,
            format!("version {version:?} is no whole number"),
        )
    })?;
    // A table holds the state as text.
    let data = match data.ok_or_else(|| missing("snapshotData"))? {
        Value::String(text) => {
            json::parse(&text)
                .map_err(|error| {
                    malformed(file, record, format!("snapshotData is no JSON: {error}"))
                })?
                .value
        }
        data => data,
    };
    Ok(Claim {
        aggregate,
        version,
        timestamp,
        data,
        record,
    })
}
