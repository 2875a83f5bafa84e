//! End to end in the real window: a store is verified and signed there, and the command line says the same.

use std::path::Path;

use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, text};

/// Changes a payload behind the log's back.
fn tamper(store: &Path) -> Outcome {
    let conn = rusqlite::Connection::open(store)?;
    let trigger: String = conn.query_row(
        "SELECT sql FROM sqlite_schema WHERE name = 'events_update'",
        [],
        |row| row.get(0),
    )?;
    conn.execute_batch("DROP TRIGGER events_update")?;
    conn.execute_batch(
        "UPDATE events SET data = CAST('{\"amount\": 5000.00}' AS BLOB) WHERE position = 7",
    )?;
    conn.execute_batch(&trigger)?;
    Ok(())
}

#[test]
fn a_store_is_verified_signed_and_found_out_in_the_window() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.click("rail-integrity")?;
    window.click("verify-run")?;
    window.text_when("verify-result", |shown| {
        shown.contains("Intact, as far as it was checked") && shown.contains("52 events of 52")
    })?;
    window.text_when("verify-finding", |shown| {
        shown.contains("no checkpoint is in this file")
    })?;

    window.click("checkpoint-open")?;
    window.fill("checkpoint-passphrase", "correct horse")?;
    window.click("checkpoint-sign")?;
    window.text_when("checkpoint-note", |shown| shown.starts_with("annals/"))?;
    window
        .session
        .press(&annals_tests::webdriver::key::ESCAPE.to_string())?;
    window.text_when("checkpoint-row", |shown| shown.contains("52"))?;
    let store = text(&sample.store);
    let view = annals(&["verify", store, "--json"])?;
    assert_eq!(
        (&view["outcome"], &view["signed_size"]),
        (&"intact".into(), &52.into())
    );

    tamper(&sample.store)?;
    window.click("verify-run")?;
    window.text_when("verify-result", |shown| shown.contains("Problems found"))?;
    window.text_when(r#"verify-finding[data-kind="content_changed"]"#, |shown| {
        shown.contains("manipulation") && shown.contains("position 7")
    })?;
    let view = annals(&["verify", store, "--json"])?;
    assert_eq!(view["findings"][0]["position"], 7);
    // The finding opens its event, which says so itself.
    window.click("verify-finding-event")?;
    window.text_when("event-detail", |shown| shown.contains("DepositMade"))?;
    Ok(())
}
