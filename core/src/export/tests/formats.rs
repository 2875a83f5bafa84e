//! What one format holds comes back by importing it, and what it does not hold is said.

use std::path::Path;

use super::*;
use crate::import::Format;
use crate::import::tests::datasets;

/// Imports a file into a log of its own.
fn imported(file: &Path) -> TestLog {
    let log = TestLog::new();
    let request = ImportRequest::of(vec![file.to_owned()]);
    import(&log.writer, &request, &surroundings(), &Progress::default()).unwrap();
    log
}

/// The log that comes of an export of this one, in a file of that name.
fn again(log: &TestLog, format: ExportFormat, name: &str) -> (TestLog, ExportReport, Vec<u8>) {
    let (bytes, report) = log.export(format);
    let other = TestLog::new();
    let file = other.folder.path().join(name);
    std::fs::write(&file, &bytes).unwrap();
    let request = ImportRequest {
        format: match format {
            ExportFormat::OcelJson | ExportFormat::OcelSqlite => Format::Ocel,
            _ => Format::Auto,
        },
        ..ImportRequest::of(vec![file])
    };
    let imported = import(
        &other.writer,
        &request,
        &surroundings(),
        &Progress::default(),
    )
    .unwrap();
    assert_eq!(imported.rejected, 0, "{imported:?}");
    (other, report, bytes)
}

fn assert_same(first: &TestLog, second: &TestLog) {
    let (first, second) = (first.events(), second.events());
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one, other);
    }
    assert_eq!(first.len(), second.len());
}

/// Events of each stream in their order. Where events of two streams have one time, which of them stands first in the
/// log is the order of the traces in the file, which the log does not keep.
fn by_stream(log: &TestLog) -> Vec<(Event, Vec<LinkView>)> {
    let mut events = log.events();
    events.sort_by_key(|(event, _)| (event.stream.clone().unwrap().to_string(), event.version));
    for (event, _) in &mut events {
        event.position = Position(1);
    }
    events
}

#[test]
fn xes_comes_back_as_it_was() {
    let Some(folder) = datasets() else { return };
    for name in [
        "xes-running-example/running-example.xes",
        "xes-reviewing/reviewing.xes",
        "xes-receipt/receipt.xes.gz",
    ] {
        let log = imported(&folder.join(name));
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        let packed = file.ends_with(".gz");
        let (back, report, _) = again(&log, ExportFormat::Xes, file.trim_end_matches(".gz"));
        assert_eq!(report.findings, [], "{name}");
        let (mut first, mut second) = (by_stream(&log), by_stream(&back));
        for (event, _) in first.iter_mut().chain(&mut second) {
            // The id of an event without one is made of the name of its file, which is packed here.
            event.id = event.id.take().filter(|_| !packed);
        }
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other);
        }
        assert_eq!(first.len(), second.len());
    }
}

/// Attributes in attributes, lists, types that JSON does not tell, an event outside of traces, a trace without a name.
#[test]
fn whatever_xes_holds_comes_back() {
    let xes = r#"<log xmlns="http://www.xes-standard.org/"><trace><string key="concept:name" value="A &amp; &quot;b&quot;"/>
        <date key="due" value="2024-01-01T00:00:00Z"><int key="in &lt; it" value="1"/></date>
        <event><string key="concept:name" value="x&#10;y&#9;z"/><date key="time:timestamp" value="2024-01-01T00:00:00.5+01:00"/>
        <int key="i" value="12345678901234567890"/><int key="plus" value="+5"/><float key="f" value="1"/><float key="nan" value="NaN"/>
        <boolean key="t" value="true"/><boolean key="b" value="1"/><id key="identity:id" value="7"/>
        <string key="s" value="v"><date key="time:timestamp" value="2024-01-02"/><list key="deep"><values/></list></string>
        <list key="l"><string key="inside" value="1"/><values><int key="i" value="1"/><int key="i" value="2"/>
        <container key="c"><string key="value" value="v"/><string key="children" value="w"/></container></values></list>
        <container key="c"><float key="f" value="2"/></container></event></trace>
        <trace><event><date key="time:timestamp" value="2024-01-03T00:00:00Z"/><string key="concept:name" value="n"/></event></trace>
        <event><string key="concept:name" value="alone"/></event></log>"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.xes");
    std::fs::write(&file, xes).unwrap();
    let log = imported(&file);
    assert_eq!(log.events().len(), 3);
    let (back, report, bytes) = again(&log, ExportFormat::Xes, "odd.xes");
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(report.findings, [], "{text}");
    assert_eq!(by_stream(&log), by_stream(&back), "{text}");
}

/// A list that stands newest first is no reason to tell histories backwards.
#[test]
fn histories_are_told_forwards() {
    let log = any_log();
    let query = EventQuery {
        direction: crate::store::Direction::Backwards,
        ..EventQuery::default()
    };
    for (format, backwards) in [
        (ExportFormat::Xes, false),
        (ExportFormat::OcelJson, false),
        (ExportFormat::CloudEvents, true),
    ] {
        let mut out = Vec::new();
        export(
            &log.log(),
            &query,
            format,
            &mut out,
            &ExportProgress::default(),
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        let place = |id: &str| text.find(&format!("\"{id}\"")).unwrap();
        assert_eq!(place("e-2") < place("e-1"), backwards, "{format:?}");
    }
}

/// An event that no XES was, linked, with metadata and data of every kind.
fn any_log() -> TestLog {
    let log = TestLog::new();
    let mut placed = NewEvent::json(
        "Placed",
        r#"{"total":1247.80,"n":12345678901234567890,"ok":true,"none":null,"to":{"city":"Ulm"},"items":[{"sku":"a","n":1},2]}"#,
    )
    .unwrap();
    placed.id = Some(EventId::new("e-1").unwrap());
    placed.time = Some(SourceTime::parse("2024-01-15", chrono_tz::UTC).unwrap());
    placed.metadata =
        Some(Payload::json(r#"{"userId":"ann","correlationId":"c-1","ip":"::1"}"#).unwrap());
    placed.links = vec![NewLink {
        stream: StreamId::new("customer-7").unwrap(),
        qualifier: "buyer".into(),
    }];
    log.append("order-1", placed);
    let mut paid = NewEvent::json("Placed", r#"{"total":"a\u0007b"}"#).unwrap();
    paid.id = Some(EventId::new("e-2").unwrap());
    paid.time = Some(SourceTime::unwritten(
        Time::parse_rfc3339("2024-01-16T10:30:00.123456789Z").unwrap(),
    ));
    log.append("order-1", paid);
    let mut blob = NewEvent::json("Seen", "{}").unwrap();
    blob.id = Some(EventId::new("e-3").unwrap());
    blob.time = Some(SourceTime::unwritten(
        Time::parse_rfc3339("2024-01-17T00:00:00Z").unwrap(),
    ));
    blob.data = Payload {
        content_type: "application/x-protobuf".into(),
        bytes: vec![0, 255],
    };
    log.append("order-2", blob);
    log
}

fn said(report: &ExportReport) -> Vec<String> {
    let findings = report.findings.iter();
    findings
        .map(|f| format!("{} × {}", f.count, f.detail))
        .collect()
}

#[test]
fn cloudevents_hold_whatever_can_be_said() {
    let (bytes, report) = any_log().export(ExportFormat::CloudEvents);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let placed = lines[0].as_object().unwrap();
    for (name, value) in placed {
        let fits = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(fits, "{name} is no name of an attribute");
        assert!(name == "data" || value.is_string(), "{name}");
    }
    let is = |name: &str, value: &str| assert_eq!(placed[name], value, "{name}");
    is("specversion", "1.0");
    is("subject", "order-1");
    is("time", "2024-01-15T00:00:00Z");
    is("authid", "ann");
    is("sequence", "00000000000000000001");
    assert!(text.contains(r#""total":1247.80,"n":12345678901234567890"#));
    assert!(placed["linkedsubjects"].as_str().unwrap().contains("buyer"));
    assert_eq!(lines[2]["data_base64"], "AP8=");
    assert!(lines[2].get("data").is_none());
    assert_eq!(
        said(&report),
        [
            "1 × CloudEvents has no place for times as the source wrote them without a zone, as days or in other forms (they stand in UTC); an export as JSON Lines holds all"
        ]
    );
}

/// Links, bytes, nanoseconds, events that were imported, and those of others in between.
#[test]
fn cloudevents_of_ones_own_come_back() {
    let log = any_log();
    let note = Payload {
        content_type: "text/plain".into(),
        bytes: b"a \"note\"\n".to_vec(),
    };
    let mut noted = NewEvent::json("Noted", "{}").unwrap();
    noted.id = Some(EventId::new("e-4").unwrap());
    noted.data = note;
    noted.time = Some(SourceTime::parse("2024-01-18T00:00:00Z", chrono_tz::UTC).unwrap());
    log.append("order-2", noted);
    let other = r#"{"specversion":"1.0","id":"A-1","source":"/till","type":"com.example.sold","subject":"7","time":"2024-02-15T10:30:00+01:00","data":{"n": 1.50}}"#;
    let plain =
        r#"{"orderId":7,"eventType":"Paid","timestamp":"2024-02-16T10:30:00Z","userId":"ben"}"#;
    for (name, line) in [("other.jsonl", other), ("plain.jsonl", plain)] {
        let file = log.folder.path().join(name);
        std::fs::write(&file, format!("{line}\n")).unwrap();
        let request = ImportRequest::of(vec![file]);
        import(&log.writer, &request, &surroundings(), &Progress::default()).unwrap();
    }
    let (back, _, bytes) = again(&log, ExportFormat::CloudEvents, "own.jsonl");
    let told = |log: &TestLog| -> Vec<_> {
        log.events()
            .into_iter()
            .map(|(event, links)| {
                let name = event.stream.unwrap().to_string();
                let payloads = (event.data, event.metadata);
                let said = (event.actor, event.correlation, event.causation);
                (
                    name,
                    event.version,
                    event.event_type,
                    event.time.time,
                    event.id,
                    said,
                    payloads,
                    links,
                )
            })
            .collect()
    };
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(told(&log).len(), 6);
    for (one, two) in told(&log).into_iter().zip(told(&back)) {
        assert_eq!(one, two, "{text}");
    }
    assert_eq!(back.events().len(), 6);
}

/// What was read from CloudEvents is written as it was.
#[test]
fn a_cloudevent_comes_back_as_it_was() {
    let line = r#"{"specversion":"1.0","id":"A-1","source":"/till","type":"com.example.sold","subject":"7","time":"2024-01-15T10:30:00+01:00","extra":"x","data":{"n": 1.50}}"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let log = imported(&file);
    let (bytes, report) = log.export(ExportFormat::CloudEvents);
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{line}\n"));
    assert_eq!(report.findings, []);
}

#[test]
fn xes_says_what_it_holds_otherwise() {
    let (bytes, report) = any_log().export(ExportFormat::Xes);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains(
            r#"<float key="total" value="1247.80"/><int key="n" value="12345678901234567890"/>"#
        ),
        "{text}"
    );
    assert!(
        text.contains(r#"<string key="org:resource" value="ann"/>"#),
        "{text}"
    );
    assert!(
        text.contains(r#"<container key="to"><string key="city" value="Ulm"/></container>"#),
        "{text}"
    );
    assert_eq!(
        said(&report),
        [
            "1 × XES has no place for streams that events are linked into; an export as JSON Lines holds all",
            "1 × XES has no place for times as the source wrote them without a zone, as days or in other forms (they stand in UTC); an export as JSON Lines holds all",
            "1 × XES has no place for `null`; an export as JSON Lines holds all",
            "2 × elements of lists have no name in JSON and the key `item` in XES",
            "1 × metadata stand in the container `metadata` among the attributes of events",
            "1 × XES has no place for control characters (U+FFFD stands in their places); an export as JSON Lines holds all",
            "1 × XES has no place for payloads that are not JSON; an export as JSON Lines holds all",
        ]
    );
}

#[test]
fn any_log_becomes_one_of_objects() {
    let log = any_log();
    for format in [ExportFormat::OcelJson, ExportFormat::OcelSqlite] {
        let (back, report, _) = again(&log, format, "any");
        let told = said(&report);
        assert!(
            told.iter()
                .any(|said| said.contains("JSON text in attributes")),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|said| said.contains("several kinds (texts, numbers)")),
            "{told:?}"
        );
        let events = back.events();
        let (placed, links) = events
            .iter()
            .find(|(e, _)| e.event_type.as_str() == "Placed")
            .unwrap();
        assert_eq!(placed.stream.as_ref().unwrap().as_str(), "order-1");
        assert_eq!(placed.category.as_ref().unwrap().as_str(), "order");
        assert_eq!(placed.actor.as_ref().unwrap().as_str(), "ann");
        assert_eq!(
            (links[0].stream.as_str(), links[0].qualifier.as_str()),
            ("customer-7", "buyer")
        );
        let data = placed
            .data
            .as_ref()
            .unwrap()
            .json_text()
            .unwrap()
            .to_owned();
        let total = match format {
            ExportFormat::OcelJson => r#"{"total":1247.80,"n":12345678901234567890,"#,
            _ => r#"{"total":"1247.80","n":"12345678901234567890","#,
        };
        assert!(data.starts_with(total), "{data}");
        // Objects that only events name are objects, too.
        let objects = events
            .iter()
            .filter(|(e, _)| e.event_type.as_str() == "ObjectRecorded");
        assert_eq!(objects.count(), 3);
    }
}

#[test]
fn a_workbook_keeps_every_digit() {
    let (bytes, report) = any_log().export(ExportFormat::Xlsx);
    assert!(bytes.starts_with(b"PK"));
    assert_eq!(said(&report).len(), 2, "{:?}", said(&report));
    let again = any_log().export(ExportFormat::Xlsx).0;
    assert_eq!(bytes.len(), again.len(), "the same log, the same workbook");
}

#[test]
fn ocel_comes_back_as_it_was() {
    let Some(folder) = datasets() else { return };
    for name in [
        "ocel2-spec-example/ocel20_example.jsonocel",
        "ocel2-spec-example/ocel20_example.xmlocel",
        "ocel2-small/SmallExample.json",
        "ocel2-order-mgmt/running-example.sqlite",
        "ocel1-order-process/order_process.jsonocel",
    ] {
        let log = imported(&folder.join(name));
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        let (back, report, _) = again(&log, ExportFormat::OcelJson, file);
        assert_same_but_times(&log, &back, &report);
        let (back, report, _) = again(&log, ExportFormat::OcelSqlite, file);
        assert_eq!(report.findings, [], "{name}");
        assert_same(&log, &back);
    }
}

/// The same, texts of times left aside where the report says that they are not in the file.
fn assert_same_but_times(first: &TestLog, second: &TestLog, report: &ExportReport) {
    let told = |what: &str| report.findings.iter().any(|f| f.detail.contains(what));
    let (mut first, mut second) = (first.events(), second.events());
    if told("times as the source wrote them") {
        for (event, _) in first.iter_mut().chain(&mut second) {
            event.time = SourceTime::unwritten(event.time.time);
        }
    }
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one, other);
    }
    assert_eq!(first.len(), second.len());
}
