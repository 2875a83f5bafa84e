//! Projections whose process is killed: whatever their strategy, what was promised is there, and what is there is the
//! plain fold as of the checkpoint.
//!
//! The test starts itself again as the process to be killed, which prints a line for each promise that it has kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use annals_core::event::NewEvent;
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::projection::{
    DocumentQuery, DocumentsView, FOLLOWED_EVENTS, Projection, ProjectionSet, Projections,
    RunState, Runner, documents,
};
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::AsOf;

const ROLE: &str = "ANNALS_PROJECTION_TEST_ROLE";
const STORE: &str = "ANNALS_PROJECTION_TEST_STORE";
const KILLS: usize = 6;

fn set(strategy: &str) -> ProjectionSet {
    let mut set = ProjectionSet::default();
    let text = format!(
        "strategy = '{strategy}'\nkey = \"['all', data.to]\"\n[on.Counted]\n\"n.add\" = 'data.n'\n\"list.push\" = 'data.n'\n"
    );
    set.add(Projection::parse("p", &text).unwrap()).unwrap();
    set
}

fn open(log: &Log, strategy: &str) -> Projections {
    Projections::open(log, set(strategy), None, Surroundings::system().clock)
}

fn append(n: usize) -> Vec<StreamAppend> {
    let data = format!("{{\"n\": {n}, \"to\": \"d{}\"}}", n % 7);
    vec![StreamAppend {
        stream: "a-1".parse().unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events: vec![NewEvent::json("Counted", &data).unwrap()],
    }]
}

fn promise(position: Position) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "kept {position}").unwrap();
    out.flush().unwrap();
}

/// What the process does until it is killed.
fn work(strategy: &str, store: &Path) {
    let writer = LogWriter::open(store, Surroundings::system()).unwrap();
    let log = Log::explore(store).unwrap();
    let all = open(&log, strategy);
    match strategy {
        "sync" => {
            all.catch_up_synchronous().unwrap();
            for n in 0.. {
                promise(all.append(&writer, append(n)).unwrap().head.size);
            }
        }
        "batch" => {
            for n in 0.. {
                for more in 0..20 {
                    writer.append(append(n + more)).unwrap();
                }
                promise(all.catch_up(&[]).unwrap()[0].to);
                promise(all.rebuild("p", true).unwrap().position);
                if n % 5 == 4 {
                    all.roll_back("p").unwrap();
                    all.catch_up(&[]).unwrap();
                }
            }
        }
        _ => std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0.. {
                    writer.append(append(n)).unwrap();
                }
            });
            let runner = Runner {
                id: std::process::id().to_string(),
                pid: std::process::id(),
                names: Vec::new(),
            };
            // What is pushed was kept before.
            let each = &mut |done: &annals_core::projection::CaughtUp| {
                assert!(
                    done.changed.contains(&"all".to_owned()),
                    "it is told what changed"
                );
                promise(done.to);
            };
            all.run(&runner, &WorkProgress::default(), each).unwrap();
        }),
    }
}

fn role() -> Option<(String, PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(STORE)?.into()))
}

fn rows(view: &DocumentsView) -> Vec<String> {
    let rows = view.documents.iter();
    rows.map(|row| {
        format!(
            "{} {} {} {}",
            row.key, row.state, row.inputs, row.last_position
        )
    })
    .collect()
}

/// Kills a process at work again and again; each time its documents are checked.
fn killed(test: &str, strategy: &str) {
    if let Some((role, store)) = role() {
        return work(&role, &store);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    LogWriter::create(&store, Surroundings::system())
        .unwrap()
        .close()
        .unwrap();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(ROLE, strategy)
            .env(STORE, &store)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut promised = 0;
        for _ in 0..=kill * 9 + 2 {
            promised = promised.max(next(&mut output).expect("it works until it is killed"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(more) = next(&mut output) {
            promised = promised.max(more);
        }
        let log = Log::explore(&store).unwrap();
        let all = open(&log, strategy);
        let status = all.status().unwrap().projections.remove(0);
        let (checkpoint, head) = (status.checkpoint, log.head().unwrap().size);
        // What a writer held in memory is folded again by whoever asks; there is never more of it.
        let in_memory = match strategy {
            "sync" => FOLLOWED_EVENTS,
            _ => 0,
        };
        assert!(
            checkpoint.0 + in_memory >= promised || strategy == "batch",
            "{checkpoint} was kept and {promised} was promised"
        );
        let asked = all.documents("p", &AsOf::default(), &DocumentQuery::default());
        assert!(
            asked.unwrap().position.0 >= promised,
            "what was acknowledged is in the documents at once"
        );
        assert!(checkpoint <= head);
        assert_eq!(status.faults, 0);
        // It died without a goodbye: never is it said that it is running with lag 0 for longer than a sign of life
        // may be late.
        if strategy == "async" || strategy == "live" {
            assert!(matches!(status.state, RunState::Running | RunState::Dead));
        }
        let plain = |known| {
            let as_of = AsOf { at: None, known };
            let plain = documents(&log, &set(strategy), "p", &as_of, &DocumentQuery::default());
            rows(&plain.unwrap())
        };
        let kept = |known| {
            let as_of = AsOf { at: None, known };
            let view = all
                .documents("p", &as_of, &DocumentQuery::default())
                .unwrap();
            (rows(&view), view.events_examined)
        };
        let (at_checkpoint, examined) = kept(Some(checkpoint));
        assert_eq!(at_checkpoint, plain(Some(checkpoint)));
        assert_eq!(examined, 0, "what is kept answers for the checkpoint");
        assert_eq!(kept(None).0, plain(None));
        all.catch_up(&[]).unwrap();
        assert_eq!(kept(None).0, plain(None));
        let rebuilt = all.rebuild("p", false).unwrap();
        assert_eq!(rebuilt.differences_count, 0, "as a clean rebuild, exactly");
    }
}

fn next(output: &mut impl BufRead) -> Option<u64> {
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok()?;
        // A line that the death cut off says nothing; the test harness may have begun one.
        let (_, position) = line
            .strip_suffix('\n')?
            .split_once("kept ")
            .unwrap_or_default();
        if let Ok(position) = position.parse() {
            return Some(position);
        }
    }
}

#[test]
fn a_synchronous_projection_has_what_was_acknowledged_before_the_death() {
    killed(
        "a_synchronous_projection_has_what_was_acknowledged_before_the_death",
        "sync",
    );
}

#[test]
fn an_asynchronous_projection_goes_on_where_it_died() {
    killed("an_asynchronous_projection_goes_on_where_it_died", "async");
}

#[test]
fn a_batch_is_whole_or_not_there_whether_it_died_catching_up_rebuilding_or_switching() {
    killed(
        "a_batch_is_whole_or_not_there_whether_it_died_catching_up_rebuilding_or_switching",
        "batch",
    );
}

#[test]
fn what_a_real_time_projection_pushed_was_kept() {
    killed("what_a_real_time_projection_pushed_was_kept", "live");
}

/// Asked between the acknowledgements of a process that is alive and holds some of what it folded in memory alone.
#[test]
fn another_process_sees_what_was_acknowledged_at_once() {
    let test = "another_process_sees_what_was_acknowledged_at_once";
    if let Some((role, store)) = role() {
        return work(&role, &store);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    LogWriter::create(&store, Surroundings::system())
        .unwrap()
        .close()
        .unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ROLE, "sync")
        .env(STORE, &store)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let log = Log::explore(&store).unwrap();
    let all = open(&log, "sync");
    let mut behind = 0;
    for _ in 0..300 {
        let acknowledged = next(&mut output).expect("it works until it is killed");
        let view = all
            .documents("p", &AsOf::default(), &DocumentQuery::default())
            .unwrap();
        assert!(view.position.0 >= acknowledged);
        let every = view.documents.iter().find(|row| row.key == "all").unwrap();
        assert_eq!(
            every.inputs, view.position.0,
            "every event up to it is in the document"
        );
        behind += u64::from(view.events_examined > 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        behind > 0,
        "nothing was in the writer's memory alone, so nothing was tried"
    );
}
