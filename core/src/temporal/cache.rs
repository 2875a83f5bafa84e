//! Folds remembered: states of a stream at some of its versions, from which every other one is near.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::snapshots::{self, Nearest, state_on, unread};
use super::state::{Course, Cut, state, stream_row};
use super::{DiffView, Moment, StateView, TemporalError, diff_of};
use crate::id::{LogId, StreamId};
use crate::integrity::Hash;
use crate::model::{Fold, Model, ModelSet};
use crate::position::{Position, Version};
use crate::snapshot::Snapshots;
use crate::store::{Direction, Log, StreamRow};
use crate::time::Time;

/// Most bytes of folds that are kept, roughly.
const MAX_BYTES: usize = 64 << 20;
/// Most streams that are kept.
const MAX_STREAMS: usize = 32;
/// Events between two folds kept, while the state is small.
const SPACING: u64 = 64;
/// Spacings that a stream has which is long: while it has not been read, its states are worth a look at snapshots.
const LONG: u64 = 16;
/// Events read at once.
const PAGE: usize = 512;
/// Bytes of state that double, triple… the spacing: copying a large state costs more than folding on.
const SPACING_BYTES: usize = 256 << 10;

/// Remembers folds of the streams looked at last, so that dragging through a long stream need not start at
/// its first event each time. Answers are the same as [`state`](super::state())'s; it may be dropped at any moment.
///
/// It follows a log that grows. It does not notice that a payload was erased: whoever erases drops it.
#[derive(Debug)]
pub struct StateCache {
    /// Most recently used last.
    streams: Mutex<Vec<Kept>>,
    spacing: u64,
    snapshots: Option<Snapshots>,
}

impl Default for StateCache {
    fn default() -> StateCache {
        StateCache::with_spacing(SPACING)
    }
}

#[derive(Debug, Clone)]
struct Kept {
    key: Key,
    track: Arc<Mutex<Track>>,
    /// Its state was asked for before.
    asked: bool,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    log: LogId,
    path: PathBuf,
    stream: StreamId,
}

impl Key {
    fn of(log: &Log, stream: &StreamId) -> Key {
        Key {
            log: log.id(),
            path: log.path().to_owned(),
            stream: stream.clone(),
        }
    }
}

impl StateCache {
    /// A cache that keeps a fold every so many events.
    pub(super) fn with_spacing(spacing: u64) -> StateCache {
        StateCache {
            streams: Mutex::default(),
            spacing,
            snapshots: None,
        }
    }

    /// Answers from these snapshots as long as a long stream has not been read, where one is near: so the first state is
    /// there at once. Whoever expects more questions calls [`StateCache::read_whole`] meanwhile.
    #[must_use]
    pub fn with_snapshots(self, snapshots: Option<Snapshots>) -> StateCache {
        StateCache { snapshots, ..self }
    }

    /// As [`state`](super::state()), faster the second time.
    ///
    /// # Errors
    /// As [`state`](super::state()).
    pub fn state(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        moment: &Moment,
    ) -> Result<StateView, TemporalError> {
        let mut view = self.fastest(log, models, stream, moment)?;
        view.findings
            .extend(self.snapshots.as_ref().and_then(unread));
        Ok(view)
    }

    fn fastest(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        moment: &Moment,
    ) -> Result<StateView, TemporalError> {
        let row = stream_row(log, stream)?;
        let own_time = models.for_category(&row.category).has_time();
        // A model's own time may order the events anew, so no first part of the stream is a part of the answer.
        if row.events < self.spacing || own_time {
            return state(log, models, stream, moment);
        }
        let cut = Cut::of(log, stream, &row, moment)?;
        let model = models.for_category(&row.category);
        let key = Key::of(log, stream);
        let (track, is_first) = self.track(&key, true);
        if self.is_long(&row)
            && let Some(snapshots) = &self.snapshots
        {
            // Who reads the stream holds its track; what a snapshot says need not wait for that.
            let is_read = track.try_lock().is_ok_and(|track| track.is_read);
            if !is_read {
                let nearest = snapshots::nearest(snapshots, stream, &model, &cut);
                let noted = is_first && !snapshots.policies().is_empty();
                if noted || self.is_enough(&nearest, &cut) {
                    let of = (stream, &row);
                    return state_on(log, models, snapshots, of, &cut, nearest);
                }
            }
        }
        let mut track = lock(&track);
        track.follow(log, stream, &row, &model, self.spacing)?;
        let mark = track.fold_to(log, stream, &model, &cut)?;
        let view = mark.course.view(stream, &row, cut.as_of, models);
        if mark.whole {
            track.hand = Some(mark);
        }
        let bytes = track.bytes();
        drop(track);
        self.settle(&key, bytes);
        Ok(view)
    }

    /// Reads a long stream once, so that every later question about it is answered from a fold nearby. Does nothing for
    /// one that is short, has been read, or whose model has a time of its own.
    ///
    /// # Errors
    /// As [`state`](super::state()); [`ReadError::Cancelled`](crate::store::ReadError::Cancelled) in it if `log` is
    /// watched and was stopped.
    pub fn read_whole(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
    ) -> Result<(), TemporalError> {
        let row = stream_row(log, stream)?;
        let model = models.for_category(&row.category);
        if !self.is_long(&row) || model.has_time() {
            return Ok(());
        }
        let key = Key::of(log, stream);
        let (track, _) = self.track(&key, false);
        let mut track = lock(&track);
        track.follow(log, stream, &row, &model, self.spacing)?;
        let bytes = track.bytes();
        drop(track);
        self.settle(&key, bytes);
        Ok(())
    }

    /// Whether answers about a stream came from snapshots so far, and it is worth while to read it.
    #[must_use]
    pub fn is_unread(&self, log: &Log, stream: &StreamId) -> bool {
        let key = Key::of(log, stream);
        let streams = lock(&self.streams);
        let kept = streams.iter().find(|kept| kept.key == key);
        // A track that is held is being read.
        kept.is_some_and(|kept| kept.track.try_lock().is_ok_and(|track| !track.is_read))
    }

    fn is_long(&self, row: &StreamRow) -> bool {
        row.events >= self.spacing * LONG
    }

    /// Whether few events are to be folded on from a snapshot. One that was dropped has to be told of.
    fn is_enough(&self, (found, dropped): &Nearest, cut: &Cut) -> bool {
        // However early an as-of, an event that it includes may stand at the end of the stream.
        let left = |version: Version| cut.last.0.saturating_sub(version.0);
        let near = |version| left(version) <= self.spacing * LONG;
        !dropped.is_empty() || found.as_ref().is_some_and(|found| near(found.version))
    }

    /// As [`super::diff`], faster the second time.
    ///
    /// # Errors
    /// As [`state`](super::state()), for either side.
    pub fn diff(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        from: &Moment,
        to: &Moment,
    ) -> Result<DiffView, TemporalError> {
        let from = self.state(log, models, stream, from)?;
        let to = self.state(log, models, stream, to)?;
        Ok(diff_of(from, to))
    }

    /// The track of a stream, now the most recently used, and whether this is the first question about it.
    fn track(&self, key: &Key, asks: bool) -> (Arc<Mutex<Track>>, bool) {
        let mut streams = lock(&self.streams);
        let mut kept = match streams.iter().position(|kept| kept.key == *key) {
            Some(at) => streams.remove(at),
            None => Kept {
                key: key.clone(),
                track: Arc::default(),
                asked: false,
                bytes: 0,
            },
        };
        let is_first = asks && !kept.asked;
        kept.asked |= asks;
        let track = Arc::clone(&kept.track);
        streams.push(kept);
        (track, is_first)
    }

    /// Notes the size of a track, and forgets the least recently used ones past the limits.
    fn settle(&self, key: &Key, bytes: usize) {
        let mut streams = lock(&self.streams);
        if let Some(kept) = streams.iter_mut().find(|kept| kept.key == *key) {
            kept.bytes = bytes;
        }
        let mut total: usize = streams.iter().map(|kept| kept.bytes).sum();
        let mut forgotten = 0;
        while streams.len() - forgotten > MAX_STREAMS
            || (total > MAX_BYTES && streams.len() - forgotten > 1)
        {
            total -= streams[forgotten].bytes;
            forgotten += 1;
        }
        streams.drain(..forgotten);
    }
}

/// A lock whose holder panicked holds a track that may be half-way: it starts again.
fn lock<T: Default>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
        mutex.clear_poison();
        let mut guard = poisoned.into_inner();
        *guard = T::default();
        guard
    })
}

/// What is kept of one stream.
#[derive(Debug)]
struct Track {
    /// It holds the stream as it was, up to its end.
    is_read: bool,
    /// Model of the folds; `Some(None)` is the inferred one.
    model: Option<Option<Hash>>,
    /// Every event, by version. Versions may have holes, where an erased link was.
    events: Vec<Place>,
    /// Version up to which the stream was read.
    read: Version,
    /// Folds of the first events, ascending by version.
    marks: Vec<Mark>,
    /// The fold of all events read so far.
    tip: Option<Mark>,
    /// The fold of the last answer, where that left no event out.
    hand: Option<Mark>,
    /// Least number of events between two marks; doubled where the marks take too much room.
    spacing: u64,
}

impl Default for Track {
    fn default() -> Track {
        Track {
            is_read: false,
            model: None,
            events: Vec::new(),
            read: Version::NONE,
            marks: Vec::new(),
            tip: None,
            hand: None,
            spacing: SPACING,
        }
    }
}

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    version: Version,
    position: Position,
    time: Time,
}

/// The fold of a stream's first events.
#[derive(Debug, Clone)]
struct Mark {
    course: Course,
    /// No event was left out; only then is it kept.
    whole: bool,
    /// The latest time among the events.
    latest: Time,
    bytes: usize,
}

impl Track {
    /// Reads on to the end of the stream.
    fn follow(
        &mut self,
        log: &Log,
        stream: &StreamId,
        row: &StreamRow,
        model: &Arc<Model>,
        spacing: u64,
    ) -> Result<(), TemporalError> {
        let hash = model.reference().hash;
        let end = Version(row.events);
        if self.model != Some(hash) || end < self.read {
            *self = Track {
                model: Some(hash),
                spacing,
                ..Track::default()
            };
        }
        if self.read == end {
            return Ok(());
        }
        let mut tip = self.tip.take().unwrap_or_else(|| Mark::start(model));
        let mut since = tip.course.taken() - self.marks.last().map_or(0, |m| m.course.taken());
        let mut due = self.due(&tip);
        let outcome = log.for_each_in_stream(stream, self.read.next(), None, &mut |event| {
            if event.version > end {
                return false;
            }
            let time = event.event.time.time;
            self.events.push(Place {
                version: event.version,
                position: event.event.position,
                time,
            });
            tip.course.take(&event, None);
            tip.latest = tip.latest.max(time);
            since += 1;
            if since >= due {
                tip.bytes = tip.course.bytes();
                self.marks.push(tip.clone());
                self.thin();
                since = 0;
                due = self.due(&tip);
            }
            event.version < end
        });
        match outcome {
            Ok(()) => {
                self.read = end;
                self.is_read = true;
                tip.bytes = tip.course.bytes();
                self.tip = Some(tip);
                Ok(())
            }
            Err(error) => {
                *self = Track::default();
                Err(error.into())
            }
        }
    }

    /// Events from a mark to the next.
    fn due(&self, mark: &Mark) -> u64 {
        self.spacing * (1 + (mark.bytes / SPACING_BYTES) as u64)
    }

    /// Drops every other mark while they take most of the room there is.
    fn thin(&mut self) {
        while self.marks.len() > 2
            && self.marks.iter().map(|mark| mark.bytes).sum::<usize>() > MAX_BYTES / 4 * 3
        {
            let mut odd = false;
            self.marks.retain(|_| {
                odd = !odd;
                !odd
            });
            self.spacing *= 2;
        }
    }

    fn bytes(&self) -> usize {
        let loose = self.tip.iter().chain(&self.hand);
        self.events.len() * size_of::<Place>()
            + self
                .marks
                .iter()
                .chain(loose)
                .map(|mark| mark.bytes)
                .sum::<usize>()
    }

    /// The fold of the events that the cut includes.
    fn fold_to(
        &mut self,
        log: &Log,
        stream: &StreamId,
        model: &Arc<Model>,
        cut: &Cut,
    ) -> Result<Mark, TemporalError> {
        let cut_off = self.events.partition_point(|event| {
            event.version <= cut.last && cut.as_of.known.is_none_or(|known| event.position <= known)
        });
        let included = |time: Time| cut.as_of.at.is_none_or(|at| time <= at);
        let last = self.events[..cut_off]
            .iter()
            .rfind(|event| included(event.time))
            .map_or(Version::NONE, |event| event.version);

        // INVARIANT: a mark serves if the cut includes every event that it folded.
        let serves = |mark: &Mark| mark.course.version <= last && included(mark.latest);
        let nearest = self.marks.partition_point(serves);
        let near = self.marks[..nearest].last();
        let tip = self.tip.as_ref().filter(|mark| serves(mark));
        let kept = near
            .into_iter()
            .chain(tip)
            .max_by_key(|mark| mark.course.version);
        let best = kept.map_or(Version::NONE, |mark| mark.course.version);
        // The hand is moved on, not copied: going forwards costs only the events between.
        let hand = self
            .hand
            .take_if(|hand| serves(hand) && hand.course.version >= best);
        let mut mark = match (hand, kept) {
            (Some(hand), _) => hand,
            (None, Some(kept)) => kept.clone(),
            (None, None) => Mark::start(model),
        };
        while mark.course.seen() < last {
            let from = mark.course.seen().next();
            let page = log.read_stream(stream, from..=last, Direction::Forwards, PAGE)?;
            if page.is_empty() {
                break;
            }
            for event in &page {
                let time = event.event.time.time;
                mark.whole &= included(time);
                mark.latest = mark.latest.max(time);
                mark.course.take(event, cut.as_of.at);
            }
        }
        mark.bytes = mark.course.bytes();
        Ok(mark)
    }
}

impl Mark {
    fn start(model: &Arc<Model>) -> Mark {
        Mark {
            course: Course::new(Fold::new(Arc::clone(model))),
            whole: true,
            latest: Time::MIN,
            bytes: 0,
        }
    }
}
