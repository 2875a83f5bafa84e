//! Where snapshots lie: a part of the cache. Whatever does not fit is dropped and said, never served.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde_json::value::RawValue;

use super::{Policies, Snapshot, SnapshotError};
use crate::cache::{Cache, CacheError, Part, fallback_file};
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::position::{Position, Version};
use crate::store::Log;
use crate::surroundings::Clock;
use crate::time::Time;

static PART: Part = Part {
    name: "snapshots",
    version: 1,
    create: "
        CREATE TABLE snapshots(
            id INTEGER PRIMARY KEY, stream TEXT NOT NULL, model BLOB NOT NULL, model_name TEXT NOT NULL,
            version INTEGER NOT NULL, position INTEGER NOT NULL,
            time_us INTEGER NOT NULL, time_sub_ns INTEGER NOT NULL,
            latest_us INTEGER NOT NULL, latest_sub_ns INTEGER NOT NULL,
            state BLOB NOT NULL, course BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX snapshots_of ON snapshots(stream, model, version, position, latest_us, latest_sub_ns);
        CREATE TABLE replays(
            stream TEXT NOT NULL, model BLOB NOT NULL, reads INTEGER NOT NULL, served INTEGER NOT NULL,
            events INTEGER NOT NULL, us INTEGER NOT NULL, best_us INTEGER,
            PRIMARY KEY(stream, model)) STRICT, WITHOUT ROWID;",
    drop: "
        DROP TABLE IF EXISTS snapshots;
        DROP TABLE IF EXISTS replays;",
};

static PARTS: &[&Part] = &[&PART];

/// Events that a replay must have for its speed to count.
const ENOUGH: u64 = 50;

/// The snapshots of one log.
#[derive(Debug)]
pub struct Snapshots {
    cache: Cache,
    log: Log,
    policies: Policies,
    /// Why the policies could not be read, if they could not.
    unread: Option<String>,
    clock: SnapshotClock,
}

struct SnapshotClock(Clock);

impl std::fmt::Debug for SnapshotClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SnapshotClock")
    }
}

/// What a snapshot must not go beyond.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Last version.
    pub last: Version,
    /// Last position; `None`: any.
    pub known: Option<Position>,
    /// Largest time; `None`: any.
    pub at: Option<Time>,
}

/// A snapshot that was dropped because it is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The stream.
    pub stream: String,
    /// The version that it covered, as far as that can be told.
    pub version: Version,
    /// What is wrong with it.
    pub reason: String,
}

/// A snapshot that is kept, its content aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// The stream.
    pub stream: String,
    /// Which model made it.
    pub model: Hash,
    /// Name of that model.
    pub model_name: String,
    /// The last version that it covers.
    pub version: Version,
    /// Position of the event there.
    pub position: Position,
    /// When that event happened.
    pub time: Time,
    /// Length of what is kept, in bytes.
    pub bytes: u64,
}

/// What is known of the replays of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// How often its state was asked for.
    pub reads: u64,
    /// How often a snapshot served.
    pub served: u64,
    /// Events folded the last time.
    pub events: u64,
    /// How long that took, in microseconds.
    pub us: u64,
    /// The least time that 1,000 events took, in microseconds; of replays of 50 events or more.
    pub best_us: Option<u64>,
}

impl Snapshots {
    /// Opens the snapshots of a log, with the policies beside it; makes the cache where there is none. `fallback` is
    /// the folder for caches of stores that cannot be written to, `clock` measures replays.
    ///
    /// # Errors
    /// [`SnapshotError::Policy`], [`SnapshotError::Cache`], [`SnapshotError::Read`].
    pub fn open(
        log: &Log,
        fallback: Option<&Path>,
        clock: Clock,
    ) -> Result<Snapshots, SnapshotError> {
        Snapshots::with_policies(log, fallback, clock, Policies::load(log.path())?, None)
    }

    fn with_policies(
        log: &Log,
        fallback: Option<&Path>,
        clock: Clock,
        policies: Policies,
        unread: Option<String>,
    ) -> Result<Snapshots, SnapshotError> {
        Ok(Snapshots {
            cache: Cache::open(log, fallback, PARTS)?,
            log: log.clone(),
            policies,
            unread,
            clock: SnapshotClock(clock),
        })
    }

    /// Opens the snapshots of a log where there may be any: policies are written, or a cache lies there. Makes nothing
    /// otherwise. What cannot be used is as if it were not there: a whole fold answers as well. Policies that cannot be
    /// read are followed by nobody; a state that is asked for says so.
    #[must_use]
    pub fn open_for_reading(log: &Log, fallback: Option<&Path>, clock: Clock) -> Option<Snapshots> {
        let has_policies = Policies::file(log.path()).exists();
        let own = crate::model::folder(log.path()).join("cache.sqlite");
        let other = fallback.map(|fallback| fallback_file(log, fallback));
        let has_cache = own.exists() || other.is_some_and(|file| file.exists());
        if !(has_policies || has_cache) {
            return None;
        }
        let (policies, unread) = match Policies::load(log.path()) {
            Ok(policies) => (policies, None),
            Err(error) => (Policies::default(), Some(error.to_string())),
        };
        Snapshots::with_policies(log, fallback, clock, policies, unread).ok()
    }

    /// Why the policies could not be read; `None` if they could, or there are none.
    #[must_use]
    pub fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The file that holds them, and what became of it.
    #[must_use]
    pub fn file(&self) -> (String, Vec<String>) {
        (self.cache.file().display().to_string(), self.cache.notes())
    }

    /// The present instant in microseconds.
    pub(crate) fn now_us(&self) -> i64 {
        (self.clock.0)().us()
    }

    /// Throws all away where something was erased from the log since: a fold may hold what is to be gone.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`], [`SnapshotError::Read`].
    pub fn forget_erased(&self) -> Result<(), SnapshotError> {
        let reach = self.cache.read(|conn| self.cache.reach(conn, &PART))?;
        if self.log.erased_since(reach)?.is_empty() {
            return Ok(());
        }
        let head = self.log.head()?.size;
        self.cache.write(|transaction| {
            self.cache.clear(transaction, &PART)?;
            self.cache.set_reach(transaction, &PART, head)
        })?;
        self.cache.purge(&AtomicBool::new(false))?;
        Ok(())
    }

    /// The snapshot of a stream that comes nearest without going beyond what is wanted; damaged ones on the way are
    /// dropped.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`], [`SnapshotError::Read`].
    pub fn nearest(
        &self,
        stream: &StreamId,
        model: Hash,
        wanted: Wanted,
    ) -> Result<(Option<Snapshot>, Vec<Dropped>), SnapshotError> {
        self.forget_erased()?;
        let mut dropped = Vec::new();
        loop {
            let found = self
                .cache
                .read(|conn| Ok(nearest(conn, stream, model, wanted)?))?;
            match found {
                None => return Ok((None, dropped)),
                Some((_, Ok(snapshot))) => return Ok((Some(*snapshot), dropped)),
                Some((id, Err(bad))) => {
                    self.drop_ids(&[id])?;
                    dropped.push(bad);
                }
            }
        }
    }

    /// Keeps snapshots that were made when the log ended at `head`; one that is there already is replaced. Returns
    /// whether they are kept: not if something was erased meanwhile.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`], [`SnapshotError::Read`].
    pub fn keep(&self, snapshots: &[Snapshot], head: Position) -> Result<bool, SnapshotError> {
        if snapshots.is_empty() {
            return Ok(true);
        }
        let kept = self.cache.write(|transaction| {
            let reach = self.cache.reach(transaction, &PART)?;
            if !self.log.erased_since(reach.min(head))?.is_empty() {
                return Ok(false);
            }
            for snapshot in snapshots {
                insert(transaction, snapshot)?;
            }
            if head > reach {
                self.cache.set_reach(transaction, &PART, head)?;
            }
            Ok(true)
        })?;
        Ok(kept)
    }

    /// Drops those of a stream and model with these versions.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`].
    pub fn drop_versions(
        &self,
        stream: &StreamId,
        model: Hash,
        versions: &[Version],
    ) -> Result<(), SnapshotError> {
        if versions.is_empty() {
            return Ok(());
        }
        self.cache.write(|transaction| {
            let mut delete = transaction.prepare_cached(
                "DELETE FROM snapshots WHERE stream = ?1 AND model = ?2 AND version = ?3",
            )?;
            for version in versions {
                delete.execute((stream.as_str(), model.0, version.0))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn drop_ids(&self, ids: &[i64]) -> Result<(), SnapshotError> {
        self.cache.write(|transaction| {
            let mut delete = transaction.prepare_cached("DELETE FROM snapshots WHERE id = ?1")?;
            for id in ids {
                delete.execute([id])?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// What is kept, by stream, model and version; of one stream where it is named.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`], [`SnapshotError::Read`].
    pub fn list(&self, stream: Option<&StreamId>) -> Result<Vec<KeptRow>, SnapshotError> {
        self.forget_erased()?;
        let rows = self.cache.read(|conn| {
            let mut read = conn.prepare_cached(
                "SELECT stream, model, model_name, version, position, time_us, time_sub_ns,
                     length(state) + length(course)
                 FROM snapshots WHERE ?1 IS NULL OR stream = ?1 ORDER BY stream, model_name, model, version",
            )?;
            let rows = read.query_map([stream.map(StreamId::as_str)], |row| {
                Ok(KeptRow {
                    stream: row.get(0)?,
                    model: Hash(row.get(1)?),
                    model_name: row.get(2)?,
                    version: Version(row.get(3)?),
                    position: Position(row.get(4)?),
                    time: time(row, 5)?,
                    bytes: row.get(7)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(rows)
    }

    /// All snapshots of a stream and model, damaged ones as what is wrong with them; these are dropped.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`].
    pub fn all_of(
        &self,
        stream: &StreamId,
        model: Hash,
    ) -> Result<Vec<Result<Snapshot, Dropped>>, SnapshotError> {
        let found = self.cache.read(|conn| {
            let mut read = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM snapshots WHERE stream = ?1 AND model = ?2 ORDER BY version"
            ))?;
            let rows = read.query_map((stream.as_str(), model.0), row)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        let bad: Vec<i64> = found
            .iter()
            .filter(|(_, snapshot)| snapshot.is_err())
            .map(|(id, _)| *id)
            .collect();
        if !bad.is_empty() {
            self.drop_ids(&bad)?;
        }
        let found = found.into_iter();
        Ok(found.map(|(_, snapshot)| snapshot.map(|s| *s)).collect())
    }

    /// What is known of the replays of a stream.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`].
    pub fn measured(&self, stream: &StreamId, model: Hash) -> Result<Measured, SnapshotError> {
        let measured = self.cache.read(|conn| {
            let read = "SELECT reads, served, events, us, best_us FROM replays WHERE stream = ?1 AND model = ?2";
            let row = conn
                .prepare_cached(read)?
                .query_row((stream.as_str(), model.0), |row| {
                    Ok(Measured {
                        reads: row.get(0)?,
                        served: row.get(1)?,
                        events: row.get(2)?,
                        us: row.get(3)?,
                        best_us: row.get(4)?,
                    })
                });
            Ok(row.optional()?.unwrap_or_default())
        })?;
        Ok(measured)
    }

    /// How often states of a category's streams were asked for, as far as that was measured.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`].
    pub fn reads_of(&self, category: &str) -> Result<u64, SnapshotError> {
        let reads = self.cache.read(|conn| {
            let read = "SELECT coalesce(sum(reads), 0) FROM replays WHERE substr(stream, 1, length(?1)) = ?1";
            Ok(conn
                .prepare_cached(read)?
                .query_row([format!("{category}-")], |row| row.get(0))?)
        })?;
        Ok(reads)
    }

    /// Notes a replay.
    ///
    /// # Errors
    /// [`SnapshotError::Cache`].
    pub fn note_replay(
        &self,
        stream: &StreamId,
        model: Hash,
        events: u64,
        us: u64,
        served: bool,
    ) -> Result<(), SnapshotError> {
        let best = (events >= ENOUGH).then(|| us.saturating_mul(1_000) / events);
        self.cache.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO replays(stream, model, reads, served, events, us, best_us)
                     VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)
                     ON CONFLICT(stream, model) DO UPDATE SET reads = reads + 1, served = served + ?3,
                         events = ?4, us = ?5, best_us = min(coalesce(best_us, ?6), coalesce(?6, best_us))",
                )?
                .execute((stream.as_str(), model.0, u64::from(served), events, us, best))?;
            Ok(())
        })?;
        Ok(())
    }

    /// The cache itself, for tests of what becomes of it.
    #[cfg(test)]
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
}

const COLUMNS: &str =
    "id, stream, model, model_name, version, position, time_us, time_sub_ns, latest_us,
    latest_sub_ns, state, course, hash";

type Found = (i64, Result<Box<Snapshot>, Dropped>);

fn nearest(
    conn: &Connection,
    stream: &StreamId,
    model: Hash,
    wanted: Wanted,
) -> rusqlite::Result<Option<Found>> {
    let Wanted { last, known, at } = wanted;
    let (at_us, at_sub_ns) = at.map_or((i64::MAX, 0), |at| (at.us(), i64::from(at.sub_ns())));
    let known = known.map_or(i64::MAX, |known| i64::try_from(known.0).unwrap_or(i64::MAX));
    // The index alone finds it; its content is read once.
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM snapshots WHERE id = (
             SELECT id FROM snapshots WHERE stream = ?1 AND model = ?2 AND version <= ?3
                 AND position <= ?4 AND (latest_us, latest_sub_ns) <= (?5, ?6)
             ORDER BY version DESC LIMIT 1)"
    ))?
    .query_row(
        (stream.as_str(), model.0, last.0, known, at_us, at_sub_ns),
        row,
    )
    .optional()
}

fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Time> {
    let time = Time::from_parts(row.get(at)?, row.get(at + 1)?);
    Ok(time.unwrap_or(Time::MIN))
}

/// Reads a snapshot; what does not fit its hash is damaged.
fn row(row: &Row<'_>) -> rusqlite::Result<Found> {
    let id = row.get(0)?;
    let (stream, version): (String, u64) = (row.get(1)?, row.get(4)?);
    let bad = |reason: &str| {
        let dropped = Dropped {
            stream: stream.clone(),
            version: Version(version),
            reason: reason.to_owned(),
        };
        Ok((id, Err(dropped)))
    };
    let json = |at: usize| -> rusqlite::Result<Option<Box<RawValue>>> {
        let bytes: Vec<u8> = row.get(at)?;
        let text = String::from_utf8(bytes).ok();
        Ok(text.and_then(|text| RawValue::from_string(text).ok()))
    };
    let (Some(state), Some(course)) = (json(10)?, json(11)?) else {
        return bad("it is no JSON any more");
    };
    let Ok(name) = StreamId::new(stream.as_str()) else {
        return bad("its stream has no name");
    };
    let snapshot = Snapshot {
        stream: name,
        model: Hash(row.get(2)?),
        model_name: row.get(3)?,
        version: Version(version),
        position: Position(row.get(5)?),
        time: time(row, 6)?,
        latest: time(row, 8)?,
        state,
        course,
    };
    if snapshot.hash().0 != row.get::<_, [u8; 32]>(12)? {
        return bad("its bytes are not those that were kept");
    }
    Ok((id, Ok(Box::new(snapshot))))
}

fn insert(transaction: &Transaction<'_>, snapshot: &Snapshot) -> Result<(), CacheError> {
    let hash = snapshot.hash();
    let Snapshot {
        stream,
        model,
        model_name,
        version,
        position,
        time,
        latest,
        state,
        course,
    } = snapshot;
    transaction
        .prepare_cached("DELETE FROM snapshots WHERE stream = ?1 AND model = ?2 AND version = ?3")?
        .execute((stream.as_str(), model.0, version.0))?;
    transaction
        .prepare_cached(
            "INSERT INTO snapshots(stream, model, model_name, version, position, time_us, time_sub_ns,
                 latest_us, latest_sub_ns, state, course, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            stream.as_str(),
            model.0,
            model_name,
            version.0,
            position.0,
            time.us(),
            time.sub_ns(),
            latest.us(),
            latest.sub_ns(),
            state.get().as_bytes(),
            course.get().as_bytes(),
            hash.0,
        ))?;
    Ok(())
}
