//! Projections kept up with a log: caught up from their checkpoints, asked as of any instant.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answers::ReadCache;
use super::folding::Folding;
use super::followed::Followed;
use super::kept::{self, PART, Role, Standing};
use super::{Projection, ProjectionError, ProjectionSet};
use crate::cache::{Cache, Part};
use crate::position::Position;
use crate::store::{Head, Log, ReadError, StreamEvent};
use crate::surroundings::Clock;

pub(super) static PARTS: &[&Part] = &[&PART];

/// The projections of a log, their documents kept in its cache. Without a cache that can be used every answer folds
/// the log.
pub struct Projections {
    pub(super) log: Log,
    pub(super) set: ProjectionSet,
    pub(super) cache: Result<Cache, String>,
    pub(super) clock: Clock,
    pub(super) answers: Arc<ReadCache>,
    desks: Mutex<HashMap<String, SharedDesk>>,
    pub(super) followed: Mutex<Followed>,
}

/// What is in memory of a projection; `None` where nothing is, or it is of no use any more.
pub(super) type SharedDesk = Arc<Mutex<Option<Desk>>>;

impl std::fmt::Debug for Projections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projections")
            .field("log", &self.log)
            .field("set", &self.set)
            .finish_non_exhaustive()
    }
}

/// What is in memory of a projection between two transactions.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) standing: Standing,
    pub(super) folding: Folding,
    /// The last event that was folded: the checkpoint, but while a writer is followed.
    pub(super) since: Position,
    /// Every document there is is in memory.
    pub(super) is_whole: bool,
}

impl Desk {
    fn at(projection: &Arc<Projection>, standing: Standing) -> Desk {
        Desk {
            is_whole: standing.at.size == Position::ZERO,
            folding: Folding::kept(projection),
            since: standing.at.size,
            standing,
        }
    }

    /// Folds the next events; documents that are not in memory are read first.
    pub(super) fn take_page(
        &mut self,
        cache: &Cache,
        page: &[StreamEvent],
    ) -> Result<(), ProjectionError> {
        let first = page.partition_point(|event| event.event.position <= self.since);
        let page = &page[first..];
        let Some(last) = page.last() else {
            return Ok(());
        };
        let (is_whole, standing) = (self.is_whole, &self.standing);
        let projection = self.folding.projection();
        self.folding.take_page(page, |keys| {
            if is_whole {
                return Ok(Vec::new());
            }
            cache.read(|conn| kept::documents_of(conn, &projection, standing, keys))
        })?;
        self.since = match self.folding.stopped {
            Some(at) => Position(at.0 - 1),
            None => last.event.position,
        };
        Ok(())
    }
}

impl Projections {
    /// Opens the projections of a log; `fallback` is the folder for caches of stores that cannot be written to.
    /// Catches nothing up.
    ///
    /// ```
    /// use annals_core::projection::{DocumentQuery, Projection, ProjectionSet, Projections};
    /// use annals_core::{store::Log, surroundings::Surroundings, temporal::AsOf};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = folder.path().join("guide.annals");
    /// annals_core::sample::guide(&store)?;
    /// let mut set = ProjectionSet::default();
    /// set.add(Projection::parse("all", "key = \"event.category\"\n[on.UserRegistered]\n\"users.add\" = \"1\"")?)?;
    /// let log = Log::explore(&store)?;
    /// let projections = Projections::open(&log, set, None, Surroundings::system().clock);
    /// let caught_up = projections.catch_up(&[])?;
    /// assert_eq!(caught_up[0].to, log.head()?.size);
    /// let view = projections.documents("all", &AsOf::default(), &DocumentQuery::default())?;
    /// assert_eq!(view.events_examined, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn open(
        log: &Log,
        set: ProjectionSet,
        fallback: Option<&Path>,
        clock: Clock,
    ) -> Projections {
        Projections {
            log: log.clone(),
            set,
            cache: Cache::open(log, fallback, PARTS).map_err(|error| error.to_string()),
            clock,
            answers: Arc::default(),
            desks: Mutex::default(),
            followed: Mutex::default(),
        }
    }

    /// The same, remembering answers where others that were opened on this log remember theirs.
    #[must_use]
    pub fn with_read_cache(mut self, answers: &Arc<ReadCache>) -> Projections {
        self.answers = Arc::clone(answers);
        self
    }

    /// The definitions.
    #[must_use]
    pub fn set(&self) -> &ProjectionSet {
        &self.set
    }

    /// What became of the cache, in sentences for the user; empty where there is nothing to say.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match &self.cache {
            Ok(cache) => cache.notes(),
            Err(error) => vec![format!("{error}; every answer folds the log")],
        }
    }

    pub(super) fn cache(&self) -> Result<&Cache, ProjectionError> {
        self.cache
            .as_ref()
            .map_err(|error| ProjectionError::NoCache(error.clone()))
    }

    pub(super) fn desk(&self, name: &str, role: Role) -> SharedDesk {
        let mut desks = lock(&self.desks);
        Arc::clone(desks.entry(format!("{} {name}", role.name())).or_default())
    }

    /// Forgets what is in memory of a projection.
    pub(super) fn forget(&self, name: &str) {
        self.keep_followed();
        self.answers.forget();
        for role in [Role::Live, Role::Beside, Role::Old] {
            *lock(&self.desk(name, role)) = None;
        }
    }

    /// Why kept documents are of no use for this log and definition; `None` if they are.
    pub(super) fn misfit(
        &self,
        projection: &Projection,
        standing: &Standing,
    ) -> Result<Option<Misfit>, ReadError> {
        if projection.identity() != standing.hash {
            return Ok(Some(Misfit::Definition));
        }
        if self.log.root_at(standing.at.size)? != Some(standing.at.root) {
            let head = self.log.head()?.size;
            return Ok(Some(if standing.at.size > head {
                Misfit::Ahead(standing.at.size, head)
            } else {
                Misfit::OtherLog
            }));
        }
        let erased = self.log.erased_since(standing.at.size)?;
        Ok(erased
            .iter()
            .any(|position| *position <= standing.at.size)
            .then_some(Misfit::Erased))
    }

    /// Makes the desk stand where the cache does; begins the projection anew where what is kept does not fit.
    pub(super) fn settle(
        &self,
        cache: &Cache,
        projection: &Arc<Projection>,
        role: Role,
        desk: &mut Option<Desk>,
        notes: &mut Vec<String>,
    ) -> Result<(), ProjectionError> {
        let there = cache.read(|conn| kept::standing(conn, projection.name(), role))?;
        let misfit = match &there {
            Some(standing) => self.misfit(projection, standing)?,
            None => Some(Misfit::Absent),
        };
        let standing = match (there, misfit) {
            (Some(standing), None) => standing,
            (_, misfit) => {
                notes.extend(misfit.as_ref().and_then(Misfit::note));
                *desk = None;
                let empty = Head {
                    size: Position::ZERO,
                    root: self
                        .log
                        .root_at(Position::ZERO)?
                        .unwrap_or(crate::integrity::Hash([0; 32])),
                };
                let keeps_old = matches!(misfit, Some(Misfit::Definition)) && role == Role::Live;
                cache.write(|transaction| {
                    if keeps_old {
                        kept::set_role(transaction, projection.name(), role, Role::Old)?;
                    }
                    if matches!(misfit, Some(Misfit::Erased)) {
                        kept::remove(transaction, projection.name(), Role::Old)?;
                        cache.must_purge(transaction, &PART)?;
                    }
                    kept::start(transaction, projection, role, empty)
                })?
            }
        };
        if let Some(desk) = desk
            && desk.standing.id == standing.id
            && desk.standing.at == standing.at
            // What is in memory only may have been read before it was erased.
            && (desk.since == standing.at.size
                || self.log.erased_since(standing.at.size)?.is_empty())
        {
            desk.standing = standing;
            return Ok(());
        }
        *desk = Some(Desk::at(projection, standing));
        Ok(())
    }
}

/// Why kept documents are of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// There are none.
    Absent,
    /// The definition is another one now.
    Definition,
    /// The log is shorter than what they were made from.
    Ahead(Position, Position),
    /// The log is another one.
    OtherLog,
    /// Something that they were made from was erased.
    Erased,
}

impl Misfit {
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Misfit::Absent => None,
            Misfit::Definition => Some(
                "the definition is another one than the documents were made with; they are made anew, the old ones are kept"
                    .to_owned(),
            ),
            Misfit::Ahead(at, head) => Some(format!(
                "the projection stood at position {at} and the log ends at {head}: an older copy of the log stands there now; the documents are made anew"
            )),
            Misfit::OtherLog => Some(
                "the log is not the one that the documents were made from; they are made anew"
                    .to_owned(),
            ),
            Misfit::Erased => Some(
                "something was erased that the documents were made from; they are made anew"
                    .to_owned(),
            ),
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
