//! Names of one table, their ids, and how many events have them.
//!
//! Numbers of events are written only now and then, up to the position `head.indexed`, so that a commit does
//! not touch a page for each name in it. Readers add the few events after it (`counted_sql`); so does a writer
//! that starts anew.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

/// Names that a writer remembers from one commit to the next.
pub(super) const MAX_REMEMBERED: usize = 200_000;

/// A table of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// Event types.
    Types,
    /// Actors.
    Actors,
    /// Content types, which are not counted.
    ContentTypes,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Table::Types => "types",
            Table::Actors => "actors",
            Table::ContentTypes => "content_types",
        }
    }

    /// Column of `events` that holds the id.
    fn column(self) -> Option<&'static str> {
        match self {
            Table::Types => Some("type"),
            Table::Actors => Some("actor"),
            Table::ContentTypes => None,
        }
    }
}

/// Numbers of events after `head.indexed`, by an id that `id` makes of the event `e`: columns id and n.
pub(super) fn counted_sql(id: &str, tables: &str) -> String {
    format!(
        "SELECT {id} AS id, count(*) AS n FROM events e NOT INDEXED {tables}
         WHERE e.position > (SELECT indexed FROM head) GROUP BY 1"
    )
}

/// Names of one table and their ids.
#[derive(Debug)]
pub(super) struct Names {
    table: Table,
    known: HashMap<Arc<str>, Name>,
    /// Not in the file yet.
    new: Vec<Arc<str>>,
    /// Whose number in the file is behind.
    behind: Vec<Arc<str>>,
    next_id: i64,
    /// Whether the file may hold names that are not known here.
    file_has_names: bool,
}

#[derive(Debug)]
struct Name {
    id: i64,
    added: u64,
}

impl Names {
    pub(super) fn load(conn: &Connection, table: Table) -> rusqlite::Result<Names> {
        let next_id = next_id(conn, table.name())?;
        let mut names = Names {
            table,
            known: HashMap::new(),
            new: Vec::new(),
            behind: Vec::new(),
            next_id,
            file_has_names: next_id > 1,
        };
        if let Some(column) = table.column() {
            let tail = counted_sql(&format!("e.{column}"), "");
            let mut tail = conn.prepare_cached(&format!(
                "SELECT x.id, t.name, x.n FROM ({tail}) x JOIN {} t ON t.id = x.id",
                table.name()
            ))?;
            let mut rows = tail.query([])?;
            while let Some(row) = rows.next()? {
                let key: Arc<str> = Arc::from(row.get_ref(1)?.as_str()?);
                let name = Name {
                    id: row.get(0)?,
                    added: row.get(2)?,
                };
                names.behind.push(Arc::clone(&key));
                names.known.insert(key, name);
            }
        }
        Ok(names)
    }

    /// Returns the id of a name, giving it one if it is new, and counts one more event for it.
    pub(super) fn count(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<i64> {
        if !self.known.contains_key(name) {
            self.recall(conn, name)?;
        }
        let (key, _) = self.known.get_key_value(name).expect("recalled above");
        let key = Arc::clone(key);
        let known = self.known.get_mut(name).expect("recalled above");
        known.added += 1;
        if known.added == 1 {
            self.behind.push(key);
        }
        Ok(known.id)
    }

    /// Makes a name known, from the file or as a new one.
    fn recall(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<()> {
        let table = self.table.name();
        let found: Option<i64> = match self.file_has_names {
            false => None,
            true => conn
                .prepare_cached(&format!("SELECT id FROM {table} WHERE name = ?1"))?
                .query_row([name], |row| row.get(0))
                .optional()?,
        };
        let key: Arc<str> = Arc::from(name);
        let id = match found {
            Some(id) => id,
            None => {
                self.new.push(Arc::clone(&key));
                self.next_id += 1;
                self.next_id - 1
            }
        };
        self.known.insert(key, Name { id, added: 0 });
        Ok(())
    }

    /// Writes new names, and the numbers if they are due.
    pub(super) fn flush(&mut self, conn: &Connection, numbers: bool) -> rusqlite::Result<()> {
        let Names {
            table,
            known,
            new,
            behind,
            next_id: _,
            file_has_names,
        } = self;
        let counted = table.column().is_some();
        let table = table.name();
        *file_has_names |= !new.is_empty();
        let proof = "INVARIANT: names are forgotten only when the file has them whole";
        for key in new.drain(..) {
            let insert = match counted {
                true => format!("INSERT INTO {table}(id, name, events) VALUES (?1, ?2, 0)"),
                false => format!("INSERT INTO {table}(id, name) VALUES (?1, ?2)"),
            };
            conn.prepare_cached(&insert)?
                .execute((known.get(&key).expect(proof).id, &*key))?;
        }
        if !numbers {
            return Ok(());
        }
        for key in behind.drain(..) {
            let name = known.get_mut(&key).expect(proof);
            if counted {
                conn.prepare_cached(&format!(
                    "UPDATE {table} SET events = events + ?2 WHERE id = ?1"
                ))?
                .execute((name.id, name.added))?;
            }
            name.added = 0;
        }
        if known.len() > MAX_REMEMBERED {
            known.clear();
        }
        Ok(())
    }
}

/// The id that a table gives next.
pub(super) fn next_id(conn: &Connection, table: &str) -> rusqlite::Result<i64> {
    conn.prepare_cached(&format!("SELECT coalesce(max(id), 0) + 1 FROM {table}"))?
        .query_row([], |row| row.get(0))
}
