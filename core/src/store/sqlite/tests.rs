//! The contract on SQLite, and what is SQLite's own: triggers, files that are no logs, several processes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::*;
use crate::event::NewLink;
use crate::finding::FindingKind;
use crate::store::contract::{self, Fresh, batch, event, fixed, stream};
use crate::store::*;

fn fresh(surroundings: crate::surroundings::Surroundings) -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let writer = LogWriter::create(&folder.path().join("x.annals"), surroundings).unwrap();
    Fresh {
        writer,
        _folder: folder,
    }
}

#[test]
fn keeps_the_contract() {
    contract::suite(&fresh);
}

#[test]
fn keeps_the_contract_wherever_the_tail_begins() {
    for events in [1, 3, 7] {
        contract::suite(&|surroundings| {
            let fresh = fresh(surroundings);
            fresh.writer.index_every(events);
            fresh
        });
    }
}

/// A new log as older builds made it.
fn fresh_of_format(format: u32, surroundings: crate::surroundings::Surroundings) -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    super::unnamed::lay_out(&conn, format).unwrap();
    conn.execute_batch(
        "INSERT INTO meta VALUES ('log_id', '018d0c2a-7e1f-7abc-8def-0123456789ab'),
             ('created_at', '2024-01-15T00:00:00Z')",
    )
    .unwrap();
    if format == 1 {
        conn.execute_batch("DROP TABLE links_tail").unwrap();
    }
    drop(conn);
    Fresh {
        writer: LogWriter::open(&path, surroundings).unwrap(),
        _folder: folder,
    }
}

#[test]
fn keeps_the_contract_in_logs_of_older_formats() {
    for (format, index_every) in [(1, 1_024), (2, 3), (3, 3)] {
        contract::suite(&|surroundings| {
            let fresh = fresh_of_format(format, surroundings);
            fresh.writer.index_every(index_every);
            fresh
        });
    }
}

/// An event whose texts are UUIDs and whose time is in the usual form, so that formats 3 and 4 keep them in fewer bytes.
fn with_uuids() -> crate::event::NewEvent {
    let uuid = |last: u8| format!("018d0c2a-7e1f-7abc-8def-01234567890{last}");
    let metadata = format!(
        r#"{{"userId":"ann","correlationId":"{}","causationId":"{}"}}"#,
        uuid(1),
        uuid(2)
    );
    crate::event::NewEvent {
        id: Some(crate::id::EventId::new(uuid(3)).unwrap()),
        time: Some(
            crate::time::SourceTime::parse("2024-01-15T10:30:00.250Z", chrono_tz::Tz::UTC).unwrap(),
        ),
        metadata: Some(crate::event::Payload::json(metadata).unwrap()),
        source: crate::event::SourceFields {
            source: Some("s".into()),
            source_id: Some(uuid(4)),
            ..Default::default()
        },
        ..event("A", "{}")
    }
}

/// Kinds of what the columns hold that formats 3 and 4 keep in fewer bytes, of the event at position 1.
fn kinds_of(path: &Path) -> String {
    let conn = open::reader(path).unwrap();
    conn.query_row(
        "SELECT typeof(id) || ' ' || typeof(source_id) || ' ' || typeof(correlation) || ' ' || typeof(causation)
             || ' ' || typeof(time_text) || ' ' || typeof((SELECT correlation FROM by_correlation)) FROM events",
        [],
        |row| row.get(0),
    )
    .unwrap()
}

#[test]
fn a_copy_of_an_older_log_has_the_newest_format() {
    for format in [1, 2, 3, 4] {
        let fresh = fresh_of_format(format, fixed());
        fresh.writer.index_every(1);
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, vec![with_uuids()])])
            .unwrap();
        let path = fresh.writer.path();
        let packed = "blob blob blob blob integer blob";
        let older = "text text text text text text";
        assert_eq!(kinds_of(path), if format >= 3 { packed } else { older });
        assert_eq!(found(path), Vec::<String>::new());
        let log = fresh.writer.log();
        let copy = path.with_file_name("restored.annals");
        let report = restore(&log, None, &copy, &Default::default()).unwrap();
        assert_eq!(kinds_of(&copy), packed);
        assert_eq!(found(&copy), Vec::<String>::new());
        let other = Log::explore(&copy).unwrap();
        assert_eq!(other.info().unwrap().format, 4);
        assert_eq!(report.root, log.head().unwrap().root);
        let event = |log: &Log| log.event(Position(1)).unwrap().unwrap();
        assert_eq!(event(&other), event(&log));
    }
}

#[test]
fn an_erasure_leaves_the_salts_of_the_other_parts_only() {
    use crate::event::{NewEvent, Part};
    for format in [1, 2, 3, 4] {
        let fresh = fresh_of_format(format, fixed());
        let append = vec![batch("a-1", ExpectedVersion::Any, vec![with_uuids()])];
        fresh.writer.append(append).unwrap();
        let path = fresh.writer.path();
        let salts = || -> Vec<Option<Vec<u8>>> {
            let conn = open::reader(path).unwrap();
            let columns = match format {
                3.. => "salts, NULL, NULL",
                _ => "salt_identity, salt_data, salt_metadata",
            };
            let sql = format!("SELECT {columns} FROM events WHERE position = 1");
            conn.query_row(&sql, [], |row| {
                Ok(vec![row.get(0)?, row.get(1)?, row.get(2)?])
            })
            .unwrap()
        };
        let before = salts();
        let [identity, data, metadata] = match format {
            3.. => {
                let seed = before[0].as_deref().unwrap().try_into().unwrap();
                crate::integrity::leaf::salts_of(&seed).map(|salt| salt.to_vec())
            }
            _ => [0, 1, 2].map(|at| before[at].clone().unwrap()),
        };
        let describe = |_: &[ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
        let erase = |part| {
            let parts = [(Position(1), part)];
            let erased = fresh.writer.erase(&parts, &stream("e-1"), &describe);
            assert!(erased.unwrap().is_some());
        };
        let holds = |bytes: &[u8]| {
            let file = std::fs::read(path).unwrap();
            file.windows(bytes.len()).any(|found| found == bytes)
        };
        erase(Part::Data);
        fresh.writer.finish_erasures().unwrap();
        let gone = vec![0; 16];
        let want = match format {
            3.. => vec![Some([&identity[..], &gone, &metadata].concat()), None, None],
            _ => vec![Some(identity.clone()), None, Some(metadata)],
        };
        assert_eq!(salts(), want, "format {format}");
        assert!(holds(&identity) && !holds(&data), "format {format}");
        if format >= 3 {
            assert!(!holds(before[0].as_deref().unwrap()), "the seed");
        }
        erase(Part::Metadata);
        let want = match format {
            3.. => vec![Some([&identity[..], &gone, &gone].concat()), None, None],
            _ => vec![Some(identity), None, None],
        };
        assert_eq!(salts(), want, "format {format}");
        let tampered: Vec<String> = found(path)
            .into_iter()
            .filter(|detail| detail.contains("salt") || detail.contains("changed"))
            .collect();
        assert_eq!(tampered, Vec::<String>::new(), "format {format}");
    }
}

#[test]
fn a_uuid_that_stands_as_a_text_is_found() {
    let fresh = fresh(fixed());
    fresh.writer.index_every(1);
    let append = vec![batch("a-1", ExpectedVersion::Any, vec![with_uuids()])];
    fresh.writer.append(append).unwrap();
    let path = fresh.writer.path();
    for (column, value, finding) in [
        (
            "id",
            "'018d0c2a-7e1f-7abc-8def-012345678903'",
            "a UUID of it is there as a text, where it is not looked for",
        ),
        ("causation", "x'00'", "a column of it is no text"),
        (
            "time_text",
            "10",
            "its time as written is neither a text nor a number of digits",
        ),
        (
            "time_text",
            "6",
            "this event was changed after it was recorded",
        ),
    ] {
        let conn = Connection::open(path).unwrap();
        let before: rusqlite::types::Value = conn
            .query_row(&format!("SELECT {column} FROM events"), [], |row| {
                row.get(0)
            })
            .unwrap();
        let trigger: String = conn
            .query_row(
                "SELECT sql FROM sqlite_schema WHERE name = 'events_update'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        conn.execute_batch(&format!(
            "DROP TRIGGER events_update; UPDATE events SET {column} = {value}"
        ))
        .unwrap();
        let details = found(path);
        assert!(
            details.iter().any(|detail| detail.contains(finding)),
            "{column}: {details:?}"
        );
        conn.execute(&format!("UPDATE events SET {column} = ?1"), [before])
            .unwrap();
        conn.execute_batch(&trigger).unwrap();
        assert_eq!(found(path), Vec::<String>::new());
    }
}

/// Numbers of links in their place and in the tail.
fn links_of(path: &Path) -> (u64, u64) {
    let conn = open::reader(path).unwrap();
    conn.query_row(
        "SELECT (SELECT count(*) FROM links), (SELECT count(*) FROM links_tail)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .unwrap()
}

fn append_one(writer: &LogWriter, stream: &str) {
    let events = vec![event("A", "{}")];
    writer
        .append(vec![batch(stream, ExpectedVersion::Any, events)])
        .unwrap();
}

/// What a verification of a closed log finds.
fn found(path: &Path) -> Vec<String> {
    let random = fixed().random;
    let checked = check(path, &[], 2, &random, &Default::default());
    let findings = checked.unwrap().unwrap().findings;
    findings.into_vec().into_iter().map(|f| f.detail).collect()
}

#[test]
fn links_wait_in_the_tail_and_go_to_their_place_with_it() {
    let fresh = fresh(fixed());
    fresh.writer.index_every(3);
    let path = fresh.writer.path();
    for (stream, links) in [
        ("a-1", (0, 1)),
        ("b-1", (0, 2)),
        ("a-1", (3, 0)),
        ("a-1", (3, 1)),
    ] {
        append_one(&fresh.writer, stream);
        assert_eq!(links_of(path), links);
    }
    assert_eq!(found(path), Vec::<String>::new());
    let mut bulk = fresh.writer.bulk("s", &Extraction::standard()).unwrap();
    for name in ["a-1", "c-1"] {
        bulk.add(&stream(name), None, event("A", "{}")).unwrap();
    }
    bulk.commit().unwrap();
    assert_eq!(links_of(path), (6, 0));
    append_one(&fresh.writer, "c-1");
    assert_eq!(links_of(path), (6, 1));
    assert_eq!(found(path), Vec::<String>::new());
}

#[test]
fn a_log_whose_only_link_is_in_the_tail_has_links() {
    let fresh = fresh(fixed());
    append_one(&fresh.writer, "b-1");
    let linked = crate::event::NewEvent {
        links: vec![crate::event::NewLink {
            stream: stream("b-1"),
            qualifier: "to".into(),
        }],
        ..event("Linked", "{}")
    };
    fresh
        .writer
        .append(vec![batch("a-1", ExpectedVersion::Any, vec![linked])])
        .unwrap();
    let log = fresh.writer.log();
    let mut links = Vec::new();
    log.for_each_event_at(&[Position(1), Position(2)], &mut |_, further| {
        links.push(further.len());
        true
    })
    .unwrap();
    assert_eq!(links, [0, 1]);
    let copy = fresh.writer.path().with_file_name("copy.annals");
    backup(&log, &copy, &Default::default()).unwrap();
    assert_eq!(found(&copy), Vec::<String>::new());
    let restored = fresh.writer.path().with_file_name("restored.annals");
    restore(&log, None, &restored, &Default::default()).unwrap();
    assert_eq!(
        (found(&restored), links_of(&restored)),
        (Vec::new(), (3, 0))
    );
}

/// Versions and last positions of streams as their rows have them, by name.
fn rows_of_streams(path: &Path) -> Vec<(String, u64, u64)> {
    let conn = open::reader(path).unwrap();
    let mut rows = conn
        .prepare("SELECT name, version, last_position FROM streams ORDER BY name")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn rows_of_streams_wait_for_the_tail() {
    let rows = |rows: &[(&str, u64, u64)]| -> Vec<(String, u64, u64)> {
        let owned = |row: &(&str, u64, u64)| (row.0.to_owned(), row.1, row.2);
        rows.iter().map(owned).collect()
    };
    for (format, waiting) in [
        (3, [("a-1", 3, 4), ("b-1", 1, 3)]),
        (4, [("a-1", 1, 1), ("b-1", 1, 3)]),
    ] {
        let fresh = fresh_of_format(format, fixed());
        let path = fresh.writer.path();
        fresh.writer.index_every(6);
        let event_at = |id: &str, us| crate::event::NewEvent {
            id: Some(crate::id::EventId::new(id).unwrap()),
            time: Some(crate::time::SourceTime::unwritten(
                crate::time::Time::from_parts(us, 0).unwrap(),
            )),
            ..event("A", "{}")
        };
        let append = |writer: &LogWriter, name: &str, us| {
            let append = batch(
                name,
                ExpectedVersion::Any,
                vec![event_at(&format!("{name} {us}"), us)],
            );
            writer.append(vec![append]).unwrap().events[0].version
        };
        for (name, us) in [("a-1", 50), ("a-1", 20), ("b-1", 30), ("a-1", 90)] {
            append(&fresh.writer, name, us);
        }
        assert_eq!(rows_of_streams(path), rows(&waiting), "format {format}");
        let answer = || {
            let row = fresh.writer.log().stream(&stream("a-1")).unwrap().unwrap();
            (row.events, row.first_time.us(), row.last_time.us())
        };
        assert_eq!(answer(), (3, 20, 90));
        assert_eq!(found(path), Vec::<String>::new());
        // One that learns the log now goes on where it ends, and tells the rows of what it did not append itself.
        let other = LogWriter::open(path, fixed()).unwrap();
        other.index_every(6);
        assert_eq!(append(&other, "a-1", 10), Version(4));
        assert_eq!((answer(), found(path)), ((4, 10, 90), Vec::new()));
        assert_eq!(append(&fresh.writer, "c-1", 10), Version(1));
        let whole = [("a-1", 4, 5), ("b-1", 1, 3), ("c-1", 1, 6)];
        assert_eq!(rows_of_streams(path), rows(&whole), "format {format}");
        assert_eq!((answer(), found(path)), ((4, 10, 90), Vec::new()));
    }
}

#[test]
fn a_row_of_a_stream_that_tells_what_is_not_so_is_found() {
    for format in [3, 4] {
        // The tail begins after position 2, in the midst of one stream and before all of another.
        let fresh = fresh_of_format(format, fixed());
        let path = fresh.writer.path();
        fresh.writer.index_every(2);
        append_one(&fresh.writer, "a-1");
        append_one(&fresh.writer, "a-1");
        fresh.writer.index_every(1_024);
        for name in ["a-1", "b-1", "b-1", "a-1"] {
            append_one(&fresh.writer, name);
        }
        assert_eq!(found(path), Vec::<String>::new());
        let conn = Connection::open(path).unwrap();
        let right = rows_of_streams(path);
        let held = |version: u64, position: u64, name: &str| {
            conn.execute(
                "UPDATE streams SET version = ?1, last_position = ?2 WHERE name = ?3",
                (version, position, name),
            )
            .unwrap();
            let found = found(path);
            for (name, version, position) in &right {
                conn.execute(
                    "UPDATE streams SET version = ?1, last_position = ?2 WHERE name = ?3",
                    (version, position, name),
                )
                .unwrap();
            }
            found.is_empty()
        };
        // Of what is indexed a row tells all, and in the newest format of what came after it any part.
        let waits = format == 4;
        for (name, version, position, is_right) in [
            ("a-1", 4, 6, true),
            ("a-1", 2, 2, waits),
            ("a-1", 3, 3, waits),
            ("a-1", 1, 1, false),
            ("a-1", 2, 3, false),
            ("a-1", 5, 7, false),
            ("a-1", 0, 0, false),
            ("b-1", 2, 5, true),
            ("b-1", 1, 4, waits),
            ("b-1", 1, 5, false),
            ("b-1", 0, 0, false),
        ] {
            let held = held(version, position, name);
            assert_eq!(
                held, is_right,
                "format {format}: {name} at {version}, {position}"
            );
        }
        conn.execute_batch("UPDATE streams SET last_us = last_us + 1 WHERE name = 'b-1'")
            .unwrap();
        assert!(
            found(path)[0].contains("earliest and latest"),
            "format {format}"
        );
    }
}

#[test]
fn a_log_of_format_1_stays_one() {
    let fresh = fresh_of_format(1, fixed());
    let path = fresh.writer.path();
    let format = || Log::explore(path).unwrap().info().unwrap().format;
    for stream in ["a-1", "b-1", "a-1"] {
        append_one(&fresh.writer, stream);
    }
    assert_eq!((links_of(path), format()), ((3, 0), 1));
    assert_eq!(found(path), Vec::<String>::new());
}

#[test]
fn triggers_keep_the_links_of_the_tail() {
    let fresh = fresh(fixed());
    fresh.writer.index_every(2);
    for stream in ["a-1", "a-1", "b-1"] {
        append_one(&fresh.writer, stream);
    }
    let path = fresh.writer.path();
    assert_eq!(links_of(path), (2, 1));
    let conn = Connection::open(path).unwrap();
    for recursive in ["OFF", "ON"] {
        conn.execute_batch(&format!("PRAGMA recursive_triggers = {recursive}"))
            .unwrap();
        for sql in [
            "DELETE FROM links_tail",
            "DELETE FROM links_tail WHERE position = 3",
            "UPDATE links_tail SET position = 2",
            "UPDATE OR IGNORE links_tail SET qualifier = 'x'",
            "REPLACE INTO links_tail SELECT stream, version, 2, NULL FROM links_tail",
            "INSERT INTO links_tail SELECT stream, version, 3, NULL FROM links LIMIT 1",
        ] {
            let error = conn.execute_batch(sql).expect_err(sql).to_string();
            assert!(error.contains("annals: links are"), "{sql}: {error}");
        }
    }
    conn.execute_batch(
        "INSERT INTO erasures VALUES (3, 'identity', x'00', 3); DELETE FROM links_tail",
    )
    .unwrap();
}

#[test]
fn a_link_that_is_gone_from_the_tail_is_found() {
    let fresh = fresh(fixed());
    for stream in ["a-1", "b-1", "a-1"] {
        append_one(&fresh.writer, stream);
    }
    let path = fresh.writer.path();
    let conn = Connection::open(path).unwrap();
    let trigger: String = conn
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE name = 'links_tail_delete'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    conn.execute_batch(&format!(
        "DROP TRIGGER links_tail_delete; DELETE FROM links_tail WHERE position = 2; {trigger}"
    ))
    .unwrap();
    let found = found(path);
    assert!(
        found
            .iter()
            .any(|finding| finding.contains("this event is not in its stream at its version")),
        "{found:#?}"
    );
}

/// A closed log with two streams, three events and a link, opened as any program could.
fn with_editor(test: impl FnOnce(&Connection)) {
    let fresh = fresh(fixed());
    fresh.writer.index_every(256);
    let linked = crate::event::NewEvent {
        links: vec![crate::event::NewLink {
            stream: stream("b-1"),
            qualifier: "to".into(),
        }],
        metadata: Some(crate::event::Payload::json(r#"{"userId":"u"}"#).unwrap()),
        ..event("Linked", "{}")
    };
    let events = vec![event("First", "{}"), linked];
    let fill = (0..300).map(|_| event("Filled", "{}")).collect();
    fresh
        .writer
        .append(vec![
            batch("a-1", ExpectedVersion::Any, events),
            batch("c-1", ExpectedVersion::Any, fill),
        ])
        .unwrap();
    let path = fresh.writer.path().to_owned();
    fresh.writer.close().unwrap();
    test(&Connection::open(path).unwrap());
}

#[test]
fn triggers_refuse_what_would_change_the_log() {
    with_editor(|conn| {
        conn.execute_batch(
            "INSERT INTO checkpoints VALUES (1, 5, 'note', 'entry'); INSERT INTO erasures VALUES (3, 'data', x'00', 4)",
        )
        .unwrap();
        let all: Vec<String> = [
            "DELETE FROM events",
            "DELETE FROM events WHERE position = 1",
            "UPDATE events SET data = x'00' WHERE position = 1",
            "UPDATE events SET data = NULL, salts = zeroblob(48) WHERE position = 1",
            "UPDATE events SET actor = NULL WHERE position = 2",
            "UPDATE events SET position = 1000 WHERE position = 1",
            "UPDATE events SET leaf = zeroblob(32) WHERE position = 1",
            "UPDATE events SET time_us = 0",
            "UPDATE OR REPLACE events SET position = 2 WHERE position = 1",
            "UPDATE OR IGNORE events SET version = 2 WHERE position = 1",
            "INSERT OR REPLACE INTO events SELECT * FROM events WHERE position = 1",
            "REPLACE INTO events SELECT * FROM events WHERE position = 302",
            "INSERT INTO events SELECT position + 1000, stream, version, type, time_us, time_sub_ns, time_flags,
                time_text, recorded_us, NULL, source, source_id, source_version, source_position,
                source_recorded_us, source_recorded_sub_ns, actor, correlation, causation, schema_version,
                salts, data_type, metadata_type, leaf, metadata, data
                FROM events WHERE position = 1",
            "INSERT OR REPLACE INTO events SELECT 303, stream, version, type, time_us, time_sub_ns, time_flags,
                time_text, recorded_us, id, source, source_id, source_version, source_position,
                source_recorded_us, source_recorded_sub_ns, actor, correlation, causation, schema_version,
                salts, data_type, metadata_type, leaf, metadata, data
                FROM events WHERE position = 1",
            "DELETE FROM links",
            "UPDATE links SET position = 2",
            "REPLACE INTO links VALUES (1, 1, 2, NULL)",
            "DELETE FROM head",
            "UPDATE head SET size = 0",
            "REPLACE INTO head VALUES (1, 0, x'', x'', NULL, 0)",
            // The erased part goes whole, with its salt, and no other goes with it.
            "UPDATE events SET data = NULL WHERE position = 3",
            "UPDATE events SET data = x'00', salts = zeroblob(48) WHERE position = 3",
            "UPDATE events SET data = NULL, salts = zeroblob(16) WHERE position = 3",
            "UPDATE events SET salts = zeroblob(48) WHERE position = 1",
            "UPDATE events SET data = NULL, salts = zeroblob(48), id = NULL WHERE position = 3",
            "UPDATE events SET data = NULL, salts = zeroblob(48), leaf = zeroblob(32) WHERE position = 3",
            "UPDATE events SET metadata = NULL, salts = zeroblob(48) WHERE position = 2",
            "UPDATE events SET actor = 7 WHERE position = 3",
            "DELETE FROM links WHERE position = 3",
        ]
        .map(str::to_owned)
        .into();
        let names = [
            "meta",
            "sources",
            "tiles",
            "checkpoints",
            "erasures",
            "types",
            "streams",
            "actors",
        ];
        let deletes = names.map(|table| format!("DELETE FROM {table}"));
        let renames = ["types", "streams", "actors", "categories", "content_types"];
        let renames = renames.map(|table| format!("UPDATE {table} SET name = name || 'x'"));
        let updates = [
            "UPDATE meta SET value = 'x'",
            "UPDATE tiles SET hashes = x''",
            "UPDATE checkpoints SET note = 'x'",
            "UPDATE erasures SET hash = x''",
            "UPDATE streams SET category = 9",
            "REPLACE INTO meta VALUES ('log_id', 'x')",
            "REPLACE INTO tiles VALUES (0, 0, x'')",
            "REPLACE INTO types VALUES (1, 'x', 0)",
            "REPLACE INTO types VALUES (99, 'First', 0)",
            "REPLACE INTO checkpoints VALUES (1, 5, 'x', 'y')",
            "REPLACE INTO erasures VALUES (3, 'data', x'01', 4)",
        ]
        .map(str::to_owned);
        let tampering = all.into_iter().chain(deletes).chain(renames).chain(updates);
        for recursive in ["OFF", "ON"] {
            conn.execute_batch(&format!("PRAGMA recursive_triggers = {recursive}"))
                .unwrap();
            for sql in tampering.clone() {
                if sql.contains("sources") {
                    continue; // Empty here: nothing to delete.
                }
                let error = conn.execute_batch(&sql).expect_err(&sql).to_string();
                assert!(error.contains("annals: "), "{sql}: {error}");
            }
        }
    });
}

#[test]
fn triggers_keep_the_list_of_imports_as_it_is() {
    with_editor(|conn| {
        conn.execute_batch(
            "INSERT INTO imports VALUES (1, 0, 2, 2, 0, 0, 1, 2);
             INSERT INTO import_files VALUES (1, 0, 'a.jsonl', 10, x'00', 'jsonl', NULL, NULL, 2);
             INSERT INTO import_coverage VALUES (1, 0, 2, 2, 2, 0, 0)",
        )
        .unwrap();
        let row = |table: &str| {
            let sql = format!("SELECT * FROM {table}");
            conn.query_row(&sql, [], |row| {
                (0..row.as_ref().column_count())
                    .map(|column| row.get::<_, rusqlite::types::Value>(column))
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .unwrap()
        };
        let before = ["imports", "import_files", "import_coverage"].map(row);
        for recursive in ["OFF", "ON"] {
            conn.execute_batch(&format!("PRAGMA recursive_triggers = {recursive}"))
                .unwrap();
            for sql in [
                "DELETE FROM imports",
                "DELETE FROM imports WHERE id = 1",
                "UPDATE imports SET rejected = 0",
                "UPDATE OR IGNORE imports SET id = 2",
                "UPDATE OR REPLACE imports SET stored = 9",
                "REPLACE INTO imports VALUES (1, 0, 9, 9, 0, 0, 1, 9)",
                "DELETE FROM import_files",
                "UPDATE import_files SET sha256 = x'01'",
                "UPDATE OR REPLACE import_files SET name = 'b.jsonl'",
                "UPDATE OR IGNORE import_files SET import = 2",
                "REPLACE INTO import_files VALUES (1, 0, 'b.jsonl', 10, x'00', 'jsonl', NULL, NULL, 2)",
                "DELETE FROM import_coverage",
                "UPDATE import_coverage SET tells_why = 2",
                "REPLACE INTO import_coverage VALUES (1, 0, 2, 2, 2, 2, 2)",
                "INSERT OR REPLACE INTO import_files
                 VALUES (1, 0, 'b.jsonl', 10, x'00', 'jsonl', NULL, NULL, 2)",
            ] {
                let error = conn.execute_batch(sql).expect_err(sql).to_string();
                assert!(error.contains("annals: import"), "{sql}: {error}");
            }
        }
        assert_eq!(
            before,
            ["imports", "import_files", "import_coverage"].map(row)
        );
    });
}

#[test]
fn an_erasure_clears_one_part_and_nothing_else() {
    with_editor(|conn| {
        conn.execute_batch(
            "INSERT INTO erasures VALUES (2, 'data', x'00', 3), (2, 'identity', x'00', 3), (2, 'metadata', x'00', 3);
             UPDATE events SET data = NULL, salts = zeroblob(48) WHERE position = 2;
             UPDATE events SET metadata = NULL, salts = randomblob(48), actor = NULL WHERE position = 2;
             UPDATE events SET id = NULL, stream = NULL, salts = zeroblob(48) WHERE position = 2;
             DELETE FROM links WHERE position = 2;",
        )
        .unwrap();
        let log = Log::explore(Path::new(conn.path().unwrap())).unwrap();
        let erased = log.event(crate::position::Position(2)).unwrap().unwrap();
        use crate::event::Part;
        assert_eq!(erased.erased, [Part::Identity, Part::Data, Part::Metadata]);
        assert_eq!(
            (erased.stream, erased.id, erased.data, erased.metadata),
            (None, None, None, None)
        );
        let first = log.event(crate::position::Position(1)).unwrap().unwrap();
        assert_eq!(first.erased, []);
    });
}

#[test]
fn what_finds_events_can_be_deleted_and_is_rebuilt() {
    const TABLES: [&str; 4] = ["by_type", "by_actor", "by_time", "by_correlation"];
    let fresh = fresh(fixed());
    fresh.writer.index_every(256);
    let correlated = |n: u64| crate::event::NewEvent {
        metadata: Some(
            crate::event::Payload::json(format!(
                r#"{{"userId":"u{}","correlationId":"c{}"}}"#,
                n % 3,
                n % 5
            ))
            .unwrap(),
        ),
        ..event(["A", "B"][n as usize % 2], "{}")
    };
    let append = |events: std::ops::Range<u64>| {
        let events = events.map(correlated).collect();
        let events = batch("a-1", ExpectedVersion::Any, events);
        fresh.writer.append(vec![events]).unwrap();
    };
    append(0..300);
    append(300..310);
    let log = fresh.writer.log();
    let answers = || {
        let named = EventQuery {
            event_type: Some(crate::id::EventType::new("A").unwrap()),
            ..EventQuery::default()
        };
        let acted = EventQuery {
            actor: Some(crate::id::Actor::new("u1").unwrap()),
            ..EventQuery::default()
        };
        let correlated = EventQuery {
            correlation: Some("c2".into()),
            ..EventQuery::default()
        };
        let each = [named, acted, correlated].map(|query| {
            let page = log.events(&query, 1000).unwrap();
            assert_eq!(log.count(&query).unwrap(), page.events.len() as u64);
            page
        });
        let density = log.density(&EventQuery::default(), 7).unwrap();
        (
            each,
            density,
            format!("{:?}", log.detail(Position(33)).unwrap()),
            log.info().unwrap(),
        )
    };
    let entries = || {
        let conn = open::reader(fresh.writer.path()).unwrap();
        TABLES.map(|table| {
            let rows = format!("SELECT count(*), sum(position) FROM {table}");
            conn.query_row(&rows, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
        })
    };
    let before = answers();
    assert_eq!(entries(), [(300u64, 45_150u64); 4]);
    let editor = Connection::open(fresh.writer.path()).unwrap();
    for table in TABLES {
        let delete = editor.execute_batch(&format!("DELETE FROM {table} WHERE position = 7"));
        assert!(delete.is_err(), "{table}: the head counts it in");
    }
    editor
        .execute_batch("UPDATE head SET indexed = 0; UPDATE types SET events = 0; UPDATE actors SET events = 0;
             UPDATE categories SET events = 0")
        .unwrap();
    for table in TABLES {
        editor
            .execute_batch(&format!("DELETE FROM {table}"))
            .unwrap();
    }
    let without = answers();
    assert_eq!(
        (&without.0, &without.1, &without.2),
        (&before.0, &before.1, &before.2)
    );
    assert_eq!(without.3.types, before.3.types);
    append(310..311);
    assert_eq!(entries(), [(311, 48_516); 4]);
    assert_eq!(log.info().unwrap().types[1].events, 155);
}

#[test]
fn an_erased_event_is_found_by_nothing_that_was_erased() {
    let fresh = fresh(fixed());
    fresh.writer.index_every(2);
    for n in 0..3 {
        let events = vec![contract::with_id(
            &format!("e{n}"),
            "A",
            r#"{"userId":"u","correlationId":"c"}"#,
        )];
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
            .unwrap();
    }
    let editor = Connection::open(fresh.writer.path()).unwrap();
    editor
        .execute_batch(
            "INSERT INTO erasures VALUES (1, 'data', x'00', 3), (1, 'identity', x'00', 3), (3, 'data', x'00', 3);
             UPDATE events SET data = NULL, salts = randomblob(48), actor = NULL, correlation = NULL
                 WHERE position IN (1, 3);
             UPDATE events SET id = NULL, stream = NULL, salts = zeroblob(48) WHERE position = 1;",
        )
        .unwrap();
    let of = |table: &str, column: &str| {
        let rows = format!("SELECT position, {column} IS NULL FROM {table} ORDER BY position");
        let mut rows = editor.prepare(&rows).unwrap();
        let rows = rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.collect::<rusqlite::Result<Vec<(u64, bool)>>>()
            .unwrap()
    };
    assert_eq!(of("by_actor", "actor"), [(2, false)]);
    assert_eq!(of("by_correlation", "correlation"), [(2, false)]);
    assert_eq!(of("by_time", "stream"), [(1, true), (2, false)]);
    let events = vec![event("A", "{}")];
    fresh
        .writer
        .append(vec![batch("a-1", ExpectedVersion::Any, events)])
        .unwrap();
    assert_eq!(of("by_actor", "actor"), [(2, false)]);
    assert_eq!(
        of("by_time", "stream"),
        [(1, true), (2, false), (3, false), (4, false)]
    );
}

#[test]
fn a_reader_cannot_write() {
    let fresh = fresh(fixed());
    let conn = open::reader(fresh.writer.path()).unwrap();
    for sql in [
        "UPDATE types SET events = 7",
        "PRAGMA query_only = OFF; CREATE TABLE x(y)",
    ] {
        assert!(conn.execute_batch(sql).is_err(), "{sql}");
    }
}

/// Bytes changed behind the log's back were shown like any others: nothing computed a leaf hash on reading.
#[test]
fn an_event_that_was_changed_is_said_to_be() {
    with_editor(|conn| {
        let path = Path::new(conn.path().unwrap()).to_owned();
        let findings = |position: u64| {
            let log = Log::explore(&path).unwrap();
            let detail = log.detail(crate::position::Position(position)).unwrap();
            detail.unwrap().findings
        };
        for position in 1..=302 {
            assert_eq!(findings(position), [], "position {position}");
        }
        let without_triggers = |sql: &str| {
            conn.execute_batch(
                "DROP TRIGGER IF EXISTS events_update; DROP TRIGGER IF EXISTS links_update",
            )
            .unwrap();
            conn.execute_batch(sql).unwrap();
        };
        for (position, change, back) in [
            (1, "data = x'5b5d'", "data = x'7b7d'"),
            (1, "time_us = time_us + 1", "time_us = time_us - 1"),
            (1, "time_text = ''", "time_text = NULL"),
            (1, "type = 2", "type = 1"),
            (
                2,
                "metadata = x'7b7d'",
                "metadata = CAST('{\"userId\":\"u\"}' AS BLOB)",
            ),
            (2, "source_id = 'x'", "source_id = NULL"),
            (3, "salts = zeroblob(16)", ""),
            (4, "salts = NULL", ""),
            (5, "leaf = zeroblob(32)", ""),
            (6, "data = NULL, salts = zeroblob(48)", ""),
            (7, "metadata_type = 1", ""),
        ] {
            without_triggers(&format!(
                "UPDATE events SET {change} WHERE position = {position}"
            ));
            let [finding] = &findings(position)[..] else {
                panic!("{change}")
            };
            assert_eq!(
                (
                    finding.kind,
                    finding.severity,
                    finding.place.position.unwrap().0
                ),
                (
                    crate::finding::FindingKind::HashMismatch,
                    crate::finding::Severity::Severe,
                    position
                ),
                "{change}"
            );
            if !back.is_empty() {
                without_triggers(&format!(
                    "UPDATE events SET {back} WHERE position = {position}"
                ));
                assert_eq!(findings(position), [], "{back}");
            }
        }
        without_triggers(
            "UPDATE links SET qualifier = 'from' WHERE position = 2 AND qualifier = 'to'",
        );
        assert_eq!(findings(2).len(), 1);
        // A leaf made to fit the changed bytes is not the one in the tree.
        without_triggers(
            "UPDATE events SET leaf = (SELECT leaf FROM events WHERE position = 9) WHERE position = 8",
        );
        assert!(findings(8)[0].detail.contains("its bytes give"));
        assert_eq!(findings(10), []);
        conn.execute_batch("DROP TRIGGER tiles_update; UPDATE tiles SET hashes = zeroblob(8192)")
            .unwrap();
        assert!(findings(10)[0].detail.contains("the log's tree holds"));
    });
}

/// Exploring left an empty write-ahead log and its index beside what may be evidence.
#[test]
fn exploring_leaves_nothing_beside_the_file() {
    let fresh = fresh(fixed());
    let path = fresh.writer.path().to_owned();
    let folder = path.parent().unwrap();
    let files = || {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    fresh
        .writer
        .append(vec![batch(
            "a-1",
            ExpectedVersion::Any,
            vec![event("A", "{}")],
        )])
        .unwrap();
    let Fresh { writer, _folder } = fresh;
    // While a writer has it open, its files stay.
    drop(Log::explore(&path).unwrap());
    assert_eq!(files().len(), 3);
    writer.close().unwrap();
    assert_eq!(files(), ["x.annals"]);
    let before = std::fs::read(&path).unwrap();
    let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
    let log = Log::explore(&path).unwrap();
    let other = log.clone();
    assert_eq!(log.info().unwrap().events, 1);
    drop(log);
    assert_eq!(other.info().unwrap().events, 1);
    drop(other);
    assert_eq!(files(), ["x.annals"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(
        std::fs::metadata(&path).unwrap().modified().unwrap(),
        changed
    );
}

#[test]
fn streams_that_each_make_a_category_are_told() {
    let fresh = fresh(fixed());
    let append = |from: usize, to: usize, like: &dyn Fn(usize) -> String| {
        let streams = (from..to).map(|n| {
            let none = ExpectedVersion::NoStream;
            batch(&like(n), none, vec![event("A", "{}")])
        });
        fresh.writer.append(streams.collect()).unwrap();
        fresh.writer.log().info().unwrap()
    };
    let info = append(0, 999, &|n| format!("{n:08x}-4a3f-11ee"));
    assert_eq!((info.categories_count, info.findings.len()), (999, 0));
    let info = append(999, 1_000, &|n| format!("{n:08x}-4a3f-11ee"));
    let [finding] = &info.findings[..] else {
        panic!("{:?}", info.findings)
    };
    assert_eq!(
        (finding.kind, finding.count),
        (FindingKind::ManyCategories, 1_000)
    );
    assert!(finding.detail.contains("(00000000)"), "{}", finding.detail);
    let info = append(0, 1_003, &|n| format!("order-{n}"));
    assert_eq!((info.categories_count, info.findings.len()), (1_001, 0));
}

/// Refused and repeated appends woke everyone who waits for events.
#[test]
fn only_what_is_written_wakes_subscriptions() {
    let fresh = fresh(fixed());
    let append = |expected| {
        let new = contract::with_id("e1", "A", "{}");
        fresh.writer.append(vec![batch("a-1", expected, vec![new])])
    };
    append(ExpectedVersion::NoStream).unwrap();
    let told = fresh.writer.log().announced();
    assert!(append(ExpectedVersion::Any).unwrap().events[0].duplicate);
    let refused = vec![batch(
        "a-1",
        ExpectedVersion::NoStream,
        vec![event("B", "{}")],
    )];
    assert!(fresh.writer.append(refused).is_err());
    assert_eq!(fresh.writer.log().announced(), told);
    let written = vec![batch("a-1", ExpectedVersion::Any, vec![event("B", "{}")])];
    fresh.writer.append(written).unwrap();
    assert_eq!(fresh.writer.log().announced(), told + 1);
}

/// Of several programs that make the same log, those that came second found a file without content and said that
/// it was no log; and one whose work failed removed the file under the others.
#[test]
fn a_log_is_whole_as_soon_as_it_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let system = crate::surroundings::Surroundings::system;
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.annals"));
        let ended = AtomicBool::new(false);
        let made = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                loop {
                    let last = ended.load(Ordering::SeqCst);
                    match Log::explore(&path) {
                        Ok(_) => return,
                        Err(OpenError::NotFound { .. }) if !last => std::thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            let make = || LogWriter::create(&path, system());
            let makers: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            let made: Vec<_> = makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect();
            ended.store(true, Ordering::SeqCst);
            watcher.join().unwrap();
            made
        });
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        for error in made.into_iter().filter_map(Result::err) {
            assert!(matches!(error, OpenError::Exists { .. }), "{error}");
        }
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 20, "a log each and nothing beside");
}

#[test]
fn a_log_that_never_got_its_name_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let make = || {
        let made = UnnamedLog::create(&path, fixed()).unwrap();
        let one = batch("a-1", ExpectedVersion::Any, vec![event("A", "{}")]);
        made.writer().append(vec![one]).unwrap();
        made
    };
    drop(make());
    assert_eq!(files(), 0);
    let (first, second) = (make(), make_other(&path));
    first.name().unwrap();
    assert!(matches!(second.name(), Err(OpenError::Exists { .. })));
    assert_eq!(files(), 1);
    assert_eq!(Log::explore(&path).unwrap().head().unwrap().size.0, 1);
}

/// Killed while they made a sample or a copy, which go by the same token each time, processes left files over which the
/// next one stumbled, and said that the store exists.
#[test]
fn what_a_killed_process_left_of_a_new_log_hinders_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let make = || UnnamedLog::create(&path, fixed()).unwrap();
    let first = make();
    let left = left_in_the_making(&path);
    assert_eq!(left.len(), 1, "{left:?}");
    drop(first);
    assert!(left_in_the_making(&path).is_empty());
    // As a process leaves them that is killed; of the second one the file itself was removed since.
    std::fs::write(&left[0], b"half").unwrap();
    let token = left[0].to_str().unwrap().strip_suffix(".new").unwrap();
    std::fs::write(format!("{token}-1.new-wal"), b"left").unwrap();
    for other in [
        "x.annals.mine.new",
        "y.annals.00000000000000000000000000000007.new",
    ] {
        std::fs::write(folder.path().join(other), b"").unwrap();
    }
    // Two at the same time under one token, too.
    let (first, second) = (make(), make());
    first
        .writer()
        .append(vec![batch(
            "a-1",
            ExpectedVersion::Any,
            vec![event("A", "{}")],
        )])
        .unwrap();
    drop(second);
    first.name().unwrap();
    let log = Log::explore(&path).unwrap();
    assert_eq!(log.head().unwrap().size.0, 1);
    assert_eq!(left_in_the_making(&path), left);
    assert_eq!(std::fs::read(&left[0]).unwrap(), b"half");
    // A copy goes by the log's id.
    let copy = folder.path().join("copy.annals");
    let half = open::beside(&copy, &format!(".{}.new", log.id().0.simple()));
    std::fs::write(&half, b"half a copy").unwrap();
    backup(&log, &copy, &crate::progress::WorkProgress::default()).unwrap();
    assert!(copy.exists());
    assert_eq!(left_in_the_making(&copy), [half]);
}

fn make_other(path: &Path) -> UnnamedLog {
    UnnamedLog::create(path, crate::surroundings::Surroundings::system()).unwrap()
}

#[test]
fn two_writers_of_one_file_take_turns() {
    let fresh = fresh(fixed());
    let path = fresh.writer.path().to_owned();
    let other = LogWriter::open(&path, crate::surroundings::Surroundings::system()).unwrap();
    let mut reading = fresh
        .writer
        .log()
        .subscribe(crate::position::Position::ZERO);
    for round in 0..20u64 {
        for (writer, version) in [(&fresh.writer, 2 * round), (&other, 2 * round + 1)] {
            let expected = match version {
                0 => ExpectedVersion::NoStream,
                n => ExpectedVersion::Exact(Version(n)),
            };
            let events = vec![event("Turn", "{}")];
            let own = batch(
                &format!("own-{version}"),
                ExpectedVersion::NoStream,
                events.clone(),
            );
            let done = writer
                .append(vec![batch("a-1", expected, events), own])
                .unwrap();
            assert_eq!(done.events[0].version, Version(version + 1));
            assert_eq!(done.events[1].position.0, 2 * version + 2);
        }
    }
    assert_eq!(reading.next(1000, 0).unwrap().len(), 80);
    let info = other.log().info().unwrap();
    assert_eq!((info.events, info.streams), (80, 41));
    assert_eq!(
        info.types,
        [TypeRow {
            name: "Turn".into(),
            events: 80
        }]
    );
    assert_eq!(info.root, fresh.writer.log().head().unwrap().root);
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let fresh = fresh(fixed());
    let path = fresh.writer.path().to_owned();
    std::thread::scope(|scope| {
        for n in 0..3 {
            let path = &path;
            scope.spawn(move || {
                let writer =
                    LogWriter::open(path, crate::surroundings::Surroundings::system()).unwrap();
                for _ in 0..30 {
                    let events = vec![event("A", "{}")];
                    writer
                        .append(vec![batch(&format!("s-{n}"), ExpectedVersion::Any, events)])
                        .unwrap();
                }
            });
        }
    });
    let log = Log::explore(&path).unwrap();
    assert_eq!(log.head().unwrap().size.0, 90);
    let leaves: Vec<_> = log.events(&EventQuery::default(), 100).unwrap().events;
    let leaves: Vec<_> = leaves.iter().map(|e| e.leaf).collect();
    assert_eq!(
        crate::integrity::tree::root(&leaves),
        log.head().unwrap().root
    );
}

#[test]
fn appends_wait_for_a_bulk_append_to_end() {
    let fresh = fresh(fixed());
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let events = vec![event("After", "{}")];
            fresh
                .writer
                .append(vec![batch("a-1", ExpectedVersion::Any, events)])
        });
        for _ in 0..100 {
            bulk.add(&stream("a-1"), None, event("Bulk", "{}")).unwrap();
        }
        bulk.commit().unwrap();
        let appended = waiting.join().unwrap().unwrap();
        assert!([1, 101].contains(&appended.events[0].position.0));
    });
}

#[test]
fn a_large_bulk_append_leaves_every_index_and_trigger() {
    let schema = |log: &Log| {
        log.read(|conn| {
            let mut all =
                conn.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name")?;
            let rows = all.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<(String, String, Option<String>)>>>()?)
        })
        .unwrap()
    };
    let fresh = fresh(fixed());
    let before = schema(&fresh.writer.log());
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    let many = bulk::DEFER_FROM + 10;
    for n in 0..many {
        let new = contract::with_id(&format!("e{n}"), "A", r#"{"by":"x"}"#);
        let outcome = bulk
            .add(&stream(&format!("s-{}", n % 100)), None, new)
            .unwrap();
        assert!(matches!(outcome, BulkOutcome::Stored(_)));
    }
    let again = bulk.add(
        &stream("s-0"),
        None,
        contract::with_id("e0", "A", r#"{"by":"x"}"#),
    );
    assert!(matches!(again, Ok(BulkOutcome::Duplicate(_))));
    let head = bulk.commit().unwrap();
    let log = fresh.writer.log();
    assert_eq!(schema(&log), before);
    assert_eq!(head.size.0, many);
    let query = EventQuery {
        actor: Some(crate::id::Actor::new("x").unwrap()),
        ..EventQuery::default()
    };
    assert_eq!(log.count(&query).unwrap(), many);
    log.read(|conn| {
        let check: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(check, "ok");
        Ok(())
    })
    .unwrap();
}

/// What is left for the end is places in home streams and correlations: UUIDs are sorted as bytes, other texts by the
/// engine, and places in further streams go to theirs at once.
#[test]
fn a_large_bulk_append_leaves_nothing_out_that_it_left_for_its_end() {
    let fresh = fresh(fixed());
    let correlation = |n: u64| match n % 4 {
        0 => Some(format!(
            "{:08x}-0000-4000-8000-000000000000",
            n * 7_919 % 5_003
        )),
        1 => Some(format!("order {}", n % 501)),
        2 => Some(format!("{:08X}-0000-4000-8000-000000000000", n % 503)),
        _ => None,
    };
    let many = bulk::DEFER_FROM + 5_000;
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    for n in 0..many {
        let data = match correlation(n) {
            Some(text) => format!(r#"{{"correlationId":"{text}"}}"#),
            None => "{}".to_owned(),
        };
        let mut new = contract::with_id(&format!("e{n}"), "A", &data);
        if n % 10 == 3 {
            new.links.push(NewLink {
                stream: stream(&format!("t-{}", n % 70)),
                qualifier: "part".into(),
            });
        }
        bulk.add(&stream(&format!("s-{}", n * 31 % 777)), None, new)
            .unwrap();
    }
    bulk.commit().unwrap();
    let path = fresh.writer.path().to_owned();
    let log = fresh.writer.log();
    for n in [bulk::DEFER_FROM - 4, bulk::DEFER_FROM + 8] {
        for n in [n, n + 1, n + 2] {
            let text = correlation(n).unwrap();
            let same = (0..many).filter(|other| correlation(*other).as_deref() == Some(&*text));
            let query = EventQuery {
                correlation: Some(text.clone()),
                ..EventQuery::default()
            };
            assert_eq!(log.count(&query).unwrap(), same.count() as u64, "{text}");
        }
    }
    let random = crate::surroundings::Surroundings::fixed(crate::time::Time::MIN, 1).random;
    let progress = crate::progress::WorkProgress::default();
    let check = check(&path, &[], 1, &random, &progress).unwrap().unwrap();
    assert_eq!(check.events, many);
    assert_eq!(
        format!("{:?}", check.findings),
        format!("{:?}", crate::store::verify::VerifyFindings::default())
    );
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let fresh = fresh(fixed());
    let append = |data: String| {
        let events = vec![event("A", &data)];
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
    };
    append("{}".into()).unwrap();
    // The engine reports a file that may not grow exactly as a disk that is full.
    fresh.writer.limit_pages(80);
    let refused = append(format!("\"{}\"", "x".repeat(500_000)));
    assert!(matches!(refused, Err(AppendError::DiskFull)), "{refused:?}");
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    let ended = loop {
        let large = event("A", &format!("\"{}\"", "x".repeat(50_000)));
        if let Err(error) = bulk.add(&stream("b-1"), None, large) {
            break error;
        }
    };
    assert!(matches!(ended, AppendError::DiskFull), "{ended:?}");
    assert!(matches!(
        bulk.add(&stream("b-1"), None, event("A", "{}")),
        Err(AppendError::Closed)
    ));
    assert!(matches!(bulk.commit(), Err(AppendError::Closed)));
    let log = fresh.writer.log();
    assert_eq!(log.head().unwrap().size.0, 1);
    append("{}".into()).unwrap();
    assert_eq!(log.head().unwrap().size.0, 2);
}

/// It has no write-ahead log: what was there before is in memory, and most of what comes is in the file before the
/// commit.
#[test]
fn a_log_that_is_being_filled_is_filled_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let made = UnnamedLog::to_fill(&path, fixed()).unwrap();
    let unnamed = left_in_the_making(&path).pop().unwrap();
    let empty = std::fs::metadata(&unnamed).unwrap().len();
    let large = || event("A", &format!("\"{}\"", "x".repeat(500_000)));
    let mut bulk = made.writer().bulk("file", &Extraction::standard()).unwrap();
    for _ in 0..120 {
        bulk.add(&stream("a-1"), None, large()).unwrap();
    }
    drop(bulk);
    assert_eq!(std::fs::metadata(&unnamed).unwrap().len(), empty);
    assert_eq!(made.writer().log().head().unwrap().size.0, 0);

    made.writer().limit_pages(2_000);
    let mut bulk = made.writer().bulk("file", &Extraction::standard()).unwrap();
    let ended = loop {
        if let Err(error) = bulk.add(&stream("b-1"), None, large()) {
            break error;
        }
    };
    assert!(matches!(ended, AppendError::DiskFull), "{ended:?}");
    drop(bulk);
    assert_eq!(made.writer().log().head().unwrap().size.0, 0);

    made.writer().limit_pages(1_000_000);
    let mut bulk = made.writer().bulk("file", &Extraction::standard()).unwrap();
    for n in 0..120 {
        bulk.add(&stream(&format!("c-{n}")), None, large()).unwrap();
    }
    assert!(std::fs::metadata(&unnamed).unwrap().len() > 10_000_000);
    let head = bulk.commit().unwrap();
    assert_eq!((files(), path.exists()), (1, false), "no journal, no name");
    made.name().unwrap();
    assert_eq!(files(), 1);
    let log = Log::explore(&path).unwrap();
    assert_eq!(log.head().unwrap(), head);
    assert_eq!(log.info().unwrap().streams, 120);
    let mode: String = log
        .read(|conn| Ok(conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(mode, "wal");

    let half = UnnamedLog::to_fill(&folder.path().join("y.annals"), fixed()).unwrap();
    let mut bulk = half.writer().bulk("file", &Extraction::standard()).unwrap();
    bulk.add(&stream("a-1"), None, large()).unwrap();
    drop(bulk);
    drop((half, log));
    assert_eq!(files(), 1);
}

/// Makes a closed log with some events and returns its bytes.
fn closed(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("x.annals");
    let writer = LogWriter::create(&path, fixed()).unwrap();
    let events = (0..400)
        .map(|_| event("A", r#"{"text":"0123456789"}"#))
        .collect();
    writer
        .append(vec![batch("a-1", ExpectedVersion::Any, events)])
        .unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn files_that_are_no_logs_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let system = crate::surroundings::Surroundings::system;
    let why = || {
        let explored = Log::explore(&path).unwrap_err().to_string();
        let opened = LogWriter::open(&path, system()).unwrap_err().to_string();
        assert_eq!(explored, opened);
        explored.replace(&path.display().to_string(), "X")
    };
    assert_eq!(why(), "there is no file X");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(why(), "X is not an Annals store (it is empty)");
    std::fs::write(&path, b"eventId,time\n").unwrap();
    assert_eq!(
        why(),
        "X is not an Annals store (it is not an SQLite database)"
    );
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t(x)")
        .unwrap();
    assert_eq!(
        why(),
        "X is not an Annals store (it is an SQLite database of another program)"
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(why(), "X is not an Annals store (it is a folder)");
    std::fs::remove_dir(&path).unwrap();
    closed(folder.path());
    assert!(matches!(
        LogWriter::create(&path, system()),
        Err(OpenError::Exists { .. })
    ));
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 7")
        .unwrap();
    assert_eq!(
        why(),
        "X has format 7, newer than the 4 that this version of Annals reads"
    );
    let missing = folder.path().join("none/x.annals");
    assert!(matches!(
        LogWriter::create(&missing, system()),
        Err(OpenError::NotFound { .. })
    ));
}

#[test]
fn a_file_that_is_cut_off_is_damaged_at_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for len in [
        50,
        99,
        100,
        4096,
        4097,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        std::fs::write(&path, &whole[..len]).unwrap();
        let explored = Log::explore(&path);
        assert!(
            matches!(explored, Err(OpenError::Damaged { .. })),
            "{len}: {explored:?}"
        );
        let opened = LogWriter::open(&path, fixed());
        assert!(
            matches!(opened, Err(OpenError::Damaged { .. })),
            "{len}: {opened:?}"
        );
    }
}

#[test]
fn flipped_bytes_never_make_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let step = whole.len() / 97;
    for at in (0..whole.len()).step_by(step.max(1)) {
        let mut bytes = whole.clone();
        for byte in &mut bytes[at..(at + 8).min(whole.len())] {
            *byte ^= 0xa5;
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(log) = Log::explore(&path) else {
            continue;
        };
        // Each either answers or says what is wrong.
        let _ = log.info();
        let _ = log.events(&EventQuery::default(), 1000);
        let _ = log.read_stream(
            &stream("a-1"),
            Version(1)..=Version(900),
            Direction::Backwards,
            900,
        );
        let _ = log.density(&EventQuery::default(), 10);
        let _ = log.detail(crate::position::Position(7));
        if let Ok(writer) = LogWriter::open(&path, fixed()) {
            let _ = writer.append(vec![batch(
                "a-1",
                ExpectedVersion::Any,
                vec![event("A", "{}")],
            )]);
        }
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(open::beside(&path, suffix));
        }
    }
}

#[test]
fn a_log_held_by_another_program_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    let explored = Log::explore(&path);
    assert!(
        matches!(explored, Err(OpenError::Locked { .. })),
        "{explored:?}"
    );
}

#[test]
fn exploring_leaves_the_file_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let before = std::fs::read(&path).unwrap();
    let log = Log::explore(&path).unwrap();
    log.info().unwrap();
    log.events(&EventQuery::default(), 10).unwrap();
    drop(log);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn where_nothing_can_be_written_beside_it_the_file_is_taken_as_unchanging() {
    // The tests may run as root, whom no permission stops. A link to nowhere in the place of the shared
    // memory makes SQLite fail in the same way.
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    std::os::unix::fs::symlink("/nowhere/at/all", open::beside(&path, "-shm")).unwrap();
    let log = Log::explore(&path).unwrap();
    assert_eq!(log.access(), Access::Immutable);
    assert_eq!(log.head().unwrap().size.0, 400);
}

#[cfg(unix)]
#[test]
fn a_pending_write_ahead_log_is_read_from_a_copy_where_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let writer = LogWriter::open(&path, fixed()).unwrap();
    writer
        .append(vec![batch(
            "b-1",
            ExpectedVersion::Any,
            vec![event("A", "{}")],
        )])
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("y.annals");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(open::beside(&path, "-wal"), open::beside(&copy, "-wal")).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", open::beside(&copy, "-shm")).unwrap();
    let log = Log::explore(&copy).unwrap();
    assert_eq!(log.access(), Access::TemporaryCopy);
    assert_eq!(log.head().unwrap().size.0, 401);
}

#[test]
fn appends_that_share_a_commit_tell_the_head_that_it_made() {
    let fresh = fresh(fixed());
    let one = |stream: &str| {
        let events = vec![event("A", "{}"), event("B", r#"{"by":"u"}"#)];
        let append = vec![batch(stream, ExpectedVersion::NoStream, events)];
        fresh.writer.given(append)
    };
    let group = vec![one("a-1"), one("b-1"), one("a-1"), one("c-1")];
    let mut group = vec![group].into_iter();
    let next = |taken: &mut Vec<_>| taken.extend(group.next().unwrap_or_default());
    let answers = fresh.writer.core().unwrap().append_group(next);
    let head = fresh.writer.log().head().unwrap();
    assert_eq!(head.size, Position(6));
    let told: Vec<_> = answers
        .iter()
        .map(|answer| {
            answer
                .as_ref()
                .ok()
                .map(|done| (done.head, done.events[0].position.0))
        })
        .collect();
    let at = |position| Some((head, position));
    assert_eq!(told, [at(1), at(3), None, at(5)]);
    assert_eq!(found(fresh.writer.path()), Vec::<String>::new());
}

#[test]
fn a_retry_in_the_same_commit_as_the_first_try_is_a_duplicate() {
    let fresh = fresh(fixed());
    let one = || {
        let event = contract::with_id("e1", "NewType", r#"{"by":"new actor"}"#);
        let append = vec![batch("new-1", ExpectedVersion::Any, vec![event])];
        fresh.writer.given(append)
    };
    let bystander = vec![batch("b-1", ExpectedVersion::Any, vec![event("B", "{}")])];
    let bystander = fresh.writer.given(bystander);
    // The retry comes while the first try is being written.
    let mut groups = vec![vec![one()], vec![one(), bystander]].into_iter();
    let next = |taken: &mut Vec<_>| taken.extend(groups.next().unwrap_or_default());
    let answers = fresh.writer.core().unwrap().append_group(next);
    let mut answers = answers.into_iter();
    let first = answers.next().unwrap().unwrap().events[0];
    let retry = answers.next().unwrap().unwrap().events[0];
    assert_eq!((first.position, first.duplicate), (Position(1), false));
    assert_eq!((retry.position, retry.duplicate), (Position(1), true));
    assert_eq!(
        answers.next().unwrap().unwrap().events[0].position,
        Position(2)
    );
    let log = fresh.writer.log();
    assert_eq!(log.info().unwrap().types.len(), 2);
}
