//! End to end in the real window: the rules of the models over the whole history, and what each violation and each
//! rejected command opens; snapshots, and whether they hold.

use annals_tests::Outcome;
use annals_tests::sample::{annals, text};
use annals_tests::window::{Window, program};

#[test]
fn rules_are_checked_in_the_window_and_a_violation_opens_its_event() -> Outcome {
    let home = tempfile::tempdir()?;
    let store = home.path().join("clinic.annals");
    let out = text(&store);
    annals(&[
        "sample", "clinic", "--out", out, "--events", "400", "--faults", "--json",
    ])?;
    let said = annals(&["rules", "check", out, "--json"])?;
    let first = &said["violations"][0];
    let (rule, position) = (
        first["rule"].as_str().unwrap_or_default(),
        &first["event"]["position"],
    );

    let window = Window::open(&program("annals-desktop")?, home.path(), &[out])?;
    window.get("overview-events")?;
    window.go("#/models")?;
    window.click("model-rules")?;
    window.click("rules-run")?;
    let count = said["violations_count"].to_string();
    window.text_when("rules-outcome", |shown| {
        shown.contains(&format!("{count} violation")) && shown.contains("400 events")
    })?;
    window.count_is(
        "violation",
        said["violations"].as_array().map_or(0, Vec::len),
    )?;
    window.click(&format!(
        r#"violation[data-rule="{rule}"] [data-testid="violation-event"]"#
    ))?;
    window.get("event-detail")?;
    window.text_when("event-detail", |shown| {
        shown.contains(&position.to_string())
    })?;
    Ok(())
}

#[test]
fn a_command_that_is_rejected_in_the_console_opens_the_stream_whose_rule_it_is() -> Outcome {
    let home = tempfile::tempdir()?;
    let store = home.path().join("shop.annals");
    let out = text(&store);
    annals(&["sample", "shop", "--out", out, "--events", "300", "--json"])?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[out])?;
    window.get("overview-events")?;
    window.go("#/settings")?;
    window.click("settings-console")?;
    window.go("#/overview")?;
    window.get("overview-events")?;
    window.session.press_with_control('k')?;
    window.fill("palette-input", "Send a command")?;
    window.text_when("palette-item", |shown| shown.contains("Send a command"))?;
    window.click("palette-item")?;
    // The commands of the shop are in the list once it is known what the log takes.
    window.get("console-name")?;
    window.session.run(
        "const list = document.querySelector('[data-testid=console-name]'); list.value = 'CancelOrder';\
         list.dispatchEvent(new Event('change', { bubbles: true }))",
        &[],
    )?;
    window.fill(
        "console-data",
        r#"{"orderId":"order-1","reason":"too late"}"#,
    )?;
    window.click("console-send")?;
    window.text_when("console-rejected", |shown| {
        shown.contains("no-change-after-shipped") && shown.contains("set by")
    })?;
    window.click("console-rejected-stream")?;
    window.text_when("state-asof", |shown| !shown.is_empty())?;
    Ok(())
}

#[test]
fn snapshots_are_taken_verified_and_advised_in_the_window() -> Outcome {
    let home = tempfile::tempdir()?;
    let store = home.path().join("shop.annals");
    let out = text(&store);
    annals(&["sample", "shop", "--out", out, "--events", "800", "--json"])?;
    annals(&[
        "snapshot",
        "policy",
        out,
        "inventory",
        "periodic",
        "--every-events",
        "10",
        "--json",
    ])?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[out])?;
    window.get("overview-events")?;
    window.go("#/models?snapshots=all")?;
    window.text_when("policy-row", |shown| {
        shown.contains("periodic: every 10 events")
    })?;
    window.click("snapshots-take")?;
    window.text_when("snapshots-taken", |shown| shown.contains("0 gone"))?;
    let said = annals(&["snapshot", "list", out, "--json"])?;
    let count = said["snapshots_count"].to_string();
    window.text_when("snapshots-taken", |shown| {
        shown.starts_with(&format!("{count} snapshot"))
    })?;
    window.click("snapshots-verify")?;
    window.text_when("snapshots-verified", |shown| {
        shown.contains("Every snapshot that serves is confirmed")
            && shown.contains(&format!("{count} confirmed"))
    })?;
    window.click("snapshots-advise")?;
    window.text_when(r#"advice-row[data-category="inventory"]"#, |shown| {
        shown.contains("the longest stream has")
    })?;
    Ok(())
}
