//! End to end in the real window: an ugly table through the import wizard, and hostile text on screen.

use annals_tests::Outcome;
#[cfg(target_os = "linux")]
use annals_tests::drag::Drag;
use annals_tests::sample::{Sample, annals, digits, text};
use annals_tests::webdriver::key;
use serde_json::Value;

/// Windows-1252, semicolons, decimal commas, German times, a quoted line end, a day that is not, a short row.
const TABLE: &[u8] = b"ticket_id;activity;timestamp;user;amount;note\r\n\
7;placed;31.01.2024 08:12:00;m\xfcller;1.249,50;\"two\nlines; one cell\"\r\n\
7;paid;31.01.2024 09:40:11;\xd6Z;123456789012345678901234567890,01;NULL\r\n\
8;placed;31.02.2024 10:00:00;m\xfcller;8,20;no such day\r\n\
8;placed;01.02.2024 10:00:00\r\n\
9;placed;02.02.2024 10:00:00;m\xfcller;9007199254740993;left\r\n";

#[test]
fn an_ugly_table_is_seen_as_events_before_it_is_imported() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, &sample.home);
    let table = home.path().join("tickets.csv");
    std::fs::write(&table, TABLE)?;
    window.click("rail-import")?;
    window.fill("import-paths", text(&table))?;
    // Bytes above 127 that are no UTF-8: the reader says what they spell, what the times are and how written.
    window.get("import-file")?;
    window.click(r#"import-encoding option[value="windows-1252"]"#)?;
    window.text_when("import-file", |shown| {
        shown.contains("tickets.csv") && shown.contains("CSV, semicolon, Windows-1252")
    })?;
    window.click("import-column-timestamp")?;
    window.click(r#"menu-item[data-id="place time"]"#)?;
    window.text_when("import-column-timestamp", |shown| shown.contains("time"))?;
    window.fill("import-time-format", "%d.%m.%Y %H:%M:%S")?;
    window.session.press(&key::ENTER.to_string())?;
    window.text_when("import-looked", |shown| {
        shown.contains("5 records looked at, the whole file")
    })?;
    window.text_when("import-becomes", |shown| {
        shown.contains("ticket-7")
            && shown.contains("placed")
            && shown.contains("2024-01-31 08:12:00 UTC")
    })?;
    // A day that is not, and a short row.
    window.count_is("import-refused", 2)?;

    // Other uses of columns: the events under the table follow.
    window.click("import-column-note")?;
    window.click(r#"menu-item[data-id="place reason"]"#)?;
    window.text_when("import-column-note", |shown| shown.contains("reason"))?;
    window.click("import-column-amount")?;
    window.click(r#"menu-item[data-id="data number"]"#)?;
    window.text_when("import-column-amount", |shown| shown.contains("number"))?;

    window.click("import-target-current")?;
    window.click("import-run")?;
    window.get("import-report")?;
    for (part, count) in [
        ("read", "5"),
        ("stored", "3"),
        ("duplicates", "0"),
        ("rejected", "2"),
    ] {
        window.text_when(&format!("import-{part}"), |shown| shown == count)?;
    }
    window.click("import-reject-line")?;
    window.text_when("raw-lines", |shown| {
        shown.contains("31.02.2024 10:00:00;müller")
    })?;
    window.session.press(&key::ESCAPE.to_string())?;

    window.click("import-other")?;
    window.text_when("import-row", |shown| shown.contains("tickets.csv"))?;

    let stored = annals(&["events", text(store), "--stream", "ticket-7", "--json"])?;
    let paid = &stored["events"][1];
    assert_eq!(
        digits(&paid["data"]["amount"]),
        "123456789012345678901234567890.01"
    );
    assert_eq!(
        stored["events"][0]["metadata"]["reason"],
        "two\nlines; one cell"
    );
    window.go("#/stream/ticket-7")?;
    window.text_when(r#"state-value[data-path="amount"]"#, |shown| {
        shown.contains("123456789012345678901234567890.01")
    })?;
    Ok(())
}

/// Text that lies about itself, markup, and numbers that no float holds: on screen as recorded.
#[test]
fn hostile_text_and_long_numbers_are_shown_as_they_are() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, &sample.home);
    let naughty = home.path().join("naughty.jsonl");
    let note = "evil\u{202e}txt.exe \u{7}bell \u{200b}zero <img src=x onerror=\"window.__ran = 1\"> \u{0a9e}\u{1f469}\u{200d}\u{1f52c}";
    let line = serde_json::json!({
        "eventId": "n-1", "aggregateId": "naughty-1", "eventType": "<b>Bold</b>", "timestamp": "9999-12-31T23:59:59Z",
        "data": { "note": note },
    })
    .to_string();
    let numbers =
        r#""big":9223372036854775807,"long":0.123456789012345678901234567890,"zeros":10.500"#;
    let line = line.replace(r#""data":{"#, &format!(r#""data":{{{numbers},"#));
    std::fs::write(&naughty, format!("{line}\n"))?;
    annals(&["import", text(&naughty), "--into", text(store), "--json"])?;

    window.go("#/stream/naughty-1")?;
    for (path, exact) in [
        ("big", "9223372036854775807"),
        ("long", "0.123456789012345678901234567890"),
        ("zeros", "10.500"),
    ] {
        window.text_when(&format!(r#"state-value[data-path="{path}"]"#), |shown| {
            shown.contains(exact)
        })?;
    }
    window.text_when(r#"state-value[data-path="note"]"#, |shown| {
        shown.contains("evil‹U+202E›txt.exe ‹U+0007›bell ‹U+200B›zero <img src=x onerror=")
    })?;
    window.go("#/events?stream=naughty-1&e=1")?;
    window.text_when("event-row", |shown| shown.contains("<b>Bold</b>"))?;
    window.go("#/events?text=bell")?;
    window.text_when("search-hit", |shown| shown.contains("<b>Bold</b>"))?;
    assert_eq!(
        window.session.run("return window.__ran ?? null", &[])?,
        Value::Null,
        "markup in a payload never runs"
    );
    Ok(())
}

/// Dragged as a file manager drags, over the window and out of it, then dropped.
#[test]
#[cfg(target_os = "linux")]
fn files_dropped_on_the_window_are_seen_before_they_are_imported_and_a_store_is_opened() -> Outcome
{
    let sample = Sample::open()?;
    let (window, home) = (&sample.window, &sample.home);
    let table = home.path().join("m\u{fc}ll 1%.csv");
    std::fs::write(&table, TABLE)?;
    let lines = home.path().join("parcels.jsonl");
    std::fs::write(
        &lines,
        "{\"eventId\":\"p\",\"aggregateId\":\"parcel-1\",\"eventType\":\"Sent\",\"timestamp\":\"2024-02-01T08:00:00Z\",\"data\":{}}\n",
    )?;

    let drag = Drag::over(window.display(), &[&table])?;
    window.text_when("drop-target", |shown| shown.contains("Drop to import"))?;
    drag.leave(|| Ok(window.session.find("[data-testid=drop-target]")?.is_none()))?;

    Drag::over(window.display(), &[&table, &lines])?.drop_here()?;
    window.text_when("import-file", |shown| {
        shown.contains("m\u{fc}ll 1%.csv") && shown.contains("CSV, semicolon")
    })?;
    // Both files, under their own names, and nothing left of the drag.
    window.count_is("import-file", 2)?;
    window.count_is("drop-target", 0)?;

    let other = home.path().join("other.annals");
    annals(&[
        "sample",
        "shop",
        "--events",
        "500",
        "--out",
        text(&other),
        "--json",
    ])?;
    Drag::over(window.display(), &[&other])?.drop_here()?;
    window.text_when("overview-events", |shown| shown.contains("500"))?;
    Ok(())
}
