//! Names of a log, all in memory while it is verified: events refer to them by id.

use ecow::EcoString;
use rusqlite::{Connection, Row};

use crate::event::is_json_type;
use crate::store::extraction::{Extraction, Extractor};

/// Rows that room is made for at once.
const MOST_ROOM: i64 = 1 << 20;

/// Rows of a table by their ids.
#[derive(Debug)]
pub(super) struct ById<T> {
    rows: Vec<Option<T>>,
    pub(super) count: u64,
    /// Ids so far from dense that nobody gave them.
    pub(super) odd_ids: u64,
}

impl<T> ById<T> {
    /// Reads all rows of a table; their first column is the id.
    fn load(
        conn: &Connection,
        table: &str,
        columns: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<ById<T>> {
        let question = format!("SELECT id, {columns} FROM {table} ORDER BY id");
        let last = conn.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        // What the file says is believed only so far.
        let room = last.map_or(0, |last| last.clamp(0, MOST_ROOM) as usize + 1);
        let mut all = ById {
            rows: Vec::with_capacity(room),
            count: 0,
            odd_ids: 0,
        };
        let mut statement = conn.prepare(&question)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            all.count += 1;
            // Ids are given densely; those of a restored log may have holes.
            let at = usize::try_from(row.get::<_, i64>(0)?).ok();
            let Some(at) = at.filter(|at| *at <= (all.count as usize + 1_024) * 16) else {
                all.odd_ids += 1;
                continue;
            };
            if all.rows.len() <= at {
                all.rows.resize_with(at + 1, || None);
            }
            all.rows[at] = Some(read(row)?);
        }
        Ok(all)
    }

    pub(super) fn get(&self, id: i64) -> Option<&T> {
        self.rows.get(usize::try_from(id).ok()?)?.as_ref()
    }

    /// One more than the largest id.
    pub(super) fn end(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(id, row)| Some((id, row.as_ref()?)))
    }
}

/// A stream as its table has it.
#[derive(Debug)]
pub(super) struct Stream {
    /// In place where it is short: events of a log come from any stream, and each look elsewhere is a wait.
    pub(super) name: EcoString,
    pub(super) category: i64,
    pub(super) version: i64,
    pub(super) last_position: i64,
    pub(super) first: (i64, i64),
    pub(super) last: (i64, i64),
}

/// A name with a number of events.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) name: Box<str>,
    pub(super) events: i64,
}

/// A content type.
#[derive(Debug)]
pub(super) struct ContentType {
    pub(super) name: Box<str>,
    pub(super) is_json: bool,
}

/// A source and its rule.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: Box<str>,
    /// `None` where the rule cannot be read.
    pub(super) extractor: Option<Extractor>,
}

/// All names.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) streams: ById<Stream>,
    /// With the number of streams.
    pub(super) categories: ById<(Counted, i64)>,
    pub(super) types: ById<Counted>,
    pub(super) actors: ById<Counted>,
    pub(super) content_types: ById<ContentType>,
    pub(super) sources: ById<Source>,
    /// The rule for events without a source.
    pub(super) standard: Extractor,
}

impl Names {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Names> {
        let counted = |table: &str| {
            ById::load(conn, table, "name, events", |row| {
                Ok(Counted {
                    name: row.get(1)?,
                    events: row.get(2)?,
                })
            })
        };
        Ok(Names {
            streams: ById::load(
                conn,
                "streams",
                "name, category, version, last_position, first_us, first_sub_ns, last_us, last_sub_ns",
                |row| {
                    Ok(Stream {
                        name: row.get_ref(1)?.as_str()?.into(),
                        category: row.get(2)?,
                        version: row.get(3)?,
                        last_position: row.get(4)?,
                        first: (row.get(5)?, row.get(6)?),
                        last: (row.get(7)?, row.get(8)?),
                    })
                },
            )?,
            categories: ById::load(conn, "categories", "name, events, streams", |row| {
                let counted = Counted {
                    name: row.get(1)?,
                    events: row.get(2)?,
                };
                Ok((counted, row.get(3)?))
            })?,
            types: counted("types")?,
            actors: counted("actors")?,
            content_types: ById::load(conn, "content_types", "name", |row| {
                let name: Box<str> = row.get(1)?;
                Ok(ContentType {
                    is_json: is_json_type(&name),
                    name,
                })
            })?,
            sources: ById::load(conn, "sources", "name, extraction", |row| {
                let rule: String = row.get(2)?;
                Ok(Source {
                    name: row.get(1)?,
                    extractor: serde_json::from_str::<Extraction>(&rule)
                        .ok()
                        .map(|rule| rule.prepare()),
                })
            })?,
            standard: Extraction::standard().prepare(),
        })
    }
}
