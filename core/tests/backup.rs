//! Copies of a log: a backup taken while others write holds one moment of it, a store restored to a position is
//! the log as it was there, and neither takes over damage or leaves half a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use annals_core::event::{NewEvent, NewLink};
use annals_core::id::{EventId, StreamId};
use annals_core::integrity::tree;
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::sample::{ShopRequest, shop};
use annals_core::store::{
    BackupError, EventQuery, ExpectedVersion, Log, LogWriter, OpenError, ReadError, StreamAppend,
    backup, restore,
};
use annals_core::surroundings::Surroundings;
use annals_core::time::Time;
use rusqlite::Connection;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn made(folder: &Path, events: u64) -> PathBuf {
    let store = folder.join("shop.annals");
    shop(
        &store,
        &ShopRequest { events, seed: 4 },
        &WorkProgress::default(),
    )
    .unwrap();
    store
}

fn explore(store: &Path) -> Log {
    Log::explore(store).unwrap()
}

/// Names in a folder, temporary ones included.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

fn rows(store: &Path, question: &str) -> Vec<String> {
    let conn = Connection::open(store).unwrap();
    let mut statement = conn.prepare(question).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let row: Vec<String> = (0..columns)
            .map(|column| format!("{:?}", row.get_ref(column).unwrap()))
            .collect();
        Ok(row.join(" | "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Streams as their rows and the links of the tail tell of them: times in nanoseconds.
const STREAMS: &str = "SELECT s.id, s.name, s.category, max(s.version, coalesce(t.version, 0)),
         max(s.last_position, coalesce(t.position, 0)),
         min(s.first_us * 1000 + s.first_sub_ns, coalesce(t.first, 9e18)),
         max(s.last_us * 1000 + s.last_sub_ns, coalesce(t.last, -9e18))
     FROM streams s LEFT JOIN (
         SELECT l.stream, max(l.version) AS version, max(l.position) AS position,
             min(e.time_us * 1000 + e.time_sub_ns) AS first, max(e.time_us * 1000 + e.time_sub_ns) AS last
         FROM links_tail l JOIN events e ON e.position = l.position GROUP BY l.stream) t ON t.stream = s.id
     ORDER BY s.id";

/// Everything that a log holds, numbers of events counted to the end.
fn content(store: &Path) -> Vec<(String, Vec<String>)> {
    let after = |id: &str| {
        format!(
            "events + (SELECT count(*) FROM events e WHERE {id} AND e.position > (SELECT indexed FROM head))"
        )
    };
    let found = |table: &str, columns: &str, which: &str| {
        format!(
            "SELECT {columns} FROM {table} UNION ALL SELECT {columns} FROM events
             WHERE {which} AND position > (SELECT indexed FROM head) ORDER BY 1, 2"
        )
    };
    [
        "SELECT * FROM meta ORDER BY key".to_owned(),
        "SELECT * FROM events ORDER BY position".to_owned(),
        "SELECT * FROM links UNION ALL SELECT * FROM links_tail ORDER BY 1, 2".to_owned(),
        STREAMS.to_owned(),
        format!(
            "SELECT id, name, {} FROM types ORDER BY id",
            after("e.type = types.id")
        ),
        format!(
            "SELECT id, name, {} FROM actors ORDER BY id",
            after("e.actor = actors.id")
        ),
        format!(
            "SELECT id, name, streams, {} FROM categories ORDER BY id",
            after("(SELECT category FROM streams WHERE id = e.stream) = categories.id")
        ),
        "SELECT * FROM content_types ORDER BY id".to_owned(),
        "SELECT * FROM sources ORDER BY id".to_owned(),
        found("by_type", "type, position, time_us, time_sub_ns", "1"),
        found(
            "by_actor",
            "actor, position, time_us, time_sub_ns",
            "actor IS NOT NULL",
        ),
        found("by_time", "position, time_us, time_sub_ns, stream", "1"),
        found(
            "by_correlation",
            "correlation, position",
            "correlation IS NOT NULL",
        ),
        "SELECT * FROM imports ORDER BY id".to_owned(),
        "SELECT * FROM import_files ORDER BY import, idx".to_owned(),
        "SELECT * FROM import_coverage ORDER BY import, idx".to_owned(),
        "SELECT * FROM tiles ORDER BY level, idx".to_owned(),
        "SELECT size, root, frontier, recorded_us FROM head".to_owned(),
        "SELECT * FROM checkpoints".to_owned(),
        "SELECT * FROM erasures".to_owned(),
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name".to_owned(),
    ]
    .into_iter()
    .map(|question| {
        let rows = rows(store, &question);
        (question, rows)
    })
    .collect()
}

fn assert_same(one: &Path, other: &Path, what: &str) {
    for ((question, one), (_, other)) in content(one).into_iter().zip(content(other)) {
        assert!(
            one == other,
            "{what}: {question}\n{:#?}\n{:#?}",
            one.last(),
            other.last()
        );
    }
}

/// Appends one event to a stream of a few, linked into another.
fn append(writer: &LogWriter, n: u64) {
    let mut event =
        NewEvent::json("Counted", &format!(r#"{{"n":{n},"by":"user-{}"}}"#, n % 7)).unwrap();
    event.id = Some(EventId::new(format!("event-{n}")).unwrap());
    if n.is_multiple_of(3) {
        event.links = vec![NewLink {
            stream: StreamId::new(format!("third-{}", n % 5)).unwrap(),
            qualifier: "third".to_owned(),
        }];
    }
    writer
        .append(vec![StreamAppend {
            stream: StreamId::new(format!("count-{}", n % 11)).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        }])
        .unwrap();
}

#[test]
fn a_restored_store_is_the_log_as_it_was_at_that_position() {
    let folder = folder();
    let store = folder.path().join("count.annals");
    let now = Time::parse_rfc3339("2024-05-01T00:00:00Z").unwrap();
    let writer = LogWriter::create(&store, Surroundings::fixed(now, 9)).unwrap();
    let sizes = [0, 1, 2, 255, 256, 257, 600];
    let mut events = 0;
    for size in sizes {
        while events < size {
            events += 1;
            append(&writer, events);
        }
        let copy = folder.path().join(format!("then-{size}.annals"));
        backup(&writer.log(), &copy, &WorkProgress::default()).unwrap();
    }
    let log = explore(&store);
    for size in sizes {
        let restored = folder.path().join(format!("restored-{size}.annals"));
        let report = restore(
            &log,
            Some(Position(size)),
            &restored,
            &WorkProgress::default(),
        )
        .unwrap();
        assert_eq!((report.size, report.left_out), (Position(size), 600 - size));
        assert!(report.tied);
        assert_eq!(report.id, log.id());
        let then = folder.path().join(format!("then-{size}.annals"));
        assert_same(&then, &restored, &format!("the log of {size} events"));
        assert_eq!(report.root, explore(&then).head().unwrap().root);
    }
}

#[test]
fn a_restored_store_goes_on_as_the_log_would_have() {
    let folder = folder();
    let now = Time::parse_rfc3339("2024-05-01T00:00:00Z").unwrap();
    let store = folder.path().join("count.annals");
    let writer = LogWriter::create(&store, Surroundings::fixed(now, 9)).unwrap();
    (1..=700).for_each(|n| append(&writer, n));
    let restored = folder.path().join("restored.annals");
    restore(
        &writer.log(),
        Some(Position(500)),
        &restored,
        &WorkProgress::default(),
    )
    .unwrap();
    let again = LogWriter::open(&restored, Surroundings::fixed(now, 10)).unwrap();
    // The last two hundred, after a retry of one that is there.
    (490..=700).for_each(|n| append(&again, n));
    again.close().unwrap();
    let versions = "SELECT s.name, l.version, l.position FROM
         (SELECT * FROM links UNION ALL SELECT * FROM links_tail) l
         JOIN streams s ON s.id = l.stream ORDER BY 1, 2";
    assert_eq!(rows(&store, versions), rows(&restored, versions));
    assert_eq!(explore(&restored).head().unwrap().size, Position(700));
    let whole = folder.path().join("whole.annals");
    backup(&explore(&restored), &whole, &WorkProgress::default()).unwrap();
    assert_same(&restored, &whole, "its backup");
}

#[test]
fn a_backup_taken_while_others_write_holds_one_moment() {
    let folder = folder();
    let store = made(folder.path(), 20_000);
    let writer = LogWriter::open(&store, Surroundings::system()).unwrap();
    let done = AtomicBool::new(false);
    let reports = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                n += 1;
                append(&writer, n);
            }
            n
        });
        // Another process would have a handle of its own.
        let log = explore(&store);
        let reports: Vec<_> = (0..3)
            .map(|copy| {
                let file = folder.path().join(format!("copy-{copy}.annals"));
                let before = log.head().unwrap().size;
                let report = backup(&log, &file, &WorkProgress::default()).unwrap();
                assert!(report.size >= before, "what was there before is in it");
                (file, report)
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        assert!(writing.join().unwrap() > 0, "somebody wrote");
        reports
    });
    let log = writer.log();
    let events = log
        .events(&EventQuery::default(), usize::MAX - 1)
        .unwrap()
        .events;
    let leaves: Vec<_> = events.iter().map(|event| event.leaf).collect();
    for (file, report) in reports {
        let size = usize::try_from(report.size.0).unwrap();
        assert_eq!(
            report.root,
            tree::root(&leaves[..size]),
            "the log's first {size}"
        );
        let copy = explore(&file);
        assert_eq!(copy.id(), log.id());
        let copied = copy
            .events(&EventQuery::default(), usize::MAX - 1)
            .unwrap()
            .events;
        assert_eq!(copied, events[..size]);
        assert_eq!(
            rows(&file, "PRAGMA integrity_check"),
            [r#"Text([111, 107])"#]
        );
    }
}

#[test]
fn nothing_is_written_over_and_nothing_half_done_stays() {
    let folder = folder();
    let store = made(folder.path(), 3_000);
    let log = explore(&store);
    let out = folder.path().join("out.annals");
    let before = names(folder.path());
    type Made = Result<(), BackupError>;
    let both = |progress: &WorkProgress, out: &Path| -> [Made; 2] {
        [
            backup(&log, out, progress).map(drop),
            restore(&log, None, out, progress).map(drop),
        ]
    };
    let fresh = WorkProgress::default;
    for taken in ["out.annals", "out.annals-wal", "out.annals-journal"] {
        let taken = folder.path().join(taken);
        std::fs::write(&taken, "mine").unwrap();
        for result in both(&fresh(), &out) {
            let Err(BackupError::Open(OpenError::Exists { path })) = result else {
                panic!("{result:?}");
            };
            assert_eq!(path, taken);
        }
        assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
        std::fs::remove_file(&taken).unwrap();
    }
    for result in both(&fresh(), &store) {
        assert!(matches!(
            result,
            Err(BackupError::Open(OpenError::Exists { .. }))
        ));
    }
    for result in both(&fresh(), &folder.path().join("no/where.annals")) {
        assert!(
            matches!(result, Err(BackupError::Open(OpenError::NotFound { .. }))),
            "{result:?}"
        );
    }
    let cancelled = fresh();
    cancelled.cancel();
    for result in both(&cancelled, &out) {
        assert!(matches!(result, Err(BackupError::Cancelled)), "{result:?}");
    }
    let beyond = restore(&log, Some(Position(3_001)), &out, &fresh());
    assert!(matches!(
        beyond,
        Err(BackupError::BeyondEnd {
            size: Position(3_000),
            ..
        })
    ));
    assert_eq!(names(folder.path()), before);
}

/// Changes the file behind the log's back.
fn tamper(store: &Path, statement: &str) {
    let conn = Connection::open(store).unwrap();
    let triggers: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for trigger in triggers {
        conn.execute_batch(&format!("DROP TRIGGER {trigger}"))
            .unwrap();
    }
    assert_eq!(conn.execute(statement, []).unwrap(), 1, "{statement}");
}

#[test]
fn what_was_changed_behind_the_logs_back_is_found_and_not_taken_over() {
    for (statement, place) in [
        (
            "UPDATE events SET data = x'7b7d' WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET metadata = NULL WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET time_us = time_us + 1 WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET recorded_us = recorded_us - 1 WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET id = 'other' WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET salts = randomblob(16) WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET leaf = randomblob(32) WHERE position = 400",
            Some(400),
        ),
        (
            "UPDATE events SET type = 1 + type WHERE position = 1",
            Some(1),
        ),
        ("UPDATE head SET root = randomblob(32)", None),
    ] {
        let folder = folder();
        let store = made(folder.path(), 1_000);
        tamper(&store, statement);
        let log = explore(&store);
        let out = folder.path().join("out.annals");
        let progress = WorkProgress::default();
        let copied = backup(&log, &out, &progress).map(drop);
        let restored = restore(&log, None, &out, &progress).map(drop);
        for result in [copied, restored] {
            match (result, place) {
                (Err(BackupError::Read(ReadError::Damaged { position, .. })), Some(at)) => {
                    assert_eq!(position, Position(at), "{statement}");
                }
                // An exchanged leaf or root shows in the tree first.
                (Err(BackupError::RootDiffers { .. }), _)
                    if statement.contains("leaf") || statement.contains("root") => {}
                (result, _) => panic!("{statement}: {result:?}"),
            }
        }
        assert!(!out.exists(), "{statement}");
        if place == Some(400) {
            let report = restore(&log, Some(Position(399)), &out, &progress).unwrap();
            assert_eq!(report.tied, !statement.contains("leaf"), "{statement}");
            assert_eq!(explore(&out).head().unwrap().size, Position(399));
        }
    }
}

#[test]
fn what_was_erased_stays_erased() {
    let folder = folder();
    let store = made(folder.path(), 1_000);
    let conn = Connection::open(&store).unwrap();
    let (data, seed): (Vec<u8>, [u8; 16]) = conn
        .query_row(
            "SELECT data, salts FROM events WHERE position = 77",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let [identity, salt, metadata] = annals_core::integrity::leaf::salts_of(&seed);
    let hash =
        annals_core::integrity::leaf::hash_part(annals_core::event::Part::Data, &salt, &data);
    conn.execute(
        "INSERT INTO erasures VALUES (77, 'data', ?1, 1000)",
        [hash.0],
    )
    .unwrap();
    conn.execute(
        "UPDATE events SET data = NULL, salts = ?1 WHERE position = 77",
        [[identity, [0; 16], metadata].concat()],
    )
    .unwrap();
    drop(conn);
    let log = explore(&store);
    let progress = WorkProgress::default();
    let copy = folder.path().join("copy.annals");
    backup(&log, &copy, &progress).unwrap();
    assert_same(&store, &copy, "the backup");
    let then = folder.path().join("then.annals");
    restore(&log, Some(Position(500)), &then, &progress).unwrap();
    let erased = "SELECT e.data, r.hash FROM events e JOIN erasures r USING (position)";
    assert_eq!(rows(&then, erased), rows(&store, erased));
    // Erased by nobody is damage.
    tamper(&store, "DELETE FROM erasures");
    let result = restore(
        &explore(&store),
        None,
        &folder.path().join("x.annals"),
        &progress,
    );
    assert!(
        matches!(
            result,
            Err(BackupError::Read(ReadError::Damaged {
                position: Position(77),
                ..
            }))
        ),
        "{result:?}"
    );
}

#[test]
fn the_users_own_files_come_along_and_caches_do_not() {
    let folder = folder();
    let store = made(folder.path(), 100);
    let own = folder.path().join("shop.annals.d");
    std::fs::write(own.join("cache.sqlite"), "cache").unwrap();
    std::fs::create_dir(own.join("questions")).unwrap();
    std::fs::write(own.join("questions/sales.toml"), "a = 1").unwrap();
    let kinds = ["dashboards", "models", "projections", "questions"];
    let theirs = kinds
        .iter()
        .map(|kind| names(&own.join(kind)).len() as u64)
        .sum::<u64>();
    let log = explore(&store);
    let progress = WorkProgress::default();
    let copy = folder.path().join("copy.annals");
    let report = backup(&log, &copy, &progress).unwrap();
    assert_eq!((report.beside.copied, report.beside.kept), (theirs, 0));
    let there = folder.path().join("copy.annals.d");
    assert_eq!(names(&there), kinds);
    assert_eq!(
        std::fs::read(own.join("models/order.toml")).unwrap(),
        std::fs::read(there.join("models/order.toml")).unwrap()
    );
    // Lost the store and kept the models: the models of today stay.
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(there.join("models/order.toml"), "mine").unwrap();
    let report = restore(&log, None, &copy, &progress).unwrap();
    assert_eq!((report.beside.copied, report.beside.kept), (0, theirs));
    assert_eq!(
        std::fs::read(there.join("models/order.toml")).unwrap(),
        b"mine"
    );
}

#[test]
fn a_damaged_page_is_named_and_what_comes_before_it_is_restored() {
    let folder = folder();
    let store = made(folder.path(), 4_000);
    let page = "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 100";
    let conn = Connection::open(&store).unwrap();
    let page: usize = conn.query_row(page, [], |row| row.get(0)).unwrap();
    drop(conn);
    // Zeros over it, as a failing disk leaves them.
    let mut bytes = std::fs::read(&store).unwrap();
    let at = (page - 1) * 4096;
    bytes[at..at + 4096].fill(0);
    let damaged = folder.path().join("damaged.annals");
    std::fs::write(&damaged, bytes).unwrap();
    let log = explore(&damaged);
    let out = folder.path().join("out.annals");
    let progress = WorkProgress::default();
    let copied = backup(&log, &out, &progress);
    let result = restore(&log, None, &out, &progress);
    let Err(BackupError::Read(ReadError::Damaged { position, .. })) = result else {
        panic!("{result:?}");
    };
    assert!(
        matches!(copied, Err(BackupError::Read(ReadError::Damaged { position: p, .. })) if p == position)
    );
    assert!(!out.exists());
    let report = restore(&log, Some(Position(position.0 - 1)), &out, &progress).unwrap();
    assert!(!report.tied, "what comes after cannot be read");
}
