//! End to end in the real window: what people have, through the import wizard. An object-centric log, an audit log that a
//! preset knows, records with odd names that the reader points at; a file that has grown; and back out again.

use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, text};

const OCEL: &str = r#"{"objectTypes":[],"eventTypes":[],
"objects":[
 {"id":"i-1","type":"item","attributes":[{"name":"price","time":"1970-01-01T00:00:00Z","value":103.470},{"name":"price","time":"2024-02-01T00:00:00Z","value":105.47}],
  "relationships":[{"objectId":"o-1","qualifier":"part of"}]},
 {"id":"o-1","type":"shop order","attributes":[],"relationships":[]}],
"events":[
 {"id":"e-1","type":"place order","time":"2024-01-01T00:00:00Z","attributes":[],
  "relationships":[{"objectId":"o-1","qualifier":"order"},{"objectId":"i-1","qualifier":"item"}]},
 {"id":"e-2","type":"pick item","time":"2024-03-01T00:00:00Z","attributes":[],"relationships":[{"objectId":"i-1","qualifier":"picked"}]}]}
"#;

/// Into a store of its own, then: an event's objects, an object's attributes and events, as of an instant, by click,
/// by palette and by address; and out as OCEL.
#[test]
fn an_object_centric_log_is_seen_by_its_objects() -> Outcome {
    let sample = Sample::open()?;
    let (window, home) = (&sample.window, sample.home.path());
    let file = home.join("shop.jsonocel");
    std::fs::write(&file, OCEL)?;
    let store = home.join("objects.annals");
    window.click("rail-import")?;
    window.fill("import-paths", text(&file))?;
    window.text_when("import-file", |shown| {
        shown.contains("OCEL") && shown.contains("objectTypes")
    })?;
    window.click("import-target-new")?;
    window.fill("import-new-store", text(&store))?;
    window.click("import-run")?;
    window.text_when("import-stored", |shown| shown == "5")?;

    window.go("#/events?e=3&order=oldest")?;
    window.text_when("event-objects", |shown| {
        shown.contains("o-1") && shown.contains("shop order") && shown.contains("item")
    })?;
    window.click("event-object")?;
    window.get("object-view")?;

    window.go("#/object/i-1")?;
    window.text_when("object-type", |shown| shown == "item")?;
    window.text_when("object-attributes", |shown| {
        shown.contains("103.470") && shown.contains("105.47") && shown.contains("part of")
    })?;
    window.count_is("object-event", 2)?;
    window.text_when("object-events", |shown| {
        shown.contains("place order") && shown.contains("o-1") && shown.contains("picked")
    })?;
    window.go("#/object/i-1?at=2024-01-15T00:00:00Z")?;
    window.count_is("object-event", 1)?;
    window.count_is("object-value", 1)?;
    window.click("object-tie")?;
    window.text_when("object-title", |shown| shown == "o-1")?;

    window.go("#/events")?;
    window.click("export-open")?;
    window.click(r#"export-format option[value="ocel-json"]"#)?;
    let out = home.join("again.jsonocel");
    window.fill("export-path", text(&out))?;
    window.click("export-run")?;
    window.text_when("export-result", |shown| shown.contains("5 events written"))?;
    let again: serde_json::Value = serde_json::from_slice(&std::fs::read(&out)?)?;
    let first: serde_json::Value = serde_json::from_str(OCEL)?;
    // Oldest first, whatever the order of the list.
    assert_eq!(again["events"], first["events"]);
    Ok(())
}

const TRAIL: &str = r#"{"Records":[
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"A1","arn":"arn:aws:iam::123456789012:user/ann","accountId":"123456789012","userName":"ann"},"eventTime":"2024-01-15T10:30:00Z","eventSource":"s3.amazonaws.com","eventName":"DeleteBucket","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.1","requestParameters":{"bucketName":"audit"},"requestID":"r-1","eventID":"e-1","eventType":"AwsApiCall","recipientAccountId":"123456789012"}
]}
"#;

/// The preset is found and says why; another is one click away, by search; and back.
#[test]
fn an_audit_log_is_known_and_can_be_read_otherwise() -> Outcome {
    let sample = Sample::open()?;
    let (window, home) = (&sample.window, sample.home.path());
    let file = home.join("trail.json");
    std::fs::write(&file, TRAIL)?;
    window.click("rail-import")?;
    window.fill("import-paths", text(&file))?;
    window.text_when("import-format", |shown| shown == "cloudtrail")?;
    window.text_when("import-becomes", |shown| {
        shown.contains("DeleteBucket") && shown.contains("ann")
    })?;
    window.click("import-format")?;
    window.fill("format-search", "okta")?;
    window.click("format-okta")?;
    window.text_when("import-format", |shown| shown == "okta")?;
    window.click("import-format")?;
    window.click("format-auto")?;
    window.text_when("import-format", |shown| shown == "cloudtrail")?;
    window.click("import-target-current")?;
    window.click("import-run")?;
    window.text_when("import-stored", |shown| shown == "1")?;
    let stored = annals(&[
        "events",
        text(&sample.store),
        "--type",
        "DeleteBucket",
        "--json",
    ])?;
    assert_eq!(stored["events"][0]["id"], "e-1");
    Ok(())
}

/// Names that no rule knows: the reader points at the fields, keeps that as a preset, and the next file is known by
/// it. A file that has grown is looked at again.
#[test]
fn records_with_odd_names_are_mapped_by_pointing_and_known_from_then_on() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, sample.home.path());
    let line = |n: u32| {
        format!(
            "{{\"Beleg\":\"B-{n}\",\"Vorgang\":\"Verkauf\",\"Wann\":\"2024-01-1{n}T10:30:00Z\",\"Wer\":{{\"Kürzel\":\"müller\"}},\"Betrag\":12.50}}\n"
        )
    };
    let file = home.join("kasse.jsonl");
    std::fs::write(&file, line(1) + &line(2))?;
    window.click("rail-import")?;
    window.fill("import-paths", text(&file))?;
    for (field, place) in [
        ("Beleg", "stream"),
        ("Vorgang", "type"),
        ("Wann", "time"),
        ("Wer.Kürzel", "actor"),
    ] {
        window.click(&format!(r#"import-field-{field}"#))?;
        window.click(&format!(r#"menu-item[data-id="{place}"]"#))?;
        window.text_when(&format!("import-field-{field}"), |shown| {
            shown.contains(place)
        })?;
    }
    window.text_when("import-becomes", |shown| {
        shown.contains("B-1") && shown.contains("Verkauf") && shown.contains("müller")
    })?;
    window.click("import-target-current")?;
    window.click("import-keep")?;
    window.fill("preset-name", "kasse")?;
    window.click("preset-save")?;
    window.text_when("preset-saved", |shown| {
        shown.contains("kasse.toml") && shown.contains("Beleg")
    })?;
    window
        .session
        .press(&annals_tests::webdriver::key::ESCAPE.to_string())?;
    window.click("import-run")?;
    window.text_when("import-stored", |shown| shown == "2")?;

    // The same file again, by the list of imports: what it has more is taken.
    std::fs::write(&file, line(1) + &line(2) + &line(3))?;
    window.click("import-other")?;
    window.text_when("import-row", |shown| shown.contains("kasse.jsonl"))?;
    window.click("import-look-again")?;
    window.text_when("import-looked", |shown| {
        shown.contains("3 records looked at")
    })?;
    window.click("import-run")?;
    window.text_when("import-stored", |shown| shown == "1")?;
    window.text_when("import-duplicates", |shown| shown == "2")?;

    // Another file of the kind is known by the preset.
    let other = home.join("kasse-2.jsonl");
    std::fs::write(&other, line(4))?;
    window.click("import-other")?;
    window.fill("import-paths", text(&other))?;
    window.text_when("import-format", |shown| shown == "kasse")?;
    window.text_when("import-becomes", |shown| shown.contains("B-4"))?;

    let stored = annals(&["events", text(store), "--stream", "B-3", "--json"])?;
    assert_eq!(stored["events"][0]["actor"], "müller");
    Ok(())
}
