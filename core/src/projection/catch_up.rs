//! Catching up: the log is read once for all projections that are behind, each folds on a thread of its own, and keeps
//! what it folded in transactions of its own.

use std::sync::{Arc, MutexGuard};

use serde::Serialize;
use ts_rs::TS;

use super::documents::PAGE;
use super::engine::{Desk, Projections, lock};
use super::kept::{self, Advance, Role};
use super::{Projection, ProjectionError};
use crate::cache::Cache;
use crate::position::Position;
use crate::store::{EventQuery, Head, StreamEvent};

/// Events that are kept in one transaction, about.
const BATCH: u64 = 16_384;
/// Pages that are read ahead of a projection.
const AHEAD: usize = 4;
/// Most bytes of documents that a projection holds in memory between two transactions, about.
const MOST_BYTES: usize = 64 << 20;
/// How often a projection is tried again where another process writes or was faster.
const TRIES: usize = 5;

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
        if desk.folding.let_go_above(MOST_BYTES) {
            desk.is_whole = false;
        }
        Ok(true)
    }
}
