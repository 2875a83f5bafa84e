//! End to end in the real window: what the first issue promises, done by hand, so to speak.
//! The command line is the second opinion: what it says about the same store must be what the window shows.

use std::net::TcpListener;

use annals_tests::Outcome;
use annals_tests::sample::{BALANCE, Sample, annals, digits, text};
use annals_tests::webdriver::key;
use annals_tests::window::{Window, program};
use serde_json::Value;

#[test]
fn dragging_through_time_shows_the_state_of_that_instant() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    window.click("rail-streams")?;
    window.fill("streams-filter", "account-12345")?;
    window.click(r#"stream-row[data-stream="account-12345"]"#)?;
    window.text_when(BALANCE, |shown| shown.contains("1247.83"))?;
    window.text_when("asof-label", |label| label.contains("LIVE"))?;
    let live_colour = window.style("timebar", "border-top-color")?;

    // From the end of time to its beginning, by hand.
    let (x, y) = window.middle("timebar-cursor")?;
    let (left, _) = window.left_of("timebar", "[role=presentation]")?;
    let points: Vec<(f64, f64)> = (0..=20)
        .map(|step| (x - (x - left - 4.0) * f64::from(step) / 20.0, y))
        .collect();
    let mut seen = Vec::new();
    for end in [5, 12, 20] {
        let from = if end == 5 { 0 } else { seen_end(&seen) };
        window.session.drag(&points[from..=end])?;
        window.text_when("asof-label", |label| label.contains("AS OF"))?;
        let at = window.as_of()?;
        let wanted = annals(&["state", text(store), "account-12345", "--at", &at, "--json"])?;
        let folded = digits(&wanted["version"]);
        window.text_when("state-asof", |shown| {
            shown.starts_with(&format!("Version {folded} "))
        })?;
        if wanted["state"]["balance"].is_number() {
            let balance = digits(&wanted["state"]["balance"]);
            window.text_when(BALANCE, |shown| shown.contains(&balance))?;
        }
        seen.push((end, folded));
    }
    assert!(
        seen.first().map(|(_, v)| v) != seen.last().map(|(_, v)| v),
        "the drag passes over events: {seen:?}"
    );
    let past_colour = window.style("timebar", "border-top-color")?;
    assert_ne!(live_colour, past_colour, "the bar turns amber");

    window.click("live-button")?;
    window.text_when("asof-label", |label| label.contains("LIVE"))?;
    window.text_when(BALANCE, |shown| shown.contains("1247.83"))?;
    assert_eq!(window.style("timebar", "border-top-color")?, live_colour);
    Ok(())
}

/// Index of the point where the last drag ended.
fn seen_end(seen: &[(usize, String)]) -> usize {
    seen.last().map_or(0, |(end, _)| *end)
}

#[test]
fn every_version_of_the_account_has_the_balance_of_the_guide() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.go("#/stream/account-12345")?;
    for (version, balance) in [
        (5, "1247.83"),
        (4, "1450.00"),
        (3, "950.00"),
        (2, "1000.00"),
        (1, "0.00"),
    ] {
        window.click(&format!(r#"history-row[data-version="{version}"]"#))?;
        let wanted = format!("Version {version} ");
        window.text_when("state-asof", |shown| shown.starts_with(&wanted))?;
        // The value after the change stands before the one before it.
        window.text_when(BALANCE, |shown| {
            shown
                .split("was")
                .next()
                .is_some_and(|now| now.contains(balance))
        })?;
    }
    Ok(())
}

#[test]
fn a_typed_date_is_the_end_of_that_day_and_arrow_keys_step() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    window.go("#/stream/account-12345")?;
    window.text_when(BALANCE, |shown| shown.contains("1247.83"))?;
    window.fill("timebar-input", "2024-01-10")?;
    window.session.press(&key::ENTER.to_string())?;
    window.text_when("asof-label", |label| label.contains("AS OF"))?;
    let check = || -> Outcome {
        let at = window.as_of()?;
        let wanted = annals(&["state", text(store), "account-12345", "--at", &at, "--json"])?;
        let folded = format!("Version {} ", digits(&wanted["version"]));
        window.text_when("state-asof", |shown| shown.starts_with(&folded))?;
        Ok(())
    };
    assert_eq!(window.as_of()?, "2024-01-10T23:59:59.999999999Z");
    check()?;
    window.session.run(
        "document.querySelector('[data-testid=timebar-cursor]').focus()",
        &[],
    )?;
    let before = window.as_of()?;
    window.session.press(&key::LEFT.to_string())?;
    let after = window.wait_for("another as-of", |_| {
        let now = window.as_of()?;
        Ok((now != before).then_some(now))
    })?;
    assert!(
        after < before,
        "an arrow to the left goes back: {before}, then {after}"
    );
    check()
}

#[test]
fn an_import_reports_the_rejected_line_and_stores_the_others() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, &sample.home);
    let events = home.path().join("parcels.jsonl");
    std::fs::write(
        &events,
        concat!(
            r#"{"eventId":"p-1","aggregateId":"parcel-1","eventType":"ParcelSent","timestamp":"2024-02-01T08:00:00Z","version":1,"data":{"weight":2.50}}"#,
            "\n{\"eventId\": \"p-2\", broken\n",
            r#"{"eventId":"p-3","aggregateId":"parcel-1","eventType":"ParcelDelivered","timestamp":"2024-02-03T08:00:00Z","version":2,"data":{"signedBy":"Ada"}}"#,
            "\n",
        ),
    )?;
    let rejects = home.path().join("rejects.jsonl");
    window.click("rail-import")?;
    window.fill("import-paths", text(&events))?;
    window.click("import-target-current")?;
    window.fill("import-rejects", text(&rejects))?;
    window.click("import-run")?;
    window.get("import-report")?;
    for (part, count) in [
        ("read", "3"),
        ("stored", "2"),
        ("duplicates", "0"),
        ("rejected", "1"),
    ] {
        window.text_when(&format!("import-{part}"), |shown| shown == count)?;
    }
    window.text_when("import-reject", |shown| {
        shown.contains('2') && shown.contains("broken")
    })?;
    let kept = std::fs::read_to_string(&rejects)?;
    assert!(kept.contains("broken"), "the rejected line is kept: {kept}");

    window.go("#/stream/parcel-1")?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 2 "))?;
    let stored = annals(&[
        "events",
        text(store),
        "--stream",
        "parcel-1",
        "--count",
        "--json",
    ])?;
    assert_eq!(stored["count"], 2);
    Ok(())
}

#[test]
fn an_export_is_byte_for_byte_that_of_the_command_line() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, &sample.home);
    for format in ["jsonl", "csv"] {
        let (ours, theirs) = (
            home.path().join(format!("window.{format}")),
            home.path().join(format!("command.{format}")),
        );
        window.go("#/events?category=account&order=oldest")?;
        let count = annals(&[
            "events",
            text(store),
            "--category",
            "account",
            "--count",
            "--json",
        ])?;
        let count = digits(&count["count"]);
        window.text_when("events-count", |shown| {
            shown.starts_with(&format!("{count} "))
        })?;
        window.click("export-open")?;
        let option = format!(r#"export-format option[value="{format}"]"#);
        window.click(&option)?;
        window.fill("export-path", text(&ours))?;
        window.click("export-run")?;
        window.text_when("export-result", |shown| shown.contains(&count))?;
        let arguments = [
            "export",
            text(store),
            "--category",
            "account",
            "--format",
            format,
            "--out",
            text(&theirs),
            "--json",
        ];
        annals(&arguments)?;
        let (ours, theirs) = (
            std::fs::read_to_string(ours)?,
            std::fs::read_to_string(theirs)?,
        );
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{format}");
        window.session.press(&key::ESCAPE.to_string())?;
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_store_is_refused_with_a_way_out() -> Outcome {
    let home = tempfile::tempdir()?;
    let letter = home.path().join("letter.annals");
    std::fs::write(&letter, "Dear Sir or Madam")?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[text(&letter)])?;
    window.get(r#"error[data-code="not_a_store"]"#)?;
    window.fill("start-open-path", text(&home.path().join("nowhere.annals")))?;
    window.click("start-open")?;
    window.get(r#"error[data-code="not_found"]"#)?;
    Ok(())
}

/// A strange page would need one of these to do harm: none works.
#[test]
fn the_page_can_reach_nothing_but_its_own_commands() -> Outcome {
    let home = tempfile::tempdir()?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[])?;
    let page = &window.session;
    assert_eq!(
        page.run("return typeof window.__TAURI__", &[])?,
        "undefined",
        "the API object is not offered to scripts"
    );

    let answer = page.run_async("const done = arguments[0]; Promise.resolve().then(() => (0, eval)('1')).then(() => done('ran'), e => done(String(e)))", &[])?;
    assert!(says(&answer, "EvalError"), "eval: {answer}");
    page.run("const script = document.createElement('script'); script.textContent = 'window.__ran = true'; document.head.append(script)", &[])?;
    assert_eq!(
        page.run("return window.__ran ?? null", &[])?,
        Value::Null,
        "inline script"
    );

    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = Value::from(format!("http://{}/", listener.local_addr()?));
    let fetched = page.run_async(
        "const done = arguments[1]; fetch(arguments[0], {mode: 'no-cors'}).then(() => done('reached'), e => done(String(e)))",
        std::slice::from_ref(&address),
    )?;
    assert_ne!(fetched, "reached", "fetch");
    for elsewhere in [
        "const image = new Image(); image.src = arguments[0]; document.body.append(image)",
        "navigator.sendBeacon(arguments[0], 'x')",
        "const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame)",
        "location.href = arguments[0]",
        "window.open(arguments[0])",
    ] {
        page.run(elsewhere, std::slice::from_ref(&address))?;
        page.settle()?;
    }
    let here = page.run("return location.href", &[])?;
    assert!(says(&here, "tauri://localhost"), "still in the app: {here}");
    let came = listener.accept().map(|(_, from)| from);
    assert!(came.is_err(), "nobody connected, yet {came:?} did");

    for command in [
        "plugin:dialog|open",
        "plugin:fs|read_file",
        "plugin:event|listen",
        "plugin:window|close",
        "no_such_command",
    ] {
        let answer = page.run_async(
            "const done = arguments[1]; window.__TAURI_INTERNALS__.invoke(arguments[0], {}).then(() => done('ran'), e => done(String(e)))",
            &[command.into()],
        )?;
        assert!(
            says(&answer, "not allowed") || says(&answer, "not found"),
            "{command}: {answer}"
        );
    }
    Ok(())
}

fn says(answer: &Value, words: &str) -> bool {
    answer.as_str().is_some_and(|text| text.contains(words))
}
