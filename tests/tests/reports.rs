//! End to end in the real window: a report is looked at, made in every form, and opened as what it is.

use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, digits, text};

#[test]
fn a_report_is_looked_at_and_made_in_every_form() -> Outcome {
    let sample = Sample::open()?;
    let (window, store, home) = (&sample.window, &sample.store, &sample.home);
    let whole = annals(&["info", text(store), "--json"])?;
    let events = format!("{} events", digits(&whole["events"]));
    window.session.press("gr")?;
    window.text_when("report-template", |shown| shown.contains("Audit trail"))?;
    window.go("#/reports?template=audit-trail")?;
    window.text_when("preview-says", |shown| shown.contains(&events))?;
    // The page is a picture of what will be printed: letters are drawn, nothing in it runs.
    window.wait_for("the first page", |session| {
        session.find("[data-testid=report-page] img[src^='data:image/svg']")
    })?;

    // The report obeys the as-of and the conditions, and says so in its address.
    window.fill("events-filter-category", "account")?;
    window
        .session
        .press(&annals_tests::webdriver::key::ENTER.to_string())?;
    let some = window.text_when("preview-says", |shown| !shown.contains(&events))?;
    assert!(some.contains("events"), "{some}");

    for (form, start) in [
        ("pdf", &b"%PDF-1.7"[..]),
        ("xlsx", b"PK"),
        ("csv", b"position,"),
        ("jsonl", b"{\"kind\":\"report\""),
        ("html", b"<!doctype html>"),
    ] {
        let file = home.path().join(format!("trail.{form}"));
        window.fill("report-path", text(&file))?;
        window.click("report-make")?;
        window.text_when("report-made", |shown| {
            shown.contains(&format!("trail.{form}"))
        })?;
        let bytes = std::fs::read(&file)?;
        let head = bytes[..bytes.len().min(24)].to_ascii_lowercase();
        assert!(
            head.starts_with(&start.to_ascii_lowercase()),
            "{form}: {head:?}"
        );
    }
    window.text_when("reports-recent", |shown| shown.contains("(5)"))?;

    // A form that is none, and a place that cannot be written.
    window.fill(
        "report-path",
        text(&home.path().join("no-such-folder/trail.pdf")),
    )?;
    window.click("report-make")?;
    window.get("error")?;
    assert!(!home.path().join("no-such-folder").exists());
    Ok(())
}
