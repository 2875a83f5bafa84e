//! OCEL 2.0 in a SQLite database (specification, 7): a table a type, and those that tie them.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Event, ImportError, Link, MAX_BYTES, Object, Ocel, Value};
use crate::import::detect::FileNames;
use crate::import::mapping::write_json_string;

/// Columns that are not attributes.
const OWN: [&str; 3] = ["ocel_id", "ocel_time", "ocel_changed_field"];

/// Reads a log from the bytes of the database: a copy of it, so that the file stays as it is, packed or not.
pub(super) fn read(reader: &mut dyn BufRead, names: &FileNames) -> Result<Ocel, ImportError> {
    let mut copy = tempfile::NamedTempFile::new().map_err(|e| names.unreadable(1, e))?;
    let copied = std::io::copy(&mut reader.take(MAX_BYTES + 1), &mut copy)
        .map_err(|e| names.unreadable(1, e))?;
    if copied > MAX_BYTES {
        return Err(names.malformed(1, "an OCEL log may have 2 GiB; split it"));
    }
    let read = || -> rusqlite::Result<Ocel> {
        let database = Connection::open_with_flags(copy.path(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        tables(&database)
    };
    read().map_err(|error| {
        names.malformed(
            1,
            format!(
                "this SQLite database is neither a store of Annals nor a log of OCEL 2.0 ({error})"
            ),
        )
    })
}

fn tables(database: &Connection) -> rusqlite::Result<Ocel> {
    let mut ocel = Ocel::default();
    let mut links = links(
        database,
        "SELECT ocel_event_id, ocel_object_id, ocel_qualifier FROM event_object ORDER BY rowid",
    )?;
    let mut at = HashMap::new();
    each_row(
        database,
        "SELECT ocel_id, ocel_type FROM event ORDER BY rowid",
        &mut |row| {
            let id = text(row.get_ref(0)?);
            at.insert(id.clone(), ocel.events.len());
            ocel.events.push(Event {
                line: ocel.events.len() as u64 + 1,
                links: links.remove(&id).unwrap_or_default(),
                kind: text(row.get_ref(1)?),
                id,
                ..Event::default()
            });
            Ok(())
        },
    )?;
    for table in types(database, "event")? {
        each_row(
            database,
            &format!("SELECT * FROM {table} ORDER BY rowid"),
            &mut |row| {
                let cells = cells(row)?;
                let Some(event) = at.get(&cells.id).map(|at| &mut ocel.events[*at]) else {
                    let reason = format!(
                        "{table} has the event {:?}, which the table event does not have",
                        cells.id
                    );
                    ocel.rejects.push((1, reason, cells.id));
                    return Ok(());
                };
                event.time = cells.time;
                event.attributes = cells.values;
                Ok(())
            },
        )?;
    }
    objects(database, &mut ocel)?;
    Ok(ocel)
}

fn objects(database: &Connection, ocel: &mut Ocel) -> rusqlite::Result<()> {
    let mut links = links(
        database,
        "SELECT ocel_source_id, ocel_target_id, ocel_qualifier FROM object_object ORDER BY rowid",
    )?;
    let mut at = HashMap::new();
    each_row(
        database,
        "SELECT ocel_id, ocel_type FROM object ORDER BY rowid",
        &mut |row| {
            let id = text(row.get_ref(0)?);
            at.insert(id.clone(), ocel.objects.len());
            ocel.objects.push(Object {
                line: ocel.objects.len() as u64 + 1,
                links: links.remove(&id).unwrap_or_default(),
                kind: text(row.get_ref(1)?),
                id,
                ..Object::default()
            });
            Ok(())
        },
    )?;
    for table in types(database, "object")? {
        each_row(
            database,
            &format!("SELECT * FROM {table} ORDER BY rowid"),
            &mut |row| {
                let cells = cells(row)?;
                let Some(object) = at.get(&cells.id).map(|at| &mut ocel.objects[*at]) else {
                    let reason = format!(
                        "{table} has the object {:?}, which the table object does not have",
                        cells.id
                    );
                    ocel.rejects.push((1, reason, cells.id));
                    return Ok(());
                };
                let changed = cells.changed;
                let values = cells
                    .values
                    .into_iter()
                    .filter(|(name, _)| changed.is_empty() || *name == changed);
                object.attributes.extend(values.map(|(name, json)| Value {
                    name,
                    json,
                    time: (!cells.time.is_empty()).then(|| cells.time.clone()),
                }));
                Ok(())
            },
        )?;
    }
    Ok(())
}

/// A row of a type's table.
struct Cells {
    id: String,
    time: String,
    /// The one attribute that the row is about; all where empty.
    changed: String,
    values: Vec<(String, String)>,
}

fn cells(row: &rusqlite::Row<'_>) -> rusqlite::Result<Cells> {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let mut cells = Cells {
        id: String::new(),
        time: String::new(),
        changed: String::new(),
        values: Vec::new(),
    };
    for (index, name) in statement.column_names().enumerate() {
        let value = row.get_ref(index)?;
        match name {
            "ocel_id" => cells.id = text(value),
            "ocel_time" => cells.time = text(value),
            "ocel_changed_field" => cells.changed = text(value),
            _ if value == ValueRef::Null => {}
            name => cells.values.push((name.to_owned(), json(value))),
        }
        debug_assert!(OWN.contains(&name) || value == ValueRef::Null || !cells.values.is_empty());
    }
    Ok(cells)
}

/// The tables of the types, as SQL names them.
fn types(database: &Connection, of: &str) -> rusqlite::Result<Vec<String>> {
    let mut tables = Vec::new();
    let sql = format!("SELECT DISTINCT ocel_type_map FROM {of}_map_type ORDER BY 1");
    each_row(database, &sql, &mut |row| {
        let name = format!("{of}_{}", text(row.get_ref(0)?));
        tables.push(format!("\"{}\"", name.replace('"', "\"\"")));
        Ok(())
    })?;
    Ok(tables)
}

fn links(database: &Connection, sql: &str) -> rusqlite::Result<HashMap<String, Vec<Link>>> {
    let mut links: HashMap<String, Vec<Link>> = HashMap::new();
    each_row(database, sql, &mut |row| {
        links.entry(text(row.get_ref(0)?)).or_default().push(Link {
            object: text(row.get_ref(1)?),
            qualifier: text(row.get_ref(2)?),
        });
        Ok(())
    })?;
    Ok(links)
}

fn each_row(
    database: &Connection,
    sql: &str,
    each: &mut dyn FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = database.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(row)?;
    }
    Ok(())
}

/// A cell as text; empty where it holds nothing.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// A cell as JSON. A number with a fraction is the shortest text that reads back to the same: the database keeps it
/// in binary, so there is no text of its own.
fn json(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) if number.is_finite() => number.to_string(),
        ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => {
            let mut out = String::new();
            write_json_string(&mut out, &text(value));
            out
        }
    }
}
