//! Documents as they are kept in the cache: where each projection stands, its documents with the states that they had
//! every so many inputs, and the events that could not be folded.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::Projection;
use super::folding::{Document, Fault, Folding, Input, Segment};
use crate::cache::{CacheError, Part};
use crate::finding::{FindingKind, Place};
use crate::integrity::Hash;
use crate::model::{Fold, KeyedFault};
use crate::position::Position;
use crate::store::Head;
use crate::time::Time;
use crate::varint::put;

/// Most faults that are listed of a projection; further ones are counted.
pub(super) const MAX_FAULTS: u64 = 10_000;

/// Each projection has a checkpoint of its own, so the part itself reaches nowhere.
pub(super) static PART: Part = Part {
    name: "projections",
    version: 1,
    create: "CREATE TABLE projections(
                 id INTEGER PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,
                 position INTEGER NOT NULL, root BLOB NOT NULL, state TEXT NOT NULL, stopped_at INTEGER,
                 faults INTEGER NOT NULL, rate INTEGER NOT NULL, advanced_us INTEGER NOT NULL,
                 UNIQUE(name, role)) STRICT;
             CREATE TABLE projection_documents(
                 id INTEGER PRIMARY KEY, projection INTEGER NOT NULL, key TEXT NOT NULL, inputs INTEGER NOT NULL,
                 last_position INTEGER NOT NULL, last_us INTEGER NOT NULL, last_ns INTEGER NOT NULL,
                 latest_us INTEGER NOT NULL, latest_ns INTEGER NOT NULL, incomplete INTEGER NOT NULL,
                 segments INTEGER NOT NULL, open BLOB NOT NULL, state TEXT NOT NULL,
                 UNIQUE(projection, key)) STRICT;
             CREATE TABLE projection_segments(
                 document INTEGER NOT NULL, n INTEGER NOT NULL, inputs_before INTEGER NOT NULL,
                 first_position INTEGER NOT NULL, last_position INTEGER NOT NULL, earliest_us INTEGER NOT NULL,
                 last_us INTEGER NOT NULL, last_ns INTEGER NOT NULL,
                 latest_us INTEGER NOT NULL, latest_ns INTEGER NOT NULL, incomplete INTEGER NOT NULL,
                 inputs BLOB NOT NULL, state TEXT NOT NULL, PRIMARY KEY(document, n)) STRICT;
             CREATE TABLE projection_faults(
                 projection INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL,
                 time_us INTEGER NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL,
                 detail TEXT NOT NULL, PRIMARY KEY(projection, position, key)) STRICT;
             CREATE TABLE projection_paused(name TEXT PRIMARY KEY) STRICT;
             CREATE TABLE projection_runners(
                 id TEXT PRIMARY KEY, pid INTEGER NOT NULL, names TEXT NOT NULL, started_us INTEGER NOT NULL,
                 beat_us INTEGER NOT NULL) STRICT;",
    drop: "DROP TABLE IF EXISTS projections; DROP TABLE IF EXISTS projection_documents;
           DROP TABLE IF EXISTS projection_segments; DROP TABLE IF EXISTS projection_faults;
           DROP TABLE IF EXISTS projection_paused; DROP TABLE IF EXISTS projection_runners;",
};

/// Which of a projection's several sets of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Asked.
    Live,
    /// Rebuilt beside the live one.
    Beside,
    /// The one before a switch.
    Old,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Role::Live => "live",
            Role::Beside => "beside",
            Role::Old => "old",
        }
    }
}

/// Where a set of documents stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) id: i64,
    pub(super) hash: Hash,
    /// The projection's checkpoint, and the log's root there.
    pub(super) at: Head,
    /// The event that it stopped before.
    pub(super) stopped_at: Option<Position>,
    pub(super) faults: u64,
    /// Events a second when it last caught up.
    pub(super) rate: u64,
    pub(super) advanced_us: i64,
}

pub(super) fn standing(
    conn: &Connection,
    name: &str,
    role: Role,
) -> Result<Option<Standing>, CacheError> {
    let found = conn
        .prepare_cached(
            "SELECT id, hash, position, root, stopped_at, faults, rate, advanced_us
             FROM projections WHERE name = ?1 AND role = ?2",
        )?
        .query_row((name, role.name()), |row| {
            Ok(Standing {
                id: row.get(0)?,
                hash: Hash(row.get(1)?),
                at: Head {
                    size: Position(row.get(2)?),
                    root: Hash(row.get(3)?),
                },
                stopped_at: row.get::<_, Option<u64>>(4)?.map(Position),
                faults: row.get(5)?,
                rate: row.get(6)?,
                advanced_us: row.get(7)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Makes an empty set of documents; one that is there goes.
pub(super) fn start(
    transaction: &Transaction<'_>,
    projection: &Projection,
    role: Role,
    empty: Head,
) -> Result<Standing, CacheError> {
    remove(transaction, projection.name(), role)?;
    let hash = projection.identity();
    transaction
        .prepare_cached(
            "INSERT INTO projections(name, role, hash, position, root, state, faults, rate, advanced_us)
             VALUES (?1, ?2, ?3, 0, ?4, 'on', 0, 0, 0)",
        )?
        .execute((projection.name(), role.name(), hash.0, empty.root.0))?;
    Ok(Standing {
        id: transaction.last_insert_rowid(),
        hash,
        at: empty,
        stopped_at: None,
        faults: 0,
        rate: 0,
        advanced_us: 0,
    })
}

/// Takes a set of documents away; says whether there was one.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    name: &str,
    role: Role,
) -> Result<bool, CacheError> {
    let Some(Standing { id, .. }) = standing(transaction, name, role)? else {
        return Ok(false);
    };
    remove_by_id(transaction, id)?;
    Ok(true)
}

/// Gives a set of documents another role; what has that goes.
pub(super) fn set_role(
    transaction: &Transaction<'_>,
    name: &str,
    from: Role,
    to: Role,
) -> Result<(), CacheError> {
    remove(transaction, name, to)?;
    transaction.execute(
        "UPDATE projections SET role = ?3 WHERE name = ?1 AND role = ?2",
        (name, from.name(), to.name()),
    )?;
    Ok(())
}

/// Takes a set of documents away by its id.
pub(super) fn remove_by_id(transaction: &Transaction<'_>, id: i64) -> Result<(), CacheError> {
    for statement in [
        "DELETE FROM projection_segments WHERE document IN
             (SELECT id FROM projection_documents WHERE projection = ?1)",
        "DELETE FROM projection_documents WHERE projection = ?1",
        "DELETE FROM projection_faults WHERE projection = ?1",
        "DELETE FROM projections WHERE id = ?1",
    ] {
        transaction.execute(statement, [id])?;
    }
    Ok(())
}

/// The checkpoints of all sets of documents, by id.
pub(super) fn checkpoints(conn: &Connection) -> Result<Vec<(i64, Position)>, CacheError> {
    let mut statement = conn.prepare_cached("SELECT id, position FROM projections ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, Position(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Number of documents in a set.
pub(super) fn documents_count(conn: &Connection, standing: &Standing) -> Result<u64, CacheError> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM projection_documents WHERE projection = ?1")?
        .query_row([standing.id], |row| row.get(0))?)
}

/// Calls `each` with the key and both states of every document that two sets hold differently, by key.
pub(super) fn differences(
    conn: &Connection,
    before: &Standing,
    after: &Standing,
    each: &mut dyn FnMut(String, Option<String>, Option<String>),
) -> Result<(), CacheError> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(a.key, b.key) AS key, a.state, b.state
         FROM (SELECT * FROM projection_documents WHERE projection = ?1) a
         FULL OUTER JOIN (SELECT * FROM projection_documents WHERE projection = ?2) b ON a.key = b.key
         WHERE a.state IS NOT b.state OR a.inputs IS NOT b.inputs OR a.incomplete IS NOT b.incomplete
         ORDER BY 1",
    )?;
    let mut rows = statement.query((before.id, after.id))?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?, row.get(2)?);
    }
    Ok(())
}

/// Notes that a runner lives.
pub(super) fn beat(
    transaction: &Transaction<'_>,
    id: &str,
    pid: u32,
    names: &[String],
    now_us: i64,
) -> Result<(), CacheError> {
    let names = serde_json::to_string(names).unwrap_or_default();
    transaction.execute(
        "INSERT INTO projection_runners(id, pid, names, started_us, beat_us) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT(id) DO UPDATE SET names = excluded.names, beat_us = excluded.beat_us",
        (id, pid, &names, now_us),
    )?;
    // Of those that died, the last one is enough to know that somebody did.
    transaction.execute(
        "DELETE FROM projection_runners WHERE id <> ?1 AND names = ?2 AND beat_us < ?3",
        (id, &names, now_us - 60_000_000),
    )?;
    Ok(())
}

/// Notes that a runner ended by itself.
pub(super) fn say_goodbye(transaction: &Transaction<'_>, id: &str) -> Result<(), CacheError> {
    transaction.execute("DELETE FROM projection_runners WHERE id = ?1", [id])?;
    Ok(())
}

/// The last sign of life of a runner of a projection, in microseconds; `None` where it has none.
pub(super) fn last_beat(conn: &Connection, name: &str) -> Result<Option<i64>, CacheError> {
    Ok(conn
        .prepare_cached(
            "SELECT max(beat_us) FROM projection_runners
             WHERE EXISTS (SELECT 1 FROM json_each(names) WHERE value = ?1)",
        )?
        .query_row([name], |row| row.get(0))?)
}

/// Whether a projection is paused.
pub(super) fn is_paused(conn: &Connection, name: &str) -> Result<bool, CacheError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM projection_paused WHERE name = ?1")?
        .exists([name])?)
}

/// How far a set of documents came, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advance {
    pub(super) to: Head,
    pub(super) rate: u64,
    pub(super) now_us: i64,
}

/// Keeps what a fold changed since it was kept last, and the checkpoint with it. `None`, and nothing is changed, where
/// another process came first. Gives the ids of the dirty documents.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    standing: &Standing,
    folding: &Folding,
    advance: Advance,
) -> Result<Option<Vec<i64>>, CacheError> {
    // Inside the transaction nobody else writes: what is there now stays so.
    let is_there = transaction
        .prepare_cached("SELECT 1 FROM projections WHERE id = ?1 AND position = ?2")?
        .exists((standing.id, standing.at.size.0))?;
    if !is_there {
        return Ok(None);
    }
    let mut ids = Vec::with_capacity(folding.dirty.len());
    let mut put = transaction.prepare_cached(
        "INSERT INTO projection_documents(projection, key, inputs, last_position, last_us, last_ns,
             latest_us, latest_ns, incomplete, segments, open, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT(projection, key) DO UPDATE SET inputs = excluded.inputs,
             last_position = excluded.last_position, last_us = excluded.last_us, last_ns = excluded.last_ns,
             latest_us = excluded.latest_us, latest_ns = excluded.latest_ns, incomplete = excluded.incomplete,
             segments = excluded.segments, open = excluded.open, state = excluded.state
         RETURNING id",
    )?;
    let mut put_segment = transaction.prepare_cached(
        "INSERT INTO projection_segments(document, n, inputs_before, first_position, last_position, earliest_us,
             last_us, last_ns, latest_us, latest_ns, incomplete, inputs, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for key in &folding.dirty {
        let Some(document) = folding.documents.get(key) else {
            continue;
        };
        let state = document.fold.state().to_string();
        let (last, latest) = (document.last, document.latest);
        let id: i64 = put.query_row(
            rusqlite::params![
                standing.id,
                key,
                document.inputs,
                last.0.0,
                last.1.us(),
                last.1.sub_ns(),
                latest.us(),
                latest.sub_ns(),
                document.fold.incomplete(),
                document.segments,
                packed(&document.open),
                state,
            ],
            |row| row.get(0),
        )?;
        for segment in &document.closed {
            put_closed(&mut put_segment, id, segment)?;
        }
        ids.push(id);
    }
    keep_faults(transaction, standing, &folding.faults)?;
    transaction
        .prepare_cached(
            "UPDATE projections SET position = ?2, root = ?3, stopped_at = ?4, faults = faults + ?5,
                 rate = CASE WHEN ?6 > 0 THEN ?6 ELSE rate END, advanced_us = ?7
             WHERE id = ?1",
        )?
        .execute((
            standing.id,
            advance.to.size.0,
            advance.to.root.0,
            folding.stopped.map(|at| at.0),
            folding.faults.len() as u64,
            advance.rate,
            advance.now_us,
        ))?;
    Ok(Some(ids))
}

fn put_closed(
    put: &mut rusqlite::CachedStatement<'_>,
    document: i64,
    segment: &Segment,
) -> Result<(), CacheError> {
    let Segment {
        n,
        inputs,
        inputs_before,
        latest,
        state,
        incomplete,
    } = segment;
    let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else {
        return Ok(());
    };
    let earliest = inputs.iter().map(|input| input.time.us()).min();
    put.execute(rusqlite::params![
        document,
        n,
        inputs_before,
        first.position.0,
        last.position.0,
        earliest.unwrap_or(i64::MIN),
        last.time.us(),
        last.time.sub_ns(),
        latest.us(),
        latest.sub_ns(),
        incomplete,
        packed(inputs),
        state,
    ])?;
    Ok(())
}

fn keep_faults(
    transaction: &Transaction<'_>,
    standing: &Standing,
    faults: &[Fault],
) -> Result<(), CacheError> {
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO projection_faults(projection, position, key, time_us, time_ns, kind, place, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let room = MAX_FAULTS.saturating_sub(standing.faults);
    for Fault {
        position,
        time,
        key,
        fault,
    } in faults
        .iter()
        .take(usize::try_from(room).unwrap_or(usize::MAX))
    {
        put.execute((
            standing.id,
            position.0,
            key,
            time.us(),
            time.sub_ns(),
            serde_json::to_string(&fault.kind).unwrap_or_default(),
            serde_json::to_string(&fault.place).unwrap_or_default(),
            &fault.detail,
        ))?;
    }
    Ok(())
}

/// The columns of a document, in the order that [`document`] reads.
pub(super) const DOCUMENT: &str = "id, key, inputs, last_position, last_us, last_ns, latest_us, latest_ns, \
     incomplete, segments, open, state";

/// Reads a document from a row of [`DOCUMENT`].
fn document(projection: &Projection, row: &Row<'_>) -> rusqlite::Result<(String, Document)> {
    let (key, mut document) = stateless(projection, row)?;
    put_state(projection, row, &mut document)?;
    Ok((key, document))
}

/// The same, its state left out: that may be long.
pub(super) fn stateless(
    projection: &Projection,
    row: &Row<'_>,
) -> rusqlite::Result<(String, Document)> {
    let mut document = Document::new(projection);
    document.id = Some(row.get(0)?);
    document.inputs = row.get(2)?;
    document.last = (Position(row.get(3)?), time(row, 4)?);
    document.latest = time(row, 6)?;
    document.segments = row.get(9)?;
    document.open = unpacked(row.get_ref(10)?.as_blob()?);
    Ok((row.get(1)?, document))
}

/// Reads the state that [`stateless`] left out.
pub(super) fn put_state(
    projection: &Projection,
    row: &Row<'_>,
    document: &mut Document,
) -> rusqlite::Result<()> {
    document.fold = fold(projection, row.get_ref(11)?.as_str()?, row.get(8)?)?;
    Ok(())
}

fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Time> {
    Time::from_parts(row.get(at)?, row.get(at + 1)?).ok_or(rusqlite::Error::InvalidColumnType(
        at,
        "time".to_owned(),
        rusqlite::types::Type::Integer,
    ))
}

fn fold(projection: &Projection, state: &str, incomplete: bool) -> rusqlite::Result<Fold> {
    let state = crate::model::json::parse_state(state).ok_or(
        rusqlite::Error::InvalidColumnType(0, "state".to_owned(), rusqlite::types::Type::Text),
    )?;
    let model = std::sync::Arc::clone(projection.model());
    Ok(Fold::resume_counting(model, state, incomplete))
}

/// The documents of these keys, as far as there are any.
pub(super) fn documents_of(
    conn: &Connection,
    projection: &Projection,
    standing: &Standing,
    keys: &[&str],
) -> Result<Vec<(String, Document)>, CacheError> {
    let mut found = Vec::new();
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {DOCUMENT} FROM projection_documents WHERE projection = ?1 AND key = ?2"
    ))?;
    for key in keys {
        let mut rows = statement.query((standing.id, key))?;
        if let Some(row) = rows.next()? {
            found.push(document(projection, row)?);
        }
    }
    Ok(found)
}

/// A document as it was after the last segment that an instant includes whole, and the inputs after it that the
/// instant includes as well.
pub(super) fn document_before(
    conn: &Connection,
    projection: &Projection,
    now: &Document,
    at: Option<Time>,
    known: Position,
) -> Result<(Document, Vec<Position>), CacheError> {
    let at = at.unwrap_or(Time::MAX);
    let mut base = Document::new(projection);
    let mut from = 0;
    let found = conn
        .prepare_cached(
            "SELECT n, inputs_before, last_position, last_us, last_ns, latest_us, latest_ns, incomplete, state
             FROM projection_segments WHERE document = ?1 AND last_position <= ?2
                 AND (latest_us, latest_ns) <= (?3, ?4) ORDER BY n DESC LIMIT 1",
        )?
        .query_row((now.id, known.0, at.us(), at.sub_ns()), |row| {
            base.inputs = row.get(1)?;
            base.last = (Position(row.get(2)?), time(row, 3)?);
            base.latest = time(row, 5)?;
            base.fold = fold(projection, row.get_ref(8)?.as_str()?, row.get(7)?)?;
            row.get::<_, u64>(0)
        })
        .optional()?;
    if let Some(n) = found {
        from = n + 1;
    }
    let mut positions = Vec::new();
    let mut take = |inputs: Vec<Input>| {
        let included = inputs
            .into_iter()
            .filter(|input| input.position <= known && input.time <= at);
        positions.extend(included.map(|input| input.position));
    };
    let mut statement = conn.prepare_cached(
        "SELECT inputs FROM projection_segments
         WHERE document = ?1 AND n >= ?2 AND first_position <= ?3 AND earliest_us <= ?4 ORDER BY n",
    )?;
    let mut rows = statement.query((now.id, from, known.0, at.us()))?;
    while let Some(row) = rows.next()? {
        take(unpacked(row.get_ref(0)?.as_blob().map_err(|_| {
            rusqlite::Error::InvalidColumnType(0, "inputs".to_owned(), rusqlite::types::Type::Blob)
        })?));
    }
    take(now.open.clone());
    Ok((base, positions))
}

/// The inputs of a document that an instant includes, in rising order.
pub(super) fn inputs(
    conn: &Connection,
    standing: &Standing,
    key: &str,
    at: Option<Time>,
    known: Position,
) -> Result<Vec<Position>, CacheError> {
    let at = at.unwrap_or(Time::MAX);
    let mut statement = conn.prepare_cached(
        "SELECT s.inputs FROM projection_segments s JOIN projection_documents d ON d.id = s.document
         WHERE d.projection = ?1 AND d.key = ?2 ORDER BY s.n",
    )?;
    let mut positions = Vec::new();
    let mut take = |packed: &[u8]| {
        let included = unpacked(packed)
            .into_iter()
            .filter(|input| input.position <= known && input.time <= at);
        positions.extend(included.map(|input| input.position));
    };
    let blob = |row: &Row<'_>, each: &mut dyn FnMut(&[u8])| -> rusqlite::Result<()> {
        each(row.get_ref(0)?.as_blob()?);
        Ok(())
    };
    let mut rows = statement.query((standing.id, key))?;
    while let Some(row) = rows.next()? {
        blob(row, &mut take)?;
    }
    let mut open = conn.prepare_cached(
        "SELECT open FROM projection_documents WHERE projection = ?1 AND key = ?2",
    )?;
    let mut rows = open.query((standing.id, key))?;
    while let Some(row) = rows.next()? {
        blob(row, &mut take)?;
    }
    Ok(positions)
}

/// The events up to an instant that could not be folded.
pub(super) fn faults(
    conn: &Connection,
    standing: &Standing,
    at: Option<Time>,
    known: Position,
) -> Result<Vec<Fault>, CacheError> {
    let at = at.unwrap_or(Time::MAX);
    let mut statement = conn.prepare_cached(
        "SELECT position, key, time_us, time_ns, kind, place, detail FROM projection_faults
         WHERE projection = ?1 AND position <= ?2 AND (time_us, time_ns) <= (?3, ?4) ORDER BY position, rowid",
    )?;
    let rows = statement.query_map((standing.id, known.0, at.us(), at.sub_ns()), |row| {
        Ok(Fault {
            position: Position(row.get(0)?),
            key: row.get(1)?,
            time: time(row, 2)?,
            fault: KeyedFault {
                kind: serde_json::from_str(row.get_ref(4)?.as_str()?)
                    .unwrap_or(FindingKind::ExpressionFailed),
                place: serde_json::from_str::<Place>(row.get_ref(5)?.as_str()?).unwrap_or_default(),
                detail: row.get(6)?,
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Positions and times of inputs, as differences in LEB128: position, microseconds (zigzag), nanoseconds below.
fn packed(inputs: &[Input]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(inputs.len() * 8);
    let (mut position, mut us) = (0u64, 0i64);
    for input in inputs {
        put(&mut bytes, input.position.0.wrapping_sub(position));
        let difference = input.time.us().wrapping_sub(us);
        #[allow(clippy::cast_sign_loss, reason = "zigzag keeps every bit")]
        put(
            &mut bytes,
            (difference.wrapping_shl(1) ^ (difference >> 63)) as u64,
        );
        put(&mut bytes, u64::from(input.time.sub_ns()));
        (position, us) = (input.position.0, input.time.us());
    }
    bytes
}

/// Reads what [`packed`] made; what is not whole ends it.
fn unpacked(bytes: &[u8]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut at = 0;
    let mut next = || {
        let (mut value, mut shift) = (0u64, 0u32);
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    };
    let (mut position, mut us) = (0u64, 0i64);
    while let (Some(step), Some(zigzag), Some(ns)) = (next(), next(), next()) {
        position = position.wrapping_add(step);
        #[allow(clippy::cast_possible_wrap, reason = "zigzag keeps every bit")]
        let difference = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        us = us.wrapping_add(difference);
        let Some(time) = u16::try_from(ns)
            .ok()
            .and_then(|ns| Time::from_parts(us, ns))
        else {
            break;
        };
        inputs.push(Input {
            position: Position(position),
            time,
        });
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn inputs_come_back_as_they_were(raw in proptest::collection::vec((1u64..9_000_000_000, 0i64..253_402_300_799_000_000, 0u16..1000), 0..20)) {
            let inputs: Vec<Input> = raw.into_iter().map(|(position, us, ns)| Input {
                position: Position(position),
                time: Time::from_parts(us, ns).unwrap(),
            }).collect();
            proptest::prop_assert_eq!(unpacked(&packed(&inputs)), inputs);
        }
    }
}
