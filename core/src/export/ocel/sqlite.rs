//! OCEL 2.0 as a SQLite database (specification, 7): a table a type, and those that tie them.

use std::collections::HashSet;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BEGINNING, EVENTS, Events, ExportError, Ocel, Relationship, Seen, Taken, Type, Types};

/// Attributes that a table has columns for; a database has 2,000 columns at most.
const MAX_ATTRIBUTES: usize = 1_990;

const TABLES: &str = "
CREATE TABLE event_map_type(ocel_type TEXT, ocel_type_map TEXT, PRIMARY KEY(ocel_type));
CREATE TABLE object_map_type(ocel_type TEXT, ocel_type_map TEXT, PRIMARY KEY(ocel_type));
CREATE TABLE event(ocel_id TEXT, ocel_type TEXT, PRIMARY KEY(ocel_id),
  FOREIGN KEY(ocel_type) REFERENCES event_map_type(ocel_type));
CREATE TABLE object(ocel_id TEXT, ocel_type TEXT, PRIMARY KEY(ocel_id),
  FOREIGN KEY(ocel_type) REFERENCES object_map_type(ocel_type));
CREATE TABLE event_object(ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
  PRIMARY KEY(ocel_event_id, ocel_object_id, ocel_qualifier),
  FOREIGN KEY(ocel_event_id) REFERENCES event(ocel_id),
  FOREIGN KEY(ocel_object_id) REFERENCES object(ocel_id));
CREATE TABLE object_object(ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT,
  PRIMARY KEY(ocel_source_id, ocel_target_id, ocel_qualifier),
  FOREIGN KEY(ocel_source_id) REFERENCES object(ocel_id),
  FOREIGN KEY(ocel_target_id) REFERENCES object(ocel_id));
";

impl From<rusqlite::Error> for ExportError {
    fn from(error: rusqlite::Error) -> ExportError {
        ExportError::Io(std::io::Error::other(format!("database: {error}")))
    }
}

#[derive(Deserialize)]
struct Event<'t> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    #[serde(borrow)]
    attributes: Vec<Attribute<'t>>,
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Attribute<'t> {
    name: String,
    time: Option<String>,
    #[serde(borrow)]
    value: &'t RawValue,
}

/// A type's table.
struct Table {
    /// As SQL names it.
    name: String,
    /// Columns of the attributes, as SQL names them.
    columns: Vec<String>,
}

impl Ocel {
    pub(super) fn write_sqlite(&mut self, kept: &[usize], to: &mut Taken<'_>) -> Events {
        let mut file = tempfile::NamedTempFile::new()?;
        let mut database = Connection::open(file.path())?;
        // A relationship to an object that the log does not hold stays one.
        database.execute_batch(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF;",
        )?;
        let writing = database.transaction()?;
        writing.execute_batch(TABLES)?;
        let events = make_tables(&writing, "event", &self.event_types, to)?;
        let objects = make_tables(&writing, "object", &self.object_types, to)?;
        let mut twice = 0;
        self.put_objects(&writing, &objects, kept, &mut twice)?;
        self.put_events(&writing, &events, &mut twice, to)?;
        if twice > 0 {
            to.notes.in_all(format!(
                "{twice} relationships are said twice in the log and once in the database"
            ));
        }
        writing.commit()?;
        drop(database);
        to.copy(file.as_file_mut())
    }

    fn put_events(
        &mut self,
        database: &Connection,
        tables: &[Table],
        twice: &mut u64,
        to: &mut Taken<'_>,
    ) -> Events {
        let mut json = Vec::new();
        for n in 0..self.fragments.len(EVENTS) {
            to.spill()?;
            if n % 1_000 == 0 && to.cancel.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(ExportError::Cancelled);
            }
            json.clear();
            self.fragments.read(EVENTS, n, &mut json)?;
            let event: Event<'_> = serde_json::from_slice(&json).map_err(std::io::Error::from)?;
            database
                .prepare_cached("INSERT INTO event VALUES (?1, ?2)")?
                .execute(params![event.id, event.kind])?;
            for link in &event.relationships {
                let tied = database
                    .prepare_cached("INSERT OR IGNORE INTO event_object VALUES (?1, ?2, ?3)")?
                    .execute(params![event.id, link.object, link.qualifier])?;
                *twice += u64::from(tied == 0);
            }
            let Some(place) = self.event_types.places.get(&event.kind) else {
                continue;
            };
            let (kind, table) = (&self.event_types.list[*place], &tables[*place]);
            let mut row = vec![Value::Text(event.id), Value::Text(event.time)];
            row.resize(2 + table.columns.len(), Value::Null);
            for attribute in &event.attributes {
                if let Some(cell) = kind
                    .places
                    .get(&attribute.name)
                    .and_then(|at| row.get_mut(2 + at))
                {
                    *cell = value_of(attribute.value);
                }
            }
            insert(database, table, "ocel_id, ocel_time", row)?;
        }
        Ok(())
    }

    fn put_objects(
        &mut self,
        database: &Connection,
        tables: &[Table],
        kept: &[usize],
        twice: &mut u64,
    ) -> Events {
        let mut json = Vec::new();
        for place in kept {
            let object = &self.objects[*place];
            let kind = object.kind.clone().unwrap_or_default();
            database
                .prepare_cached("INSERT INTO object VALUES (?1, ?2)")?
                .execute(params![object.id, kind])?;
            let links = object.links.as_deref().unwrap_or("[]");
            let links: Vec<Relationship> = serde_json::from_str(links).unwrap_or_default();
            for link in &links {
                let tied = database
                    .prepare_cached("INSERT OR IGNORE INTO object_object VALUES (?1, ?2, ?3)")?
                    .execute(params![object.id, link.object, link.qualifier])?;
                *twice += u64::from(tied == 0);
            }
            let Some(of) = self.object_types.places.get(&kind) else {
                continue;
            };
            let (kind, table) = (&self.object_types.list[*of], &tables[*of]);
            let mut first = vec![
                Value::Text(object.id.clone()),
                Value::Text(BEGINNING.to_owned()),
                Value::Null,
            ];
            first.resize(3 + table.columns.len(), Value::Null);
            let mut later = Vec::new();
            let group = u32::try_from(place + 1).unwrap_or(u32::MAX);
            for n in 0..self.fragments.len(group) {
                json.clear();
                self.fragments.read(group, n, &mut json)?;
                let value: Attribute<'_> =
                    serde_json::from_slice(&json).map_err(std::io::Error::from)?;
                let Some(at) = kind
                    .places
                    .get(&value.name)
                    .filter(|at| **at < table.columns.len())
                else {
                    continue;
                };
                let time = value.time.unwrap_or_default();
                if time == BEGINNING {
                    first[3 + at] = value_of(value.value);
                    continue;
                }
                let mut row = vec![
                    Value::Text(self.objects[*place].id.clone()),
                    Value::Text(time),
                    Value::Text(value.name),
                ];
                row.resize(3 + table.columns.len(), Value::Null);
                row[3 + at] = value_of(value.value);
                later.push(row);
            }
            let own = "ocel_id, ocel_time, ocel_changed_field";
            insert(database, table, own, first)?;
            for row in later {
                insert(database, table, own, row)?;
            }
        }
        Ok(())
    }
}

fn insert(
    database: &Connection,
    table: &Table,
    own: &str,
    row: Vec<Value>,
) -> rusqlite::Result<()> {
    let columns: Vec<&str> = std::iter::once(own)
        .chain(table.columns.iter().map(String::as_str))
        .collect();
    let marks = vec!["?"; row.len()].join(",");
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({marks})",
        table.name,
        columns.join(",")
    );
    database
        .prepare_cached(&sql)?
        .execute(params_from_iter(row))?;
    Ok(())
}

/// A value as the database holds it.
fn value_of(json: &RawValue) -> Value {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'"') => Value::Text(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())),
        Some(b't') => Value::Integer(1),
        Some(b'f') => Value::Integer(0),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// A number that the database holds to the last digit.
pub(super) fn number(text: &str) -> Option<Value> {
    if let Ok(integer) = text.parse::<i64>() {
        return (integer.to_string() == text).then_some(Value::Integer(integer));
    }
    // The column's own kind of number, taken only where it tells every digit again.
    let value = text.parse().map(Value::Real).ok()?;
    let holds = matches!(&value, Value::Real(held) if held.is_finite() && held.to_string() == text);
    holds.then_some(value)
}

fn make_tables(
    database: &Connection,
    of: &str,
    types: &Types,
    to: &mut Taken<'_>,
) -> Result<Vec<Table>, ExportError> {
    // `event_object` and `object_object` are there already.
    let mut names: HashSet<String> = ["object".to_owned()].into();
    let mut tables = Vec::new();
    for kind in &types.list {
        let map = unused(
            &mut names,
            &kind
                .name
                .chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>(),
        );
        let name = quoted(&format!("{of}_{map}"));
        let columns = columns(of, kind, to);
        let mut sql = format!("CREATE TABLE {name} (ocel_id TEXT, ocel_time TIMESTAMP");
        if of == "object" {
            sql.push_str(", ocel_changed_field TEXT");
        }
        for (column, (_, seen)) in columns.iter().zip(&kind.attributes) {
            sql.push_str(&format!(", {column} {}", affinity(*seen)));
        }
        sql.push_str(&format!(", FOREIGN KEY(ocel_id) REFERENCES {of}(ocel_id))"));
        database.execute_batch(&sql)?;
        database.execute(
            &format!("INSERT INTO {of}_map_type VALUES (?1, ?2)"),
            params![kind.name, map],
        )?;
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

/// Names of the columns of a type's attributes, each once: the database takes no notice of capital letters.
fn columns(of: &str, kind: &Type, to: &mut Taken<'_>) -> Vec<String> {
    let own = ["ocel_id", "ocel_time", "ocel_changed_field"];
    let mut names: HashSet<String> = own.map(str::to_owned).into();
    let mut columns = Vec::new();
    if let Some((first, _)) = kind.attributes.get(MAX_ATTRIBUTES) {
        to.notes.in_all(format!(
            "{of}s of type {:?} have more attributes than a table has columns: those from {first:?} on are not in the file",
            kind.name
        ));
    }
    for (name, _) in kind.attributes.iter().take(MAX_ATTRIBUTES) {
        let column = unused(&mut names, &name.replace('\0', "\u{fffd}"));
        if column != *name {
            to.notes.in_all(format!(
                "the attribute {name:?} of {of}s of type {:?} is the column {column:?}, since another has its name",
                kind.name
            ));
        }
        columns.push(quoted(&column));
    }
    columns
}

/// A name that none of these is, capital letters aside.
fn unused(names: &mut HashSet<String>, wish: &str) -> String {
    let mut name = wish.to_owned();
    let mut n = 2;
    while name.is_empty() || !names.insert(name.to_lowercase()) {
        name = format!("{wish}_{n}");
        n += 1;
    }
    name
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The type of a column that changes no value in it.
fn affinity(seen: Seen) -> &'static str {
    let Seen {
        text,
        integer,
        float,
        boolean,
        inexact,
    } = seen;
    match (text || inexact, integer || boolean, float) {
        (true, false, false) if !inexact => "TEXT",
        (false, true, false) if boolean && !integer => "BOOLEAN",
        (false, true, false) => "INTEGER",
        (false, false, true) => "REAL",
        // Without one a column leaves every value as it is.
        _ => "",
    }
}
