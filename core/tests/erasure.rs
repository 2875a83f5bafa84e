//! What was erased is in no byte of the log any more, every proof made before still holds, and a process that is
//! killed in the middle leaves nothing or a whole erasure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use annals_core::event::{NewEvent, Part, Payload};
use annals_core::id::{EventType, StreamId};
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::store::{
    ErasedPart, Erasure, EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend, backup,
};
use annals_core::surroundings::Surroundings;

const SECRET: &str = "zyzzyva@example.com";
const STORE: &str = "ANNALS_ERASURE_TEST_STORE";

fn event(event_type: &str, data: &str, metadata: Option<&str>) -> NewEvent {
    let mut event = NewEvent::json(event_type, data).unwrap();
    event.metadata = metadata.map(|text| Payload::json(text).unwrap());
    event
}

fn append(writer: &LogWriter, stream: &str, events: Vec<NewEvent>) {
    let append = StreamAppend {
        stream: StreamId::new(stream).unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events,
    };
    writer.append(vec![append]).unwrap();
}

/// A log in which a secret stands as payload, context, actor and correlation, among others and on overflow pages.
fn make(store: &Path) -> LogWriter {
    let writer = LogWriter::create(store, Surroundings::system()).unwrap();
    let long = "x".repeat(20_000);
    for n in 0..60 {
        let others = (0..8)
            .map(|m| {
                let who = format!(
                    r#"{{"userId":"user-{}","correlationId":"c-{}"}}"#,
                    n % 7,
                    (n * 31 + m) % 97
                );
                event("Happened", &format!(r#"{{"n":{n},"m":{m}}}"#), Some(&who))
            })
            .collect();
        append(&writer, &format!("thing-{n}"), others);
        if n % 20 == 5 {
            let data = format!(r#"{{"email":"{SECRET}","long":"{long}{SECRET}"}}"#);
            let metadata = format!(
                r#"{{"userId":"{SECRET}","correlationId":"corr-{SECRET}","causationId":"cause-{SECRET}"}}"#
            );
            append(
                &writer,
                "customer-1",
                vec![event("Registered", &data, Some(&metadata))],
            );
        }
    }
    writer
}

fn secrets(log: &Log) -> Vec<(Position, Part)> {
    let stream = StreamId::new("customer-1").unwrap();
    let query = EventQuery {
        stream: Some(stream),
        ..EventQuery::default()
    };
    let events = log.events(&query, 1000).unwrap().events;
    let parts = events.iter().map(|event| event.position);
    parts
        .flat_map(|position| [(position, Part::Data), (position, Part::Metadata)])
        .collect()
}

fn erase(writer: &LogWriter, parts: &[(Position, Part)]) -> Option<Erasure> {
    let stream = StreamId::new("annals-erasures").unwrap();
    let describe = |parts: &[ErasedPart]| {
        let data = serde_json::json!({ "parts": parts });
        NewEvent {
            event_type: EventType::new("annals.Erased").unwrap(),
            ..NewEvent::json("x", &data.to_string()).unwrap()
        }
    };
    writer.erase(parts, &stream, &describe).unwrap()
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
}

/// How often the secret stands in the files of the log.
fn found(store: &Path) -> usize {
    ["", "-wal", "-shm", "-journal"]
        .iter()
        .map(|suffix| {
            let mut name = store.as_os_str().to_owned();
            name.push(suffix);
            let bytes = std::fs::read(PathBuf::from(name)).unwrap_or_default();
            let windows = bytes.windows(SECRET.len());
            windows.filter(|found| *found == SECRET.as_bytes()).count()
        })
        .sum()
}

fn whole(store: &Path) {
    let log = Log::explore(store).unwrap();
    let copy = tempfile::tempdir().unwrap();
    // A backup hashes every event again.
    backup(
        &log,
        &copy.path().join("copy.annals"),
        &WorkProgress::default(),
    )
    .unwrap();
    let info = log.info().unwrap();
    let actors = log.actors(1000).unwrap();
    let counted: u64 = actors.iter().map(|actor| actor.events).sum();
    let query = EventQuery::default();
    let mut with_actor = 0;
    log.for_each_event(&query, &mut |event, _| {
        with_actor += u64::from(event.actor.is_some());
        true
    })
    .unwrap();
    assert_eq!(counted, with_actor, "actors are counted as they are");
    assert_eq!(
        info.types.iter().map(|row| row.events).sum::<u64>(),
        info.events
    );
}

#[test]
fn what_was_erased_is_in_no_byte_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let writer = make(&store);
    let log = writer.log();
    let before = log.head().unwrap();
    let roots: Vec<_> = (0..=before.size.0)
        .map(|n| log.root_at(Position(n)).unwrap())
        .collect();
    let parts = secrets(&log);
    assert!(found(&store) >= 3 * 5);

    let erasure = erase(&writer, &parts).unwrap();
    assert_eq!(erasure.parts.len(), 6);
    assert_eq!(erasure.event, before.size.next());
    assert!(log.has_unfinished_erasure().unwrap());
    assert!(writer.finish_erasures().unwrap());
    assert!(!log.has_unfinished_erasure().unwrap());
    assert_eq!(found(&store), 0, "while it is open");
    assert!(!writer.finish_erasures().unwrap(), "nothing is left to do");
    assert!(
        erase(&writer, &parts).is_none(),
        "what is erased is not erased again"
    );
    drop(log);
    writer.close().unwrap();
    assert_eq!(found(&store), 0, "when it is closed");

    whole(&store);
    let log = Log::explore(&store).unwrap();
    for (n, root) in roots.into_iter().enumerate() {
        assert_eq!(
            log.root_at(Position(n as u64)).unwrap(),
            root,
            "the log as it was at {n}"
        );
    }
    let (position, _) = parts[0];
    let event = log.event(position).unwrap().unwrap();
    assert_eq!(event.erased, [Part::Data, Part::Metadata]);
    assert_eq!(
        (event.actor, event.correlation, event.causation),
        (None, None, None)
    );
    assert_eq!(
        log.erasures_of(position).unwrap()[0],
        (erasure.parts[0], erasure.event)
    );
    // Others are untouched and can be appended to.
    let writer = LogWriter::open(&store, Surroundings::system()).unwrap();
    append(&writer, "customer-1", vec![event_again()]);
    writer.close().unwrap();
    whole(&store);
}

fn event_again() -> NewEvent {
    event("Left", "{}", Some(r#"{"userId":"user-1"}"#))
}

#[test]
fn what_another_part_tells_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let writer = LogWriter::create(&store, Surroundings::system()).unwrap();
    let data = r#"{"name":"Ada","userId":"user-2","correlationId":"c-data"}"#;
    append(
        &writer,
        "s-1",
        vec![event("A", data, Some(r#"{"userId":"user-1"}"#))],
    );
    erase(&writer, &[(Position(1), Part::Data)]).unwrap();
    let event = writer.log().event(Position(1)).unwrap().unwrap();
    assert_eq!(event.actor.unwrap().as_str(), "user-1");
    assert_eq!(event.correlation, None, "the data told it");
    assert!(event.metadata.is_some() && event.data.is_none());
    drop(writer);
    whole(&store);
}

#[test]
fn an_event_that_is_not_there_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let writer = make(&store);
    let head = writer.log().head().unwrap();
    let stream = StreamId::new("annals-erasures").unwrap();
    for bad in [
        (Position(9_999), Part::Data),
        (Position(1), Part::Identity),
        (Position(0), Part::Data),
    ] {
        let wanted = [(Position(1), Part::Data), bad];
        let refused = writer.erase(&wanted, &stream, &|_| NewEvent::json("E", "{}").unwrap());
        assert!(refused.is_err(), "{bad:?}");
        assert_eq!(writer.log().head().unwrap(), head);
    }
    assert!(
        writer
            .log()
            .event(Position(1))
            .unwrap()
            .unwrap()
            .data
            .is_some()
    );
}

#[test]
fn a_reader_in_the_way_leaves_it_unfinished_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let writer = make(&store);
    let parts = secrets(&writer.log());
    let reader = rusqlite::Connection::open(&store).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM events;")
        .unwrap();
    erase(&writer, &parts).unwrap();
    assert!(writer.finish_erasures().is_err());
    assert!(writer.log().has_unfinished_erasure().unwrap());
    reader.execute_batch("COMMIT").unwrap();
    assert!(writer.finish_erasures().unwrap());
    assert_eq!(found(&store), 0);
}

#[test]
fn a_process_killed_while_it_erases_leaves_nothing_or_a_whole_erasure() {
    if let Some(store) = std::env::var_os(STORE) {
        let writer = LogWriter::open(Path::new(&store), Surroundings::system()).unwrap();
        let parts = secrets(&writer.log());
        say("ready");
        erase(&writer, &parts);
        writer.finish_erasures().unwrap();
        say("done");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first.annals");
    make(&first).close().unwrap();
    let (mut nothing, mut unfinished, mut done) = (0, 0, 0);
    for kill in 0..24u64 {
        let store = folder.path().join(format!("{kill}.annals"));
        std::fs::copy(&first, &store).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "a_process_killed_while_it_erases_leaves_nothing_or_a_whole_erasure",
                "--exact",
                "--nocapture",
            ])
            .env(STORE, &store)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0);
        }
        // The places where it dies are spread over what it does; what is asserted holds wherever that is.
        std::thread::sleep(Duration::from_millis(kill * 3));
        child.kill().unwrap();
        child.wait().unwrap();

        let writer = LogWriter::open(&store, Surroundings::system()).unwrap();
        let log = writer.log();
        let parts = secrets(&log);
        let erased: Vec<usize> = parts
            .iter()
            .map(|(position, _)| log.event(*position).unwrap().unwrap().erased.len())
            .collect();
        if erased.iter().all(|parts| *parts == 0) {
            nothing += 1;
            assert!(!log.has_unfinished_erasure().unwrap());
            erase(&writer, &parts).unwrap();
        } else {
            assert!(
                erased.iter().all(|parts| *parts == 2),
                "half of it: {erased:?}"
            );
            let is_unfinished = log.has_unfinished_erasure().unwrap();
            unfinished += u64::from(is_unfinished);
            done += u64::from(!is_unfinished);
        }
        writer.finish_erasures().unwrap();
        drop(log);
        writer.close().unwrap();
        assert_eq!(found(&store), 0, "after {kill}");
        whole(&store);
        std::fs::remove_file(&store).unwrap();
    }
    say(&format!(
        "{nothing} before, {unfinished} in between, {done} after"
    ));
}
