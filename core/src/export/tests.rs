//! An export read back is the same log: stream, version, time with its flags, payloads byte for byte, links.

use proptest::prelude::*;

use super::*;
use crate::event::{NewEvent, NewLink, SourceFields};
use crate::id::{Category, EventId, EventType, StreamId};
use crate::import::{ImportRequest, Progress, import};
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

fn surroundings() -> Surroundings {
    Surroundings::fixed(Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap(), 7)
}

struct TestLog {
    writer: LogWriter,
    folder: tempfile::TempDir,
}

impl TestLog {
    fn new() -> TestLog {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, surroundings()).unwrap();
        TestLog { writer, folder }
    }

    fn export(&self, format: ExportFormat) -> (Vec<u8>, ExportReport) {
        let mut out = Vec::new();
        let progress = ExportProgress::default();
        let query = EventQuery::default();
        let report = export(&self.writer.log(), &query, format, &mut out, &progress).unwrap();
        (out, report)
    }

    /// A log made of the export of this one.
    fn again(&self) -> TestLog {
        self.again_from(ExportFormat::Jsonl)
    }

    fn again_from(&self, format: ExportFormat) -> TestLog {
        let other = TestLog::new();
        let file = other.folder.path().join("export");
        std::fs::write(&file, self.export(format).0).unwrap();
        let request = ImportRequest {
            zone: chrono_tz::Europe::Berlin,
            ..ImportRequest::of(vec![file])
        };
        let report = import(
            &other.writer,
            &request,
            &surroundings(),
            &Progress::default(),
        )
        .unwrap();
        assert_eq!((report.rejected, report.duplicates), (0, 0), "{report:?}");
        other
    }

    /// What an event says, where it stands, and its links; not who took it when.
    fn events(&self) -> Vec<(Event, Vec<LinkView>)> {
        let mut events = Vec::new();
        self.writer
            .log()
            .for_each_event(&EventQuery::default(), &mut |event, links| {
                let event = Event {
                    leaf: crate::integrity::Hash([0; 32]),
                    source: SourceFields::default(),
                    ..event
                };
                events.push((event, links));
                true
            })
            .unwrap();
        events
    }
}

fn payloads() -> impl Strategy<Value = Payload> {
    let json = prop::sample::select(vec![
        "{}",
        "null",
        " null ",
        "{\"a\":1.50,\n \"b\":[1e2]}",
        "\t[1]\r\n",
        "\"\\ud83d\\ude00\"",
        "{\"userId\":\"u-1\",\"correlationId\":\"c\"}",
    ]);
    let kind = prop::sample::select(vec!["application/json", "application/vnd.x+json; v=2"]);
    let other = prop::sample::select(vec![
        "text/plain",
        "application/json",
        "application/x-protobuf",
    ]);
    prop_oneof![
        3 => (json, kind).prop_map(|(text, kind)| Payload {
            content_type: kind.into(),
            bytes: text.as_bytes().to_vec(),
        }),
        1 => (prop::collection::vec(any::<u8>(), 0..6), other.clone()).prop_map(|(bytes, kind)| Payload {
            content_type: kind.into(),
            bytes,
        }),
        1 => ("[ -~\n]{0,6}", other).prop_map(|(text, kind)| Payload {
            content_type: kind.into(),
            bytes: text.into_bytes(),
        }),
    ]
}

fn times() -> impl Strategy<Value = Option<SourceTime>> {
    let text = prop::sample::select(vec![
        None,
        Some("2024-01-15"),
        Some("2024-03-31 02:30"),
        Some("2024-01-15T10:30:00+01:00"),
        Some("yesterday"),
    ]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    prop::option::of(
        (0i64..5, 0u16..3, text, flags).prop_map(|(us, ns, text, flags)| SourceTime {
            time: Time::from_parts(us, ns).unwrap(),
            text: text.map(str::to_owned),
            date_only: flags.0,
            zone_assumed: flags.1,
            ambiguous: flags.2,
        }),
    )
}

fn streams() -> impl Strategy<Value = usize> {
    0usize..3
}

const STREAMS: [&str; 3] = ["order-1", "item-7", "x"];

fn appends() -> impl Strategy<Value = Vec<(usize, Vec<usize>, NewEvent)>> {
    let source = prop::option::of(prop::sample::select(vec!["a.jsonl", "topic"]));
    let event = (
        times(),
        payloads(),
        prop::option::of(payloads()),
        source,
        prop::option::of("[0-9]{1,2}"),
    );
    let links = prop::collection::hash_set(streams(), 0..3);
    prop::collection::vec((streams(), links, event), 1..8).prop_map(|list| {
        let made = list
            .into_iter()
            .enumerate()
            .map(|(n, (home, links, event))| {
                let (time, data, metadata, source, version) = event;
                let links: Vec<usize> = links.into_iter().filter(|link| *link != home).collect();
                let event = NewEvent {
                    id: Some(EventId::new(format!("e{n}")).unwrap()),
                    event_type: EventType::new(["Placed", "Shipped"][n % 2]).unwrap(),
                    time,
                    schema_version: version.clone(),
                    data,
                    metadata,
                    source: SourceFields {
                        source: source.map(Into::into),
                        source_version: version.filter(|_| source.is_some()),
                        ..SourceFields::default()
                    },
                    links: Vec::new(),
                };
                (home, links, event)
            });
        made.collect()
    })
}

fn filled(appends: Vec<(usize, Vec<usize>, NewEvent)>) -> TestLog {
    let log = TestLog::new();
    let stream = |at: usize| StreamId::new(STREAMS[at]).unwrap();
    for (home, links, event) in appends {
        let links = links.into_iter().map(|link| NewLink {
            stream: stream(link),
            qualifier: ["", "of it"][link % 2].into(),
        });
        let append = StreamAppend {
            stream: stream(home),
            category: (home == 2).then(|| Category::new("x").unwrap()),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent {
                links: links.collect(),
                ..event
            }],
        };
        log.writer.append(vec![append]).unwrap();
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_export_comes_back_as_the_same_log(appends in appends()) {
        let first = filled(appends);
        let second = first.again();
        prop_assert_eq!(first.events(), second.events());
        let third = second.again();
        let text = |log: &TestLog| String::from_utf8(log.export(ExportFormat::Jsonl).0).unwrap();
        prop_assert_eq!(text(&second), text(&third));
        prop_assert_eq!(text(&second), text(&second));
    }
}

/// Links, and payloads that are not JSON, were left out of a CSV without a word.
#[test]
fn a_csv_says_what_it_has_no_place_for() {
    let event = |id: &str, data: Payload| NewEvent {
        id: Some(EventId::new(id).unwrap()),
        data,
        ..NewEvent::json("Placed", "{}").unwrap()
    };
    let json = Payload::json("{}").unwrap();
    let text = Payload {
        content_type: "text/plain".into(),
        bytes: b"hello".to_vec(),
    };
    let log = filled(vec![
        (0, vec![], event("a", json.clone())),
        (0, vec![1], event("b", json.clone())),
        (0, vec![1, 2], event("c", text)),
    ]);
    let (_, report) = log.export(ExportFormat::Csv);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.kind, f.count, f.place.position.unwrap().0))
        .collect();
    assert_eq!(
        told,
        [(FindingKind::NotKept, 2, 2), (FindingKind::NotKept, 1, 3)]
    );
    assert_eq!(log.export(ExportFormat::Jsonl).1.findings, []);
}

#[test]
fn what_was_erased_is_not_taken_for_an_event() {
    let log = filled(vec![(0, vec![], NewEvent::json("Placed", "{}").unwrap())]);
    let line = String::from_utf8(log.export(ExportFormat::Jsonl).0).unwrap();
    let erased = line
        .replace("\"data\":{}", "\"data\":null")
        .replace("\"}\n", "\",\"erased\":[\"data\"]}\n");
    let erased = erased.replace("null}\n", "null,\"erased\":[\"data\"]}\n");
    assert!(erased.contains("\"erased\""), "{erased}");
    let file = log.folder.path().join("erased.jsonl");
    std::fs::write(&file, erased).unwrap();
    let request = ImportRequest {
        dry_run: true,
        ..ImportRequest::of(vec![file])
    };
    let report = import(&log.writer, &request, &surroundings(), &Progress::default()).unwrap();
    assert_eq!(report.rejected, 1);
    assert!(
        report.rejects[0].reason.contains("was erased"),
        "{report:?}"
    );
}

#[test]
fn a_cancelled_export_says_so() {
    let log = filled(vec![(0, vec![], NewEvent::json("Placed", "{}").unwrap())]);
    let progress = ExportProgress::default();
    progress.cancel.store(true, Ordering::Relaxed);
    let query = EventQuery::default();
    let cancelled = export(
        &log.writer.log(),
        &query,
        ExportFormat::Jsonl,
        &mut Vec::new(),
        &progress,
    );
    assert!(matches!(cancelled, Err(ExportError::Cancelled)));
}

#[test]
fn a_table_of_events_comes_back_with_the_guards_off() {
    let log = TestLog::new();
    let mut event = NewEvent::json(
        "=cmd|' /C calc'!A0",
        r#"{"n": 12345678901234567890.10, "t": "a,\"b\""}"#,
    )
    .unwrap();
    event.id = Some(EventId::new("'=1").unwrap());
    event.metadata = Some(Payload::json(r#"{"userId":"@SUM(A1)"}"#).unwrap());
    event.time = Some(SourceTime::parse("2024-01-15", chrono_tz::UTC).unwrap());
    let append = StreamAppend {
        stream: StreamId::new("-order+1").unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events: vec![event],
    };
    log.writer.append(vec![append]).unwrap();
    let (table, _) = log.export(ExportFormat::Csv);
    let table = String::from_utf8(table).unwrap();
    for formula in [",=cmd", ",@SUM", ",-order", "\"=cmd"] {
        assert!(!table.contains(formula), "{table}");
    }
    assert_eq!(log.again_from(ExportFormat::Csv).events(), log.events());
}
