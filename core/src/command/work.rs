//! One piece of work: the aggregates that a decision reads, and the events that come of it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::kept::{Kept, Last};
use super::{Aggregate, CommandError, Rejected, Rejection, typed};
use crate::event::NewLink;
use crate::id::StreamId;
use crate::position::Version;
use crate::store::{Log, ReadError, StreamEvent};

/// An aggregate of whatever kind.
pub(super) trait Live: Send {
    /// Takes an event; `false` if the aggregate knows none of this type.
    fn take(
        &mut self,
        event_type: &str,
        data: &[u8],
        qualifier: Option<&str>,
    ) -> Result<bool, String>;
    fn copy(&self) -> Box<dyn Live>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<A: Aggregate> Live for A {
    fn take(
        &mut self,
        event_type: &str,
        data: &[u8],
        qualifier: Option<&str>,
    ) -> Result<bool, String> {
        let Some(event) = typed::decode(event_type, data)? else {
            return Ok(false);
        };
        match qualifier {
            None => self.apply(event),
            Some(qualifier) => self.apply_linked(event, qualifier),
        }
        Ok(true)
    }

    fn copy(&self) -> Box<dyn Live> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// An aggregate as it stands at a version.
pub(super) struct Standing {
    pub(super) live: Box<dyn Live>,
    pub(super) version: Version,
}

/// The aggregates that are remembered between pieces of work.
#[derive(Default)]
pub(super) struct Warm(HashMap<StreamId, Standing>);

impl Warm {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn forget(&mut self, stream: &StreamId) {
        self.0.remove(stream);
    }
}

impl std::fmt::Debug for Warm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Warm").field(&self.0.len()).finish()
    }
}

/// An event that was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its stream.
    pub stream: StreamId,
    /// Its type.
    pub event_type: String,
    /// Its payload, JSON.
    pub data: String,
    /// Further streams that it belongs to.
    pub links: Vec<NewLink>,
}

/// A stream that the work has read.
struct Touched {
    stream: StreamId,
    live: Box<dyn Live>,
    /// Version before the work.
    version: Version,
    /// Events that the work adds to it so far, linked ones included.
    added: u64,
}

/// One piece of work: all the aggregates that it touches stand as they were when it read them, or it does not happen.
pub struct Work<'s> {
    warm: &'s Mutex<Warm>,
    /// Where aggregates that are not warm are read; without one they are new.
    log: Option<&'s Log>,
    /// What is warm is brought up to the log first.
    fresh: bool,
    /// What aggregates that are not warm are loaded from, before the log.
    kept: Option<&'s Kept>,
    touched: Vec<Touched>,
    decided: Vec<Decided>,
}

impl std::fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work")
            .field("decided", &self.decided)
            .finish_non_exhaustive()
    }
}

impl<'s> Work<'s> {
    pub(super) fn new(warm: &'s Mutex<Warm>, log: Option<&'s Log>, fresh: bool) -> Work<'s> {
        Work {
            warm,
            log,
            fresh,
            kept: None,
            touched: Vec::new(),
            decided: Vec::new(),
        }
    }

    /// Loads what is not warm from here.
    pub(super) fn with_kept(self, kept: Option<&'s Kept>) -> Work<'s> {
        Work { kept, ..self }
    }

    /// The aggregate of a stream, with what the work has decided so far. The work then depends on its version.
    ///
    /// # Errors
    /// [`CommandError::Read`], [`CommandError::Unreadable`], [`CommandError::TwoKinds`].
    pub fn read<A: Aggregate>(&mut self, stream: &StreamId) -> Result<&A, CommandError> {
        let at = self.touch::<A>(stream)?;
        let any = self.touched[at].live.as_any();
        any.downcast_ref()
            .ok_or_else(|| CommandError::TwoKinds(stream.clone()))
    }

    /// Has an aggregate handle a command; its events become part of the work. Returns their number.
    ///
    /// # Errors
    /// As [`Work::read`]; [`CommandError::Rejected`]; [`CommandError::Unwritable`].
    pub fn send<A: Aggregate>(
        &mut self,
        stream: &StreamId,
        command: A::Command,
    ) -> Result<usize, CommandError> {
        let at = self.touch::<A>(stream)?;
        let touched = &mut self.touched[at];
        let version = Version(touched.version.0 + touched.added);
        let two = || CommandError::TwoKinds(stream.clone());
        let aggregate: &mut A = touched.live.as_any_mut().downcast_mut().ok_or_else(two)?;
        let events = aggregate
            .handle(command)
            .map_err(|reason| rejected(stream, version, reason))?;
        let count = events.len();
        let mut decided = Vec::with_capacity(count);
        for event in events {
            let links = aggregate.links(&event);
            let unwritable = |reason| CommandError::Unwritable {
                stream: stream.clone(),
                reason,
            };
            let (event_type, data) = typed::encode(&event).map_err(unwritable)?;
            aggregate.apply(event);
            touched.added += 1;
            decided.push(Decided {
                stream: stream.clone(),
                event_type,
                data,
                links,
            });
        }
        for event in decided {
            self.link(&event)?;
            self.decided.push(event);
        }
        Ok(count)
    }

    /// Refuses the work by a rule that no single aggregate knows.
    ///
    /// # Errors
    /// Always [`CommandError::Rejected`].
    pub fn refuse(&self, stream: &StreamId, reason: impl Rejection) -> Result<(), CommandError> {
        let touched = self.touched.iter().find(|t| t.stream == *stream);
        let version = touched.map_or(Version::NONE, |t| Version(t.version.0 + t.added));
        Err(rejected(stream, version, reason))
    }

    /// Has the aggregates that the work touched take an event that is linked into them.
    fn link(&mut self, event: &Decided) -> Result<(), CommandError> {
        for link in &event.links {
            if let Some(touched) = self.touched.iter_mut().find(|t| t.stream == link.stream) {
                take_own(&mut *touched.live, event, link)?;
                touched.added += 1;
            }
        }
        Ok(())
    }

    fn touch<A: Aggregate>(&mut self, stream: &StreamId) -> Result<usize, CommandError> {
        if let Some(at) = self.touched.iter().position(|t| t.stream == *stream) {
            return Ok(at);
        }
        let warm = lock(self.warm).0.get(stream).map(|standing| Standing {
            live: standing.live.copy(),
            version: standing.version,
        });
        let standing = match (warm, self.log) {
            (None, Some(log)) => load_cold::<A>(log, stream, self.kept)?,
            (None, None) => new::<A>(),
            (Some(mut standing), log) => {
                if let Some(log) = log.filter(|_| self.fresh) {
                    catch_up(log, stream, &mut standing, None)?;
                }
                standing
            }
        };
        let Standing { mut live, version } = standing;
        let mut added = 0;
        for event in &self.decided {
            for link in event.links.iter().filter(|link| link.stream == *stream) {
                take_own(&mut *live, event, link)?;
                added += 1;
            }
        }
        self.touched.push(Touched {
            stream: stream.clone(),
            live,
            version,
            added,
        });
        Ok(self.touched.len() - 1)
    }

    /// What was decided, in order; and the version that each stream read must have.
    pub(super) fn outcome(&self) -> (&[Decided], impl Iterator<Item = (&StreamId, Version)>) {
        let versions = self.touched.iter().map(|t| (&t.stream, t.version));
        (&self.decided, versions)
    }

    /// Remembers the aggregates as they are after the work; says what was decided. What it decided must have happened.
    pub(super) fn keep(self) -> Vec<Decided> {
        let mut warm = lock(self.warm);
        if self.log.is_none() {
            // Nothing but the memory knows of links into streams that the work did not touch.
            for event in &self.decided {
                for link in &event.links {
                    let touched = self.touched.iter().any(|t| t.stream == link.stream);
                    if let Some(standing) = warm.0.get_mut(&link.stream).filter(|_| !touched) {
                        // An event that could be written can be read; one that the aggregate does not know is none
                        // of its own.
                        let _ = take_own(&mut *standing.live, event, link);
                        standing.version.0 += 1;
                    }
                }
            }
        }
        for touched in self.touched {
            let standing = Standing {
                live: touched.live,
                version: Version(touched.version.0 + touched.added),
            };
            warm.0.insert(touched.stream, standing);
        }
        self.decided
    }
}

fn rejected(stream: &StreamId, version: Version, reason: impl Rejection) -> CommandError {
    CommandError::Rejected(Box::new(Rejected {
        stream: stream.clone(),
        version,
        rule: reason.rule().to_owned(),
        looked_at: reason.looked_at().iter().map(ToString::to_string).collect(),
        reason: Box::new(reason),
    }))
}

fn take_own(live: &mut dyn Live, event: &Decided, link: &NewLink) -> Result<bool, CommandError> {
    live.take(
        &event.event_type,
        event.data.as_bytes(),
        Some(&link.qualifier),
    )
    .map_err(|reason| CommandError::Unwritable {
        stream: link.stream.clone(),
        reason,
    })
}

/// An aggregate before its first event.
fn new<A: Aggregate>() -> Standing {
    Standing {
        live: Box::new(A::default()),
        version: Version::NONE,
    }
}

/// An aggregate as the log holds it, from what is kept of it and the events after that.
fn load_cold<A: Aggregate>(
    log: &Log,
    stream: &StreamId,
    kept: Option<&Kept>,
) -> Result<Standing, CommandError> {
    let Some(kept) = kept.filter(|_| A::SNAPSHOT.is_some()) else {
        let mut standing = new::<A>();
        catch_up(log, stream, &mut standing, None)?;
        return Ok(standing);
    };
    let head = log.head()?.size;
    let (mut standing, last) = match kept.load::<A>(stream) {
        Some((standing, last)) => (standing, Some(last)),
        None => (new::<A>(), None),
    };
    let from = standing.version;
    let last = catch_up(log, stream, &mut standing, last)?;
    let read = standing.version.0 - from.0;
    if let (Some(last), Some(aggregate)) = (last, standing.live.as_any().downcast_ref::<A>()) {
        kept.keep(stream, (aggregate, standing.version), last, read, head);
    }
    Ok(standing)
}

/// Reads the events that an aggregate has not seen; returns the last one that it took, `last` if there was none.
fn catch_up(
    log: &Log,
    stream: &StreamId,
    standing: &mut Standing,
    mut last: Option<Last>,
) -> Result<Option<Last>, CommandError> {
    let mut wrong = None;
    let from = standing.version.next();
    let read = log.for_each_in_stream(stream, from, None, &mut |event| match take(
        &mut *standing.live,
        stream,
        &event,
    ) {
        Ok(()) => {
            standing.version = event.version;
            let (position, time) = (event.event.position, event.event.time.time);
            let latest = last.map_or(time, |last| last.latest.max(time));
            last = Some(Last {
                position,
                time,
                latest,
            });
            true
        }
        Err(error) => {
            wrong = Some(error);
            false
        }
    });
    match (wrong, read) {
        (Some(error), _) => Err(error),
        (None, Err(ReadError::NoStream(_))) => Ok(last),
        (None, read) => {
            read?;
            Ok(last)
        }
    }
}

fn take(live: &mut dyn Live, stream: &StreamId, event: &StreamEvent) -> Result<(), CommandError> {
    let (position, version) = (event.event.position, event.version);
    let event_type = event.event.event_type.as_str();
    let unreadable = |reason: String| CommandError::Unreadable {
        stream: stream.clone(),
        version,
        position,
        event_type: event_type.to_owned(),
        reason,
    };
    let home = event.event.stream.as_ref() == Some(stream);
    let Some(data) = event.event.data.as_ref() else {
        return Err(unreadable("its data was erased".to_owned()));
    };
    let qualifier = (!home).then_some(event.qualifier.as_str());
    match live.take(event_type, &data.bytes, qualifier) {
        Ok(false) if home => Err(unreadable(
            "the aggregate knows no event of this type".to_owned(),
        )),
        Ok(_) => Ok(()),
        Err(reason) => Err(unreadable(reason)),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Aggregates without a log: for those who make events of commands and store them themselves, as the samples do.
/// An event that is linked into a stream counts for it from the stream's first reading on.
///
/// ```
/// use annals_core::command::{Aggregate, Memory, Rejection};
/// use annals_core::id::StreamId;
/// # #[derive(Debug, thiserror::Error)] #[error("no")] struct Never;
/// # impl Rejection for Never { fn rule(&self) -> &str { "never" } }
/// #[derive(Clone, Default)]
/// struct Door { open: bool }
/// impl Aggregate for Door {
///     type Command = bool;
///     type Event = Moved;
///     type Rejection = Never;
///     fn handle(&self, open: bool) -> Result<Vec<Moved>, Never> {
///         Ok(if open == self.open { vec![] } else { vec![Moved::DoorMoved { open }] })
///     }
///     fn apply(&mut self, Moved::DoorMoved { open }: Moved) { self.open = open; }
/// }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// enum Moved { DoorMoved { open: bool } }
/// let memory = Memory::default();
/// let door = StreamId::new("door-1").unwrap();
/// let moved = memory.transact(|work| work.send::<Door>(&door, true)).unwrap();
/// assert_eq!(moved[0].data, r#"{"open":true}"#);
/// assert_eq!(memory.transact(|work| work.send::<Door>(&door, true)).unwrap(), []);
/// ```
#[derive(Debug, Default)]
pub struct Memory {
    warm: Mutex<Warm>,
}

impl Memory {
    /// Does a piece of work and keeps what comes of it; returns the events.
    ///
    /// # Errors
    /// The work's own; nothing is kept.
    pub fn transact<T>(
        &self,
        decide: impl FnOnce(&mut Work<'_>) -> Result<T, CommandError>,
    ) -> Result<Vec<Decided>, CommandError> {
        let mut work = Work::new(&self.warm, None, false);
        decide(&mut work)?;
        Ok(work.keep())
    }

    /// Forgets a stream to which nothing more happens.
    pub fn forget(&self, stream: &StreamId) {
        lock(&self.warm).forget(stream);
    }
}

/// Where a stream's aggregate stands in a log, read without memory.
pub(super) fn load<A: Aggregate>(
    log: &Log,
    stream: &StreamId,
    kept: Option<&Kept>,
) -> Result<(A, Version), CommandError> {
    let standing = load_cold::<A>(log, stream, kept)?;
    let aggregate: Option<&A> = standing.live.as_any().downcast_ref();
    let two = || CommandError::TwoKinds(stream.clone());
    Ok((aggregate.ok_or_else(two)?.clone(), standing.version))
}
