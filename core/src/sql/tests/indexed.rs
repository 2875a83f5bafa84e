//! Tables of states from the interval index: the rows are those of folding, whatever the log holds.

use std::sync::Arc;

use super::super::*;
use crate::event::NewEvent;
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::pages::Pages;
use crate::question::IntervalIndex;
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

struct Store {
    writer: LogWriter,
    log: Log,
    models: Arc<ModelSet>,
    index: Arc<IntervalIndex>,
    _folder: tempfile::TempDir,
}

const VALUES: [&str; 9] = [
    r#""P""#, r#""Q""#, "5", r#""5""#, "5.00", "null", "true", "-0.10", r#""""#,
];

impl Store {
    /// Streams of two categories: fields of texts only, and fields of anything; some events late.
    fn new() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let now = Time::parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, Surroundings::fixed(now, 3)).unwrap();
        let mut store = Store {
            log: writer.log(),
            index: Arc::new(IntervalIndex::open(&writer.log(), None)),
            models: Arc::default(),
            writer,
            _folder: folder,
        };
        for n in 0..120 {
            let any = VALUES[n * 7 % VALUES.len()];
            let text = ["P", "Q", "R"][n * 5 % 3];
            let day = n % 28 + 1;
            let day = if n % 11 == 0 { 2 } else { day };
            let data = format!(r#"{{"any":{any},"text":"{text}","n":{n}.50}}"#);
            store.append(
                &format!("a-{}", n % 17),
                &format!("2024-01-{day:02}"),
                &data,
            );
        }
        store.append("b-1", "2024-01-01", r#"{"items":[1],"text":"P"}"#);
        store.append("b-2", "2024-01-03", r#"{"items":"none","text":"Q"}"#);
        store
    }

    fn append(&mut self, stream: &str, day: &str, data: &str) {
        let mut event = NewEvent::json("Changed", data).unwrap();
        event.time = Some(SourceTime::parse(day, chrono_tz::UTC).unwrap());
        self.writer
            .append(vec![StreamAppend {
                stream: StreamId::new(stream).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            }])
            .unwrap();
    }

    /// Rows from the index and by folding; they are the same.
    fn rows(&self, sql: &str) -> (Vec<Vec<serde_json::Value>>, bool) {
        let ask = |index| {
            let question = Question {
                index,
                ..Question::new(sql)
            };
            ask(&self.log, &self.models, &question, &Arc::default())
                .unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        let (folded, indexed) = (ask(None), ask(Some(&self.index)));
        assert_eq!(folded.rows, indexed.rows, "{sql}");
        assert!(folded.from_index.is_empty());
        (indexed.rows, !indexed.from_index.is_empty())
    }
}

#[test]
fn rows_from_the_interval_index_are_those_of_folding() {
    let mut store = Store::new();
    for round in 0..2 {
        for at in [
            "NULL",
            "'2023-12-31'",
            "'2024-01-02'",
            "'2024-01-15'",
            "'2024-01-20T00:00:00Z'",
        ] {
            for sql in [
                "SELECT count(*) FROM a_at(AT)",
                "SELECT count(*) FROM a_at(AT) WHERE text = 'P'",
                "SELECT stream FROM a_at(AT) WHERE text = 'P' ORDER BY stream",
                "SELECT stream, text FROM a_at(AT)",
                "SELECT text, count(*), dec_sum(n) FROM a_at(AT) GROUP BY text ORDER BY text",
                "SELECT \"any\", count(*) FROM a_at(AT) GROUP BY \"any\" ORDER BY 1, 2",
                "SELECT stream FROM a_at(AT) WHERE \"any\" = '5'",
                "SELECT stream FROM a_at(AT) WHERE \"any\" = 'P' AND text = 'Q'",
                "SELECT stream, n FROM a_at(AT) WHERE n > 30 ORDER BY n DESC",
                "SELECT count(*) FROM a_at(AT) x JOIN a_at(AT) y ON x.text = y.text AND y.text = 'R'",
                "SELECT count(*) FROM a_at(AT) WHERE text = 'nothing'",
            ] {
                let (_, from_index) = store.rows(&sql.replace("AT", at));
                assert!(from_index, "{sql}");
            }
        }
        if round == 0 {
            store.append("a-3", "2024-01-04", r#"{"text":"P"}"#);
            store.append("a-99", "2024-01-15", r#"{"text":"Q","any":"P"}"#);
        }
    }
}

#[test]
fn what_only_folding_can_tell_is_folded() {
    let store = Store::new();
    for sql in [
        "SELECT version, text FROM a_at()",
        "SELECT state FROM a_at() WHERE text = 'P'",
        "SELECT count(*) FROM a_at(NULL, 60) WHERE text = 'P'",
        "SELECT text FROM a_at() WHERE stream = 'a-3'",
        "SELECT items FROM b_at()",
        "SELECT * FROM b_at()",
    ] {
        let (_, from_index) = store.rows(sql);
        assert!(!from_index, "{sql}");
    }
}

#[test]
fn all_rows_of_a_statement_are_kept_and_the_first_are_shown() {
    let store = Store::new();
    let question = Question {
        rows: 7,
        ..Question::new("SELECT position FROM events ORDER BY position")
    };
    let mut pages = Pages::default();
    let progress = Arc::default();
    let view = ask_paged(&store.log, &store.models, &question, &progress, &mut pages).unwrap();
    assert_eq!((view.rows.len(), view.end), (7, SqlEnd::Whole));
    assert_eq!(pages.len(), 122);
    let last: Vec<String> = pages
        .read(120, 9)
        .unwrap()
        .iter()
        .map(|row| row.get().to_owned())
        .collect();
    assert_eq!(last, ["[121]", "[122]"]);
}
