//! A second opinion: the rows of a read model of the user's own against the documents that are worked out from the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use ts_rs::TS;

use super::documents::{each_event, known_of};
use super::folding::Folding;
use super::{ProjectionError, ProjectionSet};
use crate::finding::Finding;
use crate::model::{Exact, FieldPath, ModelRef, json, same};
use crate::position::Position;
use crate::store::{EventBrief, Log};
use crate::temporal::{AsOf, AsOfView, raw};

/// Most rows that differ that are listed where nothing else is said; all are counted.
pub const DIFFERENCES: usize = 100;

/// Rows of a read model of the user's own, by key.
#[derive(Debug)]
pub struct Theirs {
    /// Where they were read.
    pub from: String,
    /// The column that holds the key.
    pub key: String,
    columns: Vec<String>,
    rows: BTreeMap<String, Map<String, Value>>,
    /// Rows whose key was there before; the last one counts.
    repeated: u64,
    /// Values are text whatever they mean, as those of a table are.
    is_text: bool,
}

/// Why a read model of the user's own could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TheirsError {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// File.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not what its name says.
    #[error("{from}: {reason}")]
    Malformed {
        /// Where it was read.
        from: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// There is no such column.
    #[error("{from} has no column {key}; there is {}", columns.join(", "))]
    NoKey {
        /// Where it was read.
        from: String,
        /// Column asked for.
        key: String,
        /// Columns there are.
        columns: Vec<String>,
    },
}

/// What differs between a read model of the user's own and the documents: `annals projection compare --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CompareView {
    /// Name of the projection.
    pub projection: String,
    /// The definition used.
    pub model: ModelRef,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Where the user's rows were read.
    pub theirs: String,
    /// The column that holds the key.
    pub key: String,
    /// Number of their rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Number of documents.
    #[ts(type = "number")]
    pub documents: u64,
    /// Number of rows that agree in every column that was compared.
    #[ts(type = "number")]
    pub same: u64,
    /// Columns that were compared, as the file has them.
    pub compared: Vec<String>,
    /// Columns that no document has, so they were not compared.
    pub not_compared: Vec<String>,
    /// Number of rows of a key that came before; the last one was compared.
    #[ts(type = "number")]
    pub repeated: u64,
    /// Number of rows that differ, are missing or too many.
    #[ts(type = "number")]
    pub differences_count: u64,
    /// The first of them, by key.
    pub differences: Vec<RowDifference>,
    /// Number of events looked at.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Values differ.
    Differs,
    /// There is a document and no row.
    Missing,
    /// There is a row and no document.
    Extra,
}

/// A row that differs from its document.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RowDifference {
    /// Key of the two.
    pub key: String,
    /// How it differs.
    pub kind: DifferenceKind,
    /// The values that differ.
    pub fields: Vec<FieldDifference>,
    /// Of a missing row, the event that the document begins with.
    pub since: Option<EventBrief>,
}

/// A value that differs.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FieldDifference {
    /// Column, and path in the document.
    pub field: String,
    /// What the row holds; `null` where it holds nothing.
    #[ts(type = "unknown")]
    pub theirs: Box<RawValue>,
    /// What the document holds; `null` where it holds nothing.
    #[ts(type = "unknown")]
    pub ours: Box<RawValue>,
    /// The event since which the two differ: with all before it the document held what the row holds. Where it never
    /// did, `null`.
    pub since: Option<EventBrief>,
}

impl Theirs {
    /// Reads `FILE.csv`, `FILE.json` (a list of objects, or one object a line) or `FILE.sqlite:TABLE`. The key is in
    /// the column of that name, the first one where none is named.
    ///
    /// # Errors
    /// [`TheirsError`] if it cannot be read, is not what its name says, or has no such column.
    pub fn read(from: &str, key: Option<&str>) -> Result<Theirs, TheirsError> {
        let malformed = |reason: String| TheirsError::Malformed {
            from: from.to_owned(),
            reason,
        };
        let (columns, rows, is_text) = match table_of(from) {
            Some((file, table)) => {
                let (columns, rows) =
                    sqlite(&file, &table).map_err(|error| malformed(error.to_string()))?;
                (columns, rows, true)
            }
            None => {
                let bytes = std::fs::read(from).map_err(|source| TheirsError::Io {
                    path: from.to_owned(),
                    source,
                })?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| malformed("it is not UTF-8".to_owned()))?;
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                if is_csv(from) {
                    let (columns, rows) = csv_rows(text).map_err(malformed)?;
                    (columns, rows, true)
                } else {
                    let (columns, rows) = json_rows(text).map_err(malformed)?;
                    (columns, rows, false)
                }
            }
        };
        let key = match key {
            Some(key) => key.to_owned(),
            None => columns.first().cloned().unwrap_or_default(),
        };
        if !columns.contains(&key) {
            return Err(TheirsError::NoKey {
                from: from.to_owned(),
                key,
                columns,
            });
        }
        let mut theirs = Theirs {
            from: from.to_owned(),
            key,
            columns,
            rows: BTreeMap::new(),
            repeated: 0,
            is_text,
        };
        for (n, row) in rows.into_iter().enumerate() {
            let key = match row.get(&theirs.key) {
                Some(Value::String(text)) if !text.is_empty() => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => {
                    return Err(malformed(format!(
                        "row {} has no key in column {}",
                        n + 1,
                        theirs.key
                    )));
                }
            };
            theirs.repeated += u64::from(theirs.rows.insert(key, row).is_some());
        }
        Ok(theirs)
    }

    /// Whether the two mean the same; nothing and `null` do, and an empty cell of a table.
    fn agrees(&self, theirs: Option<&Value>, ours: Option<&Value>) -> bool {
        let nothing = |value: Option<&Value>| match value {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => self.is_text && text.is_empty(),
            Some(_) => false,
        };
        if nothing(theirs) && ours.is_none_or(|ours| ours.is_null() || ours == "") {
            return true;
        }
        let (Some(theirs), Some(ours)) = (theirs, ours) else {
            return false;
        };
        let (true, Value::String(text)) = (self.is_text, theirs) else {
            return same(theirs, ours);
        };
        match ours {
            Value::String(ours) => ours == text,
            Value::Number(number) => {
                match (Exact::read(text.trim()), Exact::read(number.as_str())) {
                    (Ok(theirs), Ok(ours)) => theirs == ours,
                    _ => text == number.as_str(),
                }
            }
            Value::Bool(ours) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "t" | "yes" => *ours,
                "false" | "0" | "f" | "no" => !*ours,
                _ => false,
            },
            Value::Null => text.is_empty(),
            Value::Array(_) | Value::Object(_) => {
                json::parse(text).is_ok_and(|parsed| same(&parsed.value, ours))
            }
        }
    }
}

/// Works a read model out from the log and compares the user's own with it: every row that differs, and since which
/// event. The log is folded once, and once more where something differs.
///
/// # Errors
/// As [`super::documents`].
pub fn compare(
    log: &Log,
    set: &ProjectionSet,
    name: &str,
    as_of: &AsOf,
    theirs: &Theirs,
    limit: usize,
) -> Result<CompareView, ProjectionError> {
    let projection = set.get(name)?;
    let known = known_of(log, as_of)?;
    let (folding, mut examined) = super::documents::fold_all(log, &projection, as_of, known)?;
    let mut ours = BTreeMap::new();
    for (key, document) in &folding.documents {
        ours.insert(
            key.clone(),
            projection.document(document.fold.shared_state()).0,
        );
    }
    let fields: Vec<(String, FieldPath)> = theirs
        .columns
        .iter()
        .filter(|column| **column != theirs.key)
        .map(|column| {
            let path = column.parse().unwrap_or_default();
            (column.clone(), path)
        })
        .collect();
    let is_held = |path: &FieldPath| ours.values().any(|document| path.get(document).is_some());
    let (compared, not_compared): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(_, path)| is_held(path));
    let mut differences: BTreeMap<String, RowDifference> = BTreeMap::new();
    let mut same = 0;
    for (key, row) in &theirs.rows {
        let Some(document) = ours.get(key) else {
            differences.insert(key.clone(), row_difference(key, DifferenceKind::Extra));
            continue;
        };
        let differing = compared
            .iter()
            .filter(|(column, path)| !theirs.agrees(row.get(column), path.get(document)));
        let fields: Vec<FieldDifference> = differing
            .map(|(column, path)| FieldDifference {
                field: column.clone(),
                theirs: raw(row.get(column).unwrap_or(&Value::Null)),
                ours: raw(path.get(document).unwrap_or(&Value::Null)),
                since: None,
            })
            .collect();
        if fields.is_empty() {
            same += 1;
            continue;
        }
        let difference = RowDifference {
            fields,
            ..row_difference(key, DifferenceKind::Differs)
        };
        differences.insert(key.clone(), difference);
    }
    for key in ours.keys().filter(|key| !theirs.rows.contains_key(*key)) {
        differences.insert(key.clone(), row_difference(key, DifferenceKind::Missing));
    }
    let differences_count = differences.len() as u64;
    let mut listed: BTreeMap<String, RowDifference> = differences.into_iter().take(limit).collect();
    if listed
        .values()
        .any(|difference| difference.kind != DifferenceKind::Extra)
    {
        let mut tracked = Folding::new(&projection);
        examined += since(log, &mut tracked, as_of, known, theirs, &mut listed)?;
    }
    Ok(CompareView {
        projection: projection.name().to_owned(),
        model: projection.reference(),
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        reading: None,
        theirs: theirs.from.clone(),
        key: theirs.key.clone(),
        rows: theirs.rows.len() as u64,
        documents: ours.len() as u64,
        same,
        compared: compared.into_iter().map(|(column, _)| column).collect(),
        not_compared: not_compared.into_iter().map(|(column, _)| column).collect(),
        repeated: theirs.repeated,
        differences_count,
        differences: listed.into_values().collect(),
        events_examined: examined,
        findings: folding.findings.into_vec(),
    })
}

fn row_difference(key: &str, kind: DifferenceKind) -> RowDifference {
    RowDifference {
        key: key.to_owned(),
        kind,
        fields: Vec::new(),
        since: None,
    }
}

/// Folds the log once more and finds, for each value that differs, the event since which it does.
fn since(
    log: &Log,
    folding: &mut Folding,
    as_of: &AsOf,
    known: Position,
    theirs: &Theirs,
    listed: &mut BTreeMap<String, RowDifference>,
) -> Result<u64, ProjectionError> {
    let projection = folding.projection();
    // Whether each value agreed after the event before; the key alone where the row is missing.
    let mut agreed: BTreeMap<(String, String), bool> = BTreeMap::new();
    let all = (Position::ZERO, known);
    let examined = each_event(log, all, as_of.at, &mut |event| {
        let keys = projection.keys_of(&event);
        if !folding.take(&event) {
            return false;
        }
        for key in keys {
            let (Some(difference), Some(document)) =
                (listed.get_mut(&key), folding.documents.get(&key))
            else {
                continue;
            };
            if difference.kind == DifferenceKind::Missing {
                difference
                    .since
                    .get_or_insert_with(|| EventBrief::from(&event.event));
                continue;
            }
            let row = theirs.rows.get(&key);
            let (now, _) = projection.document(document.fold.shared_state());
            for field in &mut difference.fields {
                let path: FieldPath = field.field.parse().unwrap_or_default();
                let agrees =
                    theirs.agrees(row.and_then(|row| row.get(&field.field)), path.get(&now));
                let before = agreed.insert((key.clone(), field.field.clone()), agrees);
                match (before, agrees) {
                    (_, true) => field.since = None,
                    (Some(true), false) => field.since = Some(EventBrief::from(&event.event)),
                    (Some(false) | None, false) => {}
                }
            }
        }
        true
    })?;
    Ok(examined)
}

fn is_csv(from: &str) -> bool {
    Path::new(from)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// `FILE:TABLE` of a SQLite file.
fn table_of(from: &str) -> Option<(PathBuf, String)> {
    let (file, table) = from.rsplit_once(':')?;
    let extension = Path::new(file).extension()?.to_ascii_lowercase();
    let is_sqlite = ["sqlite", "sqlite3", "db"]
        .into_iter()
        .any(|known| extension == known);
    (is_sqlite && !table.is_empty()).then(|| (PathBuf::from(file), table.to_owned()))
}

type Rows = (Vec<String>, Vec<Map<String, Value>>);

/// The rows of a table, each value as text; the file is opened read-only.
fn sqlite(file: &Path, table: &str) -> rusqlite::Result<Rows> {
    let conn = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = conn
        .prepare(&format!("SELECT * FROM {} LIMIT 0", quoted(table)))?
        .column_names()
        .map(str::to_owned)
        .collect();
    let texts: Vec<String> = columns
        .iter()
        .map(|column| format!("CAST({} AS TEXT)", quoted(column)))
        .collect();
    let mut statement = conn.prepare(&format!(
        "SELECT {} FROM {}",
        texts.join(", "),
        quoted(table)
    ))?;
    let mut rows = Vec::new();
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let mut values = Map::new();
        for (at, column) in columns.iter().enumerate() {
            let text: Option<String> = row.get(at)?;
            values.insert(column.clone(), text.map_or(Value::Null, Value::String));
        }
        rows.push(values);
    }
    Ok((columns, rows))
}

fn csv_rows(text: &str) -> Result<Rows, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let columns: Vec<String> = reader
        .headers()
        .map_err(|error| error.to_string())?
        .iter()
        .map(str::to_owned)
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let values = columns.iter().zip(record.iter());
        rows.push(
            values
                .map(|(column, cell)| (column.clone(), Value::String(cell.to_owned())))
                .collect(),
        );
    }
    Ok((columns, rows))
}

fn json_rows(text: &str) -> Result<Rows, String> {
    let values = match json::parse(text) {
        Ok(parsed) => match parsed.value {
            Value::Array(values) => values,
            one => vec![one],
        },
        // One object a line.
        Err(error) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let values: Result<Vec<Value>, _> = lines
                .map(|line| json::parse(line).map(|parsed| parsed.value))
                .collect();
            values.map_err(|_| error.to_string())?
        }
    };
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (n, value) in values.into_iter().enumerate() {
        let Value::Object(row) = value else {
            return Err(format!("element {} is no object", n + 1));
        };
        for name in row.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        rows.push(row);
    }
    Ok((columns, rows))
}
