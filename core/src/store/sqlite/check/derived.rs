//! Tables that are made of the events: streams and their links, and what finds events. Each is walked once and
//! compared as a sum with what the events say; only where the sums differ it is asked which entries do.

use rusqlite::{Connection, OptionalExtension, Row};

use super::names::Names;
use super::rows::Sums;
use super::sums::{self, Key, Sum, Summing};
use super::{Aim, Progress};
use crate::position::Position;
use crate::store::verify::{Grade, VerifyFindings, VerifyKind};

/// A table to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Links,
    Ids,
    ByTime,
    ByType,
    ByActor,
    ByCorrelation,
}

/// All of them, those that take longest first.
pub(super) const TABLES: [Table; 6] = [
    Table::Links,
    Table::Ids,
    Table::ByTime,
    Table::ByType,
    Table::ByActor,
    Table::ByCorrelation,
];

impl Table {
    /// As it is called where it is told that it was checked.
    pub(super) fn what(self) -> &'static str {
        match self {
            Table::Links => "places of events in streams",
            Table::Ids => "entries of the index on ids",
            Table::ByTime => "entries by time",
            Table::ByType => "entries by type",
            Table::ByActor => "entries by actor",
            Table::ByCorrelation => "entries by correlation",
        }
    }

    /// The last position that it holds.
    fn end(self, aim: &Aim) -> u64 {
        match self {
            Table::Links | Table::Ids => aim.size,
            Table::ByTime | Table::ByType | Table::ByActor | Table::ByCorrelation => aim.indexed,
        }
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) sum: Sum,
    /// Of links: those into further streams.
    pub(super) further: Sum,
    pub(super) findings: VerifyFindings,
}

/// Walks a table. Where the log `grows`, somebody appended since this began, and the table may hold more.
pub(super) fn walk(
    conn: &Connection,
    names: &Names,
    key: &Key,
    aim: &Aim,
    (table, grows): (Table, bool),
    progress: &Progress,
) -> rusqlite::Result<Walked> {
    // Nothing is to be found beyond the end, unless somebody has just appended it.
    let end = if grows { table.end(aim) } else { u64::MAX };
    let question = match table {
        Table::Links => return walk_links(conn, names, key, aim, end, progress),
        Table::Ids => return walk_ids(conn, key, end, progress),
        Table::ByTime => "time_us, time_sub_ns, position, coalesce(stream, 0)) FROM by_time",
        Table::ByType => "type, position, time_us, time_sub_ns) FROM by_type",
        Table::ByActor => "actor, position, time_us, time_sub_ns) FROM by_actor",
        Table::ByCorrelation => "correlation, position) FROM by_correlation",
    };
    let summing = Summing {
        key: *key,
        position: if table == Table::ByTime { 2 } else { 1 },
        end,
        progress: progress.clone(),
    };
    Ok(Walked {
        sum: sums::by_engine(conn, summing, question)?,
        ..Walked::default()
    })
}

fn walk_links(
    conn: &Connection,
    names: &Names,
    key: &Key,
    aim: &Aim,
    end: u64,
    progress: &Progress,
) -> rusqlite::Result<Walked> {
    let mut walked = Walked::default();
    let mut streams = Streams::new(names, aim);
    let has_tail = conn
        .query_row("SELECT 1 FROM links_tail LIMIT 1", [], |_| Ok(()))
        .optional()?
        .is_some();
    // Two tables in one order take twice as long as one.
    let mut statement = conn.prepare(match has_tail {
        true => {
            "SELECT stream, version, position, qualifier IS NULL FROM links
             UNION ALL SELECT stream, version, position, qualifier IS NULL FROM links_tail ORDER BY 1, 2"
        }
        false => {
            "SELECT stream, version, position, qualifier IS NULL FROM links ORDER BY stream, version"
        }
    })?;
    let mut rows = statement.query([])?;
    let mut steps = progress.steps();
    while let Some(row) = rows.next()? {
        if steps.one_more() {
            break;
        }
        let position = word(row, 2)?;
        if position > end {
            continue;
        }
        let (stream, version) = (row.get::<_, i64>(0)?, word(row, 1)?);
        let sum = match row.get::<_, bool>(3)? {
            true => &mut walked.sum,
            false => &mut walked.further,
        };
        sum.add(key, &[stream as u64, version, position]);
        streams.enter(stream, version, position, &mut walked.findings);
    }
    streams.end(&mut walked.findings);
    Ok(walked)
}

fn walk_ids(
    conn: &Connection,
    key: &Key,
    end: u64,
    progress: &Progress,
) -> rusqlite::Result<Walked> {
    let mut walked = Walked::default();
    let mut before: Option<Vec<u8>> = None;
    let mut statement = conn.prepare(
        "SELECT id, position FROM events INDEXED BY events_by_id WHERE id IS NOT NULL ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut steps = progress.steps();
    while let Some(row) = rows.next()? {
        if steps.one_more() {
            break;
        }
        let position = word(row, 1)?;
        if position > end {
            continue;
        }
        let id = row.get_ref(0)?.as_bytes()?;
        if before.as_deref() == Some(id) {
            walked.findings.add(
                Grade::Manipulation,
                VerifyKind::IdTwice,
                Position(position),
                format!(
                    "its id {:?} is another event's too",
                    String::from_utf8_lossy(id)
                ),
            );
        }
        let before = before.get_or_insert_default();
        before.clear();
        before.extend_from_slice(id);
        walked.sum.add_text(key, id, position);
    }
    Ok(walked)
}

fn word(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| n as u64)
}

/// Streams, as their links come in order of stream and version.
struct Streams<'a> {
    names: &'a Names,
    aim: &'a Aim,
    /// The last link.
    now: Option<(i64, u64, u64)>,
    /// Version and position of the last one that the stream's row must tell of.
    due: (u64, u64),
    /// Version and position of the one that it names as its last, if it is a later one.
    named: (u64, u64),
    seen: u64,
}

impl Streams<'_> {
    fn new<'a>(names: &'a Names, aim: &'a Aim) -> Streams<'a> {
        Streams {
            names,
            aim,
            now: None,
            due: (0, 0),
            named: (0, 0),
            seen: 0,
        }
    }

    fn enter(&mut self, stream: i64, version: u64, position: u64, findings: &mut VerifyFindings) {
        let before = self.now.filter(|(now, _, _)| *now == stream);
        if before.is_none() {
            self.leave(findings);
            self.seen += 1;
            (self.due, self.named) = ((0, 0), (0, 0));
        }
        if position <= self.aim.told {
            self.due = (version, position);
        } else if self
            .names
            .streams
            .get(stream)
            .is_some_and(|s| s.version as u64 == version)
        {
            self.named = (version, position);
        }
        let (last_version, last_position) = before.map_or((0, 0), |(_, v, p)| (v, p));
        let mut add = |kind, detail: String| {
            findings.add(Grade::Manipulation, kind, Position(position), detail);
        };
        let name = || self.names.streams.get(stream).map_or("?", |s| &*s.name);
        // An erased identity takes its place in the stream with it.
        if version != last_version + 1 && !self.aim.erased_identities {
            add(
                VerifyKind::VersionOrder,
                format!(
                    "stream {} goes from version {last_version} to {version}",
                    name()
                ),
            );
        }
        if position <= last_position {
            add(
                VerifyKind::VersionOrder,
                format!(
                    "version {version} of stream {} stands before its version {last_version}, which is at position {last_position}",
                    name()
                ),
            );
        }
        self.now = Some((stream, version, position));
    }

    /// Compares a stream's row with its last link.
    fn leave(&self, findings: &mut VerifyFindings) {
        let Some((id, version, position)) = self.now else {
            return;
        };
        let Some(stream) = self.names.streams.get(id) else {
            let detail =
                format!("stream number {id}, in which this event stands, has no name in the log");
            findings.add(
                Grade::Manipulation,
                VerifyKind::NameDiffers,
                Position(position),
                detail,
            );
            return;
        };
        let said = (stream.version as u64, stream.last_position as u64);
        // A row that names no event has nothing that it could be held against.
        let is_so = said != (0, 0) && (said == self.due || said == self.named);
        if !is_so && !self.aim.erased_identities {
            findings.add(
                Grade::Manipulation,
                VerifyKind::CounterDiffers,
                Position(position),
                format!(
                    "stream {} is said to end with version {} at position {}, its last is version {version} at position {position}",
                    stream.name, said.0, said.1
                ),
            );
        }
    }

    fn end(self, findings: &mut VerifyFindings) {
        self.leave(findings);
        let (seen, named) = (self.seen, self.names.streams.count);
        if seen < named && !self.aim.erased_identities {
            findings.add_many(
                Grade::Manipulation,
                VerifyKind::CounterDiffers,
                None,
                named - seen,
                format!("{} streams are named, and events stand in {seen}", named),
            );
        }
    }
}

/// Compares what was walked with what the events say, and asks where they differ if they do.
pub(super) fn compare(
    conn: &Connection,
    aim: &Aim,
    table: Table,
    walked: Walked,
    events: &Sums,
    findings: &mut VerifyFindings,
) -> rusqlite::Result<()> {
    let Walked {
        sum,
        further,
        findings: found,
    } = walked;
    findings.append(found);
    let want = match table {
        Table::Links => events.home,
        Table::Ids => events.ids,
        Table::ByTime => events.by_time,
        Table::ByType => events.by_type,
        Table::ByActor => events.by_actor,
        Table::ByCorrelation => events.by_correlation,
    };
    if sum == want && (table != Table::Links || further == events.linked) {
        return Ok(());
    }
    let kind = match table {
        Table::Links => VerifyKind::LinkDiffers,
        _ => VerifyKind::IndexDiffers,
    };
    let end = table.end(aim);
    let mut told = false;
    for (question, detail) in places(table) {
        let mut statement = conn.prepare(question)?;
        let mut first = None;
        let mut count = 0;
        let mut rows = statement.query([end])?;
        while let Some(row) = rows.next()? {
            let position = word(row, 0)?;
            first.get_or_insert(position);
            count += 1;
        }
        if let Some(first) = first {
            told = true;
            let what = table.what();
            findings.add_many(
                Grade::Manipulation,
                kind,
                Position(first),
                count,
                format!("{what}: {detail}"),
            );
        }
    }
    if !told {
        findings.add(
            Grade::Manipulation,
            kind,
            None,
            format!(
                "{}: {} are there, the events give {}, and they are not the same",
                table.what(),
                sum.count + further.count,
                want.count
                    + if table == Table::Links {
                        events.linked.count
                    } else {
                        0
                    }
            ),
        );
    }
    Ok(())
}

/// Questions for the places where a table differs: entries that no event gives, events whose entry is not there.
/// `?1` is the last position that the table should hold.
fn places(table: Table) -> &'static [(&'static str, &'static str)] {
    match table {
        Table::Links => &[
            (
                "SELECT l.position FROM
                 (SELECT * FROM links UNION ALL SELECT * FROM links_tail) l LEFT JOIN events e ON e.position = l.position
                 WHERE l.qualifier IS NULL AND (e.stream, e.version) IS NOT (l.stream, l.version) AND ?1 > 0
                 ORDER BY 1",
                "an event does not stand at this place by its own row",
            ),
            (
                "SELECT e.position FROM events e NOT INDEXED WHERE e.position <= ?1 AND e.stream IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.stream = e.stream AND l.version = e.version
                 AND l.position = e.position AND l.qualifier IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM links_tail l WHERE l.stream = e.stream AND l.version = e.version
                 AND l.position = e.position AND l.qualifier IS NULL) ORDER BY 1",
                "this event is not in its stream at its version",
            ),
            (
                "SELECT l.position FROM (SELECT * FROM links UNION ALL SELECT * FROM links_tail) l
                 WHERE l.qualifier IS NOT NULL AND (l.position > ?1 OR l.position < 1
                 OR NOT EXISTS (SELECT 1 FROM streams s WHERE s.id = l.stream)) ORDER BY 1",
                "a link leads to no event, or into no stream",
            ),
        ],
        Table::Ids => &[(
            "SELECT e.position FROM events e NOT INDEXED WHERE e.id IS NOT NULL AND ?1 > 0
             AND NOT EXISTS (SELECT 1 FROM events x INDEXED BY events_by_id
             WHERE x.id = e.id AND x.position = e.position) ORDER BY 1",
            "this event is not found by its id",
        )],
        Table::ByTime => &[
            (
                "SELECT b.position FROM by_time b LEFT JOIN events e ON e.position = b.position
                 WHERE b.position > ?1 OR (e.time_us, e.time_sub_ns, e.stream) IS NOT (b.time_us, b.time_sub_ns, b.stream)
                 ORDER BY 1",
                "an entry is not what its event says",
            ),
            (
                "SELECT e.position FROM events e NOT INDEXED WHERE e.position <= ?1 AND NOT EXISTS
                 (SELECT 1 FROM by_time b WHERE b.time_us = e.time_us AND b.time_sub_ns = e.time_sub_ns
                 AND b.position = e.position) ORDER BY 1",
                "this event has no entry",
            ),
        ],
        Table::ByType => &[
            (
                "SELECT b.position FROM by_type b LEFT JOIN events e ON e.position = b.position
                 WHERE b.position > ?1 OR (e.type, e.time_us, e.time_sub_ns) IS NOT (b.type, b.time_us, b.time_sub_ns)
                 ORDER BY 1",
                "an entry is not what its event says",
            ),
            (
                "SELECT e.position FROM events e NOT INDEXED WHERE e.position <= ?1 AND NOT EXISTS
                 (SELECT 1 FROM by_type b WHERE b.type = e.type AND b.position = e.position) ORDER BY 1",
                "this event has no entry",
            ),
        ],
        Table::ByActor => &[
            (
                "SELECT b.position FROM by_actor b LEFT JOIN events e ON e.position = b.position
                 WHERE b.position > ?1 OR (e.actor, e.time_us, e.time_sub_ns) IS NOT (b.actor, b.time_us, b.time_sub_ns)
                 ORDER BY 1",
                "an entry is not what its event says",
            ),
            (
                "SELECT e.position FROM events e NOT INDEXED WHERE e.position <= ?1 AND e.actor IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM by_actor b WHERE b.actor = e.actor AND b.position = e.position)
                 ORDER BY 1",
                "this event has no entry",
            ),
        ],
        Table::ByCorrelation => &[
            (
                "SELECT b.position FROM by_correlation b LEFT JOIN events e ON e.position = b.position
                 WHERE b.position > ?1 OR e.correlation IS NOT b.correlation ORDER BY 1",
                "an entry is not what its event says",
            ),
            (
                "SELECT e.position FROM events e NOT INDEXED WHERE e.position <= ?1 AND e.correlation IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM by_correlation b WHERE b.correlation = e.correlation
                 AND b.position = e.position) ORDER BY 1",
                "this event has no entry",
            ),
        ],
    }
}
