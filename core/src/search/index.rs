//! The text index of a log: built from where it ends, asked, and completed by looking at the events that it does
//! not hold yet.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::candidates::{PART, Scribe};
use super::lookup::{self, Draft};
use super::segment::Builder;
use super::view::TextIndexView;
use crate::cache::{Cache, CacheError, Part, Purged};
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError};

static PARTS: &[&Part] = &[&PART];

/// Events read at once.
const PAGE: usize = 2_048;

/// Pages that are read ahead of the one that is added.
const AHEAD: usize = 4;

/// Why a search was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// How far the building of an index is, and its cancel switch.
#[derive(Debug, Default)]
pub struct IndexProgress {
    /// The last position that is in the index.
    pub covered: AtomicU64,
    /// The last position of the log.
    pub head: AtomicU64,
    /// Set to stop; what is in the index stays.
    pub cancel: AtomicBool,
}

/// The text index of one log, kept in its [`Cache`]. Without a cache that can be used searches still answer: they
/// look at the events themselves, which takes longer.
#[derive(Debug)]
pub struct TextIndex {
    pub(super) log: Log,
    pub(super) cache: Result<Cache, String>,
}

impl TextIndex {
    /// Opens the index of a log; `fallback` is the folder for caches of stores that cannot be written to. Builds
    /// nothing.
    ///
    /// ```
    /// use annals_core::search::{IndexProgress, TextIndex, TextQuery};
    /// use annals_core::store::{EventQuery, Log};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("guide.annals");
    /// annals_core::sample::guide(&path)?;
    /// let log = Log::explore(&path)?;
    /// let index = TextIndex::open(&log, None);
    /// index.catch_up(&IndexProgress::default())?;
    /// let found = index.search(&TextQuery::parse("newcompany")?, &EventQuery::default(), 10)?;
    /// assert_eq!(found.hits[0].event.event_type, "EmailChanged");
    /// assert!(found.reach.complete);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn open(log: &Log, fallback: Option<&Path>) -> TextIndex {
        TextIndex {
            log: log.clone(),
            cache: Cache::open(log, fallback, PARTS).map_err(|error| error.to_string()),
        }
    }

    /// The log that it is of.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Brings the index to the head of the log, in batches; those that are done stay when it is stopped. Where
    /// another process does the same, the two share the work.
    ///
    /// Words of events that were erased are then in the file no more: not in the index, nor in its free space, nor
    /// in the write-ahead log. Where that was not brought to an end, the next call does so.
    ///
    /// # Errors
    /// [`SearchError::Cancelled`]; [`SearchError::Read`] of the log. A cache that cannot be written is no error:
    /// the index stays where it is, and searches look at the rest themselves.
    pub fn catch_up(&self, progress: &IndexProgress) -> Result<(), SearchError> {
        self.catch_up_between(progress, &|| {})
    }

    /// As [`TextIndex::catch_up`]; `between` is called before each two thousand events, and may wait: so whoever needs
    /// the processor for something else lets this rest.
    ///
    /// # Errors
    /// As [`TextIndex::catch_up`].
    pub fn catch_up_between(
        &self,
        progress: &IndexProgress,
        between: &dyn Fn(),
    ) -> Result<(), SearchError> {
        let Ok(cache) = &self.cache else {
            return Ok(());
        };
        let head = self.log.head()?.size;
        progress.head.store(head.0, Ordering::Relaxed);
        purge(cache, progress)?;
        loop {
            let covered = cache.read(|conn| cache.reach(conn, &PART));
            let covered = match covered {
                Ok(covered) => covered,
                Err(error) => return given_up(error),
            };
            progress.covered.store(covered.0, Ordering::Relaxed);
            if covered >= head {
                return purge(cache, progress);
            }
            match self.extend(cache, (covered, head), progress, between) {
                Ok(()) => {}
                Err(Stop::Cancelled) => return Err(SearchError::Cancelled),
                Err(Stop::Overtaken) => {}
                Err(Stop::Cache(error)) if error.is_busy() => {
                    // Another process writes: its work is ours too.
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    if progress.cancel.load(Ordering::Relaxed) {
                        return Err(SearchError::Cancelled);
                    }
                }
                Err(Stop::Cache(error)) => return given_up(error),
            }
        }
    }

    /// How far the index is.
    ///
    /// # Errors
    /// [`SearchError::Read`] of the log.
    pub fn view(&self) -> Result<TextIndexView, SearchError> {
        let head = self.log.head()?.size;
        Ok(TextIndexView {
            covered: self.covered()?.unwrap_or(Position::ZERO).min(head),
            head,
            file: self
                .cache
                .as_ref()
                .ok()
                .map(|cache| cache.file().display().to_string()),
            notes: self.notes(),
        })
    }

    /// Every event at or before this position is in the index; `None` where there is none that can be used.
    pub(super) fn covered(&self) -> Result<Option<Position>, SearchError> {
        let Ok(cache) = &self.cache else {
            return Ok(None);
        };
        match cache.read(|conn| cache.reach(conn, &PART)) {
            Ok(covered) => Ok(Some(covered)),
            Err(error) => given_up(error).map(|()| None),
        }
    }

    pub(super) fn notes(&self) -> Vec<String> {
        match &self.cache {
            Ok(cache) => cache.notes(),
            Err(error) => vec![format!(
                "{error}; every search looks at the events themselves"
            )],
        }
    }

    /// Adds the events after `covered`, as far as `head`, batch by batch: one thread reads and splits, this one
    /// writes.
    fn extend(
        &self,
        cache: &Cache,
        (covered, head): (Position, Position),
        progress: &IndexProgress,
        between: &dyn Fn(),
    ) -> Result<(), Stop> {
        let (send, receive) = crossbeam_channel::bounded::<Result<Page, ReadError>>(AHEAD);
        std::thread::scope(|scope| {
            // Dropped when this ends, which ends the reading.
            let receive = receive;
            scope.spawn(move || self.read_ahead(covered, head, &send));
            let mut at = covered;
            let mut page = Page::new().into_iter().peekable();
            let mut builder = Builder::default();
            while at < head {
                // Nobody is kept from writing to the cache while events are read, or while this rests.
                let mut draft = Draft::after(&mut builder, at);
                let mut done = at;
                while done < head {
                    if page.len() == 0 {
                        if progress.cancel.load(Ordering::Relaxed) {
                            break;
                        }
                        between();
                        let Ok(next) = receive.recv() else { break };
                        page = next.map_err(CacheError::Read)?.into_iter().peekable();
                    }
                    while let Some((position, words)) =
                        page.next_if(|(position, _)| draft.has_room(*position))
                    {
                        draft.add(position, &words);
                        done = position;
                    }
                    progress.covered.store(done.0, Ordering::Relaxed);
                    if page.len() > 0 {
                        break;
                    }
                }
                let mut draft = Some(draft);
                at = cache
                    .write(|transaction| {
                        // Inside the transaction nobody else writes: what is covered now stays so.
                        if cache.reach(transaction, &PART)? != at {
                            return Ok(None);
                        }
                        let erased = self.log.erased_since(at)?;
                        // Where the cache is made anew this comes a second time, and what was gathered is not for it.
                        let Some(draft) = draft.take() else {
                            return Ok(None);
                        };
                        if done > at {
                            draft.write(transaction, done)?;
                        }
                        self.index_again(cache, transaction, &erased, at)?;
                        cache.set_reach(transaction, &PART, done)?;
                        Ok(Some(done))
                    })?
                    .filter(|done| *done > at || progress.cancel.load(Ordering::Relaxed))
                    .ok_or(Stop::Overtaken)?;
                if progress.cancel.load(Ordering::Relaxed) {
                    return Err(Stop::Cancelled);
                }
            }
            Ok(())
        })
    }

    fn read_ahead(
        &self,
        covered: Position,
        head: Position,
        send: &crossbeam_channel::Sender<Result<Page, ReadError>>,
    ) {
        let mut query = EventQuery {
            after: Some(covered),
            known: Some(head),
            ..EventQuery::default()
        };
        let mut scribe = Scribe::default();
        loop {
            let page = self.log.events(&query, PAGE).map(|page| {
                query.after = page.next;
                let events = page.events.iter();
                events
                    .map(|event| (event.position, scribe.words(event)))
                    .collect()
            });
            let ends = page.is_err() || query.after.is_none();
            // Whoever does not receive any more has stopped.
            if send.send(page).is_err() || ends {
                return;
            }
        }
    }

    /// Indexes events again of which something was erased since they were indexed, as they are now.
    fn index_again(
        &self,
        cache: &Cache,
        transaction: &rusqlite::Transaction<'_>,
        erased: &[Position],
        covered: Position,
    ) -> Result<(), CacheError> {
        let mut old: Vec<Position> = erased.iter().copied().filter(|p| *p <= covered).collect();
        old.sort_unstable();
        if old.is_empty() {
            return Ok(());
        }
        let mut scribe = Scribe::default();
        let mut builder = Builder::default();
        let mut done = Position::ZERO;
        for position in old {
            if position <= done {
                continue;
            }
            let Some(segment) = lookup::segment_of(transaction, position)? else {
                continue;
            };
            done = Position(segment.last);
            let mut draft = Draft::instead_of(&mut builder, segment);
            let mut query = EventQuery {
                after: Some(Position(segment.first - 1)),
                known: Some(done),
                ..EventQuery::default()
            };
            loop {
                let page = self.log.events(&query, PAGE)?;
                for event in &page.events {
                    draft.add(event.position, &scribe.words(event));
                }
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            draft.write(transaction, done)?;
        }
        cache.must_purge(transaction, &PART)
    }
}

/// Positions and their words.
type Page = Vec<(Position, String)>;

/// Why no further batch was written.
enum Stop {
    Cancelled,
    /// Another process has written the next batch.
    Overtaken,
    Cache(CacheError),
}

impl From<CacheError> for Stop {
    fn from(error: CacheError) -> Stop {
        Stop::Cache(error)
    }
}

/// Takes out of the cache what erased events left there.
fn purge(cache: &Cache, progress: &IndexProgress) -> Result<(), SearchError> {
    match cache.purge(&progress.cancel) {
        Ok(Purged::Clean | Purged::Done) => Ok(()),
        Ok(Purged::Cancelled) => Err(SearchError::Cancelled),
        // It says so in the cache's notes.
        Err(error) => given_up(error),
    }
}

/// Searches go on without the cache; without the log they do not.
fn given_up(error: CacheError) -> Result<(), SearchError> {
    match error {
        CacheError::Read(error) => Err(error.into()),
        CacheError::Engine(_) | CacheError::Io(_) => Ok(()),
    }
}
