//! Projections kept up with a log: caught up from their checkpoints, asked as of any instant.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use ts_rs::TS;

use super::answers::{Question, ReadCache};
use super::documents::{PAGE, each_event, fold_all, known_of, view};
use super::folding::Folding;
use super::followed::Followed;
use super::kept::{self, Advance, PART, Role, Standing};
use super::{DocumentQuery, DocumentsView, OnFault, Projection, ProjectionError, ProjectionSet};
use crate::cache::{Cache, CacheError, Part};
use crate::model::KeyedFault;
use crate::position::Position;
use crate::store::{EventQuery, Head, Log, ReadError, StreamEvent};
use crate::surroundings::Clock;
use crate::temporal::AsOf;

pub(super) static PARTS: &[&Part] = &[&PART];

/// Events that are kept in one transaction, about.
const BATCH: u64 = 16_384;
/// Pages that are read ahead of a projection.
const AHEAD: usize = 4;
/// Most documents that a projection holds in memory between two transactions.
const MAX_DOCUMENTS: usize = 200_000;
/// How often a projection is tried again where another process writes or was faster.
const TRIES: usize = 5;

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
    is_whole: bool,
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

/// What became of a projection that was to be caught up: a line of `annals projection run --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CaughtUp {
    /// Name.
    pub projection: String,
    /// Its checkpoint before.
    pub from: Position,
    /// Its checkpoint now.
    pub to: Position,
    /// Keys of the documents that changed, each once, in order.
    pub changed: Vec<String>,
    /// Events that could not be folded on the way.
    #[ts(type = "number")]
    pub faults: u64,
    /// The event that it stopped before.
    pub stopped_at: Option<Position>,
    /// It is paused.
    pub is_paused: bool,
    /// What is worth telling the user: that it was made anew, and why.
    pub notes: Vec<String>,
}

impl CaughtUp {
    /// Adds what a further try did.
    fn go_on(&mut self, more: CaughtUp) {
        self.to = more.to;
        self.changed.extend(more.changed);
        self.changed.sort_unstable();
        self.changed.dedup();
        self.faults += more.faults;
        self.stopped_at = more.stopped_at;
        self.is_paused = more.is_paused;
        self.notes.extend(more.notes);
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

    /// Brings projections to the head of the log, all of them where none is named; those that are paused or stopped
    /// stay where they are. The log is read once for all, and each folds on a thread of its own. What is done stays
    /// when it is cancelled.
    ///
    /// Documents, checkpoint and list of faults are written in one transaction, so that killing it anywhere leaves
    /// the projection as of its checkpoint; an event that comes again is not taken again.
    ///
    /// # Errors
    /// [`ProjectionError`] if there is no such projection, the log cannot be read or the cache not be written.
    pub fn catch_up(&self, names: &[&str]) -> Result<Vec<CaughtUp>, ProjectionError> {
        let mut projections = Vec::new();
        if names.is_empty() {
            projections.extend(self.set.iter().map(Arc::clone));
        }
        for name in names {
            projections.push(self.set.get(name)?);
        }
        self.catch_up_to_head(&mut projections, Role::Live)
    }

    /// Catches up until the head is reached, again where another process was faster.
    pub(super) fn catch_up_to_head(
        &self,
        projections: &mut Vec<Arc<Projection>>,
        role: Role,
    ) -> Result<Vec<CaughtUp>, ProjectionError> {
        // Several desks are always taken in one order.
        projections.sort_by(|a, b| a.name().cmp(b.name()));
        projections.dedup_by(|a, b| a.name() == b.name());
        let head = self.log.head()?.size;
        let mut all: Vec<CaughtUp> = Vec::new();
        for _ in 0..TRIES {
            for done in self.catch_up_these(projections, role, None)? {
                match all.iter_mut().find(|one| one.projection == done.projection) {
                    Some(one) => one.go_on(done),
                    None => all.push(done),
                }
            }
            let is_behind =
                |done: &CaughtUp| done.to < head && done.stopped_at.is_none() && !done.is_paused;
            if !all.iter().any(is_behind) {
                break;
            }
        }
        if let Ok(cache) = &self.cache {
            cache.purge(&std::sync::atomic::AtomicBool::new(false))?;
        }
        Ok(all)
    }

    /// Brings projections to `to`, the head of the log where it is not said, once.
    pub(super) fn catch_up_these(
        &self,
        projections: &[Arc<Projection>],
        role: Role,
        to: Option<Position>,
    ) -> Result<Vec<CaughtUp>, ProjectionError> {
        let cache = self.cache()?;
        let head = match to {
            None => self.log.head()?,
            Some(size) => match self.log.root_at(size)? {
                Some(root) => Head { size, root },
                None => self.log.head()?,
            },
        };
        let mut done = Vec::new();
        let desks: Vec<_> = projections
            .iter()
            .map(|projection| self.desk(projection.name(), role))
            .collect();
        let mut works = Vec::new();
        for (projection, desk) in projections.iter().zip(&desks) {
            let mut desk = lock(desk);
            let mut notes = Vec::new();
            self.settle(cache, projection, role, &mut desk, &mut notes)?;
            let Some(there) = desk.as_ref() else {
                continue;
            };
            let mut caught_up = CaughtUp {
                projection: projection.name().to_owned(),
                from: there.standing.at.size,
                to: there.standing.at.size,
                changed: Vec::new(),
                faults: 0,
                stopped_at: there.standing.stopped_at,
                is_paused: role == Role::Live
                    && cache.read(|conn| kept::is_paused(conn, projection.name()))?,
                notes,
            };
            if caught_up.is_paused
                || there.standing.stopped_at.is_some()
                || there.standing.at.size >= head.size
            {
                done.push(caught_up);
                continue;
            }
            caught_up.stopped_at = None;
            works.push((
                Work {
                    all: self,
                    cache,
                    projection,
                    role,
                    head,
                    begun_us: (self.clock)().us(),
                    begun_at: there.since,
                    done: caught_up,
                },
                desk,
            ));
        }
        let from = works
            .iter()
            .map(|(work, _)| work.begun_at)
            .min()
            .unwrap_or(head.size);
        if let [(work, desk)] = &mut works[..] {
            self.read_pages(from, head.size, &mut |page| work.take(desk, page))?;
            work.finish(desk)?;
        } else if !works.is_empty() {
            self.share(from, head.size, &mut works)?;
        }
        done.extend(works.into_iter().map(|(work, _)| work.done));
        done.sort_by(|a, b| a.projection.cmp(&b.projection));
        Ok(done)
    }

    /// Reads the log once for several projections, each on a thread of its own.
    fn share(
        &self,
        from: Position,
        to: Position,
        works: &mut [(Work<'_>, MutexGuard<'_, Option<Desk>>)],
    ) -> Result<(), ProjectionError> {
        std::thread::scope(|scope| {
            let mut sends = Vec::new();
            let mut threads = Vec::new();
            for (work, desk) in works {
                let (send, receive) = crossbeam_channel::bounded::<Arc<Vec<StreamEvent>>>(AHEAD);
                sends.push(send);
                let desk: &mut Option<Desk> = desk;
                threads.push(scope.spawn(move || -> Result<(), ProjectionError> {
                    for page in receive {
                        if !work.take(desk, &page)? {
                            break;
                        }
                    }
                    work.finish(desk)
                }));
            }
            let read = self.read_pages(from, to, &mut |page| {
                let page = Arc::new(page.to_vec());
                // One that does not receive any more has stopped.
                sends.retain(|send| send.send(Arc::clone(&page)).is_ok());
                Ok(!sends.is_empty())
            });
            drop(sends);
            let mut outcome = read;
            for thread in threads {
                let done = thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome = outcome.and(done);
            }
            outcome
        })
    }

    fn read_pages(
        &self,
        from: Position,
        to: Position,
        each: &mut dyn FnMut(&[StreamEvent]) -> Result<bool, ProjectionError>,
    ) -> Result<(), ProjectionError> {
        let mut query = EventQuery {
            after: Some(from),
            known: Some(to),
            ..EventQuery::default()
        };
        loop {
            let page = self.log.events(&query, PAGE)?;
            let events: Vec<StreamEvent> =
                page.events.into_iter().map(StreamEvent::at_home).collect();
            if !each(&events)? {
                return Ok(());
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
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
    fn settle(
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

    /// The documents of a projection as of an instant: what is kept, the events after its checkpoint, and for earlier
    /// instants the kept states nearest before. The same documents as [`super::documents`] gives.
    ///
    /// # Errors
    /// As [`super::documents`].
    pub fn documents(
        &self,
        name: &str,
        as_of: &AsOf,
        query: &DocumentQuery,
    ) -> Result<DocumentsView, ProjectionError> {
        Ok(DocumentsView::clone(&*self.remembered(name, as_of, query)?))
    }

    /// As [`Projections::documents`], shared: the same question again is answered from memory.
    ///
    /// # Errors
    /// As [`super::documents`].
    pub fn remembered(
        &self,
        name: &str,
        as_of: &AsOf,
        query: &DocumentQuery,
    ) -> Result<Arc<DocumentsView>, ProjectionError> {
        let projection = self.set.get(name)?;
        self.keep_followed();
        let known = known_of(&self.log, as_of)?;
        let question = Question {
            projection: projection.name().to_owned(),
            hash: projection.identity(),
            at: as_of.at,
            known,
            query: query.clone(),
        };
        let answer = self.answers.of(
            question,
            (self.clock)().us(),
            self.log.head()?.size,
            |since| Ok(!self.log.erased_since(since)?.is_empty()),
            || self.work_out(&projection, as_of, known, query),
        )?;
        if answer.as_of.known == as_of.known {
            return Ok(answer);
        }
        // The same instant in other words.
        let mut answer = DocumentsView::clone(&answer);
        answer.as_of.known = as_of.known;
        Ok(Arc::new(answer))
    }

    fn work_out(
        &self,
        projection: &Arc<Projection>,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<DocumentsView, ProjectionError> {
        let (folding, examined) = match self.kept_fold(projection, as_of, known, query) {
            Ok(Some(found)) => found,
            Ok(None) | Err(CacheError::Engine(_) | CacheError::Io(_)) => {
                fold_all(&self.log, projection, as_of, known)?
            }
            Err(CacheError::Read(error)) => return Err(error.into()),
        };
        Ok(view(projection, folding, as_of, known, examined, query))
    }

    /// The fold from what is kept; `None` where nothing that fits is.
    fn kept_fold(
        &self,
        projection: &Arc<Projection>,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<Option<(Folding, u64)>, CacheError> {
        // Where a fold stops depends on all that it includes: on documents that nobody asks for, too.
        let stops = projection.on_fault() == OnFault::Stop;
        let everything = DocumentQuery::default();
        let found = self.read_kept(projection, |conn, standing| {
            if standing.faults > kept::MAX_FAULTS {
                return Ok(None);
            }
            let base = known.min(standing.at.size);
            let is_past = as_of.at.is_some() || known < standing.at.size;
            let query = if stops && (is_past || base < known) {
                &everything
            } else {
                query
            };
            let (mut folding, examined) =
                self.base(conn, projection, standing, as_of, base, query)?;
            // The others are not there, so what an event does to them cannot be told.
            folding.only.clone_from(&query.key);
            Ok(Some((folding, examined, base)))
        })?;
        let Some((mut folding, mut examined, base)) = found else {
            return Ok(None);
        };
        if folding.stopped.is_none() {
            // The event that stopped it comes first of these, and says again why; as of an earlier instant it may be
            // folded, or not be there.
            let rest = (base, known);
            let take = &mut |event| folding.take(&event);
            examined += each_event(&self.log, rest, as_of.at, take)?;
        }
        Ok(Some((folding, examined)))
    }

    /// Reads what is kept of a projection; `None` where nothing that fits is, or it went on meanwhile.
    pub(super) fn read_kept<T>(
        &self,
        projection: &Projection,
        read: impl Fn(&rusqlite::Connection, &Standing) -> Result<Option<T>, CacheError>,
    ) -> Result<Option<T>, CacheError> {
        let Ok(cache) = &self.cache else {
            return Ok(None);
        };
        let name = projection.name();
        let Some(standing) = cache.read(|conn| kept::standing(conn, name, Role::Live))? else {
            return Ok(None);
        };
        if self.misfit(projection, &standing)?.is_some() {
            return Ok(None);
        }
        cache.read(|conn| {
            let still = kept::standing(conn, name, Role::Live)?;
            if still.is_none_or(|still| still.id != standing.id || still.at != standing.at) {
                return Ok(None);
            }
            read(conn, &standing)
        })
    }

    /// The kept documents as they were at an instant at or before the checkpoint.
    fn base(
        &self,
        conn: &rusqlite::Connection,
        projection: &Arc<Projection>,
        standing: &Standing,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<(Folding, u64), CacheError> {
        let mut folding = Folding::new(projection);
        let stops = projection.on_fault() == OnFault::Stop;
        let mut examined = 0;
        let mut refolded: HashMap<String, Position> = HashMap::new();
        let mut first_fault: Option<(Position, KeyedFault)> = None;
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {} FROM projection_documents WHERE projection = ?1 AND (?2 IS NULL OR key = ?2)",
            kept::DOCUMENT
        ))?;
        let mut rows = statement.query((standing.id, &query.key))?;
        while let Some(row) = rows.next()? {
            if !query.matches(row.get_ref(1)?.as_str().unwrap_or_default()) {
                continue;
            }
            let (key, document) = kept::document(projection, row)?;
            let is_whole =
                document.last.0 <= known && as_of.at.is_none_or(|at| document.latest <= at);
            if is_whole {
                folding.documents.insert(key, document);
                continue;
            }
            let (mut before, positions) =
                kept::document_before(conn, projection, &document, as_of.at, known)?;
            refolded.insert(key.clone(), before.last.0);
            for event in self.log.events_at(&positions)? {
                examined += 1;
                let position = event.position;
                let fault = folding.take_into(&key, &mut before, &StreamEvent::at_home(event));
                if let Some(fault) = fault.filter(|_| stops) {
                    if first_fault
                        .as_ref()
                        .is_none_or(|(first, _)| position < *first)
                    {
                        first_fault = Some((position, fault));
                    }
                    break;
                }
            }
            if before.inputs > 0 {
                folding.documents.insert(key, before);
            }
        }
        if let Some((position, fault)) = first_fault {
            // Nothing from that event on counts, in no document: what was included before it could all be folded.
            let before = Position(position.0 - 1);
            drop(rows);
            drop(statement);
            let (mut folding, more) =
                self.base(conn, projection, standing, as_of, before, query)?;
            folding.stop_before(position, fault);
            return Ok((folding, examined + more));
        }
        for fault in kept::faults(conn, standing, as_of.at, known)? {
            // What failed in what was folded again was found again.
            if refolded
                .get(&fault.key)
                .is_some_and(|from| fault.position > *from)
            {
                continue;
            }
            folding.incomplete = true;
            let KeyedFault {
                kind,
                place,
                detail,
            } = fault.fault;
            folding
                .findings
                .add_cause(kind, crate::finding::Severity::Severe, place, detail);
        }
        Ok((folding, examined))
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

/// One projection being caught up.
struct Work<'w> {
    all: &'w Projections,
    cache: &'w Cache,
    projection: &'w Arc<Projection>,
    role: Role,
    head: Head,
    begun_us: i64,
    /// Last event that was folded before.
    begun_at: Position,
    done: CaughtUp,
}

impl Work<'_> {
    /// Folds a page; `false` where the projection goes no further.
    fn take(
        &mut self,
        slot: &mut Option<Desk>,
        page: &[StreamEvent],
    ) -> Result<bool, ProjectionError> {
        let Some(desk) = slot.as_mut() else {
            return Ok(false);
        };
        desk.take_page(self.cache, page)?;
        if desk.folding.stopped.is_some() {
            self.keep(slot)?;
            return Ok(false);
        }
        if desk.since.0 - desk.standing.at.size.0 >= BATCH {
            return self.keep(slot);
        }
        Ok(true)
    }

    fn finish(&mut self, slot: &mut Option<Desk>) -> Result<(), ProjectionError> {
        if slot
            .as_ref()
            .is_some_and(|desk| desk.since > desk.standing.at.size)
        {
            self.keep(slot)?;
        }
        self.done.changed.sort_unstable();
        self.done.changed.dedup();
        Ok(())
    }

    /// Keeps what was folded; `false` where another process came first: its work is ours too.
    fn keep(&mut self, slot: &mut Option<Desk>) -> Result<bool, ProjectionError> {
        let Some(desk) = slot.as_mut() else {
            return Ok(false);
        };
        let now_us = (self.all.clock)().us();
        let elapsed_us = u64::try_from(now_us - self.begun_us).unwrap_or(0).max(1);
        let since = desk.since;
        // What was folded while a writer was followed took no time of this work.
        let folded = since.0 - self.begun_at.0;
        let root = if since == self.head.size {
            Some(self.head.root)
        } else {
            self.all.log.root_at(since)?
        };
        let Some(root) = root else {
            *slot = None;
            return Ok(false);
        };
        let advance = Advance {
            to: Head { size: since, root },
            rate: folded.saturating_mul(1_000_000) / elapsed_us,
            now_us,
        };
        let mut tries = 0;
        let kept = loop {
            let outcome = self.cache.write(|transaction| {
                if self.role == Role::Live && kept::is_paused(transaction, self.projection.name())?
                {
                    return Ok(None);
                }
                kept::keep(transaction, &desk.standing, &desk.folding, advance)
            });
            match outcome {
                Err(error) if error.is_busy() && tries < TRIES => tries += 1,
                other => break other,
            }
        };
        let ids = match kept {
            Ok(Some(ids)) => ids,
            Ok(None) => {
                *slot = None;
                return Ok(false);
            }
            Err(error) => {
                // What is in memory is ahead of what is kept.
                *slot = None;
                return Err(error.into());
            }
        };
        self.done.to = since;
        self.done.faults += desk.folding.faults.len() as u64;
        self.done.stopped_at = desk.folding.stopped;
        self.done.changed.extend(desk.folding.dirty.iter().cloned());
        desk.standing.faults += desk.folding.faults.len() as u64;
        desk.standing.at = advance.to;
        desk.standing.stopped_at = desk.folding.stopped;
        desk.folding.was_kept(ids);
        if desk.folding.documents.len() > MAX_DOCUMENTS {
            desk.folding.documents.clear();
            desk.is_whole = false;
        }
        Ok(true)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
