//! Tables, indexes and triggers of the file, format 4. `docs/formats/store.md` says what each is for.

use rusqlite::{Connection, OptionalExtension as _};

/// `application_id` of the file: "AnnL".
pub(crate) const APPLICATION_ID: u32 = 0x416e_6e4c;

/// `user_version` of the file: the format that this build writes and the newest that it reads.
pub(super) const FORMAT: u32 = 4;

/// The first format whose rows of streams wait for the tail to be indexed ([`super::book`]).
const FORMAT_STREAMS_WAIT: u32 = 4;

/// The first format whose texts and times may be in fewer bytes ([`super::packed`]).
pub(super) const FORMAT_PACKED: u32 = 3;

/// The first format with `links_tail`.
pub(super) const FORMAT_LINKS_TAIL: u32 = 2;

/// `{text}` is the type of a column whose texts may be in fewer bytes, `{salts}` the columns of salts.
const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE categories(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    streams INTEGER NOT NULL, events INTEGER NOT NULL) STRICT;
CREATE TABLE streams(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, category INTEGER NOT NULL,
    version INTEGER NOT NULL, last_position INTEGER NOT NULL,
    first_us INTEGER NOT NULL, first_sub_ns INTEGER NOT NULL,
    last_us INTEGER NOT NULL, last_sub_ns INTEGER NOT NULL) STRICT;
CREATE TABLE types(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, events INTEGER NOT NULL) STRICT;
CREATE TABLE actors(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, events INTEGER NOT NULL) STRICT;
CREATE TABLE content_types(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sources(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, extraction TEXT NOT NULL,
    UNIQUE(name, extraction)) STRICT;
CREATE TABLE events(
    position INTEGER PRIMARY KEY,
    stream INTEGER, version INTEGER NOT NULL, type INTEGER NOT NULL,
    time_us INTEGER NOT NULL, time_sub_ns INTEGER NOT NULL, time_flags INTEGER NOT NULL, time_text {text},
    recorded_us INTEGER NOT NULL,
    id {text},
    source INTEGER, source_id {text}, source_version TEXT, source_position TEXT,
    source_recorded_us INTEGER, source_recorded_sub_ns INTEGER,
    actor INTEGER, correlation {text}, causation {text},
    schema_version TEXT,
    {salts},
    data_type INTEGER NOT NULL, metadata_type INTEGER,
    leaf BLOB NOT NULL,
    metadata BLOB, data BLOB) STRICT;
CREATE TABLE by_type(
    type INTEGER NOT NULL, position INTEGER NOT NULL, time_us INTEGER NOT NULL, time_sub_ns INTEGER NOT NULL,
    PRIMARY KEY(type, position)) STRICT, WITHOUT ROWID;
CREATE TABLE by_actor(
    actor INTEGER NOT NULL, position INTEGER NOT NULL, time_us INTEGER NOT NULL, time_sub_ns INTEGER NOT NULL,
    PRIMARY KEY(actor, position)) STRICT, WITHOUT ROWID;
CREATE TABLE by_time(
    time_us INTEGER NOT NULL, time_sub_ns INTEGER NOT NULL, position INTEGER NOT NULL, stream INTEGER,
    PRIMARY KEY(time_us, time_sub_ns, position)) STRICT, WITHOUT ROWID;
CREATE TABLE by_correlation(
    correlation {text} NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY(correlation, position)) STRICT, WITHOUT ROWID;
CREATE TABLE links(
    stream INTEGER NOT NULL, version INTEGER NOT NULL,
    position INTEGER NOT NULL, qualifier TEXT,
    PRIMARY KEY(stream, version)) STRICT, WITHOUT ROWID;
CREATE TABLE links_tail(
    stream INTEGER NOT NULL, version INTEGER NOT NULL,
    position INTEGER NOT NULL, qualifier TEXT,
    PRIMARY KEY(stream, version)) STRICT, WITHOUT ROWID;
CREATE TABLE tiles(
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY(level, idx)) STRICT;
CREATE TABLE head(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL, root BLOB NOT NULL, frontier BLOB NOT NULL,
    recorded_us INTEGER, indexed INTEGER NOT NULL) STRICT;
CREATE TABLE erasures(
    position INTEGER NOT NULL, part TEXT NOT NULL CHECK (part IN ('identity', 'data', 'metadata')),
    hash BLOB NOT NULL, event_position INTEGER NOT NULL,
    PRIMARY KEY(position, part)) STRICT, WITHOUT ROWID;
";

/// The index on ids, which are texts in no order: a large bulk append drops it and builds it again at its end.
const BY_ID: &str = "CREATE UNIQUE INDEX events_by_id ON events(id)";

/// Indexes that stay small, never dropped. A home link has no qualifier, so it is not in those on links.
const SMALL_INDEXES: &str = "
CREATE INDEX streams_by_category ON streams(category);
CREATE INDEX links_by_position ON links(position) WHERE qualifier IS NOT NULL;
CREATE INDEX links_tail_by_position ON links_tail(position) WHERE qualifier IS NOT NULL;
";

/// Triggers on the insertion of events and links: they keep positions dense and refuse `INSERT OR REPLACE`,
/// which would delete a row without firing the triggers on deletion. A large bulk append, which checks the
/// same by itself, drops and recreates them inside its transaction.
const INSERT_TRIGGERS: [(&str, &str); 2] = [
    (
        "events_insert",
        "CREATE TRIGGER events_insert BEFORE INSERT ON events
         WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
           OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
         BEGIN SELECT RAISE(ABORT, 'annals: events are only added at the end, and ids are never reused'); END",
    ),
    (
        "links_insert",
        "CREATE TRIGGER links_insert BEFORE INSERT ON links
         WHEN EXISTS (SELECT 1 FROM links WHERE stream = NEW.stream AND version = NEW.version)
         BEGIN SELECT RAISE(ABORT, 'annals: links are never replaced'); END",
    ),
];

/// `{and_salts}` and the like stand for what is asked of the salts.
const TRIGGERS: &str = "
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'annals: events are never deleted'); END;
CREATE TRIGGER events_update BEFORE UPDATE ON events
WHEN NOT (
    NEW.position IS OLD.position AND NEW.version IS OLD.version AND NEW.type IS OLD.type
    AND NEW.time_us IS OLD.time_us AND NEW.time_sub_ns IS OLD.time_sub_ns
    AND NEW.time_flags IS OLD.time_flags AND NEW.time_text IS OLD.time_text
    AND NEW.recorded_us IS OLD.recorded_us AND NEW.schema_version IS OLD.schema_version
    AND NEW.data_type IS OLD.data_type AND NEW.metadata_type IS OLD.metadata_type
    AND NEW.leaf IS OLD.leaf
    AND ((NEW.actor IS OLD.actor AND NEW.correlation IS OLD.correlation AND NEW.causation IS OLD.causation)
        OR (coalesce(NEW.actor, OLD.actor) IS OLD.actor
            AND coalesce(NEW.correlation, OLD.correlation) IS OLD.correlation
            AND coalesce(NEW.causation, OLD.causation) IS OLD.causation
            AND EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position)))
    AND ((NEW.data IS OLD.data{and_salt_data})
        OR (NEW.data IS NULL AND {no_salt_data}
            AND EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position AND part = 'data')))
    AND ((NEW.metadata IS OLD.metadata{and_salt_metadata})
        OR (NEW.metadata IS NULL AND {no_salt_metadata}
            AND EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position AND part = 'metadata')))
    AND ((NEW.id IS OLD.id AND NEW.stream IS OLD.stream AND NEW.source IS OLD.source
            AND NEW.source_id IS OLD.source_id AND NEW.source_version IS OLD.source_version
            AND NEW.source_position IS OLD.source_position
            AND NEW.source_recorded_us IS OLD.source_recorded_us
            AND NEW.source_recorded_sub_ns IS OLD.source_recorded_sub_ns{and_salt_identity})
        OR (NEW.id IS NULL AND NEW.stream IS NULL AND NEW.source IS NULL
            AND NEW.source_id IS NULL AND NEW.source_version IS NULL
            AND NEW.source_position IS NULL
            AND NEW.source_recorded_us IS NULL AND NEW.source_recorded_sub_ns IS NULL
            AND {no_salt_identity}
            AND EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position AND part = 'identity'))){and_salts}
)
BEGIN SELECT RAISE(ABORT, 'annals: events are never changed'); END;
CREATE TRIGGER events_erased AFTER UPDATE OF stream, actor, correlation ON events
BEGIN
    DELETE FROM by_actor WHERE actor = OLD.actor AND position = OLD.position AND NEW.actor IS NULL;
    DELETE FROM by_correlation
        WHERE correlation = OLD.correlation AND position = OLD.position AND NEW.correlation IS NULL;
    DELETE FROM by_time
        WHERE time_us = OLD.time_us AND time_sub_ns = OLD.time_sub_ns AND position = OLD.position
          AND OLD.stream IS NOT NULL AND NEW.stream IS NULL;
    INSERT INTO by_time(time_us, time_sub_ns, position, stream)
        SELECT OLD.time_us, OLD.time_sub_ns, OLD.position, NULL
        WHERE OLD.stream IS NOT NULL AND NEW.stream IS NULL AND OLD.position <= (SELECT indexed FROM head);
END;
CREATE TRIGGER links_update BEFORE UPDATE ON links
BEGIN SELECT RAISE(ABORT, 'annals: links are never changed'); END;
CREATE TRIGGER links_delete BEFORE DELETE ON links
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position AND part = 'identity')
BEGIN SELECT RAISE(ABORT, 'annals: links are never deleted'); END;
CREATE TRIGGER links_tail_insert BEFORE INSERT ON links_tail
WHEN EXISTS (SELECT 1 FROM links_tail WHERE stream = NEW.stream AND version = NEW.version)
  OR EXISTS (SELECT 1 FROM links WHERE stream = NEW.stream AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'annals: links are never replaced'); END;
CREATE TRIGGER links_tail_update BEFORE UPDATE ON links_tail
BEGIN SELECT RAISE(ABORT, 'annals: links are never changed'); END;
CREATE TRIGGER links_tail_delete BEFORE DELETE ON links_tail
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position AND part = 'identity')
  AND NOT EXISTS (
    SELECT 1 FROM links WHERE stream = OLD.stream AND version = OLD.version
    AND position = OLD.position AND qualifier IS OLD.qualifier)
BEGIN SELECT RAISE(ABORT, 'annals: links are never deleted'); END;
CREATE TRIGGER head_delete BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'annals: the head is never deleted'); END;
CREATE TRIGGER head_insert BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head)
BEGIN SELECT RAISE(ABORT, 'annals: there is one head'); END;
CREATE TRIGGER head_update BEFORE UPDATE ON head WHEN NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'annals: the log never shrinks'); END;
";

/// Tables whose rows never change at all, with their keys.
const FROZEN: [(&str, &str); 4] = [
    ("meta", "key = NEW.key"),
    (
        "sources",
        "id = NEW.id OR (name = NEW.name AND extraction = NEW.extraction)",
    ),
    ("tiles", "level = NEW.level AND idx = NEW.idx"),
    ("erasures", "position = NEW.position AND part = NEW.part"),
];

/// Tables of names, whose counters change and whose names do not; with the columns that never change.
const NAMED: [(&str, &str); 5] = [
    ("categories", "id, name"),
    ("streams", "id, name, category"),
    ("types", "id, name"),
    ("actors", "id, name"),
    ("content_types", "id, name"),
];

/// Tables that find events, with what in the event an entry is made of. An entry stays as long as the head says
/// that it is there and the event has what it says.
const DERIVED: [(&str, &str); 4] = [
    ("by_type", "type IS OLD.type"),
    ("by_actor", "actor IS OLD.actor"),
    ("by_time", "stream IS OLD.stream"),
    ("by_correlation", "correlation IS OLD.correlation"),
];

/// What stands in the statements for each of what is in braces: in formats 1 and 2, and in the newest.
const DIFFERENT: [(&str, &str, &str); 9] = [
    ("{text}", "TEXT", "ANY"),
    (
        "{salts}",
        "salt_identity BLOB, salt_data BLOB, salt_metadata BLOB",
        "salts BLOB",
    ),
    ("{and_salt_data}", " AND NEW.salt_data IS OLD.salt_data", ""),
    (
        "{and_salt_metadata}",
        " AND NEW.salt_metadata IS OLD.salt_metadata",
        "",
    ),
    (
        "{and_salt_identity}",
        "\n            AND NEW.salt_identity IS OLD.salt_identity",
        "",
    ),
    (
        "{no_salt_data}",
        "NEW.salt_data IS NULL",
        "NEW.salts IS NOT OLD.salts",
    ),
    (
        "{no_salt_metadata}",
        "NEW.salt_metadata IS NULL",
        "NEW.salts IS NOT OLD.salts",
    ),
    (
        "{no_salt_identity}",
        "NEW.salt_identity IS NULL",
        "NEW.salts IS NOT OLD.salts",
    ),
    (
        "{and_salts}",
        "",
        "
    AND (NEW.salts IS OLD.salts
        OR (length(NEW.salts) = 48 AND EXISTS (SELECT 1 FROM erasures WHERE position = OLD.position)))",
    ),
];

/// Statements as a format has them.
fn filled(statements: &str, format: u32) -> String {
    let mut filled = statements.to_owned();
    for (place, older, newest) in DIFFERENT {
        let text = match format >= FORMAT_PACKED {
            true => newest,
            false => older,
        };
        filled = filled.replace(place, text);
    }
    filled
}

/// Makes everything as this format has it, inside the caller's transaction. A new log has [`FORMAT`]; an older one is
/// made to be compared with one that is there.
pub(super) fn create(conn: &Connection, format: u32) -> rusqlite::Result<()> {
    conn.execute_batch(&filled(TABLES, format))?;
    create_scattered(conn)?;
    conn.execute_batch(SMALL_INDEXES)?;
    conn.execute_batch(&filled(TRIGGERS, format))?;
    super::imports::create(conn)?;
    super::ledger::create(conn)?;
    for (table, same) in FROZEN {
        freeze(conn, table, same)?;
    }
    for (table, same) in DERIVED {
        conn.execute_batch(&format!(
            "CREATE TRIGGER {table}_update BEFORE UPDATE ON {table}
             BEGIN SELECT RAISE(ABORT, 'annals: entries of {table} are never changed'); END;
             CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
             WHEN OLD.position <= (SELECT indexed FROM head)
              AND EXISTS (SELECT 1 FROM events WHERE position = OLD.position AND {same})
             BEGIN SELECT RAISE(ABORT, 'annals: entries of {table} stay while the head counts them in'); END;"
        ))?;
    }
    for (table, columns) in NAMED {
        conn.execute_batch(&format!(
            "CREATE TRIGGER {table}_update BEFORE UPDATE OF {columns} ON {table}
             BEGIN SELECT RAISE(ABORT, 'annals: names of {table} are never changed'); END;
             CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
             BEGIN SELECT RAISE(ABORT, 'annals: {table} are never deleted'); END;
             CREATE TRIGGER {table}_insert BEFORE INSERT ON {table}
             WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR name = NEW.name)
             BEGIN SELECT RAISE(ABORT, 'annals: {table} are never replaced'); END;"
        ))?;
    }
    Ok(())
}

/// Makes the triggers that keep the rows of a table as they are. `same` says when a new row would replace one.
///
/// Their text is compared with that of other logs when one is verified, so it stays, spaces and all.
pub(super) fn freeze(conn: &Connection, table: &str, same: &str) -> rusqlite::Result<()> {
    conn.execute_batch(&format!(
        "CREATE TRIGGER {table}_update BEFORE UPDATE ON {table}
             BEGIN SELECT RAISE(ABORT, 'annals: {table} are never changed'); END;
             CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
             BEGIN SELECT RAISE(ABORT, 'annals: {table} are never deleted'); END;
             CREATE TRIGGER {table}_insert BEFORE INSERT ON {table}
             WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
             BEGIN SELECT RAISE(ABORT, 'annals: {table} are never replaced'); END;"
    ))
}

/// Whether rows of streams may tell of fewer events than there are: of those up to `head.indexed`, and in older formats
/// of all.
pub(super) fn streams_wait(conn: &Connection) -> rusqlite::Result<bool> {
    Ok(format_of(conn)? >= FORMAT_STREAMS_WAIT)
}

/// Format of a file; 0 where it is to become a log yet.
pub(super) fn format_of(conn: &Connection) -> rusqlite::Result<u32> {
    conn.prepare_cached("PRAGMA user_version")?
        .query_row([], |row| row.get(0))
}

/// Whether the file has a table of this name.
pub(super) fn has_table(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    let found = conn
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?
        .query_row([name], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

/// Builds the index on ids and the triggers on insertion.
pub(super) fn create_scattered(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(BY_ID)?;
    for (_, statement) in INSERT_TRIGGERS {
        conn.execute_batch(statement)?;
    }
    Ok(())
}

/// Drops them, for a large bulk append in the same transaction.
pub(super) fn drop_scattered(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("DROP INDEX events_by_id")?;
    for (name, _) in INSERT_TRIGGERS {
        conn.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    Ok(())
}
