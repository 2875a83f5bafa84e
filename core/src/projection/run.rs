//! Running projections: following a log as it grows.

use std::time::Duration;

use super::catch_up::CaughtUp;
use super::engine::Projections;
use super::kept;
use super::{ProjectionError, Strategy};
use crate::progress::WorkProgress;

/// How often a runner gives a sign of life.
const BEAT_MS: u64 = 1_000;

/// A synchronous projection that did not advance for so long was left behind: while a writer follows it, it keeps what
/// it folded sooner.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

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

impl Projections {
    /// Names of the projections of a strategy.
    pub(super) fn names_of(&self, wanted: impl Fn(Strategy) -> bool) -> Vec<String> {
        let all = self.set.iter();
        let wanted = all.filter(|projection| wanted(projection.strategy()));
        wanted
            .map(|projection| projection.name().to_owned())
            .collect()
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
                (Strategy::Sync, _) => LEFT_BEHIND,
                (Strategy::Async | Strategy::Live, _) => Duration::ZERO,
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
