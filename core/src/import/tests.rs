//! Tests of the first pass, which need no log.

mod grown;
mod history;
mod log;
mod suites;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::detect::FileNames;
use super::gather::{Before, Totals, gather};
use super::spool::Spooled;
use super::{ImportError, ImportRequest, Progress};
use crate::finding::{Finding, FindingKind};
use crate::id::{Category, StreamId};
use crate::time::Time;

/// Names of a file that is none.
pub(super) fn names() -> FileNames {
    FileNames {
        file: "dir/test.jsonl".into(),
        source: "test.jsonl".into(),
        stem: "test".into(),
        packed: super::Compression::None,
        packed_in: None,
    }
}

/// An archive with these members, deflated where that is shorter.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        let packed = packer.finish().unwrap();
        let (method, packed) = match packed.len() < bytes.len() {
            true => (8_u16, packed),
            false => (0, bytes.to_vec()),
        };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut common = Vec::new();
        common.extend([20, 0, 0, 8]);
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(crc.sum().to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let at = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&common);
        list.extend([0; 6]);
        list.extend([0; 4]);
        list.extend(at.to_le_bytes());
        list.extend(name.as_bytes());
    }
    let at = out.len() as u32;
    out.extend(&list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((list.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// The folder of real data sets, where it lies beside the project or where `ANNALS_DATASETS` said when this
/// was built (core reads no environment); says so where it does not.
pub(crate) fn datasets() -> Option<PathBuf> {
    let folder = match option_env!("ANNALS_DATASETS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no data sets at {}", folder.display());
    }
    None
}

pub(super) fn request(paths: Vec<PathBuf>) -> ImportRequest {
    ImportRequest::of(paths)
}

/// What the first pass made of some files.
pub(super) struct Seen {
    pub events: Vec<Spooled>,
    pub totals: Totals,
}

impl Seen {
    /// One line an event, in log order: stream, type, time and data.
    fn lines(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|e| {
                format!(
                    "{} {} {} {}",
                    self.stream(e),
                    e.event.event_type,
                    e.event
                        .time
                        .as_ref()
                        .map_or("clock".into(), |t| t.time.to_string()),
                    e.event.data.json_text().unwrap()
                )
            })
            .collect()
    }

    fn stream(&self, event: &Spooled) -> &str {
        self.totals.streams.list[event.stream as usize]
            .name
            .as_str()
    }

    fn ids(&self) -> Vec<&str> {
        self.events
            .iter()
            .map(|e| e.event.id.as_ref().unwrap().as_str())
            .collect()
    }

    pub(super) fn findings(self) -> Vec<(FindingKind, u64, Option<u64>)> {
        let list: Vec<Finding> = self.totals.notes.into_vec();
        list.iter()
            .map(|f| (f.kind, f.count, f.place.line))
            .collect()
    }
}

pub(super) fn see_request(request: &ImportRequest) -> Result<Seen, ImportError> {
    let progress = Progress::default();
    let now = Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    let is_known = |stream: &StreamId| stream.as_str().starts_with("known");
    let before = Before {
        is_known: &is_known,
        ..Before::nothing()
    };
    let gathered = gather(request, &std::env::temp_dir(), now, &progress, before, None)?;
    let gathered = gathered.unwrap();
    assert_eq!(
        progress.bytes_read.into_inner(),
        progress.bytes_total.into_inner(),
        "every byte was read"
    );
    Ok(Seen {
        events: gathered
            .spool
            .unwrap()
            .sorted()
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap(),
        totals: gathered.totals,
    })
}

/// Imports files of these names and contents.
pub(super) fn see_files(files: &[(&str, &[u8])]) -> Result<Seen, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let paths = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    see_request(&request(paths))
}

pub(super) fn see(name: &str, text: &str) -> Seen {
    see_files(&[(name, text.as_bytes())]).unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn events_stand_by_the_latest_time_their_stream_had_reached_then_by_the_file() {
    let seen = see(
        "a.jsonl",
        r#"{"stream":"b","type":"T","timestamp":"2024-01-02T00:00:00Z","data":1}
{"stream":"a","type":"T","timestamp":"2024-01-01T00:00:00Z","data":2}
{"stream":"b","type":"T","timestamp":"2023-12-31T00:00:00Z","data":3}
{"stream":"a","type":"T","data":4}
{"stream":"c","type":"T","data":5}
{"stream":"a","type":"T","timestamp":"2024-01-02T00:00:00Z","data":6}"#,
    );
    assert_eq!(
        seen.lines(),
        [
            "a T 2024-01-01T00:00:00Z 2",
            "a T 2024-01-01T00:00:00Z 4",
            "b T 2024-01-02T00:00:00Z 1",
            "b T 2023-12-31T00:00:00Z 3",
            "a T 2024-01-02T00:00:00Z 6",
            "c T clock 5",
        ]
    );
    assert_eq!(
        (seen.totals.first_time, seen.totals.last_time).map(|t| t.map(|t| t.to_string())),
        (
            Some("2023-12-31T00:00:00Z".to_owned()),
            Some("2024-01-02T00:00:00Z".to_owned())
        )
    );
    assert_eq!(
        seen.findings(),
        [
            (FindingKind::TimeRunsBackwards, 1, Some(3)),
            (FindingKind::MissingTime, 2, Some(4)),
        ]
    );
}

trait MapPair<T> {
    fn map<U>(self, f: impl Fn(T) -> U) -> (U, U);
}
impl<T> MapPair<T> for (T, T) {
    fn map<U>(self, f: impl Fn(T) -> U) -> (U, U) {
        (f(self.0), f(self.1))
    }
}

#[test]
fn faults_in_the_data_are_findings_with_the_line_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(
        &path,
        r#"{"stream":"s","type":"T","timestamp":"2024-01-10","version":3,"data":{}}

{"stream":"s","timestamp":"2024-03-31 02:30:00","version":4,"data":{}}
{"stream":"s","type":"T","timestamp":"2024-04-01T00:00:00","version":6,"data":{"a":{"b":1,"b":2}}}
{"stream":"s","type":"T","timestamp":"2024-04-01T00:00:00Z","version":6,"data":{}}
{"stream":"known-1","type":"T","timestamp":"2024-04-01T00:00:00Z","version":6,"data":{}}
{"stream":"zero","type":"T","timestamp":"2024-04-01T00:00:00Z","version":0,"data":{}}
"#,
    )
    .unwrap();
    let mut request = request(vec![path]);
    request.zone = chrono_tz::Europe::Berlin;
    assert_eq!(
        see_request(&request).unwrap().findings(),
        [
            (FindingKind::DateOnly, 1, Some(1)),
            (FindingKind::VersionGap, 3, Some(1)),
            (FindingKind::ZoneAssumed, 2, Some(3)),
            (FindingKind::AmbiguousLocalTime, 1, Some(3)),
            (FindingKind::MissingType, 1, Some(3)),
            (FindingKind::DuplicateKey, 1, Some(4)),
        ]
    );
}

#[test]
fn records_without_ids_get_the_same_ids_again_and_equal_rows_each_their_own() {
    let text = "{\"a\":1}\n{\"a\":1}\n{\"a\":2}\n{\"eventId\":\"mine\",\"type\":\"T\"}\n";
    let once = see("dir1/log.jsonl", text);
    let moved = see("dir2/log.jsonl", text);
    assert_eq!(once.ids(), moved.ids());
    let mut ids = once.ids();
    assert_eq!(ids[3], "mine");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "equal rows have ids of their own");
    assert_ne!(
        see("other.jsonl", text).ids()[0],
        once.ids()[0],
        "another file is another source"
    );
    let grown = see("log.jsonl", &format!("{text}{{\"a\":1}}\n"));
    assert_eq!(
        grown.ids()[..4],
        once.ids()[..],
        "a file that grew begins the same"
    );
    let both = see_files(&[
        ("x/log.jsonl", text.as_bytes()),
        ("y/log.jsonl", text.as_bytes()),
    ])
    .unwrap();
    assert!(
        both.ids()[..3]
            .iter()
            .all(|id| !both.ids()[4..].contains(id)),
        "two files of one name are two sources"
    );
}

#[test]
fn rejected_records_are_counted_listed_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let mut text = String::from("{\"type\":\"T\",\"stream\":\"s\"}\n{\"broken\n[1]\n");
    text.push_str(&"nonsense\n".repeat(200));
    std::fs::write(&path, &text).unwrap();
    let mut request = request(vec![path.clone()]);
    request.rejects = Some(folder.path().join("rejects.jsonl"));
    let mut seen = see_request(&request).unwrap();
    assert!(
        !folder.path().join("rejects.jsonl").exists(),
        "not before the import is sure"
    );
    seen.totals.rejects.keep().unwrap();
    assert_eq!(
        (
            seen.totals.read,
            seen.events.len(),
            seen.totals.rejects.count
        ),
        (203, 1, 202)
    );
    assert_eq!(seen.totals.rejects.first.len(), 100);
    let written = std::fs::read_to_string(folder.path().join("rejects.jsonl")).unwrap();
    let all: Vec<super::Reject> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all.len(), 202);
    assert_eq!(all[..100], seen.totals.rejects.first[..]);
    assert_eq!(
        all[0],
        super::Reject {
            file: path.display().to_string(),
            line: 2,
            reason: "not JSON: EOF while parsing a string at column 8".into(),
            record: "{\"broken".into(),
        }
    );
}

#[test]
fn names_that_the_log_would_refuse_are_rejected() {
    let long = "x".repeat(5000);
    let seen = see(
        "a.jsonl",
        &format!(
            "{{\"stream\":\"{long}\",\"type\":\"T\"}}\n{{\"stream\":\"s\",\"type\":\"{long}\"}}\n\
             {{\"stream\":\"s\",\"type\":\"T\",\"eventId\":\"{long}\"}}\n"
        ),
    );
    assert_eq!((seen.totals.read, seen.totals.rejects.count), (3, 3));
}

#[test]
fn a_category_asked_for_is_that_of_every_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(
        &path,
        r#"{"aggregateId":"7","aggregateType":"Order","type":"T"}"#,
    )
    .unwrap();
    let mut request = request(vec![path]);
    request.category = Some(Category::new("sales").unwrap());
    let seen = see_request(&request).unwrap();
    assert_eq!(seen.stream(&seen.events[0]), "Order-7", "the name stays");
    assert_eq!(seen.events[0].category.as_deref(), Some("sales"));
}

#[test]
fn packed_files_are_read_whole_or_not_at_all() {
    let text = "{\"type\":\"T\",\"stream\":\"s\"}\n".repeat(2000);
    let packed = gzip(text.as_bytes());
    assert_eq!(
        see_files(&[("a.jsonl.gz", &packed)]).unwrap().totals.read,
        2000
    );
    let twice = [&packed[..], &packed].concat();
    assert_eq!(
        see_files(&[("a.gz", &twice)]).unwrap().totals.read,
        4000,
        "two members"
    );
    for (bytes, what) in [
        (packed[..packed.len() - 12].to_vec(), "cut off"),
        ([&packed[..], b"garbage"].concat(), "with garbage behind it"),
        (
            {
                let mut damaged = packed.clone();
                let middle = damaged.len() / 2;
                damaged[middle] ^= 0xff;
                damaged
            },
            "damaged",
        ),
    ] {
        let error = see_files(&[("a.jsonl.gz", &bytes)]).err().unwrap();
        assert!(
            matches!(error, ImportError::Malformed { .. }),
            "{what}: {error:?}"
        );
    }
}

#[test]
fn files_that_are_none_of_the_formats_say_what_to_do() {
    for (bytes, part) in [
        (&b"hello\n"[..], "`annals formats` lists"),
        (b"a,b\n1,2\n", "no log of events"),
        (b"<html></html>", "not XES"),
        (b"[{\"a\":1},", "cut off"),
    ] {
        let error = see_files(&[("f", bytes)]).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
    let missing = see_request(&request(vec!["no/such/file".into()]))
        .err()
        .unwrap();
    assert!(matches!(missing, ImportError::Io { .. }));
    assert_eq!(see("empty.jsonl", "").totals.read, 0);
}

/// Reading a pipe would wait for whoever writes into it, and find nothing the second time.
#[cfg(unix)]
#[test]
fn a_pipe_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("events.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let error = see_request(&ImportRequest::of(vec![pipe])).err().unwrap();
    assert!(error.to_string().contains("a pipe or a device"), "{error}");
}

#[test]
fn a_cancelled_import_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, "{}\n{}\n").unwrap();
    let progress = Progress::default();
    progress
        .cancel
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let result = gather(
        &request(vec![path]),
        folder.path(),
        Time::MIN,
        &progress,
        Before::nothing(),
        None,
    );
    assert!(matches!(result.err(), Some(ImportError::Cancelled)));
}

#[test]
fn byte_order_marks_and_line_ends_of_every_kind_do_not_matter() {
    let seen = see(
        "a.jsonl",
        "\u{feff}{\"type\":\"A\"}\r\n\r\n{\"type\":\"B\"}",
    );
    assert_eq!((seen.totals.read, seen.totals.rejects.count), (2, 0));
    let seen = see("a.json", "\u{feff}[\r\n{\"type\":\"A\"}\r\n]");
    assert_eq!((seen.totals.read, seen.totals.rejects.count), (1, 0));
}

#[test]
fn the_eventstoredb_carts_are_the_streams_of_their_files() {
    let Some(datasets) = datasets() else { return };
    let folder = datasets.join("eventstoredb/http-api/data");
    let paths = [1164, 1165, 1166, 1167].map(|n| {
        folder.join(format!(
            "shoppingCart-b989fe21-9469-4017-8d71-9820b8dd{n}.json"
        ))
    });
    let seen = see_request(&request(paths.to_vec())).unwrap();
    assert_eq!((seen.totals.read, seen.totals.streams.list.len()), (7, 4));
    assert_eq!(
        seen.events[0].event.time.as_ref().unwrap().text.as_deref(),
        Some("2016-12-23T08:00:00.9225401+01:00")
    );
    assert_eq!(
        seen.stream(&seen.events[0]),
        "shoppingCart-b989fe21-9469-4017-8d71-9820b8dd1164"
    );
    let xbox = seen
        .lines()
        .iter()
        .filter(|line| line.contains("Xbox One S"))
        .count();
    assert_eq!(xbox, 3);
}

#[test]
fn the_git_history_keeps_its_order() {
    let Some(datasets) = datasets() else { return };
    let seen = see_request(&request(vec![datasets.join("git-maxwell/events.jsonl")])).unwrap();
    // 842 files, and `$commits` for the three commits that touch none.
    assert_eq!(
        (seen.totals.read, seen.totals.streams.list.len()),
        (6317, 843)
    );
    assert_eq!(
        (seen.totals.first_time, seen.totals.last_time).map(|t| t.unwrap().to_string()),
        (
            "2014-05-21T17:59:46Z".to_owned(),
            "2026-07-18T17:54:04Z".to_owned()
        )
    );
    let in_order = seen
        .events
        .windows(2)
        .all(|pair| pair[0].line < pair[1].line);
    assert!(in_order, "commits never go back, so positions are lines");
    assert_eq!(seen.findings(), []);
}

#[test]
fn the_naughty_strings_come_through_unchanged() {
    let Some(datasets) = datasets() else { return };
    let list = std::fs::read_to_string(datasets.join("json-suites/blns/blns.json")).unwrap();
    let strings: Vec<String> = serde_json::from_str(&list).unwrap();
    let lines: Vec<String> = strings
        .iter()
        .map(|s| {
            format!(
                "{{\"type\":\"T\",\"stream\":\"s\",\"data\":{}}}",
                serde_json::Value::from(s.as_str())
            )
        })
        .collect();
    let seen = see("blns.jsonl", &lines.join("\n"));
    assert_eq!(seen.events.len(), 515);
    for (event, string) in seen.events.iter().zip(&strings) {
        let back: String = serde_json::from_str(event.event.data.json_text().unwrap()).unwrap();
        assert_eq!(&back, string);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, start in 0..5usize) {
        let start = [&b""[..], b"{", b"[{", b"<log>", b"\x1f\x8b\x08\0\0\0\0\0\0\xff"][start];
        let whole = [start, &bytes].concat();
        if let Ok(seen) = see_files(&[("f", &whole)]) {
            proptest::prop_assert_eq!(
                seen.totals.read,
                seen.events.len() as u64 + seen.totals.rejects.count
            );
        }
    }

    #[test]
    fn versions_follow_the_file_inside_every_stream(
        records in proptest::collection::vec((0..3u8, proptest::option::of(0..50i64)), 0..40),
    ) {
        let text: Vec<String> = records
            .iter()
            .map(|(stream, time)| match time {
                Some(time) => format!("{{\"stream\":\"s{stream}\",\"type\":\"T\",\"timestamp\":{time}}}"),
                None => format!("{{\"stream\":\"s{stream}\",\"type\":\"T\"}}"),
            })
            .collect();
        let seen = see("a.jsonl", &text.join("\n"));
        proptest::prop_assert_eq!(seen.events.len(), records.len());
        for stream in 0..3 {
            let lines: Vec<u64> = seen
                .events
                .iter()
                .filter(|e| seen.stream(e) == format!("s{stream}"))
                .map(|e| e.line)
                .collect();
            proptest::prop_assert!(lines.is_sorted(), "{:?}", lines);
        }
    }
}

mod observed;
