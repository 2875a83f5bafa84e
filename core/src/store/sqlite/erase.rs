//! Erasing parts of events: the one change of events that the triggers let through.
//!
//! In one transaction the erasure becomes an event that holds the old hashes, `erasures` names each part, and the
//! parts and their salts become NULL. What is left then is to clear the file of bytes that nothing refers to any more
//! (free pages, copies that the engine left when it split a page, the write-ahead log): a mark that was set in the
//! same transaction stays until that is done, so a process that dies in between leaves a whole erasure that whoever
//! comes next finishes.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::book::Book;
use super::commit::make_id;
use super::ink::Ink;
use super::log::{Log, sql_position};
use super::open::append_error;
use super::packed::Packing;
use super::row;
use super::salts::{self, Salts};
use super::writer::LogWriter;
use super::{content, links, schema};
use crate::event::{Event, NewEvent, Part, Payload};
use crate::id::{EventId, StreamId};
use crate::integrity::Hash;
use crate::integrity::leaf::{Salt, Seed, hash_part};
use crate::position::Position;
use crate::store::extraction::{Extracted, Extraction};
use crate::store::{AppendError, ErasedPart, Erasure, ReadError};

/// The mark that clearing the file is still to be done. The table comes with the first erasure.
const MARKS: &str =
    "CREATE TABLE IF NOT EXISTS erasures_unfinished(event_position INTEGER PRIMARY KEY) STRICT";

/// Content type of nothing: extraction finds nothing in it.
fn nothing() -> Payload {
    Payload {
        content_type: "".into(),
        bytes: Vec::new(),
    }
}

/// How long readers are waited for before the write-ahead log can be emptied.
const READERS: std::time::Duration = std::time::Duration::from_secs(5);

impl LogWriter {
    /// Erases parts of events, all or nothing: appends the erasure as an event that `describe` makes of the parts and
    /// their old hashes, and removes the parts with their salts. Parts that are erased already, or that an event does
    /// not have, are left out; where none is left nothing is written and `None` returned. Of what was extracted from
    /// an erased part (actor, correlation, causation) nothing stays either; a name of an actor that no event has any
    /// more is taken out of the list of actors.
    ///
    /// Call [`LogWriter::finish_erasures`] after it.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written. [`AppendError::CannotErase`] where an event is not there or its identity
    /// is meant.
    pub fn erase(
        &self,
        parts: &[(Position, Part)],
        stream: &StreamId,
        describe: &dyn Fn(&[ErasedPart]) -> NewEvent,
    ) -> Result<Option<Erasure>, AppendError> {
        let mut core = self.core()?;
        let (mut book, mut ink) = core.begin().map_err(append_error)?;
        let now = (core.surroundings.clock)();
        let id = make_id(&core.surroundings, now);
        let mut seed = Seed::default();
        (core.surroundings.random)(&mut seed);
        let erase = |conn: &Connection| {
            // What is overwritten or freed from here on is overwritten with zeros.
            conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))
                .map_err(append_error)?;
            let order = Order {
                parts,
                stream,
                describe,
                id,
                seed,
                now,
            };
            order.carry_out(conn, &mut book, &mut ink)
        };
        let done = core.with(erase);
        let ended = match done {
            Ok(Some(erased)) => core
                .commit(book, ink, 0)
                .map(|head| Some(Erasure { head, ..erased }))
                .map_err(append_error),
            Ok(None) => {
                core.roll_back();
                return Ok(None);
            }
            Err(error) => Err(error),
        };
        if ended.is_err() {
            core.roll_back();
            return ended;
        }
        // Counters and names were changed beside what the writer knows of them.
        core.forget();
        self.log().announce();
        ended
    }

    /// Clears the file of bytes that erasures left where nothing refers to them: writes it anew and empties the
    /// write-ahead log. Nothing to do where no erasure is unfinished. Needs as much room on the disk as the log has.
    ///
    /// # Errors
    /// [`AppendError::Locked`] where another program reads or writes for long; [`AppendError::DiskFull`]. The mark
    /// stays then, and the next call does it.
    pub fn finish_erasures(&self) -> Result<bool, AppendError> {
        let core = self.core()?;
        let finish = |conn: &Connection| -> rusqlite::Result<bool> {
            let Some(last) = unfinished(conn)? else {
                return Ok(false);
            };
            conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
            // The log may be larger than memory.
            conn.pragma_update(None, "temp_store", "FILE")?;
            conn.execute_batch("VACUUM")?;
            conn.pragma_update(None, "temp_store", "MEMORY")?;
            // Each change of it drops what was temporary.
            links::stand_in(conn)?;
            empty_wal(conn)?;
            conn.execute(
                "DELETE FROM erasures_unfinished WHERE event_position <= ?1",
                [last],
            )?;
            conn.query_row("PRAGMA secure_delete = OFF", [], |_| Ok(()))?;
            Ok(true)
        };
        core.with(finish).map_err(append_error)
    }
}

impl Log {
    /// Whether bytes that an erasure should have cleared may still be in the file: the process that erased ended
    /// before it was done, or another read the log. [`LogWriter::finish_erasures`] does it.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn has_unfinished_erasure(&self) -> Result<bool, ReadError> {
        self.read(|conn| Ok(unfinished(conn)?.is_some()))
    }

    /// The parts of an event that were erased, with their hashes and the event that says so, in the order of
    /// [`Part`].
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn erasures_of(
        &self,
        position: Position,
    ) -> Result<Vec<(ErasedPart, Position)>, ReadError> {
        self.read(|conn| {
            let mut rows = conn.prepare_cached(
                "SELECT part, hash, event_position FROM erasures WHERE position = ?1",
            )?;
            let found = rows.query_map([sql_position(position)], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
            })?;
            let mut parts = Vec::new();
            for row in found {
                let (name, hash, by): (String, [u8; 32], u64) = row?;
                if let Some(part) = Part::ALL.into_iter().find(|part| part.name() == name) {
                    let hash = Hash(hash);
                    parts.push((
                        ErasedPart {
                            position,
                            part,
                            hash,
                        },
                        Position(by),
                    ));
                }
            }
            parts.sort_unstable_by_key(|(part, _)| part.part);
            Ok(parts)
        })
    }
}

fn unfinished(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    // Asked in SQL: a connection that has not looked since does not know of a new table otherwise.
    if !schema::has_table(conn, "erasures_unfinished")? {
        return Ok(None);
    }
    conn.query_row(
        "SELECT max(event_position) FROM erasures_unfinished",
        [],
        |row| row.get(0),
    )
}

/// Empties the write-ahead log; fails where others read for too long.
fn empty_wal(conn: &Connection) -> rusqlite::Result<()> {
    let started = std::time::Instant::now();
    loop {
        let is_busy: bool =
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !is_busy {
            return Ok(());
        }
        if started.elapsed() > READERS {
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(busy, None));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// What is to be erased, and how the erasure is told.
struct Order<'o> {
    parts: &'o [(Position, Part)],
    stream: &'o StreamId,
    describe: &'o dyn Fn(&[ErasedPart]) -> NewEvent,
    id: EventId,
    /// What the salts of that event are made of.
    seed: Seed,
    now: crate::time::Time,
}

impl Order<'_> {
    fn carry_out(
        self,
        conn: &Connection,
        book: &mut Book,
        ink: &mut Ink,
    ) -> Result<Option<Erasure>, AppendError> {
        let mut wanted = self.parts.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut erased = Vec::with_capacity(wanted.len());
        for (position, part) in wanted {
            erased.extend(hash_of(conn, position, part)?);
        }
        if erased.is_empty() {
            return Ok(None);
        }
        let event = (self.describe)(&erased);
        content::check(self.stream, &event)?;
        book.check_category(conn, self.stream, None)?;
        let write = || -> rusqlite::Result<Position> {
            let planned = book.plan(conn, self.stream, None, self.id, self.now, event)?;
            let position = planned.place().position;
            // The event's names come into the file before its row, since what follows looks at the file.
            ink.seal_and_write(conn, std::slice::from_ref(&planned), &[self.seed])?;
            let indexed = book.flush(conn, 0)?;
            ink.flush(conn, indexed)?;
            conn.execute_batch(MARKS)?;
            conn.execute(
                "INSERT INTO erasures_unfinished(event_position) VALUES (?1)",
                [sql_position(position)],
            )?;
            let mut name = conn.prepare(
                "INSERT INTO erasures(position, part, hash, event_position) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for ErasedPart {
                position: at,
                part,
                hash,
            } in &erased
            {
                name.execute(params![at.0, part.name(), hash.0, position.0])?;
            }
            Ok(position)
        };
        let position = write().map_err(append_error)?;
        let mut actors = Vec::new();
        for group in erased.chunk_by(|a, b| a.position == b.position) {
            remove(conn, group, &mut actors)?;
        }
        scrub_actors(conn, actors).map_err(append_error)?;
        Ok(Some(Erasure {
            event: position,
            parts: erased,
            head: ink.head(),
        }))
    }
}

/// The hash of a part that is there; `None` where it is not.
fn hash_of(
    conn: &Connection,
    position: Position,
    part: Part,
) -> Result<Option<ErasedPart>, AppendError> {
    let bytes = match part {
        Part::Identity => return Err(AppendError::CannotErase { position }),
        Part::Data => "data",
        Part::Metadata => "metadata",
    };
    type Found = (Option<Salt>, Option<Vec<u8>>);
    let find = || -> rusqlite::Result<Option<Found>> {
        let packing = Packing::of(conn)?;
        let salts = salts::columns(packing);
        conn.prepare_cached(&format!(
            "SELECT {salts}, {bytes} FROM events WHERE position = ?1"
        ))?
        .query_row([sql_position(position)], |row| {
            let [_, data, metadata] = salts::read(row, 0, packing)?;
            let salt = if part == Part::Data { data } else { metadata };
            Ok((salt, row.get(3)?))
        })
        .optional()
    };
    let found = find().map_err(append_error)?;
    match found {
        None => Err(AppendError::CannotErase { position }),
        Some((Some(salt), Some(bytes))) => Ok(Some(ErasedPart {
            position,
            part,
            hash: hash_part(part, &salt, &bytes),
        })),
        Some(_) => Ok(None),
    }
}

/// Removes the parts of one event, and what was extracted from them.
fn remove(
    conn: &Connection,
    parts: &[ErasedPart],
    actors: &mut Vec<i64>,
) -> Result<(), AppendError> {
    let Some(position) = parts.first().map(|part| part.position) else {
        return Ok(());
    };
    let erases = |part: Part| parts.iter().any(|erased| erased.part == part);
    let event = event_at(conn, position)?;
    let rule = rule_of(conn, position).map_err(append_error)?;
    let left = |part: Part, payload: &Option<Payload>| payload.clone().filter(|_| !erases(part));
    let data = left(Part::Data, &event.data).unwrap_or_else(nothing);
    let metadata = left(Part::Metadata, &event.metadata);
    // What another part tells as well stays.
    let Extracted {
        actor,
        correlation,
        causation,
    } = rule.apply(&data, metadata.as_ref());
    let held_actor = event.actor.as_ref().map(|actor| actor.as_str().to_owned());
    let keeps = [
        actor == held_actor,
        correlation == event.correlation,
        causation == event.causation,
    ];
    let packing = Packing::of(conn).map_err(append_error)?;
    let column = |part: Part, name: &str| match (erases(part), packing) {
        (true, Packing::NONE) => format!("{name} = NULL, salt_{name} = NULL,"),
        (true, _) => format!("{name} = NULL,"),
        (false, _) => String::new(),
    };
    let extracted = |keeps: bool, name: &str| match keeps {
        true => format!("{name} = {name}"),
        false => format!("{name} = NULL"),
    };
    let statement = format!(
        "UPDATE events SET {} {} {} {}, {}, {} WHERE position = ?1",
        column(Part::Data, "data"),
        column(Part::Metadata, "metadata"),
        match packing {
            Packing::NONE => "",
            _ => "salts = ?2,",
        },
        extracted(keeps[0], "actor"),
        extracted(keeps[1], "correlation"),
        extracted(keeps[2], "causation"),
    );
    let mut run = || -> rusqlite::Result<()> {
        let (held, salts): (Option<i64>, Salts) = conn
            .prepare_cached(&format!(
                "SELECT actor, {} FROM events WHERE position = ?1",
                salts::columns(packing)
            ))?
            .query_row([sql_position(position)], |row| {
                Ok((row.get(0)?, salts::read(row, 1, packing)?))
            })?;
        let [identity, data, metadata] = salts;
        // What they are made of would bring back the one that goes.
        let left = salts::left(&[
            identity,
            data.filter(|_| !erases(Part::Data)),
            metadata.filter(|_| !erases(Part::Metadata)),
        ]);
        let mut update = conn.prepare_cached(&statement)?;
        match packing {
            Packing::NONE => update.execute([sql_position(position)])?,
            _ => update.execute((sql_position(position), left))?,
        };
        if let Some(actor) = held.filter(|_| !keeps[0]) {
            // Every event is counted: the tail ended with the erasure's own.
            conn.prepare_cached("UPDATE actors SET events = events - 1 WHERE id = ?1")?
                .execute([actor])?;
            actors.push(actor);
        }
        Ok(())
    };
    run().map_err(append_error)
}

fn event_at(conn: &Connection, position: Position) -> Result<Event, AppendError> {
    let read = || -> Result<Event, ReadError> {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {} FROM events e {} WHERE e.position = ?1",
            row::NAMED_EVENT,
            row::NAMES
        ))?;
        statement.query_row([sql_position(position)], |row| Ok(row::named_event(row)))?
    };
    read().map_err(|error| match error {
        ReadError::Engine(error) => append_error(error),
        other => append_error(super::tiles::corrupt(&other.to_string())),
    })
}

/// The rule by which an event's columns were extracted.
fn rule_of(conn: &Connection, position: Position) -> rusqlite::Result<Extraction> {
    let rule: Option<String> = conn
        .prepare_cached(
            "SELECT o.extraction FROM events e LEFT JOIN sources o ON o.id = e.source WHERE e.position = ?1",
        )?
        .query_row([sql_position(position)], |row| row.get(0))?;
    let rule = rule.and_then(|rule| serde_json::from_str(&rule).ok());
    Ok(rule.unwrap_or_else(Extraction::standard))
}

/// Takes names out of the list of actors that no event has any more. Names never change for anybody else: the trigger
/// that keeps them is off inside this transaction only, so nobody ever sees the file without it.
fn scrub_actors(conn: &Connection, mut actors: Vec<i64>) -> rusqlite::Result<()> {
    actors.sort_unstable();
    actors.dedup();
    let mut unused = Vec::new();
    for id in actors {
        let used = conn
            .prepare_cached("SELECT 1 FROM by_actor WHERE actor = ?1 LIMIT 1")?
            .query_row([id], |_| Ok(()))
            .optional()?;
        if used.is_none() {
            unused.push(id);
        }
    }
    if unused.is_empty() {
        return Ok(());
    }
    let trigger: String = conn.query_row(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'actors_update'",
        [],
        |row| row.get(0),
    )?;
    conn.execute_batch("DROP TRIGGER actors_update")?;
    for id in unused {
        conn.execute(
            "UPDATE actors SET name = '(erased ' || id || ')' WHERE id = ?1",
            [id],
        )?;
    }
    conn.execute_batch(&trigger)
}
