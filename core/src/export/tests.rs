//! An export read back is the same log: stream, version, time with its flags, payloads byte for byte, links.

use proptest::prelude::*;
use sha2::Digest;

use super::*;
use crate::event::{NewEvent, NewLink, SourceFields};
use crate::event::{Part, Payload};
use crate::finding::FindingKind;
use crate::id::{Category, EventId, EventType, StreamId};
use crate::import::{ImportRequest, Progress, import};
use crate::position::{Position, Version};
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

mod formats;

fn surroundings() -> Surroundings {
    Surroundings::fixed(Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap(), 7)
}

/// A log in a folder of its own.
pub(super) struct TestLog {
    writer: LogWriter,
    folder: tempfile::TempDir,
}

impl TestLog {
    pub(super) fn new() -> TestLog {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, surroundings()).unwrap();
        TestLog { writer, folder }
    }

    pub(super) fn log(&self) -> Log {
        self.writer.log()
    }

    pub(super) fn append(&self, stream: &str, event: NewEvent) {
        let append = StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        self.writer.append(vec![append]).unwrap();
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
        let (other, report) = self.imported_from(format);
        assert_eq!((report.rejected, report.duplicates), (0, 0), "{report:?}");
        other
    }

    /// What came of importing an export of this log.
    fn imported_from(&self, format: ExportFormat) -> (TestLog, crate::import::ImportReport) {
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
        (other, report)
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
    // Few, so that they tie; and any of the years 1 to 9999, to the nanosecond.
    let instants = prop_oneof![0i64..5, -62_135_596_800_000_000i64..253_402_300_799_999_999];
    let times = (instants, 0u16..1_000, text, flags).prop_map(|(us, ns, text, flags)| SourceTime {
        time: Time::from_parts(us, ns).unwrap(),
        text: text.map(str::to_owned),
        date_only: flags.0,
        zone_assumed: flags.1,
        ambiguous: flags.2,
    });
    prop::option::of(times)
}

fn streams() -> impl Strategy<Value = usize> {
    0usize..3
}

const STREAMS: [&str; 3] = ["order-1", " \u{200b}item-7\n", "x"];

fn appends() -> impl Strategy<Value = Vec<(usize, Vec<usize>, NewEvent)>> {
    let source = prop::option::of(prop::sample::select(vec!["a.jsonl", "topic"]));
    let event = (
        times(),
        payloads(),
        prop::option::of(payloads()),
        source,
        prop::option::of("[0-9]{1,2}"),
        // What nobody would call an id: blanks, controls, characters that turn the line, quotes, formulas.
        prop::sample::select(vec![
            "e",
            " ",
            "\0\u{1b}",
            "\u{202e}",
            "\"\\\n",
            "=1+",
            "注🚚",
            "{\"a\":1}",
        ]),
    );
    let links = prop::collection::hash_set(streams(), 0..3);
    prop::collection::vec((streams(), links, event), 1..8).prop_map(|list| {
        let made = list
            .into_iter()
            .enumerate()
            .map(|(n, (home, links, event))| {
                let (time, data, metadata, source, version, odd) = event;
                let links: Vec<usize> = links.into_iter().filter(|link| *link != home).collect();
                let event = NewEvent {
                    id: Some(EventId::new(format!("{odd}{n}{odd}")).unwrap()),
                    event_type: EventType::new([odd, "Shipped"][n % 2]).unwrap(),
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

    /// What was erased cannot come back; every event of which nothing was does.
    #[test]
    fn what_was_not_erased_comes_back(appends in appends(), erased in any::<u8>()) {
        let first = filled(appends);
        let size = first.log().head().unwrap().size.0;
        let parts: Vec<_> = (1..=size)
            .filter(|n| erased >> (n % 8) & 1 == 1)
            .map(|n| (Position(n), [Part::Data, Part::Metadata][n as usize % 2]))
            .collect();
        let stream = StreamId::new("erasures").unwrap();
        let erasure = first.writer.erase(&parts, &stream, &|_| NewEvent::json("Erased", "{}").unwrap()).unwrap();
        let gone = first.events().iter().filter(|(event, _)| !event.erased.is_empty()).count();
        prop_assert_eq!(erasure.is_some(), gone > 0);
        let (second, report) = first.imported_from(ExportFormat::Jsonl);
        prop_assert_eq!(report.rejected, gone as u64);
        // Those that are gone leave no gap in positions and versions.
        let plain = |log: &TestLog| -> Vec<_> {
            let left = log.events().into_iter().filter(|(event, _)| event.erased.is_empty());
            left.map(|(event, mut links)| {
                links.iter_mut().for_each(|link| link.version = Version(1));
                (Event { position: Position(1), version: Version(1), ..event }, links)
            }).collect()
        };
        prop_assert_eq!(plain(&first), plain(&second));
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

#[test]
fn jsonl_is_one_line_an_event_with_every_digit_and_the_payloads_own_text() {
    let log = TestLog::new();
    log.append("order-1", event_of("{\n  \"a\": 1\r\n}"));
    log.append("order-1", event_of("{\"n\":12345678901234567890.10}"));
    let (bytes, report) = log.export(ExportFormat::Jsonl);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), report.events), (2, 2));
    assert!(lines[0].contains(r#""data":{   "a": 1  }"#), "{}", lines[0]);
    assert!(
        lines[0].ends_with(r#","data_text":"{\n  \"a\": 1\r\n}","metadata_text":"{\n}"}"#),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains("12345678901234567890.10"), "{}", lines[1]);
    assert_eq!(report.bytes, text.len() as u64);
    let hash: [u8; 32] = sha2::Sha256::digest(text.as_bytes()).into();
    assert_eq!(report.sha256, crate::integrity::Hash(hash));
}

fn event_of(data: &str) -> NewEvent {
    NewEvent {
        metadata: Some(Payload::json("{\n}").unwrap()),
        ..NewEvent::json("=SUM(A1)", data).unwrap()
    }
}

#[test]
fn csv_quotes_and_never_hands_a_spreadsheet_a_formula() {
    let log = TestLog::new();
    log.append(
        "order-1",
        NewEvent {
            id: Some(EventId::new("-1+1").unwrap()),
            metadata: Some(Payload::json(r#"{"correlationId":"a \"b\", c"}"#).unwrap()),
            ..event_of("{\n  \"a\": 1\r\n}")
        },
    );
    let text = String::from_utf8(log.export(ExportFormat::Csv).0).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), CSV_COLUMNS.to_vec());
    let row = reader.records().next().unwrap().unwrap();
    assert_eq!(
        (&row[4], &row[9], &row[11], &row[19]),
        ("'=SUM(A1)", "'-1+1", "a \"b\", c", "{\n  \"a\": 1\r\n}")
    );
    assert!(text.starts_with("position,stream,"));
    assert!(text.contains("erased\r\n"), "lines end as RFC 4180 says");
}

#[test]
fn a_guard_can_be_taken_off_again() {
    for text in [
        "", "a", "=1", "'=1", "''", "'", "'a", "-5", "\tx", "＝1", "a=1",
    ] {
        let cell = guarded(text.to_owned());
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
            "{cell}"
        );
        assert_eq!(unguarded(&cell), text);
    }
}
