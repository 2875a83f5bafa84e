//! Running projections: following a log as it grows, and catching up what an append has to wait for.

use std::time::Duration;

use super::engine::{CaughtUp, Projections};
use super::kept;
use super::{ProjectionError, Strategy};
use crate::progress::WorkProgress;
use crate::store::{AppendError, Appended, LogWriter, StreamAppend};

/// How often a runner gives a sign of life.
const BEAT_MS: u64 = 1_000;

/// What a runner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// A name of its own among the runners of the store.
    pub id: String,
    /// Number of its process.
    pub pid: u32,
    /// The projections that it runs; all but the synchronous ones where none is named.
    pub names: Vec<String>,
}

/// Why an append was not done, or not followed.
#[derive(Debug, thiserror::Error)]
pub enum AppendFollowedError {
    /// Nothing was appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The events are in the log; a synchronous projection is behind, and is caught up by the next append, or when the
    /// store is opened to append.
    #[error("the events were appended, and a synchronous projection could not follow: {source}")]
    Behind {
        /// What the append did.
        appended: Box<Appended>,
        /// Why it is behind.
        source: Box<ProjectionError>,
    },
}

impl Projections {
    /// Names of the projections of a strategy.
    fn names_of(&self, wanted: impl Fn(Strategy) -> bool) -> Vec<String> {
        let all = self.set.iter();
        let wanted = all.filter(|projection| wanted(projection.strategy()));
        wanted
            .map(|projection| projection.name().to_owned())
            .collect()
    }

    /// Catches the synchronous projections up: after opening a store to append, since what a crash left behind is done
    /// then, and after each append ([`Projections::append`]).
    ///
    /// # Errors
    /// As [`Projections::catch_up`].
    pub fn catch_up_synchronous(&self) -> Result<Vec<CaughtUp>, ProjectionError> {
        let names = self.names_of(|strategy| strategy == Strategy::Sync);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.catch_up(&names)
    }

    /// Appends, and returns once the synchronous projections have taken account of it.
    ///
    /// # Errors
    /// [`AppendFollowedError::Append`] if nothing was appended, [`AppendFollowedError::Behind`] if it was and a
    /// projection could not follow.
    pub fn append(
        &self,
        writer: &LogWriter,
        streams: Vec<StreamAppend>,
    ) -> Result<Appended, AppendFollowedError> {
        let appended = writer.append(streams)?;
        match self.catch_up_synchronous() {
            Ok(_) => Ok(appended),
            Err(source) => Err(AppendFollowedError::Behind {
                appended: Box::new(appended),
                source: Box::new(source),
            }),
        }
    }

    /// Follows the log until `progress` is cancelled: asynchronous and real-time projections are caught up as events
    /// come, batches when they are due, synchronous ones where a writer left them behind. `each` is told what every
    /// catch-up changed. A sign of life is left in the cache each second; it goes when this returns, so a runner that
    /// was killed is known to be dead.
    ///
    /// # Errors
    /// [`ProjectionError`] if a projection is not there, the log cannot be read or the cache not be written.
    pub fn run(
        &self,
        runner: &Runner,
        progress: &WorkProgress,
        each: &mut dyn FnMut(&CaughtUp),
    ) -> Result<(), ProjectionError> {
        let mut names = Vec::new();
        for name in &runner.names {
            names.push(self.set.get(name)?.name().to_owned());
        }
        if names.is_empty() {
            names = self.names_of(|_| true);
        }
        let outcome = self.follow(runner, &names, progress, each);
        self.cache()?
            .write(|transaction| kept::say_goodbye(transaction, &runner.id))?;
        outcome
    }

    fn follow(
        &self,
        runner: &Runner,
        names: &[String],
        progress: &WorkProgress,
        each: &mut dyn FnMut(&CaughtUp),
    ) -> Result<(), ProjectionError> {
        let cache = self.cache()?;
        let mut beaten_us = i64::MIN;
        while !progress.is_cancelled() {
            let now_us = (self.clock)().us();
            if now_us.saturating_sub(beaten_us) >= BEAT_MS as i64 * 1_000 {
                cache.write(|transaction| {
                    kept::beat(transaction, &runner.id, runner.pid, names, now_us)
                })?;
                beaten_us = now_us;
            }
            let head = self.log.head()?.size;
            let due = self.due(names, now_us)?;
            let due: Vec<&str> = due.iter().map(String::as_str).collect();
            if !due.is_empty() {
                for done in self.catch_up(&due)? {
                    if done.to > done.from || !done.notes.is_empty() {
                        each(&done);
                    }
                }
            }
            progress.reach(head.0);
            self.log.grown(head, BEAT_MS / 4)?;
        }
        Ok(())
    }

    /// The projections that are to be caught up now.
    fn due(&self, names: &[String], now_us: i64) -> Result<Vec<String>, ProjectionError> {
        let mut due = Vec::new();
        for name in names {
            let projection = self.set.get(name)?;
            let every = match (projection.strategy(), projection.every_seconds()) {
                (Strategy::Batch, None) => continue,
                (Strategy::Batch, Some(seconds)) => Duration::from_secs(seconds),
                (Strategy::Sync | Strategy::Async | Strategy::Live, _) => Duration::ZERO,
            };
            let advanced_us = self.cache()?.read(|conn| {
                let standing = kept::standing(conn, name, kept::Role::Live)?;
                Ok(standing.map_or(0, |standing| standing.advanced_us))
            })?;
            let waited = u64::try_from(now_us - advanced_us).unwrap_or(0);
            if every.is_zero() || u128::from(waited) >= every.as_micros() {
                due.push(name.clone());
            }
        }
        Ok(due)
    }
}
