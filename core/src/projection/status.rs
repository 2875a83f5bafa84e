//! How projections stand, and what can be done about it: pause, resume, retry, reset, rebuild beside, switch back.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use super::answers::ReadCacheView;
use super::catch_up::CaughtUp;
use super::engine::{Misfit, PARTS, Projections};
use super::kept::{self, PART, Role};
use super::{Projection, ProjectionError, Strategy};
use crate::cache::{Cache, CacheError};
use crate::finding::FindingKind;
use crate::model::{ModelError, ModelRef};
use crate::position::Position;
use crate::store::{Log, ReadError};

/// A runner whose last sign of life is older is dead.
pub const DEAD_AFTER_MS: u64 = 5_000;

/// Most faults that a status lists of a projection; all are counted.
const LISTED_FAULTS: usize = 20;

/// How the projections of a store stand: `annals projection status --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct StatusView {
    /// The projections, by name; files that are wrong come last.
    pub projections: Vec<ProjectionStatus>,
    /// What became of the cache, in sentences; empty where there is nothing to say.
    pub notes: Vec<String>,
    /// How often this process answered from memory.
    pub reads: ReadCacheView,
}

/// What a projection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A runner that lives keeps it up, or each append does.
    Running,
    /// Nobody keeps it up; it is caught up when it is asked or a runner is started.
    Idle,
    /// It had a runner, which has given no sign of life since.
    Dead,
    /// The user paused it.
    Paused,
    /// It stopped at an event that could not be folded.
    Stopped,
    /// What is kept does not fit the log or the definition; it is made anew.
    Stale,
    /// Its definition is wrong.
    Broken,
}

impl RunState {
    /// Its word on the wire and for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Idle => "idle",
            RunState::Dead => "dead",
            RunState::Paused => "paused",
            RunState::Stopped => "stopped",
            RunState::Stale => "stale",
            RunState::Broken => "broken",
        }
    }
}

/// How one projection stands.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ProjectionStatus {
    /// Name; of a broken one, its file.
    pub name: String,
    /// When it is kept up; `null` where the definition is wrong.
    pub strategy: Option<Strategy>,
    /// The last position that its documents take account of.
    pub checkpoint: Position,
    /// The last position of the log.
    pub head: Position,
    /// Number of events between the two; `null` where nobody follows the log and none is missing at this moment: that
    /// says nothing about the next.
    #[ts(type = "number | null")]
    pub lag_events: Option<u64>,
    /// How long ago the log took the first event that is missing, in milliseconds; of a dead one that misses none, how
    /// long nobody has looked. `null` where nothing is missing and nobody has to look.
    #[ts(type = "number | null")]
    pub stale_for_ms: Option<u64>,
    /// What it is doing.
    pub state: RunState,
    /// Number of events that could not be folded.
    #[ts(type = "number")]
    pub faults: u64,
    /// Events a second when it was last caught up; 0 before.
    #[ts(type = "number")]
    pub events_per_second: u64,
    /// Number of documents.
    #[ts(type = "number")]
    pub documents: u64,
    /// The event that it stopped before.
    pub stopped_at: Option<Position>,
    /// The first faults.
    pub fault_list: Vec<FaultRow>,
    /// Whether the documents before the last switch are kept.
    pub has_old: bool,
    /// What is worth telling, in a sentence.
    pub note: Option<String>,
    /// The definition.
    pub model: Option<ModelRef>,
}

/// An event that could not be folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FaultRow {
    /// Where it stands in the log.
    pub position: Position,
    /// The document; `null` where the event could not be read, or its key not be told.
    pub key: Option<String>,
    /// What went wrong.
    pub kind: FindingKind,
    /// In a sentence.
    pub detail: String,
}

/// What a rebuild beside the documents in use found: `annals projection rebuild --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RebuildView {
    /// Name.
    pub projection: String,
    /// Position up to which it was made anew.
    pub position: Position,
    /// Number of documents made.
    #[ts(type = "number")]
    pub documents: u64,
    /// Number of documents that were in use before; `null` where none fitted.
    #[ts(type = "number | null")]
    pub documents_before: Option<u64>,
    /// Number of documents that differ from those in use.
    #[ts(type = "number")]
    pub differences_count: u64,
    /// The first of them, by key.
    pub differences: Vec<DocumentDifference>,
    /// Whether the new documents are in use now; the old ones are kept.
    pub switched: bool,
    /// Events a second.
    #[ts(type = "number")]
    pub events_per_second: u64,
}

/// A document that two sets hold differently.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DocumentDifference {
    /// Its key.
    pub key: String,
    /// In the one in use; `null` where it is not there.
    #[ts(type = "unknown")]
    pub before: Option<Box<RawValue>>,
    /// In the one made anew; `null` where it is not there.
    #[ts(type = "unknown")]
    pub after: Option<Box<RawValue>>,
}

/// Most differences that a rebuild lists; all are counted.
const LISTED_DIFFERENCES: usize = 20;

impl Projections {
    /// How every projection stands, measured against the head of the log.
    ///
    /// # Errors
    /// [`ProjectionError`] if the log or the cache cannot be read.
    pub fn status(&self) -> Result<StatusView, ProjectionError> {
        self.keep_followed();
        let mut projections = Vec::new();
        for projection in self.set.iter() {
            projections.push(self.status_of(projection)?);
        }
        let head = self.log.head()?.size;
        projections.extend(self.set.broken().iter().map(|error| broken(error, head)));
        Ok(StatusView {
            projections,
            notes: self.notes(),
            reads: self.answers.view(),
        })
    }

    fn status_of(&self, projection: &Projection) -> Result<ProjectionStatus, ProjectionError> {
        let name = projection.name();
        let head = self.log.head()?.size;
        let now_us = (self.clock)().us();
        let mut status = ProjectionStatus {
            name: name.to_owned(),
            strategy: Some(projection.strategy()),
            checkpoint: Position::ZERO,
            head,
            lag_events: None,
            stale_for_ms: None,
            state: RunState::Idle,
            faults: 0,
            events_per_second: 0,
            documents: 0,
            stopped_at: None,
            fault_list: Vec::new(),
            has_old: false,
            note: None,
            model: Some(projection.reference()),
        };
        let Ok(cache) = &self.cache else {
            return self.behind(status, None, now_us);
        };
        let (standing, is_paused, beat_us) = cache.read(|conn| {
            Ok((
                kept::standing(conn, name, Role::Live)?,
                kept::is_paused(conn, name)?,
                kept::last_beat(conn, name)?,
            ))
        })?;
        let misfit = match &standing {
            Some(standing) => self.misfit(projection, standing)?,
            None => None,
        };
        if let Some(standing) = &standing {
            (status.checkpoint, status.faults) = (standing.at.size, standing.faults);
            (status.events_per_second, status.stopped_at) = (standing.rate, standing.stopped_at);
            let (documents, has_old, faults) = cache.read(|conn| {
                Ok((
                    kept::documents_count(conn, standing)?,
                    kept::standing(conn, name, Role::Old)?.is_some(),
                    kept::faults(
                        conn,
                        standing,
                        None,
                        standing.at.size.max(Position(u64::MAX >> 1)),
                    )?,
                ))
            })?;
            (status.documents, status.has_old) = (documents, has_old);
            let listed = faults
                .into_iter()
                .take(LISTED_FAULTS)
                .map(|fault| FaultRow {
                    position: fault.position,
                    key: (!fault.key.is_empty()).then_some(fault.key),
                    kind: fault.fault.kind,
                    detail: fault.fault.detail,
                });
            status.fault_list = listed.collect();
        }
        let is_dead = beat_us
            .is_some_and(|beat| u64::try_from(now_us - beat).unwrap_or(0) > DEAD_AFTER_MS * 1_000);
        status.state = match (&misfit, beat_us) {
            _ if is_paused => RunState::Paused,
            (Some(_), _) => RunState::Stale,
            _ if status.stopped_at.is_some() => RunState::Stopped,
            (None, Some(_)) if is_dead => RunState::Dead,
            (None, Some(_)) => RunState::Running,
            (None, None) if projection.strategy() == Strategy::Sync && standing.is_some() => {
                RunState::Running
            }
            (None, None) => RunState::Idle,
        };
        if let Some(misfit) = misfit {
            status.note = misfit.note();
            status.checkpoint = match misfit {
                Misfit::Ahead(at, _) => at,
                _ => Position::ZERO,
            };
        }
        self.behind(status, beat_us, now_us)
    }

    /// Fills in how far it is behind.
    fn behind(
        &self,
        mut status: ProjectionStatus,
        beat_us: Option<i64>,
        now_us: i64,
    ) -> Result<ProjectionStatus, ProjectionError> {
        let since = |us: i64| u64::try_from((now_us - us) / 1_000).unwrap_or(0);
        let ahead = status.checkpoint > status.head;
        let lag = status.head.0.saturating_sub(status.checkpoint.0);
        let is_followed = status.state == RunState::Running;
        status.lag_events = (!ahead && (lag > 0 || is_followed)).then_some(lag);
        status.stale_for_ms = if lag > 0 && !ahead {
            let first = Position(status.checkpoint.0 + 1);
            self.log
                .event(first)?
                .map(|event| since(event.recorded_at.us()))
        } else if status.state == RunState::Dead {
            beat_us.map(since)
        } else {
            None
        };
        Ok(status)
    }

    /// Pauses a projection, or resumes it; says whether that changed anything. Kept in the cache: it is resumed where
    /// the cache is deleted.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection or the cache cannot be written.
    pub fn set_paused(&self, name: &str, paused: bool) -> Result<bool, ProjectionError> {
        let projection = self.set.get(name)?;
        self.forget(projection.name());
        let statement = if paused {
            "INSERT OR IGNORE INTO projection_paused(name) VALUES (?1)"
        } else {
            "DELETE FROM projection_paused WHERE name = ?1"
        };
        let changed = self
            .cache()?
            .write(|transaction| Ok(transaction.execute(statement, [projection.name()])? > 0))?;
        Ok(changed)
    }

    /// Lets a projection that stopped at an event try it again; says whether it had stopped. Catch it up then.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection or the cache cannot be written.
    pub fn retry(&self, name: &str) -> Result<bool, ProjectionError> {
        let projection = self.set.get(name)?;
        self.forget(projection.name());
        let had_stopped = self.cache()?.write(|transaction| {
            let Some(standing) = kept::standing(transaction, projection.name(), Role::Live)? else {
                return Ok(false);
            };
            let Some(at) = standing.stopped_at else {
                return Ok(false);
            };
            let gone = transaction.execute(
                "DELETE FROM projection_faults WHERE projection = ?1 AND position = ?2",
                (standing.id, at.0),
            )?;
            transaction.execute(
                "UPDATE projections SET stopped_at = NULL, faults = faults - ?2 WHERE id = ?1",
                (standing.id, gone),
            )?;
            Ok(true)
        })?;
        Ok(had_stopped)
    }

    /// Takes everything away that is kept of a projection, so that it begins anew; says whether there was something.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection or the cache cannot be written.
    pub fn reset(&self, name: &str) -> Result<bool, ProjectionError> {
        let projection = self.set.get(name)?;
        self.forget(projection.name());
        let was_there = self.cache()?.write(|transaction| {
            let mut was_there = false;
            for role in [Role::Live, Role::Beside, Role::Old] {
                was_there |= kept::remove(transaction, projection.name(), role)?;
            }
            Ok(was_there)
        })?;
        Ok(was_there)
    }

    /// Makes the documents of a projection anew beside those in use, compares the two at one position and, where
    /// `switch` says so, puts the new ones in their place. The old ones are kept for [`Projections::roll_back`]. Killed
    /// anywhere, the old documents are still in use, or the new ones are.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection, the log cannot be read or the cache not be written.
    pub fn rebuild(&self, name: &str, switch: bool) -> Result<RebuildView, ProjectionError> {
        let projection = self.set.get(name)?;
        let cache = self.cache()?;
        let name = projection.name();
        self.forget(name);
        cache.write(|transaction| kept::remove(transaction, name, Role::Beside))?;
        let done = self.catch_up_to_head(&mut vec![projection.clone()], Role::Beside)?;
        let Some(CaughtUp { to, .. }) = done.first() else {
            return Err(ProjectionError::NoCache(
                "another process rebuilt the same projection at the same time".to_owned(),
            ));
        };
        let to = *to;
        let compared = cache.read(|conn| {
            let Some(beside) = kept::standing(conn, name, Role::Beside)? else {
                return Ok(None);
            };
            let live = kept::standing(conn, name, Role::Live)?;
            // Compared where both stand at the same place; the one in use is caught up before.
            let live = live.filter(|live| live.at == beside.at);
            let mut differences = Vec::new();
            let mut count = 0;
            if let Some(live) = &live {
                kept::differences(conn, live, &beside, &mut |key, before, after| {
                    count += 1;
                    if differences.len() < LISTED_DIFFERENCES {
                        let raw = |text: Option<String>| {
                            text.and_then(|text| RawValue::from_string(text).ok())
                        };
                        differences.push(DocumentDifference {
                            key,
                            before: raw(before),
                            after: raw(after),
                        });
                    }
                })?;
            }
            Ok(Some(RebuildView {
                projection: name.to_owned(),
                position: to,
                documents: kept::documents_count(conn, &beside)?,
                documents_before: match &live {
                    Some(live) => Some(kept::documents_count(conn, live)?),
                    None => None,
                },
                differences_count: count,
                differences,
                switched: false,
                events_per_second: beside.rate,
            }))
        })?;
        let Some(mut view) = compared else {
            return Err(ProjectionError::NoCache(
                "another process rebuilt the same projection at the same time".to_owned(),
            ));
        };
        if switch {
            cache.write(|transaction| {
                kept::set_role(transaction, name, Role::Live, Role::Old)?;
                kept::set_role(transaction, name, Role::Beside, Role::Live)
            })?;
            view.switched = true;
        }
        self.forget(name);
        Ok(view)
    }

    /// Puts the documents from before the last switch in use again, and keeps the present ones in their place; says
    /// whether there were any.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection or the cache cannot be written.
    pub fn roll_back(&self, name: &str) -> Result<bool, ProjectionError> {
        let projection = self.set.get(name)?;
        let name = projection.name();
        self.forget(name);
        let changed = self.cache()?.write(|transaction| {
            if kept::standing(transaction, name, Role::Old)?.is_none() {
                return Ok(false);
            }
            kept::set_role(transaction, name, Role::Live, Role::Beside)?;
            kept::set_role(transaction, name, Role::Old, Role::Live)?;
            kept::set_role(transaction, name, Role::Beside, Role::Old)?;
            Ok(true)
        })?;
        Ok(changed)
    }
}

/// Takes away the documents that were made from events of which something was erased since, whatever became of their
/// definitions, and their traces in the cache file. Nothing is made anew.
///
/// # Errors
/// [`ReadError`] of the log. A cache that cannot be written is no error here; it says so in its notes.
pub fn forget_erased(
    log: &Log,
    fallback: Option<&Path>,
    cancel: &AtomicBool,
) -> Result<(), ReadError> {
    let Ok(cache) = Cache::open(log, fallback, PARTS) else {
        return Ok(());
    };
    let outcome = cache.write(|transaction| {
        let mut any = false;
        for (id, at) in kept::checkpoints(transaction)? {
            let erased = log.erased_since(at)?;
            if erased.iter().any(|position| *position <= at) {
                kept::remove_by_id(transaction, id)?;
                any = true;
            }
        }
        if any {
            cache.must_purge(transaction, &PART)?;
        }
        Ok(any)
    });
    match outcome.and_then(|_| cache.purge(cancel)) {
        Err(CacheError::Read(error)) => Err(error),
        Ok(_) | Err(CacheError::Engine(_) | CacheError::Io(_)) => Ok(()),
    }
}

fn broken(error: &ModelError, head: Position) -> ProjectionStatus {
    ProjectionStatus {
        name: error.name.clone(),
        strategy: None,
        checkpoint: Position::ZERO,
        head,
        lag_events: None,
        stale_for_ms: None,
        state: RunState::Broken,
        faults: 0,
        events_per_second: 0,
        documents: 0,
        stopped_at: None,
        fault_list: Vec::new(),
        has_old: false,
        note: Some(error.to_string()),
        model: None,
    }
}
