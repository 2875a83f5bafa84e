//! Tables through the first pass: what is guessed, what a mapping says, and what is wrong with rows.

use super::*;
use crate::finding::FindingKind;
use crate::import::tests::{Seen, request, see, see_files, see_request};
use crate::import::{Encoding, FilePreview, PreviewRequest};
use crate::time::Time;

/// Stream, type, time, data and metadata of every event, one line each.
fn lines(seen: &Seen) -> Vec<String> {
    seen.events
        .iter()
        .map(|e| {
            let metadata = e.event.metadata.as_ref();
            format!(
                "{} {} {} {} {}",
                seen.totals.streams.list[e.stream as usize].name,
                e.event.event_type,
                e.event
                    .time
                    .as_ref()
                    .map_or("clock".into(), |t| t.time.to_string()),
                e.event.data.json_text().unwrap(),
                metadata.map_or("-", |m| m.json_text().unwrap()),
            )
        })
        .collect()
}

fn rejects(seen: &Seen) -> Vec<(u64, String)> {
    let list = &seen.totals.rejects.first;
    list.iter().map(|r| (r.line, r.reason.clone())).collect()
}

fn by(toml: &str, text: &str) -> Result<Seen, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.csv");
    std::fs::write(&file, text).unwrap();
    let mut request = request(vec![file]);
    request.mapping = Some(Mapping::from_toml("m.toml", toml).unwrap());
    see_request(&request)
}

fn glance(name: &str, bytes: &[u8]) -> FilePreview {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    let request = PreviewRequest {
        paths: vec![file],
        format: crate::import::Format::Auto,
        encoding: None,
        category: None,
        zone: Tz::UTC,
        mapping: None,
        presets: crate::import::Presets::default(),
        records: 3,
    };
    let now = Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    crate::import::gather::glance(&request, now)
        .unwrap()
        .remove(0)
}

#[test]
fn places_are_guessed_from_names_and_cells() {
    let seen = see(
        "t.csv",
        "order_id,activity,timestamp,user,amount,note\n\
         7,placed,2024-01-15T10:30:00Z,ann,12.50,\n\
         7,\"paid, late\",2024-01-16T10:30:00Z,bob,0.10,\"a \"\"b\"\"\"\n",
    );
    assert_eq!(
        lines(&seen),
        [
            r#"order-7 placed 2024-01-15T10:30:00Z {"order_id":7,"amount":12.50} {"actor":"ann"}"#,
            r#"order-7 paid, late 2024-01-16T10:30:00Z {"order_id":7,"amount":0.10,"note":"a \"b\""} {"actor":"bob"}"#,
        ]
    );
}

#[test]
fn no_digit_is_lost() {
    let seen = see(
        "t.csv",
        "case_id,activity,timestamp,zip,big,mixed,sci,plus\n\
         9223372036854775807,a,2024-01-15T10:30:00Z,01234,123456789012345678901234567890.10,1,1E400,+5\n\
         9223372036854775808,a,2024-01-15T10:30:00Z,99999,-0.0,x,2e3,7\n",
    );
    assert_eq!(
        seen.events[0].event.data.json_text().unwrap(),
        r#"{"case_id":9223372036854775807,"zip":"01234","big":123456789012345678901234567890.10,"mixed":"1","sci":"1E400","plus":"+5"}"#
    );
    assert!(
        seen.events[1]
            .event
            .data
            .json_text()
            .unwrap()
            .contains(r#""zip":"99999","big":-0.0,"#)
    );
}

#[test]
fn delimiters_decimal_commas_days_and_clocks_are_guessed() {
    let seen = see(
        "t.csv",
        "Auftrag-ID;Datum;Uhrzeit time;Aktion action;Betrag\n\
         a-1;15.01.2024;10:30:00;Bestellt;1.234,50\n\
         a-1;31.01.2024;9:05:00;Bezahlt;0,5\n",
    );
    let (one, two) = (&seen.events[0].event, &seen.events[1].event);
    assert_eq!(
        one.time.as_ref().unwrap().time.to_string(),
        "2024-01-15T10:30:00Z"
    );
    assert_eq!(
        one.time.as_ref().unwrap().text.as_deref(),
        Some("15.01.2024 10:30:00")
    );
    assert!(one.data.json_text().unwrap().contains("\"Betrag\":1234.50"));
    assert!(two.data.json_text().unwrap().contains("\"Betrag\":0.5"));
}

#[test]
fn what_no_guess_can_settle_is_asked_for() {
    let text = "case,activity,timestamp\n1,a,03/04/2024 10:00\n1,b,05/06/2024 10:00\n";
    let error = see_files(&[("t.csv", text.as_bytes())])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("day or with the month first"), "{error}");
    let seen = by("time_format = \"%m/%d/%Y %H:%M\"", text).unwrap();
    assert!(lines(&seen)[0].contains("2024-03-04T10:00:00Z"));
    let settled = see(
        "t.csv",
        "case,activity,timestamp\n1,a,03/04/2024 10:00\n1,b,25/06/2024 10:00\n",
    );
    assert!(lines(&settled)[0].contains("2024-04-03T10:00:00Z"));
}

#[test]
fn a_table_that_is_no_log_says_so_and_imports_with_a_mapping() {
    let text = "sku,name,price\nA1,Echo,103.47\nB2,Kindle,79.99\n";
    let error = see_files(&[("t.csv", text.as_bytes())])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("no log of events") && error.contains("--save-map"),
        "{error}"
    );
    let seen = by(
        "[event]\ntype = \"RowImported\"\nstream = \"product-{sku}\"\n",
        text,
    )
    .unwrap();
    assert_eq!(
        lines(&seen)[0],
        r#"product-A1 RowImported clock {"sku":"A1","name":"Echo","price":103.47} -"#
    );
}

#[test]
fn a_mapping_says_what_becomes_of_every_column() {
    let seen = by(
        "null = [\"\", \"n/a\"]\nzone = \"Europe/Berlin\"\n\
         columns = [{name=\"a\", into=\"metadata\", kind=\"json\"}, {name=\"b\", kind=\"boolean\"}, {name=\"c\", into=\"none\"}]\n\
         [event]\nstream = \"x-{id}\"\ncategory = \"thing\"\ntype = \"Moved\"\ntime = \"{t}\"\nreason = \"{c}\"\nversion = \"{id}\"\ncorrelation = \"\"\n",
        "id,t,a,b,c,correlation_id\n1,2024-07-01 12:00,\"{\"\"k\"\": [1.0]}\",true,why,c1\n2,2024-07-01 12:00,n/a,maybe,,c2\n,2024-07-01 12:00,,,,\n",
    )
    .unwrap();
    assert_eq!(
        lines(&seen),
        [
            r#"x-1 Moved 2024-07-01T10:00:00Z {"id":1,"b":true,"correlation_id":"c1"} {"reason":"why","a":{"k": [1.0]}}"#,
            r#"x-2 Moved 2024-07-01T10:00:00Z {"id":2,"b":"maybe","correlation_id":"c2"} {"a":null}"#,
        ]
    );
    assert_eq!(seen.events[0].category.as_deref(), Some("thing"));
    assert_eq!(
        seen.events[0].event.source.source_version.as_deref(),
        Some("1")
    );
    assert_eq!(
        rejects(&seen),
        [(4, "the cell that names the stream is empty".to_owned())]
    );
}

#[test]
fn a_mapping_that_names_a_missing_column_is_refused_with_what_there_is() {
    let text = "case,activity,timestamp\n1,a,2024-01-15\n";
    let error = by("[event]\nactor = \"{clerk}\"\n", text)
        .err()
        .unwrap()
        .to_string();
    for part in ["actor:", "\"clerk\"", "t.csv", "\"activity\""] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn ragged_broken_and_unreadable_rows_are_rejected_and_shift_no_other() {
    let seen = see_files(&[(
        "t.csv",
        b"case,activity,timestamp\n\
          1,a,2024-01-15\n\
          1,short\n\
          1,b,2024-01-15,extra\n\
          1,\"open,2024-01-15\n\
          1,c,\"2024-01-15\"\n\
          1,d\xff,2024-01-15\n\
          1,e\0,2024-01-15\n\
          1,f,yesterday\n\
          1,\"two\nlines\",2024-01-16\n\
          1,g,0001-01-01\n",
    )])
    .unwrap();
    let types: Vec<_> = seen
        .events
        .iter()
        .map(|e| (e.line, e.event.event_type.to_string()))
        .collect();
    assert_eq!(
        types,
        [
            (2, "a".to_owned()),
            (6, "c".to_owned()),
            (10, "two\nlines".to_owned()),
            (12, "g".to_owned())
        ]
    );
    let rejects = rejects(&seen);
    let lines: Vec<u64> = rejects.iter().map(|r| r.0).collect();
    assert_eq!(lines, [3, 4, 5, 7, 8, 9], "{rejects:?}");
    for (reject, part) in rejects.iter().zip([
        "2 cells where there are 3",
        "4 cells where there are 3",
        "not closed on line 5",
        "not UTF-8 in the cell of \"activity\"; if the file is in Windows-1252",
        "NUL byte in the cell of \"activity\"",
        "\"yesterday\" is not a time",
    ]) {
        assert!(reject.1.contains(part), "{reject:?}");
    }
    assert_eq!(seen.totals.read, 10);
}

#[test]
fn a_quote_never_closed_ends_the_import_with_its_line() {
    let text = "case,activity,timestamp\n1,a,2024-01-15\n1,\"b,2024-01-15\n1,c,2024-01-15\n";
    let error = see_files(&[("t.csv", text.as_bytes())]).err().unwrap();
    assert!(
        matches!(&error, ImportError::Malformed { line: 3, message, .. } if message.contains("never closed")),
        "{error}"
    );
}

#[test]
fn encodings_are_told_or_said_and_never_guessed() {
    let text = "case,activity,timestamp\n1,größe,2024-01-15\n1,b,2024-01-16\n";
    let want = lines(&see("t.csv", text));
    let le: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bom = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let macintosh = text.replace('\n', "\r");
    for bytes in [
        &le,
        &be,
        &bom,
        &macintosh.into_bytes(),
        &text.replace('\n', "\r\n").into_bytes(),
    ] {
        assert_eq!(
            lines(&see_files(&[("t.csv", bytes)]).unwrap()),
            want,
            "{bytes:?}"
        );
    }
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let seen = see_files(&[("t.csv", &latin)]).unwrap();
    assert_eq!((seen.events.len(), rejects(&seen).len()), (1, 1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.csv");
    std::fs::write(&file, &latin).unwrap();
    let mut request = request(vec![file]);
    request.encoding = Some(Encoding::Windows1252);
    assert_eq!(lines(&see_request(&request).unwrap()), want);
    let json: Vec<u8> = "{\"orderId\":7,\"type\":\"ü\"}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        lines(&see_files(&[("t.jsonl", &json)]).unwrap()),
        [r#"order-7 ü clock {"orderId":7} -"#]
    );
}

#[test]
fn headers_are_told_from_rows_and_named_once() {
    let seen = see(
        "t.csv",
        "1,a,2024-01-15,5\n1,b,2024-01-16,6\n1,a,2024-01-17,7\n",
    );
    assert_eq!(lines(&seen).len(), 3);
    assert!(
        lines(&seen)[0].contains("\"column_4\":5"),
        "{:?}",
        lines(&seen)
    );
    let seen = see(
        "t.csv",
        "case,activity,timestamp,x,x,,\n1,a,2024-01-15,1,2,3,4\n",
    );
    assert_eq!(
        seen.events[0].event.data.json_text().unwrap(),
        r#"{"case":1,"x":1,"x_2":2,"column_6":3,"column_7":4}"#
    );
    let seen = see("t.csv", "case,activity,timestamp\n");
    assert_eq!(seen.totals.read, 0);
}

#[test]
fn equal_rows_are_all_stored_and_know_themselves_again() {
    let text = "case,activity,timestamp\n1,a,2024-01-15\n1,a,2024-01-15\n1,a,2024-01-15\n";
    let ids = |text: &str| -> Vec<String> {
        let seen = see("t.csv", text);
        seen.events
            .iter()
            .map(|e| e.event.id.as_ref().unwrap().to_string())
            .collect()
    };
    let first = ids(text);
    let distinct: std::collections::HashSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 3);
    assert_eq!(ids(text), first);
    assert_eq!(
        ids(&format!("{text}1,a,2024-01-15\n"))[..3],
        first,
        "a file that has grown"
    );
}

#[test]
fn times_of_every_kind_are_kept() {
    let seen = see(
        "t.csv",
        "case,activity,timestamp\n1,a,0001-01-01T00:00:00Z\n1,b,2016-12-31T23:59:60Z\n1,c,9999-12-31T23:59:59.999999999Z\n1,d,10000-01-01T00:00:00Z\n",
    );
    let times: Vec<_> = seen
        .events
        .iter()
        .map(|e| e.event.time.as_ref().unwrap().time.to_string())
        .collect();
    assert_eq!(
        times,
        [
            "0001-01-01T00:00:00Z",
            "2017-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z"
        ]
    );
    assert_eq!(rejects(&seen).len(), 1);
    let seen = by(
        "zone = \"Europe/Berlin\"",
        "case,activity,timestamp\n1,never,2024-03-31 02:30:00\n1,twice,2024-10-27 02:30:00\n",
    )
    .unwrap();
    let found = seen.totals.notes.into_vec();
    let ambiguous = found
        .iter()
        .find(|f| f.kind == FindingKind::AmbiguousLocalTime)
        .unwrap();
    assert_eq!(ambiguous.count, 2);
    assert!(ambiguous.detail.contains("Europe/Berlin"), "{ambiguous:?}");
}

/// What came after the rows that the guess looked at became text without a word, and sums left it out.
#[test]
fn cells_that_are_not_of_their_column_s_kind_are_told_once_a_column() {
    let seen = by(
        "columns = [{name=\"amount\", kind=\"number\"}, {name=\"paid\", kind=\"boolean\"}, {name=\"note\", kind=\"json\"}]\n",
        "case,activity,timestamp,amount,paid,note\n\
         1,a,2024-01-15,12.5,true,{}\n\
         1,b,2024-01-16,NULL,yes,[1]\n\
         1,c,2024-01-17,007,false,{\n\
         1,d,2024-01-18,1.234.567,true,1\n\
         1,e,2024-01-19,,,\n",
    )
    .unwrap();
    let data = lines(&seen);
    assert!(
        data[1].contains(r#""amount":"NULL","paid":"yes","note":[1]"#),
        "{data:?}"
    );
    let found = seen.totals.notes.into_vec();
    let told: Vec<_> = found
        .iter()
        .filter(|f| f.kind == FindingKind::KindDiffers)
        .map(|f| (f.count, f.place.line, f.detail.split(';').next().unwrap()))
        .collect();
    let expected = [
        (
            3,
            Some(3),
            r#"the column "amount" was taken to be a number"#,
        ),
        (1, Some(3), r#"the column "paid" was taken to be a boolean"#),
        (1, Some(4), r#"the column "note" was taken to be JSON"#),
    ];
    assert_eq!(told, expected);
    assert!(
        found
            .iter()
            .any(|f| f.detail.contains(r#""NULL" is no number"#)),
        "{found:?}"
    );
}

#[test]
fn words_for_no_value_are_guessed_only_where_the_rest_are_numbers() {
    let seen = see(
        "t.csv",
        "case,activity,timestamp,score,name\n1,a,2024-01-15,NaN,NULL\n1,b,2024-01-16,2.5,NaN\n",
    );
    assert_eq!(
        lines(&seen)[0],
        r#"1 a 2024-01-15T00:00:00Z {"case":1,"score":null,"name":"NULL"} -"#
    );
}

#[test]
fn a_glance_shows_what_an_import_would_do() {
    let text = "case,activity,timestamp\n1,a,2024-01-15\n1,b\n1,c,2024-01-16\n1,d,2024-01-17\n";
    let seen = glance("t.csv", text.as_bytes());
    assert_eq!(seen.error, None);
    let shown: Vec<_> = seen
        .records
        .iter()
        .map(|r| {
            (
                r.line,
                r.event.as_ref().map(|e| e.event_type.as_str()),
                r.reason.is_some(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (2, Some("a"), false),
            (3, None, true),
            (4, Some("c"), false)
        ]
    );
    assert_eq!(
        seen.records[0].cells.as_deref().unwrap(),
        ["1", "a", "2024-01-15"]
    );
    assert!(!seen.complete);
    assert_eq!(seen.columns[0].places, ["stream"]);
    let mapping = seen.mapping.unwrap();
    assert_eq!(
        Mapping::from_toml("m", &seen.mapping_toml.unwrap()),
        Ok(mapping)
    );
    let json = glance(
        "t.jsonl",
        b"{\"orderId\":7,\"type\":\"Placed\",\"userId\":\"ann\"}\nbroken\n",
    );
    assert!(json.complete && json.mapping.is_none());
    let event = json.records[0].event.as_ref().unwrap();
    assert_eq!(
        (event.stream.as_str(), event.actor.as_deref()),
        ("order-7", Some("ann"))
    );
    assert!(
        json.records[1]
            .reason
            .as_deref()
            .unwrap()
            .starts_with("not JSON")
    );
    let broken = glance("t.json", b"[{\"a\":1},");
    assert!(broken.error.unwrap().contains("cut off"));
    let no_log = glance("t.csv", b"sku,name\n1,x\n");
    assert!(no_log.problems[0].contains("no log of events"));
    assert_eq!(no_log.columns.len(), 2);
}

#[test]
fn what_a_folder_holds_besides_is_skipped_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir(root.join("sub")).unwrap();
    std::fs::write(
        root.join("a.csv"),
        "case,activity,timestamp\n1,a,2024-01-15\n",
    )
    .unwrap();
    std::fs::write(root.join("b.txt"), "Dear all\n").unwrap();
    std::fs::write(root.join("c.csv"), "sku,name\n1,x\n").unwrap();
    std::fs::write(
        root.join("sub/a.csv"),
        "case,activity,timestamp\n1,a,2024-01-15\n",
    )
    .unwrap();
    std::fs::write(root.join("sub/d.jsonl"), "{\"orderId\":7,\"type\":\"x\"}\n").unwrap();
    let seen = see_request(&request(vec![root.to_owned()])).unwrap();
    let files: Vec<_> = seen
        .totals
        .files
        .iter()
        .map(|f| (f.source.as_str(), f.read, f.skipped.is_some()))
        .collect();
    assert_eq!(
        files,
        [
            ("a.csv", 1, false),
            ("", 0, true),
            ("", 0, true),
            ("sub/a.csv", 1, false),
            ("d.jsonl", 1, false)
        ]
    );
    assert_eq!(seen.events.len(), 3, "the same row in two files is two");
    let found = seen.totals.notes.into_vec();
    assert!(
        found
            .iter()
            .any(|f| f.kind == FindingKind::FileSkipped && f.count == 2)
    );
}

#[test]
fn a_table_in_windows_1252_is_refused_with_what_to_say() {
    for text in [
        "case,größe,activity,timestamp\n1,5,a,2024-01-15\n1,6,b,2024-01-16\n",
        "case,activity,timestamp,ort\n1,a,2024-01-15,Köln\n1,b,2024-01-16,Köln\n",
        "fall;tätigkeit;zeitpunkt\n1;prüfen;2024-01-15\n1;größer;2024-01-16\n",
        "a;b\nKöln;prüfen\nKöln;größer\n",
    ] {
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        let said = match see_files(&[("t.csv", &latin)]) {
            Err(error) => error.to_string(),
            Ok(seen) => format!("{:?}", rejects(&seen)),
        };
        assert!(said.contains("--encoding windows-1252"), "{text}: {said}");
    }
}

#[test]
fn an_impossible_date_is_one_rejected_row_and_no_reason_to_give_up_the_times() {
    let clean = (1..=9).map(|day| format!("1,a{day},2024-02-0{day},10:0{day}\n"));
    let rows: String = clean.collect();
    for header in ["case,activity,when,what", "case,activity,date,time"] {
        let text = format!("{header}\n{rows}1,a10,2024-02-30,10:10\n");
        let seen = see("t.csv", &text);
        let rejects = rejects(&seen);
        assert_eq!(rejects.len(), 1, "{header}: {rejects:?}");
        assert!(rejects[0].1.contains("2024-02-30"), "{rejects:?}");
        assert_eq!(rejects[0].0, 11);
        assert_eq!(seen.events.len(), 9);
        let first = &lines(&seen)[0];
        assert!(first.contains("2024-02-01"), "{first}");
        assert_eq!(
            first.contains("T10:01"),
            header.ends_with("time"),
            "{first}"
        );
    }
}
