//! The interval index follows the log, and is never believed where it should not be.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::event::{NewEvent, Part};
use crate::id::{EventId, StreamId};
use crate::model::{Model, ModelSet};
use crate::position::Position;
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::temporal::AsOf;
use crate::time::{SourceTime, Time};

struct Store {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

const PENDING: &str = r#"count order where status = "Pending" at 2024-01-31"#;
const BY_STATUS: &str = "count order group by status at 2024-03-01";

impl Store {
    fn new() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("questions.annals");
        crate::sample::questions(&path).unwrap();
        Store {
            path,
            _folder: folder,
        }
    }

    fn writer(&self) -> LogWriter {
        let now = Time::parse_rfc3339("2025-11-01T00:00:00Z").unwrap();
        LogWriter::open(&self.path, Surroundings::fixed(now, 7)).unwrap()
    }

    fn append(&self, stream: &str, event_type: &str, time: &str, data: &str) {
        let mut event = NewEvent::json(event_type, data).unwrap();
        event.id = Some(EventId::new(format!("{stream} {event_type}")).unwrap());
        event.time = Some(SourceTime::parse(time, chrono_tz::UTC).unwrap());
        let writer = self.writer();
        writer
            .append(vec![StreamAppend {
                stream: StreamId::new(stream).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            }])
            .unwrap();
        writer.close().unwrap();
    }

    /// The answer from the index, which is the same as by replay.
    fn ask(&self, index: &IntervalIndex, models: &ModelSet, question: &str) -> AnswerView {
        let log = Log::explore(&self.path).unwrap();
        let asking = Asking {
            log: &log,
            models,
            zone: chrono_tz::UTC,
            limit: ROWS,
            index: None,
            as_of: AsOf::default(),
        };
        let question = Question::parse(question).unwrap();
        let replayed = ask(&asking, &question, &mut |_| true).unwrap();
        let asking = Asking {
            index: Some(index),
            ..asking
        };
        let indexed = ask(&asking, &question, &mut |_| true).unwrap();
        let text = |view: &AnswerView| {
            let view = AnswerView {
                source: AnswerSource::Replay,
                ..view.clone()
            };
            serde_json::to_string(&view).unwrap()
        };
        assert_eq!(text(&indexed), text(&replayed));
        indexed
    }

    fn index(&self) -> IntervalIndex {
        IntervalIndex::open(&Log::explore(&self.path).unwrap(), None)
    }

    fn models(&self) -> ModelSet {
        ModelSet::load(&self.path).unwrap().0
    }

    fn cache(&self) -> PathBuf {
        crate::model::folder(&self.path).join("cache.sqlite")
    }
}

fn value(view: &AnswerView) -> &str {
    view.value.as_ref().unwrap().get()
}

#[test]
fn what_comes_late_is_in_the_next_answer() {
    let (store, models) = (Store::new(), Store::new().models());
    let index = store.index();
    let first = store.ask(&index, &models, PENDING);
    assert_eq!((value(&first), first.source), ("2", AnswerSource::Index));
    // order-803 turns out to have been confirmed in January; an order of January comes in; one begins that has not
    // happened by then.
    store.append("order-803", "OrderConfirmed", "2024-01-26", "{}");
    assert_eq!(value(&store.ask(&index, &models, PENDING)), "1");
    store.append(
        "order-901",
        "OrderReceived",
        "2024-01-02",
        r#"{"total":1,"region":"EU"}"#,
    );
    store.append(
        "order-902",
        "OrderReceived",
        "2024-02-02",
        r#"{"total":1,"region":"EU"}"#,
    );
    assert_eq!(value(&store.ask(&index, &models, PENDING)), "2");
    let groups = store.ask(&index, &models, BY_STATUS).groups;
    let counts: Vec<u64> = groups.iter().map(|group| group.count).collect();
    // Cancelled, Confirmed, Pending (804, 805, 901, 902), Shipped.
    assert_eq!(counts, [1, 3, 4, 1]);
}

#[test]
fn another_model_has_another_index() {
    let store = Store::new();
    let index = store.index();
    assert_eq!(value(&store.ask(&index, &store.models(), PENDING)), "2");
    let mut models = ModelSet::default();
    let text = "category = 'order'\n[on.OrderReceived]\nstatus = \"'New'\"\n";
    models.add(Model::parse("order", text).unwrap()).unwrap();
    assert_eq!(value(&store.ask(&index, &models, PENDING)), "0");
    assert_eq!(
        value(&store.ask(&index, &models, &PENDING.replace("Pending", "New"))),
        "5"
    );
    store.append(
        "order-903",
        "OrderReceived",
        "2024-01-02",
        r#"{"total":1,"region":"EU"}"#,
    );
    assert_eq!(value(&store.ask(&index, &store.models(), PENDING)), "3");
}

#[test]
fn what_was_known_earlier_is_answered_by_replay() {
    let store = Store::new();
    let answer = store.ask(
        &store.index(),
        &store.models(),
        &format!("{PENDING} known 55"),
    );
    assert_eq!((value(&answer), answer.source), ("1", AnswerSource::Replay));
}

#[test]
fn a_cache_that_was_deleted_or_damaged_is_made_anew() {
    let (store, models) = (Store::new(), Store::new().models());
    store.ask(&store.index(), &models, PENDING);
    std::fs::write(store.cache(), b"no database").unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", store.cache().display()));
    }
    let answer = store.ask(&store.index(), &models, PENDING);
    assert_eq!((value(&answer), answer.source), ("2", AnswerSource::Index));
}

#[test]
fn values_of_an_event_that_was_erased_leave_the_file() {
    let (store, models) = (Store::new(), Store::new().models());
    let index = store.index();
    store.ask(&index, &models, "count user group by name");
    let held = |text: &str| {
        ["", "-wal"].iter().any(|suffix| {
            let file = format!("{}{suffix}", store.cache().display());
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
    };
    assert!(held("John Smith"), "the index holds the name");
    let writer = store.writer();
    let describe = |_: &[crate::store::ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
    // Position 9 is the registration of user-123.
    writer
        .erase(
            &[(Position(9), Part::Data)],
            &StreamId::new("erasures").unwrap(),
            &describe,
        )
        .unwrap();
    writer.close().unwrap();
    index
        .forget_erased(&Log::explore(&store.path).unwrap(), &AtomicBool::new(false))
        .unwrap();
    assert!(!held("John Smith"), "nothing of the name is left");
    let answer = store.ask(&index, &models, "count user group by name");
    assert_eq!(answer.source, AnswerSource::Index);
}

#[test]
fn a_count_lists_no_more_than_was_asked_for() {
    let store = Store::new();
    let log = Log::explore(&store.path).unwrap();
    let (models, index) = (store.models(), store.index());
    for limit in [0, 1, 5] {
        let asking = Asking {
            log: &log,
            models: &models,
            zone: chrono_tz::UTC,
            limit,
            index: Some(&index),
            as_of: AsOf::default(),
        };
        let answer = ask(&asking, &Question::parse(PENDING).unwrap(), &mut |_| true).unwrap();
        assert_eq!((value(&answer), answer.rows_count), ("2", 2));
        assert_eq!(answer.rows.len(), limit.min(2));
    }
}

#[test]
fn a_list_is_the_same_from_memory_and_from_the_file() {
    let (store, models) = (Store::new(), Store::new().models());
    let log = || Log::explore(&store.path).unwrap();
    let indexes = [0, 3, 100].map(|most| IntervalIndex::keeping(&log(), None, most));
    let names = |view: &AnswerView| -> Vec<String> {
        view.rows.iter().map(|row| row.stream.clone()).collect()
    };
    for round in 0..3 {
        for index in &indexes {
            for status in ["Pending", "Confirmed", "Shipped", "Cancelled", "None"] {
                for day in ["2023-12-01", "2024-01-20", "2024-01-31", "2024-02-20"] {
                    let text = format!(r#"list order where status = "{status}" at {day}"#);
                    let list = store.ask(index, &models, &text);
                    assert_eq!(list.rows.len() as u64, list.rows_count);
                    // The same again, which is then in memory where there is room.
                    let again = store.ask(index, &models, &text);
                    assert_eq!(names(&again), names(&list));
                    assert!(names(&list).is_sorted(), "by name: {:?}", names(&list));
                }
            }
        }
        // A stream that comes first by name and last into the index; another's value goes on.
        let first = format!("order-7{round}0");
        store.append(
            &first,
            "OrderReceived",
            "2024-01-02",
            r#"{"total":1,"region":"EU"}"#,
        );
        store.append("order-803", &format!("Noted{round}"), "2024-01-27", "{}");
    }
}

#[test]
fn a_question_that_is_stopped_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.annals");
    let writer = LogWriter::create(&path, Surroundings::system()).unwrap();
    let events = (0..2_500).map(|n| NewEvent::json("Counted", &format!("{{\"n\":{n}}}")).unwrap());
    writer
        .append(vec![StreamAppend {
            stream: StreamId::new("a-1").unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: events.collect(),
        }])
        .unwrap();
    let (log, models) = (writer.log(), ModelSet::default());
    let index = IntervalIndex::open(&log, None);
    for index in [None, Some(&index)] {
        let asking = Asking {
            log: &log,
            models: &models,
            zone: chrono_tz::UTC,
            limit: 0,
            index,
            as_of: AsOf::default(),
        };
        let question = Question::parse("count a where n = 2499").unwrap();
        let stopped = ask(&asking, &question, &mut |events| events < 2_000);
        assert_eq!(stopped.unwrap_err().to_string(), "cancelled");
        let answer = ask(&asking, &question, &mut |_| true).unwrap();
        assert_eq!(value(&answer), "1");
    }
}

/// Where much happens in one day a count is a sum of hours, minutes and seconds; what comes late changes them all.
#[test]
fn a_count_inside_a_heavy_day_is_that_of_a_replay() {
    let (store, models) = (Store::new(), Store::new().models());
    let index = store.index();
    let mut dice = 11u64;
    let mut below = move |n: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % n
    };
    // Days on both sides of 1970 and of a step of 32 days; few hours, minutes and seconds, so that they are shared.
    let time = |below: &mut dyn FnMut(u64) -> u64| {
        format!(
            "{}T{:02}:{:02}:{:02}.{:03}Z",
            ["1969-12-31", "1970-01-01", "1970-02-01", "1970-02-02"][below(4) as usize],
            22 + below(2),
            58 + below(2),
            58 + below(2),
            below(3) * 499,
        )
    };
    for round in 0..12 {
        let writer = store.writer();
        let appends = (0..25).map(|n| {
            let data = format!(r#"{{"status":"{}"}}"#, ["A", "B"][below(2) as usize]);
            let mut event = NewEvent::json("Moved", &data).unwrap();
            event.id = Some(EventId::new(format!("moved {round} {n}")).unwrap());
            event.time = Some(SourceTime::parse(&time(&mut below), chrono_tz::UTC).unwrap());
            StreamAppend {
                stream: StreamId::new(format!("crate-{}", below(60))).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            }
        });
        writer.append(appends.collect()).unwrap();
        writer.close().unwrap();
        for _ in 0..20 {
            let text = format!(r#"count crate where status = "A" at {}"#, time(&mut below));
            assert_eq!(
                store.ask(&index, &models, &text).source,
                AnswerSource::Index
            );
        }
    }
    let split: Vec<(i64, bool)> = rusqlite::Connection::open(store.cache())
        .unwrap()
        .prepare("SELECT level, count(*) > 0 FROM interval_steps WHERE split GROUP BY level")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    let all = [(0, true), (1, true), (2, true), (3, true)];
    assert_eq!(split, all, "steps of every level were split");
}
