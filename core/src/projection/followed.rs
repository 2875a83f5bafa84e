//! Synchronous projections beside a writer: what was appended is folded in memory before it is acknowledged, and kept
//! in groups.
//!
//! A reader of this process keeps what is in memory first; one of another process folds on from the checkpoint, as
//! always. So both see what was acknowledged, and a process that is killed leaves a checkpoint that is some events
//! behind, from which the next one goes on.

use super::catch_up::CaughtUp;
use super::engine::{Projections, SharedDesk, lock};
use super::kept::Role;
use super::{ProjectionError, Strategy};
use crate::position::Position;
use crate::store::{AppendError, Appended, LogWriter, StreamAppend, StreamEvent};

/// Most events that synchronous projections hold in the writer's memory alone.
pub const FOLLOWED_EVENTS: u64 = 256;

/// How long they hold them there while events come, in microseconds.
const FOLLOWED_US: i64 = 250_000;

/// How the synchronous projections stand that follow a writer of this process.
#[derive(Debug)]
pub(super) struct Followed {
    /// Those that are neither paused nor stopped, all of them folded up to `to`; `None` where how they stand has to be
    /// looked at first.
    desks: Option<Vec<SharedDesk>>,
    to: Position,
    /// Up to where they are kept, and when that was done.
    kept: Position,
    kept_us: i64,
}

impl Default for Followed {
    fn default() -> Followed {
        Followed {
            desks: None,
            to: Position::ZERO,
            kept: Position::ZERO,
            kept_us: i64::MIN,
        }
    }
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
        match self.follow_append(appended.head.size) {
            Ok(()) => Ok(appended),
            Err(source) => Err(AppendFollowedError::Behind {
                appended: Box::new(appended),
                source: Box::new(source),
            }),
        }
    }

    /// Folds what was appended up to `to` into the synchronous projections, and keeps it where it is time to.
    fn follow_append(&self, to: Position) -> Result<(), ProjectionError> {
        let mut followed = lock(&self.followed);
        if followed.desks.is_some() && followed.to >= to {
            // Whoever appended at the same time was here before.
            return Ok(());
        }
        let now_us = (self.clock)().us();
        let is_early = to.0.saturating_sub(followed.kept.0) < FOLLOWED_EVENTS
            && now_us.saturating_sub(followed.kept_us) < FOLLOWED_US;
        if is_early && self.fold_on(&followed, to)? {
            followed.to = to;
            return Ok(());
        }
        followed.desks = None;
        let done = self.catch_up_synchronous()?;
        self.note_kept(&mut followed, &done, now_us);
        Ok(())
    }

    /// Folds the events up to `to` in memory; `false` if more has to be looked at.
    fn fold_on(&self, followed: &Followed, to: Position) -> Result<bool, ProjectionError> {
        let (Some(desks), Ok(cache)) = (&followed.desks, &self.cache) else {
            return Ok(false);
        };
        if desks.is_empty() {
            return Ok(true);
        }
        let positions: Vec<Position> = (followed.to.0 + 1..=to.0).map(Position).collect();
        let events = self.log.events_at(&positions)?;
        let page: Vec<_> = events.into_iter().map(StreamEvent::at_home).collect();
        for slot in desks {
            let mut slot = lock(slot);
            let Some(desk) = slot.as_mut().filter(|desk| desk.since == followed.to) else {
                return Ok(false);
            };
            let outcome = desk.take_page(cache, &page);
            if outcome.is_err() || desk.folding.stopped.is_some() {
                // Where and why is told by whoever folds these events again.
                *slot = None;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps what the synchronous projections hold in memory alone. Where that cannot be kept it is left to whoever
    /// catches up next: the log holds it.
    pub(super) fn keep_followed(&self) {
        let mut followed = lock(&self.followed);
        if followed.desks.is_none() || followed.kept >= followed.to {
            return;
        }
        followed.desks = None;
        let now_us = (self.clock)().us();
        let all = self.set.iter();
        let all: Vec<_> = all
            .filter(|one| one.strategy() == Strategy::Sync)
            .cloned()
            .collect();
        if let Ok(done) = self.catch_up_these(&all, Role::Live, Some(followed.to)) {
            self.note_kept(&mut followed, &done, now_us);
        }
    }

    /// Notes which projections can be followed in memory from here on.
    fn note_kept(&self, followed: &mut Followed, done: &[CaughtUp], now_us: i64) {
        let goes_on = |done: &&CaughtUp| done.stopped_at.is_none() && !done.is_paused;
        let going_on: Vec<&CaughtUp> = done.iter().filter(goes_on).collect();
        let Some(to) = going_on.iter().map(|done| done.to).min() else {
            return;
        };
        // Where another process was faster with one of them, each has to be looked at again.
        if going_on.iter().any(|done| done.to != to) {
            return;
        }
        let desks = going_on.iter();
        let desks = desks.map(|done| self.desk(&done.projection, Role::Live));
        *followed = Followed {
            desks: Some(desks.collect()),
            to,
            kept: to,
            kept_us: now_us,
        };
    }
}

/// What is in memory alone is kept when the projections are closed.
impl Drop for Projections {
    fn drop(&mut self) {
        self.keep_followed();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::set;
    use super::{FOLLOWED_US, LogWriter, Position, Projections, StreamAppend};
    use crate::event::{NewEvent, Part};
    use crate::projection::{DocumentQuery, documents};
    use crate::store::ExpectedVersion;
    use crate::surroundings::Surroundings;
    use crate::temporal::AsOf;
    use crate::time::Time;

    const TEXTS: [(&str, &str); 3] = [
        (
            "sums",
            "strategy = 'sync'\nkey = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n\"list.push\" = 'data.n'\n",
        ),
        (
            "stops",
            "strategy = 'sync'\non_fault = 'stop'\nkey = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n",
        ),
        (
            "later",
            "key = \"'all'\"\n[on.Counted]\n\"n.add\" = 'data.n'\n",
        ),
    ];

    /// What happens to a store whose synchronous projections follow a writer.
    #[derive(Debug, Clone)]
    enum Step {
        Append(Vec<(u8, i8)>),
        /// An event that cannot be folded.
        Fault,
        /// Somebody else appends past the projections.
        Past(u8, i8),
        /// Another process catches up.
        Other,
        Pause(bool),
        Retry,
        Erase(u8),
        Ask,
        Rebuild,
        /// A quarter of a second goes by.
        Wait,
        Reopen,
    }

    fn step() -> impl proptest::strategy::Strategy<Value = Step> {
        let event = (0u8..4, any::<i8>());
        prop_oneof![
            10 => proptest::collection::vec(event, 1..4).prop_map(Step::Append),
            1 => Just(Step::Fault),
            1 => (0u8..4, any::<i8>()).prop_map(|(to, n)| Step::Past(to, n)),
            1 => Just(Step::Other),
            1 => any::<bool>().prop_map(Step::Pause),
            1 => Just(Step::Retry),
            1 => any::<u8>().prop_map(Step::Erase),
            2 => Just(Step::Ask),
            1 => Just(Step::Rebuild),
            1 => Just(Step::Wait),
            1 => Just(Step::Reopen),
        ]
    }

    fn counted(to: u8, n: &str) -> Vec<StreamAppend> {
        let data = format!("{{\"to\": \"d{to}\", \"n\": {n}}}");
        vec![StreamAppend {
            stream: "a-1".parse().unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::json("Counted", &data).unwrap()],
        }]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn whatever_happens_the_documents_are_those_of_a_plain_fold(steps in proptest::collection::vec(step(), 1..40)) {
            let home = tempfile::tempdir().unwrap();
            let start = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
            let now = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(start.us()));
            let own = std::sync::Arc::clone(&now);
            let clock: crate::surroundings::Clock = std::sync::Arc::new(move || {
                Time::from_parts(own.load(std::sync::atomic::Ordering::Relaxed), 0).unwrap()
            });
            let writer = LogWriter::create(&home.path().join("x.annals"), Surroundings::fixed(start, 7)).unwrap();
            let log = writer.log();
            let set = set(&TEXTS);
            let open = || Projections::open(&log, set.clone(), None, std::sync::Arc::clone(&clock));
            let (mut all, other) = (open(), open());
            let everything = DocumentQuery::default();
            for step in steps.iter().chain([&Step::Ask]) {
                let size = log.head().unwrap().size.0;
                match step {
                    Step::Append(events) => {
                        for (to, n) in events {
                            all.append(&writer, counted(*to, &n.to_string())).unwrap();
                        }
                    }
                    Step::Fault => drop(all.append(&writer, counted(1, "\"x\"")).unwrap()),
                    Step::Past(to, n) => drop(writer.append(counted(*to, &n.to_string())).unwrap()),
                    Step::Other => drop(other.catch_up(&[]).unwrap()),
                    Step::Pause(paused) => drop(all.set_paused("sums", *paused).unwrap()),
                    Step::Retry => drop(other.retry("stops").unwrap()),
                    Step::Erase(at) if size > 0 => {
                        let part = (Position(1 + u64::from(*at) % size), Part::Data);
                        let event = |_: &[crate::store::ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
                        drop(writer.erase(&[part], &"erasures-1".parse().unwrap(), &event));
                    }
                    Step::Erase(_) => {}
                    Step::Rebuild => drop(other.rebuild("sums", true).unwrap()),
                    Step::Wait => { now.fetch_add(FOLLOWED_US, std::sync::atomic::Ordering::Relaxed); }
                    Step::Reopen => all = open(),
                    Step::Ask => for (name, _) in TEXTS {
                        let plain = documents(&log, &set, name, &AsOf::default(), &everything).unwrap();
                        for (asked, whose) in [(&other, "another process"), (&all, "the writer's own")] {
                            let view = asked.documents(name, &AsOf::default(), &everything).unwrap();
                            let text = |view: &crate::projection::DocumentsView| serde_json::to_string(&view.documents).unwrap();
                            prop_assert_eq!(text(&view), text(&plain), "{} {}", name, whose);
                            prop_assert_eq!(view.stopped_at, plain.stopped_at, "{} {}", name, whose);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_folded_in_memory_is_kept_in_groups_and_when_it_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let start = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
        let writer =
            LogWriter::create(&home.path().join("x.annals"), Surroundings::fixed(start, 7))
                .unwrap();
        let log = writer.log();
        let open = || {
            let clock = Surroundings::fixed(start, 1).clock;
            Projections::open(&log, set(&TEXTS[..1]), None, clock)
        };
        let (all, other) = (open(), open());
        let mut checkpoints = std::collections::BTreeSet::new();
        for n in 0..600 {
            all.append(&writer, counted(1, &n.to_string())).unwrap();
            checkpoints.insert(other.status().unwrap().projections[0].checkpoint.0);
        }
        assert_eq!(Vec::from_iter(checkpoints), [1, 257, 513]);
        drop(all);
        assert_eq!(other.status().unwrap().projections[0].checkpoint.0, 600);
    }
}
