//! End to end in the real window: a statement is typed and answered as of the Time bar's instant, exported and saved.

use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, digits, text};
use annals_tests::webdriver::key;
use annals_tests::window::Window;

#[test]
fn a_statement_is_asked_as_of_an_instant_exported_and_saved() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, &sample.store);
    window.session.press("gc")?;
    window.get(r#"sql-editor[data-ready="true"]"#)?;
    window.get(r#"sql-table[data-name="account_at"]"#)?;
    type_statement(window, "SELECT stream, balance FROM account_at(:at)")?;
    window.session.press_with_control('\u{E006}')?;
    window.text_when("sql-row", |shown| shown.contains("1247.83"))?;
    window.text_when("sql-says", |shown| shown.contains("as of now"))?;

    // The Time bar's instant is what `:at` stands for.
    window.fill("timebar-input", "2024-01-10")?;
    window.session.press(&key::ENTER.to_string())?;
    window.text_when("sql-says", |shown| shown.contains("Time bar has moved"))?;
    window.click("sql-run")?;
    window.text_when("sql-row", |shown| shown.contains("1450.00"))?;
    window.text_when("sql-says", |shown| shown.contains("end of 2024-01-10"))?;

    // A row whole leads to its stream.
    window.click("sql-row")?;
    window.text_when("sql-row-whole", |shown| shown.contains("account-12345"))?;

    // Its file holds what the command line writes for the same question.
    let ours = sample.home.path().join("balances.csv");
    window.click("sql-export")?;
    window.fill("sql-export-path", text(&ours))?;
    window.click("sql-export-run")?;
    window.text_when("sql-export-result", |shown| shown.contains("1 row written"))?;
    let theirs = sample.home.path().join("theirs.csv");
    let sql = "SELECT stream, balance FROM account_at(:at)";
    let written = annals(&[
        "sql",
        text(store),
        sql,
        "--at",
        "2024-01-10",
        "--out",
        text(&theirs),
        "--json",
    ])?;
    assert_eq!(digits(&written["rows"]), "1");
    assert_eq!(std::fs::read(&ours)?, std::fs::read(&theirs)?);
    window.session.press(&key::ESCAPE.to_string())?;

    window.click("sql-save")?;
    window.fill("sql-save-name", "balances")?;
    window.click("sql-save-run")?;
    window.get(r#"sql-saved[data-name="balances"]"#)?;
    let saved = annals(&["sql", text(store), "--list", "--json"])?;
    assert_eq!(saved["queries"][0]["name"], "balances", "{saved}");

    // What would write is refused, and what is misspelt is told with what comes close.
    window.go("#/sql?q=DELETE%20FROM%20events")?;
    window.text_when("sql-says", |shown| {
        shown.contains("only reading is allowed")
    })?;
    window.go("#/sql?q=SELECT%20balanc%20FROM%20account_at()")?;
    window.text_when("sql-says", |shown| shown.contains("Did you mean balance?"))?;
    Ok(())
}

/// Types into the editor, which stands in a shadow root.
fn type_statement(window: &Window, statement: &str) -> Outcome {
    window.session.run(
        "document.querySelector('[data-testid=sql-editor]').shadowRoot.querySelector('.cm-content').focus()",
        &[],
    )?;
    window.session.press(statement)?;
    // What completion offers is left.
    window.session.press(&key::ESCAPE.to_string())
}
