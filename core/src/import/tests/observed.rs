//! A source that is looked at again: each mutation by its name.

use super::super::*;
use crate::finding::FindingKind;
use crate::position::Position;
use crate::time::Time;

const IDS: [&str; 5] = [
    r#"{"id":"e1","stream":"s-1","type":"A","time":"2024-01-01T00:00:00Z","data":{"n":1}}"#,
    r#"{"id":"e2","stream":"s-2","type":"A","time":"2024-01-01T00:00:05Z","data":{"n":2}}"#,
    // Earlier than the one before it, so the log's order is not the file's.
    r#"{"id":"e3","stream":"s-3","type":"A","time":"2024-01-01T00:00:02Z","data":{"n":3}}"#,
    r#"{"id":"e4","stream":"s-1","type":"A","time":"2024-01-01T00:00:06Z","data":{"n":4}}"#,
    r#"{"id":"e5","stream":"s-2","type":"A","time":"2024-01-01T00:00:07Z","data":{"n":5}}"#,
];

const NO_IDS: [&str; 5] = [
    "name,what,when\nada,came,2024-01-01T00:00:00Z",
    "bob,came,2024-01-01T00:00:01Z",
    "cyd,came,2024-01-01T00:00:02Z",
    "dan,came,2024-01-01T00:00:03Z",
    "eve,came,2024-01-01T00:00:04Z",
];

struct Watched {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Watched {
    fn new(name: &'static str, lines: &[&str]) -> Watched {
        let watched = Watched {
            folder: tempfile::tempdir().unwrap(),
            name,
        };
        let first = watched.look(lines);
        assert!(
            first.files[0].seen.is_none(),
            "the first look compares nothing"
        );
        watched
    }

    fn look(&self, lines: &[&str]) -> ImportReport {
        let source = self.folder.path().join(self.name);
        std::fs::write(&source, lines.join("\n") + "\n").unwrap();
        self.import(source, false)
    }

    fn import(&self, path: PathBuf, dry_run: bool) -> ImportReport {
        let now = Time::parse_rfc3339("2024-03-01T12:00:00Z").unwrap();
        let surroundings = Surroundings::fixed(now, 1);
        let request = ImportRequest {
            dry_run,
            ..ImportRequest::of(vec![path])
        };
        let store = self.folder.path().join("x.annals");
        let progress = Progress::default();
        import_into(&store, Presence::Either, &request, &surroundings, &progress)
            .unwrap()
            .report
    }
}

/// changed, vanished, reordered, inserted, appended.
fn counts(report: &ImportReport) -> [u64; 5] {
    let seen = report.files[0].seen.unwrap();
    [
        seen.changed,
        seen.vanished,
        seen.reordered,
        seen.inserted,
        seen.appended,
    ]
}

fn finding(report: &ImportReport, kind: FindingKind) -> &crate::finding::Finding {
    report
        .findings
        .iter()
        .find(|found| found.kind == kind)
        .unwrap()
}

#[test]
fn the_same_again_is_as_it_was() {
    for (name, lines) in [("x.jsonl", IDS), ("x.csv", NO_IDS)] {
        let watched = Watched::new(name, &lines);
        for looks in 2..4 {
            let report = watched.look(&lines);
            assert_eq!(counts(&report), [0, 0, 0, 0, 0], "{name}");
            assert_eq!(report.files[0].seen.unwrap().looks, looks);
        }
    }
}

#[test]
fn growth_at_the_end_is_no_finding() {
    for (name, lines) in [("x.jsonl", IDS), ("x.csv", NO_IDS)] {
        let watched = Watched::new(name, &lines[..3]);
        let report = watched.look(&lines);
        assert_eq!(counts(&report), [0, 0, 0, 0, 2], "{name}");
        assert!(report.files[0].seen.unwrap().only_grew());
    }
}

#[test]
fn changed_record() {
    let watched = Watched::new("x.jsonl", &IDS);
    let mut lines = IDS;
    lines[1] =
        r#"{"id":"e2","stream":"s-2","type":"A","time":"2024-01-01T00:00:05Z","data":{"n":99}}"#;
    let report = watched.look(&lines);
    assert_eq!(counts(&report), [1, 0, 0, 0, 0]);
    let found = finding(&report, FindingKind::SourceChanged);
    assert_eq!(found.place.stream.as_deref(), Some("s-2"));
    assert_eq!(found.place.position, Some(Position(3)));
    // printf '{"n":2}' | sha256sum
    let hash = "363379742f80b51bdb9206579af7754911543079b9399cb3fc315fb199f476e8";
    assert!(found.detail.contains(hash), "{}", found.detail);
    assert!(
        found.detail.contains("until 2024-03-01T12:00:00Z"),
        "{}",
        found.detail
    );
    // And back again.
    assert_eq!(counts(&watched.look(&IDS)), [1, 0, 0, 0, 0]);
}

#[test]
fn changed_record_without_an_id_is_found_by_its_place() {
    let watched = Watched::new("x.csv", &NO_IDS);
    let mut lines = NO_IDS;
    lines[2] = "cyd,left,2024-01-01T00:00:02Z";
    assert_eq!(counts(&watched.look(&lines)), [1, 0, 0, 0, 0]);
}

#[test]
fn vanished_record() {
    for (name, lines) in [("x.jsonl", IDS), ("x.csv", NO_IDS)] {
        let watched = Watched::new(name, &lines);
        let left = [lines[0], lines[1], lines[3], lines[4]];
        let report = watched.look(&left);
        assert_eq!(counts(&report), [0, 1, 0, 0, 0], "{name}");
        let found = finding(&report, FindingKind::SourceVanished);
        assert!(
            found.detail.contains("not there any more"),
            "{}",
            found.detail
        );
        // The log keeps what vanished, and it is missed once, not for ever.
        assert_eq!(counts(&watched.look(&left)), [0, 0, 0, 0, 0], "{name}");
        // It comes back between the others.
        assert_eq!(counts(&watched.look(&lines)), [0, 0, 0, 1, 0], "{name}");
    }
}

#[test]
fn tail_cut_off() {
    let watched = Watched::new("x.jsonl", &IDS);
    assert_eq!(counts(&watched.look(&IDS[..2])), [0, 3, 0, 0, 0]);
}

#[test]
fn emptied() {
    let watched = Watched::new("x.jsonl", &IDS);
    assert_eq!(counts(&watched.look(&[""])), [0, 5, 0, 0, 0]);
}

#[test]
fn inserted_record() {
    let watched = Watched::new("x.jsonl", &[IDS[0], IDS[1], IDS[3]]);
    let report = watched.look(&[IDS[0], IDS[1], IDS[2], IDS[3], IDS[4]]);
    assert_eq!(counts(&report), [0, 0, 0, 1, 1]);
    finding(&report, FindingKind::SourceInserted);
}

#[test]
fn doubled_record() {
    let watched = Watched::new("x.jsonl", &IDS);
    let report = watched.look(&[IDS[0], IDS[1], IDS[1], IDS[2], IDS[3], IDS[4]]);
    assert_eq!(counts(&report), [0, 0, 0, 1, 0]);
}

#[test]
fn reordered_records() {
    for (name, lines) in [("x.jsonl", IDS), ("x.csv", NO_IDS)] {
        let watched = Watched::new(name, &lines);
        let report = watched.look(&[lines[0], lines[1], lines[4], lines[2], lines[3]]);
        assert_eq!(counts(&report), [0, 0, 1, 0, 0], "{name}");
        let found = finding(&report, FindingKind::SourceReordered);
        assert_eq!(found.place.position, Some(Position(5)));
    }
}

#[test]
fn replaced_as_a_whole() {
    let watched = Watched::new("x.csv", &NO_IDS);
    let other = [
        "name,what,when\nzoe,left,2024-02-01T00:00:00Z",
        "yan,left,2024-02-01T00:00:01Z",
    ];
    assert_eq!(counts(&watched.look(&other)), [0, 5, 0, 0, 2]);
}

#[test]
fn a_dry_run_compares_and_is_no_look() {
    let watched = Watched::new("x.jsonl", &IDS);
    let source = watched.folder.path().join("x.jsonl");
    std::fs::write(&source, IDS[1..].join("\n")).unwrap();
    for _ in 0..2 {
        let report = watched.import(source.clone(), true);
        assert_eq!(counts(&report), [0, 1, 0, 0, 0]);
        assert_eq!(report.files[0].seen.unwrap().looks, 2);
    }
}

#[test]
fn a_file_missing_from_a_folder() {
    let watched = Watched {
        folder: tempfile::tempdir().unwrap(),
        name: "",
    };
    let sources = watched.folder.path().join("in");
    std::fs::create_dir(&sources).unwrap();
    std::fs::write(sources.join("a.jsonl"), IDS[..2].join("\n")).unwrap();
    std::fs::write(sources.join("b.jsonl"), IDS[2..].join("\n")).unwrap();
    watched.import(sources.clone(), false);
    assert_eq!(watched.import(sources.clone(), false).findings, []);
    std::fs::remove_file(sources.join("b.jsonl")).unwrap();
    let report = watched.import(sources.clone(), false);
    let found = finding(&report, FindingKind::SourceVanished);
    assert_eq!(found.place.file.as_deref(), Some("b.jsonl"));
    assert!(found.detail.contains("with 3 records"), "{}", found.detail);
}

#[test]
fn another_store_as_a_source() {
    let watched = Watched {
        folder: tempfile::tempdir().unwrap(),
        name: "",
    };
    let theirs = watched.folder.path().join("theirs.annals");
    crate::sample::guide(&theirs).unwrap();
    let first = watched.import(theirs.clone(), false);
    assert_eq!((first.read, first.stored, first.rejected), (52, 52, 0));
    assert_eq!(counts(&watched.import(theirs.clone(), false)), [0; 5]);
    // Somebody with the file and an editor changes one payload there.
    let conn = rusqlite::Connection::open(&theirs).unwrap();
    conn.execute_batch(
        "DROP TRIGGER events_update;
         UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '109.97', '9.97') AS BLOB)
         WHERE position = (SELECT min(position) FROM events WHERE instr(CAST(data AS TEXT), '109.97') > 0)",
    )
    .unwrap();
    drop(conn);
    let report = watched.import(theirs, false);
    assert_eq!(counts(&report), [1, 0, 0, 0, 0]);
}

#[test]
fn a_store_is_not_a_source_of_itself() {
    let watched = Watched::new("x.jsonl", &IDS);
    let store = watched.folder.path().join("x.annals");
    let now = Time::parse_rfc3339("2024-03-01T12:00:00Z").unwrap();
    let request = ImportRequest::of(vec![store.clone()]);
    let error = import_into(
        &store,
        Presence::Either,
        &request,
        &Surroundings::fixed(now, 1),
        &Progress::default(),
    );
    assert!(
        matches!(error, Err(ImportError::Malformed { .. })),
        "{error:?}"
    );
}
