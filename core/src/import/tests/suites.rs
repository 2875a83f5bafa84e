//! JSON that parsers are known to trip over: nst/JSONTestSuite and the Big List of Naughty Strings.

use super::{datasets, request, see_request};
use crate::import::{Format, ImportError};

/// Documents that a parser may accept or refuse, and what Annals does with each as a payload in a file of UTF-8.
const EITHER_WAY: &str = include_str!("either_way.txt");

/// Imports a document as the payload of the one record of a file; `Err` tells why it was refused.
fn payload(document: &[u8]) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.json");
    let whole = [
        &b"{\"orderId\":1,\"type\":\"t\",\"data\":"[..],
        document,
        b"}",
    ]
    .concat();
    std::fs::write(&file, whole).unwrap();
    let mut request = request(vec![file]);
    request.format = Format::Json;
    let seen = match see_request(&request) {
        Ok(seen) => seen,
        Err(ImportError::Malformed { line, message, .. }) => {
            assert!(line >= 1, "{message}");
            return Err(message);
        }
        Err(error) => panic!("{error}"),
    };
    match (&seen.events[..], &seen.totals.rejects.first[..]) {
        ([event], []) => Ok(event.event.data.bytes.clone()),
        ([], [reject]) => {
            assert!(reject.line >= 1 && !reject.reason.is_empty());
            Err(reject.reason.clone())
        }
        (events, rejects) => panic!("{} events, {rejects:?}", events.len()),
    }
}

/// Name and bytes of every document whose name begins so.
fn documents(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = datasets() else {
        return Vec::new();
    };
    let folder = folder.join("json-suites/JSONTestSuite/test_parsing");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap();
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn documents_that_must_be_accepted_are_kept_byte_for_byte() {
    for (name, document) in documents("y_") {
        let kept = payload(&document);
        assert_eq!(kept.as_deref(), Ok(document.trim_ascii()), "{name}");
    }
}

#[test]
fn documents_that_must_be_refused_are_rejected() {
    for (name, document) in documents("n_") {
        let kept = payload(&document);
        assert!(kept.is_err(), "{name} was accepted: {kept:?}");
    }
}

#[test]
fn documents_that_may_go_either_way_go_the_way_of_the_table() {
    let found = documents("i_");
    let mut table = String::new();
    for (name, document) in &found {
        let way = match payload(document) {
            Ok(kept) => {
                assert_eq!(kept, document.trim_ascii(), "{name}");
                "accepted".to_owned()
            }
            Err(why) => format!("refused: {}", why.split(" at ").next().unwrap_or(&why)),
        };
        table.push_str(&format!("{name}  {way}\n"));
    }
    if !found.is_empty() {
        assert_eq!(table, EITHER_WAY);
    }
}

#[test]
fn naughty_strings_are_kept_in_tables_and_json() {
    let Some(folder) = datasets() else { return };
    let text = std::fs::read_to_string(folder.join("json-suites/blns/blns.json")).unwrap();
    let strings: Vec<String> = serde_json::from_str(&text).unwrap();
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(["case", "activity", "timestamp", "naughty"])
        .unwrap();
    let mut lines = String::new();
    for string in &strings {
        table
            .write_record(["1", "a", "2024-01-15", string])
            .unwrap();
        let json = serde_json::to_string(string).unwrap();
        lines.push_str(&format!(
            "{{\"orderId\":1,\"type\":\"a\",\"naughty\":{json}}}\n"
        ));
    }
    let table = table.into_inner().unwrap();
    for (name, bytes) in [("t.csv", &table[..]), ("t.jsonl", lines.as_bytes())] {
        let seen = super::see_files(&[(name, bytes)]).unwrap();
        assert_eq!(seen.totals.rejects.count, 0, "{name}");
        assert_eq!(seen.events.len(), strings.len(), "{name}");
        for (event, string) in seen.events.iter().zip(&strings) {
            let data = event.event.data.json_text().unwrap();
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            // An empty cell is left out.
            let kept = data
                .get("naughty")
                .and_then(|v| v.as_str())
                .unwrap_or_default();
            assert_eq!(kept, string, "{name}");
        }
    }
}
