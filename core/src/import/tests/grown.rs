//! Files that grow between two imports: only what is new is read, and nothing comes out other than it would.

use std::collections::BTreeMap;
use std::path::Path;

use super::request;
use crate::finding::FindingKind;
use crate::import::{ImportReport, Progress, import};
use crate::store::{EventQuery, LogWriter};
use crate::surroundings::Surroundings;
use crate::time::Time;

/// A log, and a file that is imported into it again and again.
struct Growing {
    folder: tempfile::TempDir,
    writer: LogWriter,
    surroundings: Surroundings,
}

impl Growing {
    fn new() -> Growing {
        let folder = tempfile::tempdir().unwrap();
        let now = Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
        let surroundings = Surroundings::fixed(now, 7);
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, surroundings.clone()).unwrap();
        Growing {
            folder,
            writer,
            surroundings,
        }
    }

    fn import(&self, text: &[u8]) -> ImportReport {
        let path = self.folder.path().join("a.jsonl");
        std::fs::write(&path, text).unwrap();
        self.import_path(&path)
    }

    fn import_path(&self, path: &Path) -> ImportReport {
        let request = request(vec![path.to_owned()]);
        let progress = Progress::default();
        let report = import(&self.writer, &request, &self.surroundings, &progress).unwrap();
        assert_eq!(
            report.read,
            report.stored + report.duplicates + report.rejected
        );
        report
    }

    /// How often each event is there: its stream, time and data.
    fn events(&self) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        let log = self.writer.log();
        for event in log.events(&EventQuery::default(), 10_000).unwrap().events {
            let data = event.data.as_ref().unwrap();
            let line = format!(
                "{} {} {}",
                event.stream.as_ref().unwrap(),
                event.time.time,
                data.json_text().unwrap()
            );
            *found.entry(line).or_default() += 1;
        }
        found
    }
}

const ONE: &str = "{\"eventId\":\"1\",\"stream\":\"a-1\",\"type\":\"T\",\"time\":\"2024-01-01T00:00:00Z\",\"data\":{\"n\":1}}\n";
const TWO: &str = "{\"eventId\":\"2\",\"stream\":\"a-1\",\"type\":\"T\",\"time\":\"2024-01-02T00:00:00Z\",\"data\":{\"n\":2}}\n";
const NO_TIME: &str = "{\"eventId\":\"3\",\"stream\":\"a-1\",\"type\":\"T\",\"data\":{\"n\":3}}\n";
const ROW: &str = "{\"price\":7}\n";

fn unchanged(report: &ImportReport) -> Option<(u64, u64)> {
    let part = report.files[0].unchanged.as_ref()?;
    Some((part.bytes, part.records))
}

#[test]
fn only_what_is_new_is_read() {
    let growing = Growing::new();
    let first = growing.import(format!("{ONE}\n{TWO}").as_bytes());
    assert_eq!(unchanged(&first), None);
    let again = growing.import(format!("{ONE}\n{TWO}{NO_TIME}").as_bytes());
    let len = (ONE.len() + TWO.len() + 1) as u64;
    assert_eq!(unchanged(&again), Some((len, 2)));
    assert_eq!((again.read, again.stored, again.duplicates), (3, 1, 2));
    assert_eq!(
        again.findings[0].place.line,
        Some(4),
        "{:?}",
        again.findings
    );
    let seen = again.files[0].seen.unwrap();
    assert!(seen.only_grew() && seen.appended == 1, "{seen:?}");
    let events = growing.events();
    assert_eq!(
        events.get(r#"a-1 2024-01-02T00:00:00Z {"n":3}"#),
        Some(&1),
        "{events:?}"
    );
}

#[test]
fn equal_rows_of_the_beginning_and_behind_it_are_all_stored() {
    let growing = Growing::new();
    growing.import(ROW.repeat(3).as_bytes());
    let report = growing.import(ROW.repeat(5).as_bytes());
    assert_eq!((report.stored, report.duplicates), (2, 3));
    assert!(unchanged(&report).is_some());
    let report = growing.import(ROW.repeat(5).as_bytes());
    assert_eq!((report.stored, report.duplicates), (0, 5));
}

#[test]
fn a_changed_beginning_is_read_and_told() {
    let growing = Growing::new();
    growing.import(format!("{ONE}{TWO}").as_bytes());
    let other = ONE.replace("\"n\":1", "\"n\":9");
    let report = growing.import(format!("{other}{TWO}{NO_TIME}").as_bytes());
    assert_eq!(unchanged(&report), None);
    let changed = report
        .findings
        .iter()
        .any(|f| f.kind == FindingKind::SourceChanged);
    assert!(changed, "{:?}", report.findings);
    let cut = growing.import(other.as_bytes());
    assert_eq!(unchanged(&cut), None);
    assert!(
        cut.findings
            .iter()
            .any(|f| f.kind == FindingKind::SourceVanished)
    );
}

#[test]
fn a_line_that_was_not_whole_is_taken_when_it_is() {
    let growing = Growing::new();
    let half = format!("{ONE}{}", &TWO[..20]);
    let report = growing.import(half.as_bytes());
    assert_eq!((report.read, report.rejected), (1, 0));
    assert_eq!(report.findings[0].kind, FindingKind::UnfinishedLine);
    let report = growing.import(format!("{ONE}{TWO}").as_bytes());
    assert_eq!((report.stored, report.duplicates), (1, 1));
    assert_eq!(unchanged(&report), Some((ONE.len() as u64, 1)));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn however_a_file_grew_the_log_holds_the_same(
        lines in proptest::collection::vec(0_usize..6, 1..14),
        cuts in proptest::collection::vec(0_usize..900, 1..3),
    ) {
        let text: String = lines
            .iter()
            .map(|at| [ONE, TWO, ROW, "\n", "{\"price\":8}\n", " {\"stream\":\"b\",\"type\":\"U\",\"time\":\"2024-01-03T00:00:00Z\",\"data\":[1]} \r\n"][*at])
            .collect();
        let at_once = Growing::new();
        at_once.import(text.as_bytes());
        let growing = Growing::new();
        let mut cuts = cuts;
        cuts.sort_unstable();
        for cut in cuts {
            growing.import(&text.as_bytes()[..cut.min(text.len())]);
        }
        let last = growing.import(text.as_bytes());
        proptest::prop_assert_eq!(last.rejected, 0);
        proptest::prop_assert_eq!(growing.events(), at_once.events());
        let seen = last.files[0].seen;
        proptest::prop_assert!(seen.is_none_or(|seen| seen.only_grew()), "{:?}", seen);
    }
}

/// A record without a time took the latest of its stream instead of the one before it, and was stored again.
#[test]
fn a_record_without_a_time_takes_that_of_the_record_before_it_again() {
    let log = Growing::new();
    let lines = "{\"type\":\"B\",\"stream\":\"t\"}\n\
         {\"eventId\":\"1\",\"type\":\"A\",\"stream\":\"t\",\"timestamp\":2,\"data\":2}\n\
         {\"type\":\"B\",\"stream\":\"t\"}";
    assert_eq!(log.import(lines.as_bytes()).stored, 3);
    let again = log.import(lines.as_bytes());
    assert_eq!((again.stored, again.duplicates), (0, 3));
}

/// A row that is being written: too few cells yet, or in the middle of a quoted one.
#[test]
fn a_last_row_of_a_table_that_is_not_whole_is_left_for_the_next_import() {
    let whole = "order_id,event,timestamp,note\n\
                 1,Placed,2024-01-01T10:00:00Z,a\n\
                 1,Paid,2024-01-02T10:00:00Z,\"b, c\"\n";
    for cut in [
        whole.len() - 2,
        whole.len() - 8,
        whole.len() - 20,
        whole.len() - 30,
    ] {
        for is_utf16 in [false, true] {
            let growing = Growing::new();
            let spelt = |text: &str| -> Vec<u8> {
                match is_utf16 {
                    false => text.as_bytes().to_vec(),
                    true => "\u{FEFF}"
                        .encode_utf16()
                        .chain(text.encode_utf16())
                        .flat_map(u16::to_le_bytes)
                        .collect(),
                }
            };
            let first = growing.import(&spelt(&whole[..cut]));
            assert_eq!((first.stored, first.rejected), (1, 0), "{cut}: {first:?}");
            let kinds: Vec<_> = first.findings.iter().map(|f| f.kind).collect();
            assert!(kinds.contains(&FindingKind::UnfinishedLine), "{kinds:?}");
            let second = growing.import(&spelt(whole));
            assert_eq!(
                (second.stored, second.duplicates, second.rejected),
                (1, 1, 0)
            );
            assert_eq!(second.findings, []);
        }
    }
}

#[test]
fn half_a_character_of_utf_16_is_no_reject() {
    let growing = Growing::new();
    let text =
        "\u{FEFF}{\"orderId\":1,\"type\":\"Placed\",\"time\":\"2024-01-01\"}\n{\"orderId\":1,";
    let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.push(b'"');
    let report = growing.import(&bytes);
    assert_eq!((report.stored, report.rejected), (1, 0), "{report:?}");
}
