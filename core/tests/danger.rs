//! What must not be lost: a process that is killed in the middle of appends or of an import.
//!
//! Danger: an event that was acknowledged is gone, half a batch is there, or the tree no longer fits the
//! events. The child is this test program itself; it says on its output what was acknowledged.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use annals_core::event::NewEvent;
use annals_core::id::{EventId, StreamId};
use annals_core::integrity::{Hash, tree};
use annals_core::position::Position;
use annals_core::store::{EventQuery, ExpectedVersion, Extraction, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;

const ROLE: &str = "ANNALS_DANGER_ROLE";
const STORE: &str = "ANNALS_DANGER_STORE";
/// Events of one append, and of one bulk append; both write a full tile of the tree now and then.
const TOGETHER: usize = 5;
const BULK: usize = 400;
const KILLS: usize = 60;

/// Not a test of its own: what the child does. Without a role it does nothing.
#[test]
fn child() {
    let (Ok(role), Some(store)) = (std::env::var(ROLE), std::env::var_os(STORE)) else {
        return;
    };
    let writer = LogWriter::open(Path::new(&store), Surroundings::system()).unwrap();
    let run = writer.log().head().unwrap().size.0;
    match role.as_str() {
        "append" => std::thread::scope(|scope| {
            for thread in 0..4 {
                let writer = &writer;
                scope.spawn(move || append_for_ever(writer, &format!("{run}-{thread}")));
            }
        }),
        _ => import_for_ever(&writer, run),
    }
}

fn event(id: String) -> NewEvent {
    NewEvent {
        id: Some(EventId::new(id).unwrap()),
        ..NewEvent::json("Happened", r#"{"by":"somebody","text":"0123456789"}"#).unwrap()
    }
}

fn acknowledge(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\ndone {what}").unwrap();
    out.flush().unwrap();
}

fn append_for_ever(writer: &LogWriter, name: &str) {
    for n in 0.. {
        let batch = format!("{name}-{n}");
        let half = |from: usize, to: usize, stream: String| StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: (from..to).map(|k| event(format!("{batch}/{k}"))).collect(),
        };
        let parts = vec![
            half(0, 2, format!("a-{name}")),
            half(2, TOGETHER, "shared-1".to_owned()),
        ];
        writer.append(parts).unwrap();
        acknowledge(&batch);
    }
}

fn import_for_ever(writer: &LogWriter, run: u64) {
    for n in 0.. {
        let batch = format!("{run}-{n}");
        let mut bulk = writer.bulk("file", &Extraction::standard()).unwrap();
        for k in 0..BULK {
            let stream = StreamId::new(format!("b-{}", k % 7)).unwrap();
            bulk.add(&stream, None, event(format!("{batch}/{k}")))
                .unwrap();
        }
        bulk.commit().unwrap();
        acknowledge(&batch);
    }
}

#[test]
fn a_killed_appender_loses_nothing_acknowledged() {
    kill_again_and_again("append", TOGETHER);
}

#[test]
fn a_killed_import_is_there_whole_or_not_at_all() {
    kill_again_and_again("import", BULK);
}

fn kill_again_and_again(role: &str, together: usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    LogWriter::create(&store, Surroundings::system())
        .unwrap()
        .close()
        .unwrap();
    let mut acknowledged = HashSet::new();
    let mut leaves: Vec<Hash> = Vec::new();
    for kill in 0..KILLS {
        let mut child = start(role, &store);
        let out = BufReader::new(child.stdout.take().unwrap());
        // The kill falls at another moment of the work each time: right after some acknowledgement, while the
        // next transactions are under way.
        let enough = if role == "append" {
            kill % 13
        } else {
            kill % 2
        };
        let mut seen = 0;
        for line in out.lines() {
            let line = line.unwrap();
            if let Some(batch) = line.strip_prefix("done ") {
                acknowledged.insert(batch.to_owned());
                seen += 1;
                if seen > enough {
                    // More may be acknowledged before the kill arrives; it is read until the pipe ends.
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        check(&store, &acknowledged, together, &mut leaves);
    }
    assert!(acknowledged.len() >= KILLS, "the children worked");
}

fn start(role: &str, store: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(ROLE, role)
        .env(STORE, store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Looks at what the child left: everything acknowledged, whole batches only, dense places, the right tree.
/// `leaves` are those that were there after the kill before.
fn check(store: &Path, acknowledged: &HashSet<String>, together: usize, leaves: &mut Vec<Hash>) {
    let log = Log::explore(store).unwrap();
    let head = log.head().unwrap();
    let mut batches: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let (mut after, mut all) = (Position::ZERO, Vec::new());
    loop {
        let query = EventQuery {
            after: Some(after),
            ..EventQuery::default()
        };
        let page = log.events(&query, 5000).unwrap();
        for event in &page.events {
            assert_eq!(event.position, after.next(), "positions are dense");
            after = event.position;
            all.push(event.leaf);
            let id = event.id.as_ref().unwrap().as_str();
            let (batch, _) = id.rsplit_once('/').unwrap();
            *batches.entry(batch.to_owned()).or_default() += 1;
        }
        if page.next.is_none() {
            break;
        }
    }
    for (batch, events) in &batches {
        assert_eq!(*events, together, "batch {batch} is whole");
    }
    for batch in acknowledged {
        assert!(
            batches.contains_key(batch),
            "acknowledged batch {batch} is there"
        );
    }
    assert_eq!(head.size, after);
    assert_eq!(head.root, tree::root(&all));
    assert!(
        all.starts_with(leaves),
        "nothing that was there has changed"
    );
    *leaves = all;
}
