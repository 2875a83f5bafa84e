//! A process that is killed in the middle of appends and imports loses nothing that it acknowledged and leaves
//! nothing half done. More than a hundred kills in all.
//!
//! The test starts itself again as the process to be killed: it prints a line for each append after its
//! acknowledgement, so the lines that arrived are what the log must hold.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use annals_core::event::NewEvent;
use annals_core::id::{EventId, StreamId};
use annals_core::import::{ImportRequest, Presence, Progress, import, import_into};
use annals_core::integrity::tree;
use annals_core::store::{
    EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend, left_in_the_making,
};
use annals_core::surroundings::Surroundings;

/// Events of each append: all of them or none must be there.
const BATCH: u64 = 3;
const THREADS: u64 = 4;
const KILLS_IN_APPENDS: u64 = 70;
const KILLS_IN_IMPORTS: u64 = 30;
const ROLE: &str = "ANNALS_CRASH_TEST_ROLE";
const STORE: &str = "ANNALS_CRASH_TEST_STORE";

/// Starts this test file again with a role of its own.
fn start(test: &str, role: &str, store: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a running test has a path"))
        .args([test, "--exact", "--nocapture"])
        .env(ROLE, role)
        .env(STORE, store)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the test can start itself")
}

fn role() -> Option<(String, std::path::PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(STORE)?.into()))
}

/// Appends without end from several threads; prints `ack RUN-THREAD-N` after each acknowledgement.
fn append_until_killed(run: &str, store: &Path) {
    let writer = LogWriter::open(store, Surroundings::system()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let writer = &writer;
            scope.spawn(move || {
                for n in 0u64.. {
                    let append = format!("{run}-{thread}-{n}");
                    let events = (0..BATCH)
                        .map(|part| {
                            let mut event =
                                NewEvent::json("Happened", r#"{"amount":0.10}"#).unwrap();
                            event.id = Some(EventId::new(format!("{append}-{part}")).unwrap());
                            event
                        })
                        .collect();
                    writer
                        .append(vec![StreamAppend {
                            stream: StreamId::new(format!("thread-{thread}")).unwrap(),
                            category: None,
                            expected: ExpectedVersion::Any,
                            events,
                        }])
                        .unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "ack {append}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

/// The next append that the process says was acknowledged; a line that its death cut off says nothing.
fn next_acknowledged(output: &mut impl BufRead) -> Option<String> {
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok()?;
        // The test harness may have begun the line.
        let (_, append) = line
            .strip_suffix('\n')?
            .split_once("ack ")
            .unwrap_or_default();
        if !append.is_empty() {
            return Some(append.to_owned());
        }
    }
}

/// Everything that must hold of a log whatever happened to its writers. Returns its ids.
fn check_whole(store: &Path) -> BTreeSet<String> {
    let log = Log::explore(store).unwrap();
    let head = log.head().unwrap();
    let events = log
        .events(&EventQuery::default(), usize::MAX - 1)
        .unwrap()
        .events;
    assert_eq!(
        events.len() as u64,
        head.size.0,
        "the head counts the events"
    );
    let leaves: Vec<_> = events.iter().map(|event| event.leaf).collect();
    assert_eq!(
        tree::root(&leaves),
        head.root,
        "the head is over the leaves"
    );
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.position.0, index as u64 + 1, "positions are dense");
    }
    let info = log.info().unwrap();
    let counted: u64 = info.types.iter().map(|row| row.events).sum();
    assert_eq!(
        counted, head.size.0,
        "the counters were written with the events"
    );
    events
        .into_iter()
        .map(|event| event.id.unwrap().to_string())
        .collect()
}

#[test]
fn an_acknowledged_append_survives_the_death_of_its_process() {
    if let Some((run, store)) = role() {
        return append_until_killed(&run, &store);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("crash.annals");
    LogWriter::create(&store, Surroundings::system())
        .unwrap()
        .close()
        .unwrap();
    let mut acknowledged = BTreeSet::new();
    for run in 0..KILLS_IN_APPENDS {
        let mut child = start(
            "an_acknowledged_append_survives_the_death_of_its_process",
            &run.to_string(),
            &store,
        );
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // Kills fall after another number of acknowledgements each time, so at other places of a commit.
        for _ in 0..1 + run * 7 % 40 {
            acknowledged.insert(
                next_acknowledged(&mut output).expect("the process appends until it is killed"),
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had printed before it died was acknowledged too.
        acknowledged.extend(std::iter::from_fn(|| next_acknowledged(&mut output)));
    }
    let ids = check_whole(&store);
    for append in &acknowledged {
        for part in 0..BATCH {
            assert!(
                ids.contains(&format!("{append}-{part}")),
                "{append} was acknowledged and is gone"
            );
        }
    }
    assert_eq!(ids.len() as u64 % BATCH, 0, "no append is there in part");
    for id in &ids {
        let (append, _) = id.rsplit_once('-').unwrap();
        for part in 0..BATCH {
            assert!(
                ids.contains(&format!("{append}-{part}")),
                "{append} is there in part"
            );
        }
    }
    assert!(
        acknowledged.len() as u64 >= KILLS_IN_APPENDS,
        "every run acknowledged something before it died"
    );
}

/// Imports the file beside the store.
fn import_until_killed(file: &str, store: &Path) {
    let surroundings = Surroundings::system();
    let writer = LogWriter::open(store, surroundings.clone()).unwrap();
    let request = ImportRequest::of(vec![store.with_file_name(file)]);
    import(&writer, &request, &surroundings, &Progress::default()).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_killed_import_leaves_the_log_as_it_was_or_complete() {
    const EVENTS: u64 = 4_000;
    if let Some((file, store)) = role() {
        return import_until_killed(&file, &store);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("crash.annals");
    LogWriter::create(&store, Surroundings::system())
        .unwrap()
        .close()
        .unwrap();
    let wal = folder.path().join("crash.annals-wal");
    let (mut held, mut died_before_the_end) = (0, 0);
    for run in 0..KILLS_IN_IMPORTS {
        let name = format!("run-{run}.jsonl");
        let lines: String = (0..EVENTS)
            .map(|n| {
                format!(
                    "{{\"eventId\":\"{run}-{n}\",\"aggregateId\":\"order-{}\",\"eventType\":\"OrderPlaced\",\
                     \"timestamp\":\"2024-01-01T00:00:00Z\",\"data\":{{\"total\":109.97}}}}\n",
                    n % 97
                )
            })
            .collect();
        std::fs::write(folder.path().join(&name), lines).unwrap();
        let mut child = start(
            "a_killed_import_leaves_the_log_as_it_was_or_complete",
            &name,
            &store,
        );
        // The write-ahead log grows while the import writes; another length each time is another place to die.
        let length = run * 60_000;
        while std::fs::metadata(&wal).map_or(0, |wal| wal.len()) < length
            && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = check_whole(&store).len() as u64;
        assert!(
            now == held || now == held + EVENTS,
            "{now} events: {held} before, {EVENTS} imported"
        );
        died_before_the_end += u64::from(now == held);
        held = now;
    }
    assert!(
        died_before_the_end > 0,
        "no kill came before the end of its import, so nothing was tried"
    );
    // After all that, the same imports run to their end and bring in what is missing, once.
    for run in 0..KILLS_IN_IMPORTS {
        import_until_killed(&format!("run-{run}.jsonl"), &store);
    }
    assert_eq!(check_whole(&store).len() as u64, KILLS_IN_IMPORTS * EVENTS);
}

/// A store that an import makes is written under another name, without a write-ahead log.
#[test]
fn a_killed_import_into_a_new_store_leaves_none_or_all_of_it() {
    const EVENTS: u64 = 2_000;
    const KILLS: u64 = 20;
    if let Some((file, store)) = role() {
        let request = ImportRequest::of(vec![store.with_file_name(file)]);
        let (surroundings, progress) = (Surroundings::system(), Progress::default());
        import_into(&store, Presence::New, &request, &surroundings, &progress).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // More than the engine keeps in memory: most of it is in the file before the commit.
    let text = "0123456789".repeat(3_000);
    let lines: String = (0..EVENTS)
        .map(|n| {
            format!(
                "{{\"eventId\":\"{n}\",\"aggregateId\":\"order-{}\",\"eventType\":\"OrderPlaced\",\
                 \"timestamp\":\"2024-01-01T00:00:00Z\",\"data\":{{\"text\":\"{text}\"}}}}\n",
                n % 97
            )
        })
        .collect();
    std::fs::write(folder.path().join("large.jsonl"), lines).unwrap();
    let (mut died_on_the_way, mut ended) = (0, 0);
    for run in 0..KILLS {
        let store = folder.path().join(format!("crash-{run}.annals"));
        let mut child = start(
            "a_killed_import_into_a_new_store_leaves_none_or_all_of_it",
            "large.jsonl",
            &store,
        );
        // Another length each time is another place to die.
        let length = || {
            let unnamed = left_in_the_making(&store).pop();
            unnamed.and_then(|file| Some(std::fs::metadata(file).ok()?.len()))
        };
        while length().unwrap_or(0) < run * 4_000_000 && child.try_wait().unwrap().is_none() {
            assert!(
                !store.exists() || child.wait().unwrap().success(),
                "it had its name before it was whole"
            );
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if store.exists() {
            assert_eq!(check_whole(&store).len() as u64, EVENTS);
            ended += 1;
        } else {
            died_on_the_way += u64::from(!left_in_the_making(&store).is_empty());
        }
        for left in left_in_the_making(&store) {
            std::fs::remove_file(left).unwrap();
        }
    }
    assert!(died_on_the_way > 0, "no kill came while it was written");
    assert!(ended < KILLS, "no kill came before the end");
}
