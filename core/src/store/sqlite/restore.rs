//! A new store from the first events of another: a backup, or a log as it was.
//!
//! Rows of events are copied as they are, texts of an older format in fewer bytes; what the log counts (streams, names, tree, head) is made from them
//! anew, as its writer made it. Then every event of the new store is hashed again.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};

use super::backup::{Beside, reserve, write_error};
use super::log::{Log, head, sql_position};
use super::packed::Packing;
use super::tail::{Entry, INDEX_EVERY_IN_BULK, Tail, index_correlations};
use super::tiles::{TreeWriter, hashes};
use super::verify::{damaged, unreadable, verify};
use super::{imports, ledger, open, salts, schema, unnamed};
use crate::integrity::tree::Frontier;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::{BackupError, Head, ReadError, RestoreReport};
use crate::time::Time;

/// Columns of a row of events, the salts aside, which follow them.
const COLUMNS: &str = "position, stream, version, type, time_us, time_sub_ns, time_flags, time_text, recorded_us, id, \
     source, source_id, source_version, source_position, source_recorded_us, source_recorded_sub_ns, actor, \
     correlation, causation, schema_version, data_type, metadata_type, leaf, metadata, data";

/// Where some of them stand.
const POSITION: usize = 0;
const STREAM: usize = 1;
const VERSION: usize = 2;
const TYPE: usize = 3;
const TIME_US: usize = 4;
const TIME_SUB_NS: usize = 5;
const TIME_TEXT: usize = 7;
const RECORDED_US: usize = 8;
const ID: usize = 9;
const SOURCE: usize = 10;
const SOURCE_ID: usize = 11;
const ACTOR: usize = 16;
const CORRELATION: usize = 17;
const CAUSATION: usize = 18;
const DATA_TYPE: usize = 20;
const METADATA_TYPE: usize = 21;
const LEAF: usize = 22;
const SALTS: usize = 25;

/// Events between two looks at the cancel switch.
const STEP: u64 = 1_000;

/// Makes a new store from the first `to` events of a log (a backup is one), or from all of them: the same events
/// byte for byte, with the same places, hashes and log id, and the root that the log had at that size. What was
/// erased since is erased in it too. Signed heads up to that size come along; so do the user's own files beside
/// the store (every `.toml` in `X.annals.d`), as they are now.
///
/// `progress` counts events: half of them is copying, half verifying.
///
/// # Errors
/// [`BackupError`]; no store is left behind. Events after `to` need not be whole: where they cannot be read,
/// [`RestoreReport::tied`] says so.
///
/// ```
/// use annals_core::position::Position;
/// use annals_core::progress::WorkProgress;
/// use annals_core::store::{Log, restore};
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// let log = Log::explore(&store).unwrap();
/// let then = folder.path().join("then.annals");
/// let report = restore(&log, Some(Position(20)), &then, &WorkProgress::default()).unwrap();
/// assert_eq!((report.size, report.left_out, report.tied), (Position(20), 32, true));
/// ```
pub fn restore(
    log: &Log,
    to: Option<Position>,
    store: &Path,
    progress: &WorkProgress,
) -> Result<RestoreReport, BackupError> {
    let new = reserve(store, log)?;
    let (said, made, tied) = log.read(|source| {
        let said = head(source)?;
        Ok(copy_and_tie(source, said, to, new.unnamed(), progress))
    })??;
    let copy = open::reader(new.unnamed()).map_err(|e| open::engine(store, e))?;
    let found = verify(&copy, progress)?;
    if found.size() != made.size.0 || found.root() != made.root {
        return Err(BackupError::RootDiffers {
            found: found.root(),
            said: made.root,
        });
    }
    drop(copy);
    let copies = Beside::copy(log.path(), store)?;
    new.sync_and_name()?;
    Ok(RestoreReport {
        file: log.path().display().to_string(),
        store: store.display().to_string(),
        id: log.id(),
        size: made.size,
        root: made.root,
        left_out: said.size.0 - made.size.0,
        tied,
        beside: copies.keep(),
    })
}

/// Copies the first events and compares the tree over all with the log's head. Returns the log's head, the new
/// one, and whether the events left out agree.
fn copy_and_tie(
    source: &Connection,
    said: Head,
    to: Option<Position>,
    path: &Path,
    progress: &WorkProgress,
) -> Result<(Head, Head, bool), BackupError> {
    let size = to.unwrap_or(said.size);
    if size > said.size {
        return Err(BackupError::BeyondEnd {
            asked: size,
            size: said.size,
        });
    }
    progress.expect(size.0.saturating_mul(2).max(1));
    let frontier = fill(source, size, path, progress)?;
    let made = Head {
        size,
        root: frontier.root(),
    };
    if size == said.size && made.root != said.root {
        return Err(BackupError::RootDiffers {
            found: made.root,
            said: said.root,
        });
    }
    let tied = match tie(source, frontier, progress) {
        Ok(all) => all.size() == said.size.0 && all.root() == said.root,
        Err(BackupError::Cancelled) => return Err(BackupError::Cancelled),
        Err(_) => false,
    };
    Ok((said, made, tied))
}

/// Adds the leaves of the events that were left out to the tree.
fn tie(
    source: &Connection,
    mut frontier: Frontier,
    progress: &WorkProgress,
) -> Result<Frontier, BackupError> {
    let mut read = || -> rusqlite::Result<bool> {
        let mut leaves =
            source.prepare("SELECT leaf FROM events WHERE position > ?1 ORDER BY position")?;
        let mut rows = leaves.query([frontier.size()])?;
        while let Some(row) = rows.next()? {
            if frontier.size().is_multiple_of(STEP) && progress.is_cancelled() {
                return Ok(false);
            }
            for leaf in hashes(row.get_ref(0)?.as_blob()?)? {
                frontier.push(leaf);
            }
        }
        Ok(true)
    };
    if read().map_err(ReadError::from)? {
        Ok(frontier)
    } else {
        Err(BackupError::Cancelled)
    }
}

/// Writes a new store with the first events of a log; returns the tree over them.
fn fill(
    source: &Connection,
    size: Position,
    path: &Path,
    progress: &WorkProgress,
) -> Result<Frontier, BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(path, flags).map_err(|e| open::engine(path, e))?;
    let begin = || -> rusqlite::Result<()> {
        store.set_prepared_statement_cache_capacity(64);
        store.pragma_update(None, "page_size", 4096)?;
        // The file has no name yet, and is made durable before it gets one.
        store.pragma_update(None, "synchronous", "OFF")?;
        store.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
        store.pragma_update(None, "cache_size", -65_536)?;
        store.pragma_update(None, "temp_store", "MEMORY")?;
        store.execute_batch("BEGIN IMMEDIATE")?;
        unnamed::lay_out(&store, schema::FORMAT)?;
        schema::drop_scattered(&store)
    };
    begin().map_err(write_error)?;
    let frontier = copy_events(source, &store, size, progress)?;
    let finish = || -> rusqlite::Result<()> {
        schema::create_scattered(&store)?;
        store.execute_batch("COMMIT")?;
        store.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
    };
    finish().map_err(write_error)?;
    store.close().map_err(|(_, error)| write_error(error))?;
    Ok(frontier)
}

/// What the first events say of the names in them.
#[derive(Default)]
struct Counts {
    streams: BTreeMap<i64, StreamCount>,
    types: BTreeMap<i64, u64>,
    actors: BTreeMap<i64, u64>,
    content_types: BTreeMap<i64, u64>,
    sources: BTreeMap<i64, u64>,
    recorded_us: Option<i64>,
}

struct StreamCount {
    version: u64,
    last_position: u64,
    first: (i64, i64),
    last: (i64, i64),
    /// Events that have it as their home.
    home: u64,
}

impl Counts {
    fn enter(&mut self, stream: i64, version: u64, position: u64, time: (i64, i64), home: u64) {
        let count = self.streams.entry(stream).or_insert(StreamCount {
            version,
            last_position: position,
            first: time,
            last: time,
            home: 0,
        });
        count.version = count.version.max(version);
        count.last_position = position;
        count.first = count.first.min(time);
        count.last = count.last.max(time);
        count.home += home;
    }
}

fn copy_events(
    source: &Connection,
    store: &Connection,
    size: Position,
    progress: &WorkProgress,
) -> Result<Frontier, BackupError> {
    let mut counts = Counts::default();
    let mut tail = Tail::default();
    tail.leave_correlations(true);
    let mut tree = TreeWriter::load(store).map_err(write_error)?;
    let packed = Packing::of(source).map_err(ReadError::from)?;
    let mut read = source
        .prepare(&format!(
            "SELECT {COLUMNS}, {} FROM events WHERE position <= ?1 ORDER BY position",
            salts::columns(packed)
        ))
        .map_err(ReadError::from)?;
    let marks = vec!["?"; SALTS + 1].join(", ");
    let mut write = store
        .prepare(&format!(
            "INSERT INTO events({COLUMNS}, salts) VALUES ({marks})"
        ))
        .map_err(write_error)?;
    let packing = Packing::of(store).map_err(write_error)?;
    let mut rows = read.query([size.0]).map_err(ReadError::from)?;
    for position in 1..=size.0 {
        if position.is_multiple_of(STEP) && progress.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        let at = Position(position);
        let row = rows
            .next()
            .map_err(|error| unreadable(at, error))?
            .ok_or_else(|| damaged(at, "there is no event at this position"))?;
        let columns: Vec<ValueRef<'_>> = (0..=SALTS)
            .map(|column| row.get_ref(column))
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(at, error))?;
        let columns = columns.iter().enumerate();
        let salts = match packed {
            Packing::NONE => {
                let salts = salts::read(row, SALTS, packed).map_err(|e| unreadable(at, e))?;
                Some(salts::left(&salts))
            }
            _ => None,
        };
        let columns = columns.map(|(column, value)| match &salts {
            Some(salts) if column == SALTS => ToSqlOutput::Borrowed(ValueRef::Blob(salts)),
            _ => repacked(packing, row, column, *value),
        });
        write
            .execute(params_from_iter(columns))
            .map_err(write_error)?;
        copy_links(source, store, row, at, &mut counts)?;
        tail.push(entry(row, at)?, None);
        if tail.len() >= INDEX_EVERY_IN_BULK {
            tail.flush(store).map_err(write_error)?;
        }
        let leaf = row.get_ref(LEAF).map_err(ReadError::from)?;
        let leaf = leaf
            .as_blob()
            .ok()
            .and_then(|bytes| hashes(bytes).ok()?.pop());
        let leaf = leaf.ok_or_else(|| damaged(at, "its leaf hash is not 32 bytes"))?;
        tree.push(store, leaf).map_err(write_error)?;
        progress.advance(1);
    }
    drop(rows);
    tail.flush(store).map_err(write_error)?;
    index_correlations(store, 0).map_err(write_error)?;
    copy_names(source, store, &counts)?;
    copy_rest(source, store, size)?;
    copy_imports(source, store, size, counts.recorded_us)?;
    let frontier = tree.frontier.clone();
    store
        .execute(
            "UPDATE head SET size = ?1, root = ?2, frontier = ?3, recorded_us = ?4, indexed = ?1",
            (
                size.0,
                frontier.root().0,
                tree.frontier_bytes(),
                counts.recorded_us,
            ),
        )
        .map_err(write_error)?;
    Ok(frontier)
}

/// A column as the new store holds it: texts of an older format in fewer bytes.
fn repacked<'r>(
    packing: Packing,
    row: &Row<'_>,
    column: usize,
    value: ValueRef<'r>,
) -> ToSqlOutput<'r> {
    let Ok(text) = value.as_str() else {
        return ToSqlOutput::Borrowed(value);
    };
    let time = || Time::from_parts(row.get(TIME_US).ok()?, row.get(TIME_SUB_NS).ok()?);
    match column {
        ID | SOURCE_ID | CORRELATION | CAUSATION => packing.text(text).into(),
        TIME_TEXT => match time() {
            Some(time) => packing.time_text(time, text).into(),
            None => ToSqlOutput::Borrowed(value),
        },
        _ => ToSqlOutput::Borrowed(value),
    }
}

/// What finds an event, from its row.
fn entry(row: &Row<'_>, at: Position) -> Result<Entry, BackupError> {
    let odd = |_: rusqlite::Error| damaged(at, "a column is not of its kind");
    Ok(Entry {
        position: at.0,
        type_id: row.get(TYPE).map_err(odd)?,
        actor: row.get(ACTOR).map_err(odd)?,
        stream: row.get(STREAM).map_err(odd)?,
        time_us: row.get(TIME_US).map_err(odd)?,
        time_sub_ns: row.get(TIME_SUB_NS).map_err(odd)?,
    })
}

/// Puts an event into its streams, and counts it.
fn copy_links(
    source: &Connection,
    store: &Connection,
    row: &Row<'_>,
    at: Position,
    counts: &mut Counts,
) -> Result<(), BackupError> {
    let odd = |_: rusqlite::Error| damaged(at, "a column is not of its kind");
    let number = |column: usize| row.get::<_, i64>(column).map_err(odd);
    let optional = |column: usize| row.get::<_, Option<i64>>(column).map_err(odd);
    if number(POSITION)? != sql_position(at) {
        return Err(damaged(at, "there is no event at this position").into());
    }
    let time = (number(TIME_US)?, number(TIME_SUB_NS)?);
    let mut link = |stream: i64, version: u64, qualifier: Option<String>| {
        let insert =
            "INSERT INTO links(stream, version, position, qualifier) VALUES (?1, ?2, ?3, ?4)";
        let home = u64::from(qualifier.is_none());
        counts.enter(stream, version, at.0, time, home);
        write(store, insert, (stream, version, at.0, qualifier))
    };
    if let Some(home) = optional(STREAM)? {
        let version: u64 = row.get(VERSION).map_err(odd)?;
        link(home, version, None)?;
    }
    let further: Vec<(i64, u64, String)> = source
        .prepare_cached(
            "SELECT stream, version, qualifier FROM links INDEXED BY links_by_position
             WHERE position = ?1 AND qualifier IS NOT NULL
             UNION ALL SELECT stream, version, qualifier FROM links_tail INDEXED BY links_tail_by_position
             WHERE position = ?1 AND qualifier IS NOT NULL ORDER BY stream",
        )
        .and_then(|mut links| {
            links
                .query_map([at.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(|error| unreadable(at, error))?;
    for (stream, version, qualifier) in further {
        link(stream, version, Some(qualifier))?;
    }
    let count = |names: &mut BTreeMap<i64, u64>, column: usize| -> Result<(), ReadError> {
        if let Some(name) = optional(column)? {
            *names.entry(name).or_default() += 1;
        }
        Ok(())
    };
    count(&mut counts.types, TYPE)?;
    count(&mut counts.actors, ACTOR)?;
    count(&mut counts.content_types, DATA_TYPE)?;
    count(&mut counts.content_types, METADATA_TYPE)?;
    count(&mut counts.sources, SOURCE)?;
    counts.recorded_us = Some(number(RECORDED_US)?);
    Ok(())
}

/// Copies the names that the events refer to, with how many do.
fn copy_names(source: &Connection, store: &Connection, counts: &Counts) -> Result<(), BackupError> {
    for (table, ids) in [("types", &counts.types), ("actors", &counts.actors)] {
        let insert = format!("INSERT INTO {table}(id, name, events) VALUES (?1, ?2, ?3)");
        for (id, events) in ids {
            let name = name(source, table, *id)?;
            write(store, &insert, (id, name, events))?;
        }
    }
    for id in counts.content_types.keys() {
        let name = name(source, "content_types", *id)?;
        let insert = "INSERT INTO content_types(id, name) VALUES (?1, ?2)";
        write(store, insert, (id, name))?;
    }
    for id in counts.sources.keys() {
        let name = name(source, "sources", *id)?;
        let rule: String = ask(source, "SELECT extraction FROM sources WHERE id = ?1", *id)?;
        let insert = "INSERT INTO sources(id, name, extraction) VALUES (?1, ?2, ?3)";
        write(store, insert, (id, name, rule))?;
    }
    let mut categories: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for (id, count) in &counts.streams {
        let name = name(source, "streams", *id)?;
        let category: i64 = ask(source, "SELECT category FROM streams WHERE id = ?1", *id)?;
        let (streams, events) = categories.entry(category).or_default();
        *streams += 1;
        *events += count.home;
        let StreamCount {
            version,
            last_position,
            first,
            last,
            home: _,
        } = count;
        let insert = "INSERT INTO streams(id, name, category, version, last_position,
             first_us, first_sub_ns, last_us, last_sub_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        write(
            store,
            insert,
            (
                id,
                name,
                category,
                version,
                last_position,
                first.0,
                first.1,
                last.0,
                last.1,
            ),
        )?;
    }
    for (id, (streams, events)) in categories {
        let name = name(source, "categories", id)?;
        let insert = "INSERT INTO categories(id, name, streams, events) VALUES (?1, ?2, ?3, ?4)";
        write(store, insert, (id, name, streams, events))?;
    }
    Ok(())
}

/// Copies what the log says of itself, signed heads of the events there are, and what was erased of them.
fn copy_rest(source: &Connection, store: &Connection, size: Position) -> Result<(), BackupError> {
    for (table, columns, which) in [
        ("meta", 2, "?1 IS NOT NULL"),
        ("erasures", 4, "position <= ?1"),
    ] {
        copy_rows(source, store, table, columns, which, [sql_position(size)])?;
    }
    if ledger::are_there(source).map_err(ReadError::from)? {
        let kept = "(SELECT number FROM checkpoints WHERE size <= ?1)";
        let since = format!("since <= 1 + coalesce((SELECT max(number) FROM {kept}), 0)");
        let of_kept = format!("checkpoint IN {kept}");
        for (table, columns, which) in [
            ("keys", 4, since.as_str()),
            ("checkpoints", 4, "size <= ?1"),
            ("attestations", 4, of_kept.as_str()),
        ] {
            copy_rows(source, store, table, columns, which, [sql_position(size)])?;
        }
    }
    Ok(())
}

/// Copies the list of imports, as far as they were done when the last event was recorded.
fn copy_imports(
    source: &Connection,
    store: &Connection,
    size: Position,
    recorded_us: Option<i64>,
) -> Result<(), BackupError> {
    if !imports::are_there(source).map_err(ReadError::from)? {
        return Ok(());
    }
    let done = "(SELECT id FROM imports WHERE last_position <= ?1
         OR (SELECT size FROM head) = ?1 OR (last_position IS NULL AND recorded_us <= ?2))";
    let mut tables = vec![("imports", 8, "id"), ("import_files", 9, "import")];
    if imports::seen_is_there(source).map_err(ReadError::from)? {
        tables.push(("import_seen", 7, "import"));
    }
    if imports::coverage_is_there(source).map_err(ReadError::from)? {
        tables.push(("import_coverage", 7, "import"));
    }
    for (table, columns, key) in tables {
        let which = format!("{key} IN {done}");
        let values = (sql_position(size), recorded_us);
        copy_rows(source, store, table, columns, &which, values)?;
    }
    Ok(())
}

fn copy_rows(
    source: &Connection,
    store: &Connection,
    table: &str,
    columns: usize,
    which: &str,
    values: impl rusqlite::Params,
) -> Result<(), BackupError> {
    let marks = vec!["?"; columns].join(", ");
    let insert = format!("INSERT INTO {table} VALUES ({marks})");
    let mut read = source
        .prepare(&format!("SELECT * FROM {table} WHERE {which}"))
        .map_err(ReadError::from)?;
    let mut rows = read.query(values).map_err(ReadError::from)?;
    while let Some(row) = rows.next().map_err(ReadError::from)? {
        let row: Vec<ToSqlOutput<'_>> = (0..columns)
            .map(|column| row.get_ref(column).map(ToSqlOutput::Borrowed))
            .collect::<Result<_, _>>()
            .map_err(ReadError::from)?;
        write(store, &insert, params_from_iter(row))?;
    }
    Ok(())
}

fn name(source: &Connection, table: &str, id: i64) -> Result<String, BackupError> {
    ask(
        source,
        &format!("SELECT name FROM {table} WHERE id = ?1"),
        id,
    )
}

fn ask<T: rusqlite::types::FromSql>(
    source: &Connection,
    question: &str,
    id: i64,
) -> Result<T, BackupError> {
    let answer = source
        .prepare_cached(question)
        .and_then(|mut statement| statement.query_row([id], |row| row.get(0)));
    Ok(answer.map_err(ReadError::from)?)
}

fn write(
    store: &Connection,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<(), BackupError> {
    store
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(values))
        .map(drop)
        .map_err(write_error)
}
