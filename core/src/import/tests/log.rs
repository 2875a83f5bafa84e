//! Imports into a real log, and exports out of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::{datasets, request};
use crate::event::{NewEvent, Payload};
use crate::export::{ExportFormat, ExportProgress, export, export_to_file};
use crate::finding::FindingKind;
use crate::id::{Category, EventId, StreamId};
use crate::import::{ImportError, ImportReport, ImportRequest, Progress, Way, import, import_by};
use crate::position::Position;
use crate::store::{EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

/// A log in a folder of its own, and files beside it.
struct Desk {
    folder: tempfile::TempDir,
    writer: LogWriter,
    surroundings: Surroundings,
}

impl Desk {
    fn new() -> Desk {
        Desk::at("2030-01-01T00:00:00Z")
    }

    fn at(now: &str) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Surroundings::fixed(Time::parse_rfc3339(now).unwrap(), 7);
        let writer =
            LogWriter::create(&folder.path().join("x.annals"), surroundings.clone()).unwrap();
        Desk {
            folder,
            writer,
            surroundings,
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, request: &ImportRequest) -> Result<ImportReport, ImportError> {
        let report = import(
            &self.writer,
            request,
            &self.surroundings,
            &Progress::default(),
        )?;
        assert_eq!(
            report.read,
            report.stored + report.duplicates + report.rejected,
            "every record is accounted for"
        );
        Ok(report)
    }

    fn import_files(&self, paths: &[PathBuf]) -> ImportReport {
        self.import(&request(paths.to_vec())).unwrap()
    }

    fn size(&self) -> u64 {
        self.writer.log().head().unwrap().size.0
    }

    fn export(&self, format: ExportFormat) -> String {
        let mut out = Vec::new();
        let log = self.writer.log();
        export(
            &log,
            &EventQuery::default(),
            format,
            &mut out,
            &ExportProgress::default(),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    fn append(&self, stream: &str, events: Vec<NewEvent>) {
        self.writer
            .append(vec![StreamAppend {
                stream: StreamId::new(stream).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events,
            }])
            .unwrap();
    }
}

fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    (
        report.read,
        report.stored,
        report.duplicates,
        report.rejected,
    )
}

fn kinds(report: &ImportReport) -> Vec<FindingKind> {
    report.findings.iter().map(|f| f.kind).collect()
}

const LOG: &str = r#"{"eventId":"e1","aggregateId":"order-1","eventType":"OrderPlaced","timestamp":"2024-01-15T10:30:00Z","version":1,"data":{"total":109.97},"metadata":{"userId":"anna","correlationId":"c1"}}
{"orderId":"order-1","eventType":"OrderShipped","timestamp":"2024-01-16","carrier":"UPS"}
{"orderId":"order-1","eventType":"OrderShipped","timestamp":"2024-01-16","carrier":"UPS"}
{"orderId":"order-2","eventType":"OrderPlaced"}
{"broken
"#;

#[test]
fn importing_again_adds_nothing() {
    let desk = Desk::new();
    let path = desk.file("log.jsonl", LOG);
    let first = desk.import_files(std::slice::from_ref(&path));
    assert_eq!(counts(&first), (5, 4, 0, 1));
    assert_eq!((first.streams, first.types), (2, 2));
    let log = desk.export(ExportFormat::Jsonl);
    // Later, from another folder.
    let moved = desk.folder.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    std::fs::copy(&path, moved.join("log.jsonl")).unwrap();
    let later = Surroundings::fixed(Time::parse_rfc3339("2031-01-01T00:00:00Z").unwrap(), 8);
    let again = import(
        &desk.writer,
        &request(vec![moved.join("log.jsonl")]),
        &later,
        &Progress::default(),
    )
    .unwrap();
    assert_eq!(counts(&again), (5, 0, 4, 1));
    assert_eq!(desk.export(ExportFormat::Jsonl), log);
    let twice = desk.import_files(&[path.clone(), path]);
    assert_eq!(counts(&twice), (10, 0, 8, 2));
}

#[test]
fn the_same_file_twice_in_one_import_is_stored_once() {
    let desk = Desk::new();
    let path = desk.file("log.jsonl", LOG);
    assert_eq!(
        counts(&desk.import_files(&[path.clone(), path])),
        (10, 4, 4, 2)
    );
}

#[test]
fn a_dry_run_tells_the_same_and_stores_nothing() {
    let desk = Desk::new();
    let path = desk.file("log.jsonl", LOG);
    let mut request = request(vec![path]);
    request.dry_run = true;
    let dry = desk.import(&request).unwrap();
    assert_eq!(
        (counts(&dry), dry.dry_run, desk.size()),
        ((5, 4, 0, 1), true, 0)
    );
    request.dry_run = false;
    let wet = desk.import(&request).unwrap();
    assert_eq!(
        ImportReport {
            dry_run: true,
            ..wet
        },
        dry
    );
    request.dry_run = true;
    assert_eq!(counts(&desk.import(&request).unwrap()), (5, 0, 4, 1));
    assert_eq!(desk.size(), 4);
}

#[test]
fn an_id_with_other_content_is_stored_under_its_own_and_known_again() {
    let desk = Desk::new();
    let path = desk.file(
        "log.jsonl",
        "{\"eventId\":\"e\",\"stream\":\"s\",\"type\":\"T\",\"timestamp\":1,\"data\":1}\n\
         {\"eventId\":\"e\",\"stream\":\"s\",\"type\":\"T\",\"timestamp\":1,\"data\":2}\n",
    );
    let first = desk.import_files(std::slice::from_ref(&path));
    assert_eq!(
        (counts(&first), kinds(&first)),
        ((2, 2, 0, 0), vec![FindingKind::IdReused])
    );
    assert_eq!(
        (
            first.findings[0].place.line,
            first.findings[0].place.position
        ),
        (Some(2), Some(Position(2)))
    );
    let stored = desk.writer.log().event(Position(2)).unwrap().unwrap();
    assert_eq!(stored.source.source_id.as_deref(), Some("e"));
    assert_eq!(counts(&desk.import_files(&[path])), (2, 0, 2, 0));
}

#[test]
fn a_file_that_breaks_off_leaves_the_log_as_it_was() {
    let desk = Desk::new();
    let good = desk.file("good.jsonl", LOG);
    let cut = desk.file("cut.json", "[{\"type\":\"A\"},{\"type\":");
    let rejects = desk.folder.path().join("rejects");
    std::fs::write(&rejects, "older").unwrap();
    let mut request = request(vec![good, cut]);
    request.rejects = Some(rejects.clone());
    assert!(matches!(
        desk.import(&request),
        Err(ImportError::Malformed { .. })
    ));
    assert_eq!(desk.size(), 0);
    assert_eq!(std::fs::read_to_string(&rejects).unwrap(), "older");
    let names: Vec<_> = std::fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|n| !n.starts_with("x.annals"))
        .collect();
    assert_eq!(names.len(), 3, "no temporary file is left: {names:?}");
}

#[test]
fn a_stream_of_another_category_is_rejected_event_by_event() {
    let desk = Desk::new();
    let path = desk.file("log.jsonl", LOG);
    let mut request = request(vec![path]);
    desk.import(&request).unwrap();
    request.category = Some(Category::new("other").unwrap());
    request.paths = vec![desk.file(
        "more.jsonl",
        "{\"stream\":\"order-1\",\"type\":\"T\"}\n{\"stream\":\"fresh-1\",\"type\":\"T\"}\n",
    )];
    let report = desk.import(&request).unwrap();
    assert_eq!(counts(&report), (2, 1, 0, 1));
    assert_eq!(report.rejects[0].line, 1);
    assert!(
        report.rejects[0].reason.contains("category"),
        "{}",
        report.rejects[0].reason
    );
}

#[test]
fn an_export_imports_back_to_the_same_events() {
    let from = Desk::new();
    from.import_files(&[from.file("log.jsonl", LOG)]);
    let mut event = NewEvent::json(
        "Noted",
        "{\n  \"n\" : 1.50,\n  \"big\": 12345678901234567890123\n}",
    )
    .unwrap();
    event.metadata = Some(Payload::json("[1,\r\n2]").unwrap());
    event.time = Some(SourceTime::parse("2024-01-10", chrono_tz::UTC).unwrap());
    event.id = Some(EventId::new("own\u{202e}id").unwrap());
    from.append(
        "order-1",
        vec![event, NewEvent::json("Null", "null").unwrap()],
    );
    let exported = from.export(ExportFormat::Jsonl);

    let to = Desk::at("2032-01-01T00:00:00Z");
    let path = to.file("exported.jsonl", &exported);
    let report = to.import_files(std::slice::from_ref(&path));
    assert_eq!(counts(&report), (6, 6, 0, 0));
    for position in 1..=6 {
        let [mut was, mut is] = [&from, &to].map(|desk| {
            desk.writer
                .log()
                .event(Position(position))
                .unwrap()
                .unwrap()
        });
        if was.source.source.is_none() {
            assert_eq!(is.source.source_version, Some(was.version.to_string()));
            assert_eq!(is.source.source_position, Some(was.position.to_string()));
            assert_eq!(is.source.source_recorded_at, Some(was.recorded_at));
            is.source = was.source.clone();
        }
        is.recorded_at = was.recorded_at;
        was.leaf = is.leaf;
        assert_eq!(is, was, "position {position}");
    }
    assert_eq!(counts(&to.import_files(&[path])), (6, 0, 6, 0));
    // Back into the log it came from: what was imported there is known again.
    let back = from.import_files(&[from.file("exported.jsonl", &exported)]);
    assert_eq!(back.duplicates, 4);
}

#[test]
fn an_export_is_whole_over_many_pages_and_in_both_directions() {
    let desk = Desk::new();
    let lines: Vec<String> = (1..=2500)
        .map(|n| {
            format!(
                "{{\"stream\":\"s-{}\",\"type\":\"T\",\"timestamp\":{n},\"data\":{n}}}",
                n % 7
            )
        })
        .collect();
    desk.import_files(&[desk.file("log.jsonl", &lines.join("\n"))]);
    let forwards = desk.export(ExportFormat::Jsonl);
    assert_eq!(forwards.lines().count(), 2500);
    let csv = desk.export(ExportFormat::Csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.records().count(), 2500);
    let query = EventQuery {
        direction: crate::store::Direction::Backwards,
        ..EventQuery::default()
    };
    let file = desk.folder.path().join("out.jsonl");
    std::fs::write(&file, "older").unwrap();
    let log = desk.writer.log();
    let progress = ExportProgress::default();
    let report = export_to_file(&log, &query, ExportFormat::Jsonl, &file, &progress).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!((report.events, report.bytes), (2500, written.len() as u64));
    let mut backwards: Vec<&str> = written.lines().collect();
    backwards.reverse();
    assert!(
        forwards.lines().eq(backwards),
        "the same events the other way round"
    );
    progress.cancel.store(true, Ordering::Relaxed);
    assert!(export_to_file(&log, &query, ExportFormat::Csv, &file, &progress).is_err());
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        written,
        "a cancelled export changes nothing"
    );
    let left: Vec<_> = hidden_files(desk.folder.path());
    assert_eq!(left, Vec::<String>::new());
}

fn hidden_files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect()
}

#[test]
fn a_cancel_between_two_events_stores_nothing() {
    let desk = Desk::new();
    let lines = "{\"type\":\"T\"}\n".repeat(50_000);
    let path = desk.file("log.jsonl", &lines);
    let progress = Progress::default();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The second pass has begun when the first events are stored.
            while progress.events_stored.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            progress.cancel.store(true, Ordering::Relaxed);
        });
        import(
            &desk.writer,
            &request(vec![path.clone()]),
            &desk.surroundings,
            &progress,
        )
    });
    assert!(matches!(result, Err(ImportError::Cancelled)), "{result:?}");
    assert_eq!(desk.size(), 0);
    assert_eq!(
        desk.import_files(&[path]).stored,
        50_000,
        "and the log takes it afterwards"
    );
}

#[test]
fn xes_events_know_who_did_them() {
    let Some(datasets) = datasets() else { return };
    let desk = Desk::new();
    let path = datasets.join("xes-running-example/running-example.xes");
    let report = desk.import_files(std::slice::from_ref(&path));
    assert_eq!(counts(&report), (42, 42, 0, 0));
    let actors = desk.writer.log().actors(2).unwrap();
    let named: Vec<_> = actors.iter().map(|a| (a.name.as_str(), a.events)).collect();
    assert_eq!(named, [("Sara", 12), ("Mike", 11)]);
    assert_eq!(counts(&desk.import_files(&[path])), (42, 0, 42, 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

    #[test]
    fn every_record_is_accounted_for_and_none_is_stored_twice(
        files in proptest::collection::vec(
            proptest::collection::vec(
                proptest::sample::select(vec![
                    "{\"type\":\"A\",\"stream\":\"s\",\"timestamp\":1}",
                    "{\"type\":\"A\",\"stream\":\"s\",\"timestamp\":3}",
                    "{\"type\":\"B\",\"stream\":\"t\"}",
                    "{\"eventId\":\"1\",\"type\":\"A\",\"stream\":\"s\",\"timestamp\":2,\"data\":1}",
                    "{\"eventId\":\"1\",\"type\":\"A\",\"stream\":\"s\",\"timestamp\":2,\"data\":2}",
                    "{\"eventId\":\"1\",\"type\":\"A\",\"stream\":\"t\",\"timestamp\":2,\"data\":2}",
                    "{\"broken\"",
                    "[]",
                    "",
                ]),
                0..12,
            ),
            1..4,
        ),
    ) {
        let desk = Desk::new();
        let paths: Vec<PathBuf> = files
            .iter()
            .enumerate()
            .map(|(i, lines)| desk.file(&format!("{i}.jsonl"), &lines.join("\n")))
            .collect();
        // Nothing makes a file of broken lines alone JSON Lines but being told so.
        let mut request = request(paths);
        request.format = crate::import::Format::Jsonl;
        let first = desk.import(&request).unwrap();
        proptest::prop_assert_eq!(first.stored, desk.size());
        let slow = Desk::new();
        let paths = request.paths.iter().map(|path| {
            slow.file(path.file_name().unwrap().to_str().unwrap(), &std::fs::read_to_string(path).unwrap())
        });
        let request_slow = ImportRequest { paths: paths.collect(), ..request.clone() };
        let by_spool =
            import_by(Way::FromSpool, &slow.writer, &request_slow, &slow.surroundings, &Progress::default())
                .unwrap();
        let told = |report: &ImportReport, desk: &Desk| {
            format!("{report:?}").replace(&desk.folder.path().display().to_string(), "")
        };
        proptest::prop_assert_eq!(told(&first, &desk), told(&by_spool, &slow));
        proptest::prop_assert_eq!(desk.export(ExportFormat::Jsonl), slow.export(ExportFormat::Jsonl));
        let again = desk.import(&request).unwrap();
        proptest::prop_assert_eq!(again.stored, 0);
        proptest::prop_assert_eq!(again.duplicates, first.stored + first.duplicates);
        proptest::prop_assert_eq!(first.stored, desk.size());
    }
}

/// A file that was renamed was stored a second time, and nothing said so.
#[test]
fn the_same_file_under_another_name_is_a_finding() {
    let desk = Desk::new();
    let lines = |ids: bool| -> String {
        let line = |n: u32| {
            let id = if ids {
                format!("\"eventId\":\"e{n}\",")
            } else {
                String::new()
            };
            format!(
                "{{{id}\"orderId\":7,\"type\":\"A\",\"timestamp\":\"2024-01-01\",\"data\":{{\"n\":{}}}}}\n",
                n / 2
            )
        };
        (0..9).map(line).collect()
    };
    let told = |report: &ImportReport| -> Vec<(u64, String)> {
        let found = report
            .findings
            .iter()
            .filter(|f| f.kind == FindingKind::ImportedBefore);
        found
            .map(|f| (f.count, f.place.file.clone().unwrap()))
            .collect()
    };
    for ids in [false, true] {
        let kind = if ids { "ids" } else { "plain" };
        let name = |what: &str| format!("{kind}-{what}.jsonl");
        let first = desk.file(&name("first"), &lines(ids));
        let report = desk.import(&request(vec![first.clone()])).unwrap();
        assert_eq!((report.stored, told(&report).len()), (9, 0));
        let again = desk.import(&request(vec![first.clone()])).unwrap();
        assert_eq!((again.duplicates, told(&again).len()), (9, 0));
        // Grown and renamed; and a copy of it in the same import.
        let grown = [lines(ids), lines(false).replace('A', "B")].concat();
        let (renamed, copy) = (
            desk.file(&name("renamed"), &grown),
            desk.file(&name("copy"), &grown),
        );
        let mut dry = request(vec![renamed.clone()]);
        dry.dry_run = true;
        let report = desk.import(&dry).unwrap();
        assert_eq!(told(&report), [(1, renamed.display().to_string())]);
        assert!(report.findings[0].detail.contains(&name("first")) || report.findings.len() > 1);
        let report = desk.import(&request(vec![renamed, copy])).unwrap();
        assert_eq!(told(&report).len(), 2, "{:?}", report.findings);
        let other = desk.file(
            &name("other"),
            &lines(false).replace('A', &format!("other-{kind}")),
        );
        assert_eq!(told(&desk.import(&request(vec![other])).unwrap()), []);
    }
}

/// Rows of the second of two files of one name were taken for duplicates of the first one's.
#[test]
fn two_files_of_one_name_are_two_sources() {
    let desk = Desk::new();
    let row = "{\"orderId\":7,\"type\":\"A\",\"timestamp\":\"2024-01-01\"}\n";
    let mut paths = Vec::new();
    for folder in ["january", "february"] {
        std::fs::create_dir(desk.folder.path().join(folder)).unwrap();
        paths.push(desk.file(&format!("{folder}/orders.jsonl"), row));
    }
    let report = desk.import(&request(paths.clone())).unwrap();
    assert_eq!((report.stored, report.duplicates), (2, 0));
    assert_eq!(
        desk.writer.log().sources().unwrap(),
        ["january/orders.jsonl", "february/orders.jsonl"]
    );
    let again = desk.import(&request(paths)).unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 2));
}

#[test]
fn a_file_of_a_folder_that_holds_nothing_of_its_format_stops_nothing() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("mixed");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "a-facts.json",
        "{\"name\": \"a set\",\n \"objectTypes\": 3,\n \"eventTypes\": [\"Paid\"]}\n",
    );
    write("b.jsonl", LOG);
    write("c.xml", "<facts><n>3</n></facts>");
    write("d.txt", "Dear all,\nthis is a letter.\n");
    let report = desk.import_files(std::slice::from_ref(&folder));
    let skipped: Vec<_> = report
        .files
        .iter()
        .filter(|file| file.skipped.is_some())
        .map(|file| file.file.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(skipped, ["a-facts.json", "c.xml", "d.txt"]);
    assert!(report.stored == 4 && report.rejected == 1, "{report:?}");
    let told = report
        .findings
        .iter()
        .find(|f| f.kind == FindingKind::FileSkipped);
    assert_eq!(told.unwrap().count, 3);
    for name in ["a-facts.json", "c.xml", "d.txt"] {
        let request = request(vec![folder.join(name)]);
        let failed = desk.import(&request);
        assert!(failed.is_err(), "{name} was named itself");
    }
}

#[test]
fn a_store_that_is_packed_is_to_be_unpacked() {
    let (desk, other) = (Desk::new(), Desk::new());
    other.import_files(&[other.file("log.jsonl", LOG)]);
    let packed = desk.folder.path().join("store.annals.gz");
    let file = std::fs::File::create(&packed).unwrap();
    let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    let store = std::fs::read(other.writer.log().path()).unwrap();
    std::io::Write::write_all(&mut out, &store).unwrap();
    out.finish().unwrap();
    let error = desk.import(&request(vec![packed])).unwrap_err().to_string();
    assert!(error.contains("an Annals store, packed"), "{error}");
}

#[test]
fn a_record_of_a_known_source_whose_time_is_none_keeps_its_place() {
    let desk = Desk::new();
    let line = |uid: u32, time: &str| {
        format!(
            r#"{{"event":"session.command","code":"T4000I","sid":"7","user":"ann","uid":"{uid}","time":"{time}"}}"#
        )
    };
    let text = [
        line(1, "2023-09-20T10:00:00Z"),
        line(2, "2023-09-20T23:00:000.000000Z"),
        line(3, "2023-09-21T10:00:00Z"),
    ];
    let report = desk.import_files(&[desk.file("teleport.jsonl", &text.join("\n"))]);
    assert_eq!(counts(&report), (3, 3, 0, 0), "{report:?}");
    let told = report
        .findings
        .iter()
        .find(|f| f.kind == FindingKind::MissingTime);
    let told = &told.unwrap().detail;
    assert!(
        told.contains("23:00:000.000000Z") && told.contains("2023-09-20T10:00:00Z"),
        "{told}"
    );
}

/// A log of a build that kept nothing of what sources hold.
#[test]
fn imports_of_earlier_builds_are_listed() {
    let desk = Desk::new();
    desk.import_files(&[desk.file("log.jsonl", LOG)]);
    let log = desk.writer.log();
    let held = |log: &Log| log.imports().unwrap()[0].files[0].coverage.clone();
    assert!(held(&log).is_some());
    let editor = rusqlite::Connection::open(log.path()).unwrap();
    editor.execute_batch("DROP TABLE import_coverage").unwrap();
    assert_eq!(held(&log), None);
    desk.import_files(&[desk.file(
        "more.jsonl",
        "{\"orderId\":9,\"type\":\"Paid\",\"time\":\"2024-03-01\"}\n",
    )]);
    let imports = log.imports().unwrap();
    assert_eq!(imports[0].files[0].coverage, None);
    assert!(imports[1].files[0].coverage.is_some());
}
