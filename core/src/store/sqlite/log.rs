//! Reading: a handle that cannot write, over a pool of connections.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};

use super::names::counted_sql;
use super::packed::Packing;
use super::reader::Reader;
use super::shares::Shares;
use super::times::Times;
use super::walk::{InStretches, Long};
use super::{links, open, row, schema};
use crate::event::Event;
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::id::{EventId, LogId, StreamId};
use crate::integrity::Hash;
use crate::position::{Position, Version};
use crate::progress::WorkProgress;
use crate::store::{
    Access, ActorRow, CategoryRow, Direction, Head, InfoView, OpenError, ReadError, StreamEvent,
    TypeRow,
};
use crate::time::Time;

/// Connections kept open while nobody reads.
const MAX_IDLE: usize = 8;

/// Of those, so many go on remembering the names of many streams.
const REMEMBERING: usize = 2;

/// So many categories are told where they are half as many as the streams.
const MANY_CATEGORIES: u64 = 1_000;

/// Events read at once when a whole stream is walked.
const PAGE: usize = 512;

/// Versions still to come from which on a walk through a stream is worth threads, and how many of them one thread reads
/// before it is the other's turn.
const WORTH: i64 = 2_000;
const STRETCH: i64 = 500;

/// A log opened to read. Cannot change the file: the engine opens it read-only.
/// Cheap to clone; clones share a pool of readers.
#[derive(Debug, Clone)]
pub struct Log {
    shared: Arc<Shared>,
    /// Told how many events were read; once it is cancelled nothing more is.
    watch: Option<Arc<WorkProgress>>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// What is read: the file itself, or a temporary copy of it.
    read_path: PathBuf,
    access: Access,
    id: LogId,
    format: u32,
    idle: Mutex<Vec<Reader>>,
    commits: Mutex<Commits>,
    committed: Condvar,
    /// How events lie along time, once somebody has counted that.
    times: Mutex<Option<Arc<Times>>>,
    /// How the events of common names lie along the log, once somebody has counted that.
    shares: Mutex<Option<Arc<Shares>>>,
    /// What reading leaves beside the file is removed at the end.
    tidies: bool,
    /// Keeps the temporary copy as long as somebody reads it. Last, so that connections close first.
    _copy: Option<tempfile::TempDir>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        lock(&self.idle).clear();
        if self.tidies {
            open::tidy(&self.path);
        }
    }
}

/// What writers of this process tell its readers.
#[derive(Debug, Default)]
struct Commits {
    announced: u64,
    readers_waiting: usize,
}

impl Log {
    /// Opens a log to explore it, read-only.
    ///
    /// Where its folder cannot be written, SQLite cannot follow other writers: the file is then taken as
    /// unchanging or, with a pending write-ahead log, copied; [`InfoView::access`] says which.
    ///
    /// # Errors
    /// [`OpenError`] where the file is not there, is no log, is newer, locked or damaged.
    pub fn explore(path: &Path) -> Result<Log, OpenError> {
        Log::open(path, true, true)
    }

    /// As [`Log::explore`], also where the last event is not the one that the head counts last.
    pub(crate) fn explore_cut(path: &Path) -> Result<Log, OpenError> {
        Log::open(path, true, false)
    }

    /// As [`Log::explore`], for a writer of the same file, which tidies up itself.
    pub(super) fn beside_writer(path: &Path) -> Result<Log, OpenError> {
        Log::open(path, false, true)
    }

    fn open(path: &Path, tidies: bool, whole: bool) -> Result<Log, OpenError> {
        open::check_file(path)?;
        let (access, copy) = open::choose_access(path)?;
        let read_path = match &copy {
            Some(folder) => open::copy_path(folder.path()),
            None => path.to_owned(),
        };
        let conn = connect(&read_path, access).map_err(|e| open::engine(path, e))?;
        let (id, format) = identify(&conn, path, whole)?;
        Ok(Log {
            watch: None,
            shared: Arc::new(Shared {
                path: path.to_owned(),
                read_path,
                access,
                id,
                format,
                idle: Mutex::new(vec![Reader::new(conn)]),
                commits: Mutex::default(),
                committed: Condvar::new(),
                times: Mutex::default(),
                shares: Mutex::default(),
                tidies: tidies && access == Access::ReadOnly,
                _copy: copy,
            }),
        })
    }

    /// The same log for one piece of long work: `progress` counts the events that are read through it, and once it
    /// is cancelled every question ends with [`ReadError::Cancelled`], a walk through a stream at its next page.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use annals_core::{event::NewEvent, id::*, progress::WorkProgress, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// # writer.append(vec![StreamAppend {
    /// #     stream: StreamId::new("a-1")?, category: None, expected: ExpectedVersion::Any,
    /// #     events: vec![NewEvent::json("Counted", "1")?, NewEvent::json("Counted", "2")?],
    /// # }])?;
    /// let progress = Arc::new(WorkProgress::default());
    /// let log = writer.log().watched(Arc::clone(&progress));
    /// log.events(&EventQuery::default(), 10)?;
    /// assert_eq!(progress.now().0, 2);
    /// progress.cancel();
    /// assert!(matches!(log.events(&EventQuery::default(), 10), Err(ReadError::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watched(&self, progress: Arc<WorkProgress>) -> Log {
        Log {
            shared: Arc::clone(&self.shared),
            watch: Some(progress),
        }
    }

    /// Who watches what is read, if anybody does.
    pub(crate) fn watcher(&self) -> Option<Arc<WorkProgress>> {
        self.watch.clone()
    }

    /// Path of the file as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Identity of the log.
    #[must_use]
    pub fn id(&self) -> LogId {
        self.shared.id
    }

    /// How the file was opened.
    #[must_use]
    pub fn access(&self) -> Access {
        self.shared.access
    }

    /// Runs a question in one read transaction, so that all its statements see the same log.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.tell_read(0)?;
        let idle = lock(&self.shared.idle).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::new(connect(&self.shared.read_path, self.shared.access)?),
        };
        let answer = reader.ask(question);
        let mut idle = lock(&self.shared.idle);
        // One whose transaction could not be ended is not handed out again.
        if idle.len() < MAX_IDLE && reader.is_autocommit() {
            idle.push(reader);
            // The last ones are handed out first: it is those below them that let go.
            if let Some(below) = idle.len().checked_sub(REMEMBERING + 1) {
                idle[below].forget_many();
            }
        }
        answer
    }

    /// How events lie along time, as it was known last.
    pub(super) fn kept_times(&self) -> Option<Arc<Times>> {
        lock(&self.shared.times).clone()
    }

    /// Keeps what is known of how events lie along time, for this log and its clones. What was made from another log
    /// makes answers wrong: whoever keeps it elsewhere compares roots.
    pub fn know_times(&self, times: impl Into<Arc<Times>>) {
        let times = times.into();
        let mut known = lock(&self.shared.times);
        // A question that began earlier may end later.
        if known
            .as_ref()
            .is_none_or(|known| known.covered <= times.covered)
        {
            *known = Some(times);
        }
    }

    /// How the events of common names lie along the log, as it was counted last.
    pub(super) fn shares(&self) -> Option<Arc<Shares>> {
        lock(&self.shared.shares).clone()
    }

    pub(super) fn know_shares(&self, shares: Shares) {
        *lock(&self.shared.shares) = Some(Arc::new(shares));
    }

    /// Counts events that were read, for whoever watches; ends the work where that was asked.
    pub(super) fn tell_read(&self, events: usize) -> Result<(), ReadError> {
        match &self.watch {
            Some(watch) if watch.is_cancelled() => Err(ReadError::Cancelled),
            Some(watch) => {
                watch.advance(events as u64);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Size and root at this moment.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn head(&self) -> Result<Head, ReadError> {
        self.read(|conn| Ok(head(conn)?))
    }

    /// What the log holds. Takes no longer on a large log than on a small one.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn info(&self) -> Result<InfoView, ReadError> {
        self.read(|conn| {
            let head = head(conn)?;
            let count = |table: &str| -> rusqlite::Result<u64> {
                // Ids are given densely, and no row is ever deleted.
                conn.query_row(
                    &format!("SELECT coalesce(max(id), 0) FROM {table}"),
                    [],
                    |row| row.get(0),
                )
            };
            let streams = count("streams")?;
            let categories: Vec<CategoryRow> = conn
                .prepare_cached(&format!(
                    "SELECT c.name, c.streams, c.events + coalesce(x.n, 0) AS events FROM categories c
                     LEFT JOIN ({}) x ON x.id = c.id ORDER BY 3 DESC, c.name",
                    counted_sql("s.category", "JOIN streams s ON s.id = e.stream")
                ))?
                .query_map([], |row| {
                    Ok(CategoryRow {
                        name: row.get(0)?,
                        streams: row.get(1)?,
                        events: row.get(2)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let types: Vec<TypeRow> = conn
                .prepare_cached(&format!(
                    "SELECT t.name, t.events + coalesce(x.n, 0) FROM types t
                     LEFT JOIN ({}) x ON x.id = t.id ORDER BY 2 DESC, t.name",
                    counted_sql("e.type", "")
                ))?
                .query_map([], |row| {
                    Ok(TypeRow {
                        name: row.get(0)?,
                        events: row.get(1)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let recorded: Option<i64> =
                conn.query_row("SELECT recorded_us FROM head", [], |row| row.get(0))?;
            Ok(InfoView {
                id: self.shared.id,
                format: self.shared.format,
                events: head.size.0,
                streams,
                actors: count("actors")?,
                findings: many_categories(&categories, streams).into_iter().collect(),
                categories_count: categories.len() as u64,
                categories,
                types_count: types.len() as u64,
                types,
                first_time: super::plan::extreme_time(conn, Direction::Forwards)?,
                last_time: super::plan::extreme_time(conn, Direction::Backwards)?,
                last_recorded_at: recorded.and_then(|us| Time::from_parts(us, 0)),
                tree_size: head.size.0,
                root: head.root,
                access: self.shared.access,
                file_bytes: std::fs::metadata(&self.shared.read_path)?.len(),
            })
        })
    }

    /// Actors, most events first, then by name.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn actors(&self, limit: usize) -> Result<Vec<ActorRow>, ReadError> {
        self.read(|conn| {
            let rows = conn
                .prepare_cached(&format!(
                    "SELECT a.name, a.events + coalesce(x.n, 0) FROM actors a
                     LEFT JOIN ({}) x ON x.id = a.id ORDER BY 2 DESC, a.name LIMIT ?1",
                    counted_sql("e.actor", "")
                ))?
                .query_map([sql_limit(limit)], |row| {
                    Ok(ActorRow {
                        name: row.get(0)?,
                        events: row.get(1)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })
    }

    /// Names of the sources that events were imported from, oldest first.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn sources(&self) -> Result<Vec<String>, ReadError> {
        self.read(|conn| {
            let names = conn
                .prepare_cached("SELECT name FROM sources GROUP BY name ORDER BY min(id)")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(names)
        })
    }

    /// Name of the world that the log was made as, if it is a sample of one.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn world(&self) -> Result<Option<String>, ReadError> {
        self.read(|conn| {
            let world = conn
                .prepare_cached("SELECT value FROM meta WHERE key = 'world'")?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(world)
        })
    }

    /// Reads a stream in version order, `versions` inclusive, one page of at most `limit`; linked events
    /// included. Empty where there is no such stream.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn read_stream(
        &self,
        stream: &StreamId,
        versions: std::ops::RangeInclusive<Version>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        self.read(|conn| match conn.stream_id(stream)? {
            None => Ok(Vec::new()),
            Some(id) => {
                let (from, to) = (versions.start().0, versions.end().0);
                let page = stream_page(conn, id, (from, to), direction, limit)?;
                self.tell_read(page.len())?;
                Ok(page)
            }
        })
    }

    /// Calls `each` with the stream's events in version order from `from` on, up to position `known`, until it
    /// returns `false`; never holds more than a page. All of them come from one moment of the log.
    ///
    /// # Errors
    /// [`ReadError::NoStream`] if there is no such stream; [`ReadError`] of the engine or of a damaged row.
    pub fn for_each_in_stream(
        &self,
        stream: &StreamId,
        from: Version,
        known: Option<Position>,
        each: &mut dyn FnMut(StreamEvent) -> bool,
    ) -> Result<(), ReadError> {
        self.for_each_between(stream, from..=Version(u64::MAX), known, each)
    }

    /// As [`Log::for_each_in_stream`], `versions` inclusive: no event after them is read.
    pub(crate) fn for_each_between(
        &self,
        stream: &StreamId,
        versions: std::ops::RangeInclusive<Version>,
        known: Option<Position>,
        each: &mut dyn FnMut(StreamEvent) -> bool,
    ) -> Result<(), ReadError> {
        let last = versions.end().0;
        self.read(|conn| {
            let id = conn
                .stream_id(stream)?
                .ok_or_else(|| ReadError::NoStream(stream.clone()))?;
            let mut next = versions.start().0;
            let mut may_share = true;
            loop {
                let page = stream_page(conn, id, (next, last), Direction::Forwards, PAGE)?;
                let more = page.len() == PAGE;
                self.tell_read(page.len())?;
                for event in page {
                    if known.is_some_and(|known| event.event.position > known) {
                        return Ok(());
                    }
                    next = event.version.0 + 1;
                    if !each(event) {
                        return Ok(());
                    }
                }
                if !more {
                    return Ok(());
                }
                // Whoever wanted the first few only has ended by now.
                if std::mem::take(&mut may_share)
                    && let Some(long) = long_stream(conn, id, (next, last))?
                    && self.walk_stream(id, long, known, each)?
                {
                    return Ok(());
                }
            }
        })
    }

    /// The rest of [`Log::for_each_between`] by several readers; `false` where they would not see the same log.
    fn walk_stream(
        &self,
        id: i64,
        long: Long,
        known: Option<Position>,
        each: &mut dyn FnMut(StreamEvent) -> bool,
    ) -> Result<bool, ReadError> {
        let how = InStretches {
            begin: &|_| Ok(Some(())),
            read: &|reader, (), (low, high), take| {
                let range = (low.unsigned_abs(), high.unsigned_abs());
                stream_events(reader, id, range, (Direction::Forwards, usize::MAX), take)
            },
            event: |event: &StreamEvent| &event.event,
        };
        let mut told = Ok(());
        let shared = self.by_turns(long, &how, &mut |event| {
            if known.is_some_and(|known| event.event.position > known) {
                return false;
            }
            told = self.tell_read(1);
            told.is_ok() && each(event)
        })?;
        told.map(|()| shared)
    }

    /// The event at a position.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn event(&self, position: Position) -> Result<Option<Event>, ReadError> {
        self.read(|conn| event_where(conn, "e.position = ?1", sql_position(position)))
    }

    /// The event with an id.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn event_by_id(&self, id: &EventId) -> Result<Option<Event>, ReadError> {
        self.read(|conn| {
            let id = Packing::of(conn)?.text(id.as_str());
            event_where(conn, "e.id = ?1", id)
        })
    }

    /// The last position recorded at or before `time`: what was known then.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn known_at(&self, time: Time) -> Result<Position, ReadError> {
        self.read(|conn| {
            let size = head(conn)?.size.0;
            let mut recorded =
                conn.prepare_cached("SELECT recorded_us FROM events WHERE position = ?1")?;
            // Recording times never decrease, so the events known then are a first part of the log.
            let (mut known, mut unknown) = (0, size + 1);
            while unknown - known > 1 {
                let middle = known + (unknown - known) / 2;
                let us: i64 = recorded.query_row([middle], |row| row.get(0))?;
                if us <= time.us() {
                    known = middle;
                } else {
                    unknown = middle;
                }
            }
            Ok(Position(known))
        })
    }

    /// Tells readers that wait in this process that something was committed.
    pub(super) fn announce(&self) {
        let mut commits = lock(&self.shared.commits);
        commits.announced += 1;
        if commits.readers_waiting > 0 {
            self.shared.committed.notify_all();
        }
    }

    /// Number of commits announced so far.
    pub(super) fn announced(&self) -> u64 {
        lock(&self.shared.commits).announced
    }

    /// Waits for a commit after the `seen`th; says whether it came before the time was over.
    pub(super) fn wait(&self, seen: u64, at_most: std::time::Duration) -> bool {
        let mut commits = lock(&self.shared.commits);
        commits.readers_waiting += 1;
        let (mut commits, timeout) = self
            .shared
            .committed
            .wait_timeout_while(commits, at_most, |now| now.announced == seen)
            .unwrap_or_else(PoisonError::into_inner);
        commits.readers_waiting -= 1;
        !timeout.timed_out()
    }
}

/// Says so where nearly every stream makes a category of its own.
fn many_categories(categories: &[CategoryRow], streams: u64) -> Option<Finding> {
    let count = categories.len() as u64;
    if count < MANY_CATEGORIES || count * 2 < streams {
        return None;
    }
    let first = &categories[0].name;
    Some(Finding {
        kind: FindingKind::ManyCategories,
        severity: Severity::Notice,
        count,
        place: Place::default(),
        detail: format!(
            "{count} categories for {streams} streams: the text before the first - of a stream's name is its category, and these look like bare ids ({first}); where they are of one kind, import them with a category (--category, or category in a mapping), which models and filters go by"
        ),
    })
}

fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    match access {
        Access::ReadOnly | Access::TemporaryCopy => open::reader(path),
        Access::Immutable => open::immutable_reader(path),
    }
}

/// Reads the log's id, and makes sure that the file is whole as far as that is cheap to see.
fn identify(conn: &Connection, path: &Path, whole: bool) -> Result<(LogId, u32), OpenError> {
    let damaged = |reason: &str| OpenError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let read = || -> rusqlite::Result<(String, u32, u64, u64)> {
        let id = conn
            .query_row("SELECT value FROM meta WHERE key = 'log_id'", [], |row| {
                row.get(0)
            })
            .optional()?
            .unwrap_or_default();
        let format = schema::format_of(conn)?;
        let size = head(conn)?.size.0;
        let last = conn.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| {
            row.get(0)
        })?;
        Ok((id, format, size, last))
    };
    let (id, format, size, last) = read().map_err(|e| open::engine(path, e))?;
    if whole && size != last {
        return Err(damaged(&format!(
            "the tree holds {size} events and the last event is at position {last}"
        )));
    }
    let id = id
        .parse()
        .map_err(|_| damaged("the log has no id that can be read"))?;
    Ok((LogId(id), format))
}

pub(super) fn head(conn: &Connection) -> rusqlite::Result<Head> {
    conn.prepare_cached("SELECT size, root FROM head")?
        .query_row([], |row| {
            Ok(Head {
                size: Position(row.get(0)?),
                root: Hash(row.get(1)?),
            })
        })
}

/// Id of a stream in the file.
pub(super) fn stream_id(conn: &Connection, stream: &StreamId) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM streams WHERE name = ?1")?
        .query_row([stream.as_str()], |row| row.get(0))
        .optional()
}

/// Statements for a page of a stream: forwards and backwards, each over the two tables of links in that order. Made
/// once, since that and the look for what was prepared cost as much as a row.
static STREAM_PAGES: LazyLock<[[String; 2]; 2]> = LazyLock::new(|| {
    let page = |table: &str, order: &str| {
        format!(
            "SELECT {}, l.version, l.qualifier FROM {table} l CROSS JOIN events e ON e.position = l.position
             WHERE l.stream = ?1 AND l.version BETWEEN ?2 AND ?3 ORDER BY l.version {order} LIMIT ?4",
            row::EVENT
        )
    };
    let [placed, tail] = links::TABLES;
    [
        [page(placed, "ASC"), page(tail, "ASC")],
        [page(tail, "DESC"), page(placed, "DESC")],
    ]
});

fn stream_page(
    reader: &Reader,
    stream: i64,
    range: (u64, u64),
    direction: Direction,
    limit: usize,
) -> Result<Vec<StreamEvent>, ReadError> {
    let mut page = Vec::new();
    stream_events(reader, stream, range, (direction, limit), &mut |event| {
        page.push(event);
        true
    })?;
    Ok(page)
}

/// Calls `each` with at most `limit` events of a stream, versions inclusive, until it returns `false`.
fn stream_events(
    reader: &Reader,
    stream: i64,
    (from, to): (u64, u64),
    (direction, limit): (Direction, usize),
    each: &mut dyn FnMut(StreamEvent) -> bool,
) -> Result<(), ReadError> {
    let pages = match direction {
        Direction::Forwards => &STREAM_PAGES[0],
        Direction::Backwards => &STREAM_PAGES[1],
    };
    let mut left = limit;
    for sql in pages {
        if left == 0 {
            break;
        }
        let mut statement = reader.prepare_cached(sql)?;
        let mut rows = statement.query((
            stream,
            sql_position(Position(from)),
            sql_position(Position(to)),
            sql_limit(left),
        ))?;
        while let Some(row) = rows.next()? {
            let event = StreamEvent {
                event: row::event(row, reader)?,
                version: Version(row.get(row::EVENT_LEN)?),
                qualifier: row
                    .get::<_, Option<String>>(row::EVENT_LEN + 1)?
                    .unwrap_or_default(),
            };
            left -= 1;
            if !each(event) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What of a stream is still to come, if that is much: versions inclusive.
fn long_stream(
    reader: &Reader,
    stream: i64,
    (from, to): (u64, u64),
) -> rusqlite::Result<Option<Long>> {
    let last: i64 = reader
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(version) FROM links WHERE stream = ?1), 0),
                 coalesce((SELECT max(version) FROM links_tail WHERE stream = ?1), 0))",
        )?
        .query_row([stream], |row| row.get(0))?;
    let head = head(reader)?;
    let (from, to) = (sql_position(Position(from)), sql_position(Position(to)));
    let to = to.min(last);
    // A version that no sound log has would make stretches without end.
    let odd = last > sql_position(head.size);
    if odd || to.saturating_sub(from) < WORTH {
        return Ok(None);
    }
    Ok(Some(Long {
        head,
        range: (from, to),
        stretch: STRETCH,
    }))
}

pub(super) fn event_where(
    reader: &Reader,
    condition: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<Event>, ReadError> {
    let mut statement = reader.prepare_cached(&format!(
        "SELECT {} FROM events e WHERE {condition}",
        row::EVENT
    ))?;
    let mut rows = statement.query([value])?;
    rows.next()?.map(|row| row::event(row, reader)).transpose()
}

/// A limit as SQLite takes it.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A position or version as SQLite takes it: all that are in a file fit, larger ones lie beyond its end.
pub(super) fn sql_position(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::LogWriter;
    use super::*;
    use crate::store::ExpectedVersion;
    use crate::store::contract::{batch, event, fixed, stream};

    #[test]
    fn whoever_is_handed_out_first_remembers_the_names_of_streams() {
        let folder = tempfile::tempdir().unwrap();
        let writer = LogWriter::create(&folder.path().join("x.annals"), fixed()).unwrap();
        let log = writer.log();
        // Three at once, so that there are three from then on.
        log.read(|_| log.read(|_| log.read(|_| Ok(())))).unwrap();
        let remembers = || {
            lock(&log.shared.idle)
                .iter()
                .map(Reader::remembers_many)
                .collect()
        };
        let hold = |readers| {
            lock(&log.shared.idle)
                .iter()
                .rev()
                .take(readers)
                .for_each(Reader::remember_many)
        };
        hold(1);
        log.read(|_| Ok(())).unwrap();
        let now: Vec<bool> = remembers();
        assert_eq!(now, [false, false, true]);
        hold(3);
        log.read(|_| Ok(())).unwrap();
        let now: Vec<bool> = remembers();
        assert_eq!(now, [false, true, true]);
    }

    #[test]
    fn a_page_of_a_stream_is_read_in_its_order_without_sorting() {
        let folder = tempfile::tempdir().unwrap();
        let writer = LogWriter::create(&folder.path().join("x.annals"), fixed()).unwrap();
        let append = |events: usize| {
            let events = (0..events).map(|n| event("Counted", &n.to_string()));
            let append = batch("a-1", ExpectedVersion::Any, events.collect());
            writer.append(vec![append]).unwrap();
        };
        // More than fit the tail, and a few that are in it.
        append(1_500);
        append(7);
        let log = writer.log();
        log.read(|reader| {
            let counted = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table}");
                reader.query_row(&sql, [], |row| row.get::<_, u64>(0))
            };
            let [placed, tail] = links::TABLES.map(counted);
            assert_eq!((placed?, tail?), (1_500, 7));
            for sql in STREAM_PAGES.as_flattened() {
                let mut explain = reader.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = explain.query_map((1, 1, 9, 9), |row| row.get::<_, String>(3))?;
                for step in steps {
                    let step = step?;
                    assert!(!step.contains("TEMP B-TREE"), "{step}");
                }
            }
            Ok(())
        })
        .unwrap();
        let page = |from: u64, direction, limit| {
            let range = Version(from)..=Version(1_505);
            let page = log.read_stream(&stream("a-1"), range, direction, limit);
            let page = page.unwrap().into_iter().map(|event| event.version.0);
            page.collect::<Vec<u64>>()
        };
        let forwards = page(1_498, Direction::Forwards, 5);
        assert_eq!(forwards, [1_498, 1_499, 1_500, 1_501, 1_502]);
        let backwards = page(1_499, Direction::Backwards, 9);
        let want: Vec<u64> = (1_499..=1_505).rev().collect();
        assert_eq!(backwards, want);
    }
}
