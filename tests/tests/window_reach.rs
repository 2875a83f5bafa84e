//! End to end in the real window: everything is reached by keyboard and by name, found by text, followed while
//! it grows, and open to those who see or hear it otherwise.

use std::path::Path;

use annals_tests::Outcome;
use annals_tests::sample::{BALANCE, Sample, annals, digits, text};
use annals_tests::webdriver::key;
use annals_tests::window::{Window, program};
use serde_json::Value;

/// What the address is, once `wanted` is true of it.
fn address_when(window: &Window, what: &str, wanted: impl Fn(&str) -> bool) -> Outcome<String> {
    window.wait_for(&format!("address of {what}"), |session| {
        let hash = session.run("return location.hash", &[])?;
        let hash = hash.as_str().unwrap_or_default().to_owned();
        Ok(wanted(&hash).then_some(hash))
    })
}

fn append(store: &Path, stream: &str, kind: &str, data: &str) -> Outcome {
    let path = text(store);
    annals(&[
        "append", path, stream, "--type", kind, "--data", data, "--json",
    ])
    .map(drop)
}

#[test]
fn everything_is_reached_by_keyboard_alone() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    let press = |keys: &str| window.session.press(keys);
    let enter = key::ENTER.to_string();

    // The palette: a view, a stream, an event by its id, a date.
    let palette = |typed: &str, first: &str| -> Outcome {
        window.session.press_with_control('k')?;
        window.get("palette")?;
        press(typed)?;
        window.text_when(r#"palette-item[aria-selected="true"]"#, |shown| {
            shown.starts_with(first)
        })?;
        press(&enter)
    };
    palette("overview", "Overview")?;
    window.get("overview-events")?;
    palette("order-789", "order-789")?;
    address_when(window, "a stream", |hash| {
        hash.starts_with("#/stream/order-789")
    })?;
    palette("evt-12345", "Event evt-12345")?;
    window.text_when("event-detail", |shown| shown.contains("evt-12345"))?;
    press(&key::ESCAPE.to_string())?;
    palette("2024-01-10", "2024-01-10 23:59:59")?;
    window.text_when("asof-label", |label| label.contains("AS OF"))?;
    palette("back to live", "Back to live")?;
    window.text_when("asof-label", |label| label.contains("LIVE"))?;

    // Chords, the help, and that Escape gives the focus back.
    press("gs")?;
    window.get("streams-list")?;
    press("/")?;
    press("account")?;
    press(&key::DOWN.to_string())?;
    press(&enter)?;
    address_when(window, "the account", |hash| {
        hash.starts_with("#/stream/account-12345")
    })?;
    press(&key::LEFT.to_string())?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 4 "))?;
    press("?")?;
    window.wait_for("the help", |session| session.find("dialog[open]"))?;
    press(&key::ESCAPE.to_string())?;
    window.wait_for("the help to close", |session| {
        Ok(session.find("dialog[open]")?.is_none().then_some(()))
    })?;

    // The search, down into its hits, into one, and out again.
    window.session.press_with_control('f')?;
    window.get("events-search")?;
    window.wait_for("the focus in the search", |session| {
        let focused = session.run("return document.activeElement.dataset.testid ?? null", &[])?;
        Ok((focused == "events-search").then_some(()))
    })?;
    press("John")?;
    window.get("search-hit")?;
    press(&key::DOWN.to_string())?;
    press(&key::DOWN.to_string())?;
    press(&enter)?;
    window.get("event-detail")?;
    press(&key::ESCAPE.to_string())?;
    address_when(window, "no event", |hash| !hash.contains("e="))?;
    no_trap(window)
}

/// Tab goes through the whole window and comes round again.
fn no_trap(window: &Window) -> Outcome {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..80 {
        window.session.press(&key::TAB.to_string())?;
        let place = "const e = document.activeElement; if (e === document.body) return null; \
            const shown = e.matches(':focus-visible'); const box = e.getBoundingClientRect(); \
            return [e.dataset.testid ?? e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 40), shown, box.width > 0]";
        let focused = window.session.run(place, &[])?;
        if let Some(name) = focused[0].as_str() {
            assert_eq!(focused[1], true, "the focus on {name} is seen");
            assert_eq!(focused[2], true, "{name} is on screen");
            seen.insert(name.to_owned());
        }
    }
    for reached in [
        "rail-streams",
        "palette-open",
        "timebar-cursor",
        "events-search",
    ] {
        assert!(seen.contains(reached), "Tab reaches {reached}: {seen:?}");
    }
    Ok(())
}

#[test]
fn a_search_marks_what_it_found_and_says_how_far_it_looked() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    let whole = annals(&["info", text(store), "--json"])?;
    window.go("#/events")?;
    window.fill("events-search", "Smith")?;
    window.text_when("search-hit", |shown| shown.contains("Smith"))?;
    let reach = format!("Looked at all {} events", digits(&whole["events"]));
    window.text_when("search-reach", |shown| shown.starts_with(&reach))?;
    let mark = window.session.run(
        "return document.querySelector('[data-testid=search-hit] mark').textContent",
        &[],
    )?;
    assert_eq!(mark, "Smith");
    let found = annals(&[
        "events",
        text(store),
        "--text",
        "Smith",
        "--count",
        "--json",
    ])?;
    let count = digits(&found["count"]);
    window.text_when("events-count", |shown| {
        shown.starts_with(&format!("{count} "))
    })?;

    // Together with a filter, and by its address alone.
    window.go("#/events?text=John&category=nothing-of-this-kind")?;
    window.text_when("events-count", |shown| shown.starts_with("0 "))?;
    window.go("#/events?text=%22no%20such%20phrase%22")?;
    window.wait_for("the empty view", |session| {
        let shown = session.run("return document.body.innerText", &[])?;
        Ok(shown
            .as_str()
            .is_some_and(|text| text.contains("Nothing was found"))
            .then_some(()))
    })?;
    Ok(())
}

#[test]
fn what_another_program_appends_is_shown_while_live_and_waits_in_the_past() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    window.go("#/events")?;
    let before = window.text_when("events-count", |shown| shown.ends_with(" events"))?;
    let before: u64 = before.split(' ').next().unwrap_or_default().parse()?;
    append(store, "account-12345", "DepositMade", r#"{"amount": 0.17}"#)?;
    window.text_when("events-count", |shown| {
        shown == format!("{} events", before + 1)
    })?;
    window.text_when("event-row", |shown| {
        shown.contains("DepositMade") && shown.contains("0.17")
    })?;
    window.text_when("asof-label", |label| {
        label.contains("LIVE") && !label.contains("behind")
    })?;

    // The stream that is open goes on, too.
    window.go("#/stream/account-12345")?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 6 "))?;
    append(
        store,
        "account-12345",
        "WithdrawalMade",
        r#"{"amount": 48.00}"#,
    )?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 7 "))?;
    window.text_when(BALANCE, |shown| shown.contains("1200.00"))?;

    // In the past nothing moves; a note counts.
    window.go("#/stream/account-12345?at=2024-01-10")?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 4 "))?;
    for _ in 0..3 {
        append(store, "account-12345", "DepositMade", r#"{"amount": 1.00}"#)?;
    }
    window.text_when("new-events", |shown| shown.contains("3 newer events came"))?;
    window.text_when("state-asof", |shown| shown.starts_with("Version 4 "))?;
    window.click("live-button")?;
    window.text_when(BALANCE, |shown| shown.contains("1203.00"))?;
    Ok(())
}

#[test]
fn a_dashboard_follows_the_log_obeys_the_time_bar_and_leads_to_an_event() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    window.go("#/dashboards")?;
    // The first panel is the balance, as a number; its table twin is text.
    window.click("dashboard-twin")?;
    window.text_when("dashboard-table", |shown| shown.contains("1,247.83"))?;

    // Live, it follows what another program appends.
    append(store, "account-12345", "DepositMade", r#"{"amount": 0.17}"#)?;
    window.text_when("dashboard-table", |shown| shown.contains("1,248.00"))?;

    // Scrubbed, every panel is as of then.
    window.go("#/dashboards?at=2024-01-10")?;
    window.text_when("dashboard-table", |shown| shown.contains("1,450.00"))?;
    window.text_when("dashboard-as-of", |shown| shown.contains("2024-01-10"))?;

    // From a mark to the events behind it, and from there to the event.
    window.click(r#"dashboard-panel[data-kind="area"] [data-row="3"]"#)?;
    window.text_when("dashboard-behind", |shown| shown.contains("2024-01-10"))?;
    window.text_when("dashboard-event", |shown| shown.contains("DepositMade"))?;
    // Why the value is what it is, and every one that it had.
    window.click("dashboard-behind-close")?;
    window.click("dashboard-table button")?;
    window.text_when("dashboard-behind", |shown| shown.contains("1450.00"))?;
    window.click(r#"dashboard-behind[data-testid] [role="tab"]:nth-child(2)"#)?;
    window.text_when("document-why", |shown| shown.contains("balance"))?;
    window.click(r#"dashboard-behind[data-testid] [role="tab"]:nth-child(3)"#)?;
    window.text_when("document-value", |shown| shown.contains("1450.00"))?;
    window.click(r#"dashboard-behind[data-testid] [role="tab"]:nth-child(1)"#)?;
    window.text_when("dashboard-event", |shown| shown.contains("DepositMade"))?;
    window.click("dashboard-event")?;
    window.text_when("payload-data", |shown| shown.contains("500.00"))?;

    // Before the first event the panels say why they are empty.
    window.go("#/dashboards?at=2023-12-31")?;
    window.text_when("dashboard-panel", |shown| {
        shown.contains("has no document account-12345 at this instant")
    })?;
    Ok(())
}

#[test]
fn projections_say_how_they_stand_and_do_as_they_are_told() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    // One that cannot fold a payment of no number, and stops there.
    let folder = store.with_file_name(format!(
        "{}.d/projections",
        store.file_name().unwrap_or_default().to_string_lossy()
    ));
    std::fs::write(
        folder.join("stops.toml"),
        "strategy = 'sync'\non_fault = 'stop'\nkey = \"'all'\"\n[on.DepositMade]\n\"sum.add\" = 'data.amount'\n",
    )?;
    append(store, "account-77", "DepositMade", r#"{"amount": "x"}"#)?;
    window.go("#/dashboards")?;
    // What comes with the dashboard moves the button.
    window.get("dashboard-grid")?;
    window.click("dashboard-projections")?;
    let row = |name: &str| format!(r#"projection-row[data-name="{name}"]"#);
    let pick = |name: &str| format!("{} button", row(name));
    window.text_when(&row("accounts"), |shown| shown.contains("async"))?;

    // The append was followed, and it stopped; the fault leads to its event.
    window.click(&pick("stops"))?;
    window.text_when(&row("stops"), |shown| shown.contains("stopped"))?;
    window.text_when("projection-fault", |shown| {
        shown.contains("where it stopped")
    })?;
    window.click("projection-retry[data-testid]:not([disabled])")?;
    window.text_when(&row("stops"), |shown| shown.contains("stopped"))?;
    window.click("projection-fault")?;
    window.text_when("payload-data", |shown| shown.contains("amount"))?;

    // Paused and resumed, rebuilt and taken back.
    window.go("#/dashboards?projections=all")?;
    window.click(&pick("accounts"))?;
    window.click("projection-pause[data-testid]:not([disabled])")?;
    window.text_when(&row("accounts"), |shown| shown.contains("paused"))?;
    window.click("projection-resume[data-testid]:not([disabled])")?;
    window.text_when(&row("accounts"), |shown| shown.contains("idle"))?;
    window.click("projection-rebuild[data-testid]:not([disabled])")?;
    window.text_when("projection-rebuilt", |shown| {
        shown.contains("each document is the same") && shown.contains("in use now")
    })?;
    window.click("projection-rollback[data-testid]:not([disabled])")?;
    window.click("projection-reset[data-testid]:not([disabled])")?;
    window.text_when(&row("accounts"), |shown| {
        // The last column is the number of documents.
        shown.trim_end().ends_with('0')
    })?;
    window.click("projections-close")?;
    window.get("dashboard-grid")?;
    Ok(())
}

#[test]
fn theme_and_zone_are_obeyed_at_once_and_kept() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    let theme = |window: &Window| {
        window
            .session
            .run("return document.documentElement.dataset.theme", &[])
    };
    window.go("#/settings")?;
    window.click("settings-theme-dark")?;
    assert_eq!(theme(window)?, "dark");
    window.click("settings-theme-light")?;
    assert_eq!(theme(window)?, "light");
    window.click("theme-toggle")?;
    assert_eq!(theme(window)?, "dark");
    window.click("settings-zone-named")?;
    window.fill("settings-zone-name", "Europe/Berlin")?;
    window.session.press(&key::ENTER.to_string())?;
    window.text_when("settings-example", |shown| {
        shown.ends_with("+01:00") || shown.ends_with("+02:00")
    })?;
    window.go("#/stream/account-12345")?;
    window.text_when("history-row", |shown| {
        shown.contains("2024-01-01 01:00:00 +01:00")
    })?;
    // A day typed is a day of that zone.
    window.fill("timebar-input", "2024-01-10")?;
    window.session.press(&key::ENTER.to_string())?;
    assert_eq!(window.as_of()?, "2024-01-10T22:59:59.999999999Z");

    let Sample {
        window,
        store,
        home,
    } = sample;
    drop(window);
    let again = Window::open(&program("annals-desktop")?, home.path(), &[text(&store)])?;
    again.get("overview-events")?;
    again.wait_for("the dark theme", |_| {
        Ok((theme(&again)? == "dark").then_some(()))
    })?;
    again.go("#/settings")?;
    again.text_when("settings-example", |shown| {
        shown.ends_with("+01:00") || shown.ends_with("+02:00")
    })?;
    Ok(())
}

/// axe-core, from the UI's development packages, over every view in both themes.
#[test]
fn axe_finds_nothing_serious_in_any_view() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let source =
        std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
    window.session.run(&source, &[])?;
    let table = sample.home.path().join("orders.csv");
    std::fs::write(
        &table,
        "order_id,activity,timestamp\n7,placed,2024-01-15T10:30:00Z\n8,placed,never\n",
    )?;
    let views = [
        ("#/start", "start-sample"),
        ("#/overview", "overview-events"),
        ("#/overview?at=2024-01-10", "overview-asof"),
        ("#/streams", "stream-row"),
        ("#/streams?q=nothing-has-this-name", "streams-count"),
        ("#/stream/account-12345", "state-asof"),
        (
            "#/stream/account-12345?at=2024-01-10&from=2024-01-01&to=2024-01-31",
            "timebar-range-from",
        ),
        ("#/events", "event-row"),
        ("#/events?known=4&e=2", "payload-data"),
        ("#/events?text=John", "search-hit"),
        ("#/questions", "question-example"),
        (
            "#/questions?q=count+user+group+by+department",
            "answer-groups",
        ),
        ("#/dashboards", "dashboard-panel"),
        ("#/dashboards?at=2023-12-31", "dashboard-panel"),
        ("#/dashboards?projections=all", "projection-row"),
        ("#/sql", "sql-table"),
        ("#/sql?q=SELECT%20*%20FROM%20events", "sql-row"),
        ("#/sql?q=SELECT%20nothing", "error"),
        ("#/reports?template=audit-trail", "preview-says"),
        ("#/models?rules=all", "rules-run"),
        ("#/models?snapshots=all", "snapshots-verify"),
        ("#/settings", "settings-purpose"),
        ("#/import", "import-preview"),
    ];
    window.go("#/import")?;
    window.fill("import-paths", text(&table))?;
    let mut wrong = Vec::new();
    for theme in ["light", "dark"] {
        window.go("#/settings")?;
        window.click(&format!("settings-theme-{theme}"))?;
        for (address, sign) in views {
            window.go(address)?;
            window.get(sign)?;
            check(window, &format!("{theme} {address}"), &mut wrong)?;
        }
        for (keys, what) in [("?", "the help"), ("gl", "the link")] {
            window.go("#/overview")?;
            window.get("overview-events")?;
            window.session.run("document.activeElement.blur()", &[])?;
            window.session.press(keys)?;
            window.wait_for(what, |session| session.find("dialog[open]"))?;
            check(window, &format!("{theme} {what}"), &mut wrong)?;
            window.session.press(&key::ESCAPE.to_string())?;
        }
        window.session.press_with_control('k')?;
        window.get("palette-item")?;
        check(window, &format!("{theme} the palette"), &mut wrong)?;
        window.session.press(&key::ESCAPE.to_string())?;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Adds what axe finds in what is on screen now.
fn check(window: &Window, what: &str, wrong: &mut Vec<String>) -> Outcome {
    let script = "const done = arguments[0]; window.axe.run(document, { resultTypes: ['violations'] }).then(\
        found => done(found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => \
        `${v.id}: ${v.nodes.length} such as ${v.nodes[0].html.slice(0, 160)}`)), fault => done([String(fault)]))";
    window.session.settle()?;
    let found = window.session.run_async(script, &[])?;
    let found = found
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![found.clone()]);
    wrong.extend(
        found
            .iter()
            .map(|fault: &Value| format!("{what}: {}", fault.as_str().unwrap_or_default())),
    );
    Ok(())
}
