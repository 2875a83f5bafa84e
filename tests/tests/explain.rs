//! End to end in the real window: why a value is what it is, what if not, two streams at one instant, and a model
//! written with its effect before one's eyes. The command line is the second opinion.

use std::path::PathBuf;
use std::process::Command;

use annals_tests::Outcome;
use annals_tests::webdriver::key;
use annals_tests::window::{Window, program};
use serde_json::Value;

const BALANCE: &str = r#"state-value[data-path="balance"]"#;

struct Sample {
    window: Window,
    store: PathBuf,
    _home: tempfile::TempDir,
}

fn open_sample() -> Outcome<Sample> {
    let home = tempfile::tempdir()?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[])?;
    window.click("start-sample")?;
    window.text_when(BALANCE, |shown| shown.contains("1247.83"))?;
    let store = home.path().join("Annals/guide.annals");
    Ok(Sample {
        window,
        store,
        _home: home,
    })
}

/// What the command line answers about the same store.
fn annals(arguments: &[&str]) -> Outcome<Value> {
    let output = Command::new(program("annals")?).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "annals {arguments:?}: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The texts of all elements that match.
fn texts(window: &Window, selector: &str) -> Outcome<Vec<String>> {
    let found = window.session.run(
        "return Array.from(document.querySelectorAll(arguments[0]), each => each.textContent.trim())",
        &[selector.into()],
    )?;
    Ok(serde_json::from_value(found)?)
}

/// What finds the element of a test id, with or without further conditions: `name[data-x="y"]`.
fn selector(test_id: &str) -> String {
    let (name, rest) = test_id.split_at(test_id.find('[').unwrap_or(test_id.len()));
    format!(r#"[data-testid="{name}"]{rest}"#)
}

/// Puts the keyboard on an element, as Tab and the arrows would.
fn focus(window: &Window, test_id: &str) -> Outcome {
    window.get(test_id)?;
    let script = "document.querySelector(arguments[0]).focus()";
    window.session.run(script, &[selector(test_id).into()])?;
    Ok(())
}

#[test]
fn why_leads_from_a_value_to_its_events_and_back() -> Outcome {
    let sample = open_sample()?;
    let window = &sample.window;
    window.get(BALANCE)?;
    focus(window, BALANCE)?;
    window.session.press("w")?;
    window.text_when("why-value", |shown| shown.contains("1247.83"))?;

    // Five contributions that add up, as the command line has them.
    window.text_when("why-sum", |shown| {
        shown.contains("all 5") && shown.contains("= 1247.83")
    })?;
    let store = sample.store.to_str().ok_or("the path is UTF-8")?;
    let why = annals(&["why", store, "account-12345", "balance", "--json"])?;
    let mut wanted = Vec::new();
    for one in why["contributions"].as_array().ok_or("a list")? {
        let delta = one["delta"].to_string();
        let sign = if one["sets"] == true {
            "set anew= "
        } else if delta.starts_with('-') {
            "change"
        } else {
            "change+"
        };
        wanted.push(format!("{sign}{delta}"));
    }
    assert_eq!(wanted.len(), 5, "the guide's account has five events");
    let shown = texts(window, "[data-testid=contribution] .delta")?;
    assert_eq!(shown, wanted);
    window.text_when("why-who", |shown| shown.contains("not recorded"))?;

    // From a contribution to its event, and back to the same contribution.
    window.click(r#"contribution[data-version="3"]"#)?;
    let third = why["contributions"][2]["position"].to_string();
    window.get(&format!(r#"event-detail[data-position="{third}"]"#))?;
    window.session.press(&key::ESCAPE.to_string())?;
    window.get(&format!(
        r#"contribution[data-position="{third}"][aria-selected="true"]"#
    ))?;

    // Every value that it had, and the lane of them.
    focus(window, BALANCE)?;
    window.session.press("h")?;
    window.get("history-value")?;
    let values = texts(window, "[data-testid=history-value] .value")?;
    assert_eq!(
        values,
        ["1247.83", "1450.00", "950.00", "1000.00", "0.00"],
        "newest first"
    );
    assert_eq!(
        texts(window, "[data-testid=lane-segment]")?.len(),
        5,
        "a segment a value"
    );
    Ok(())
}

#[test]
fn what_if_shows_what_would_differ_and_writes_nothing() -> Outcome {
    let sample = open_sample()?;
    let window = &sample.window;
    let before = std::fs::read(&sample.store)?;
    window.go("#/stream/account-12345?why=balance")?;
    window.click(r#"contribution[data-version="4"]"#)?;
    window.click("event-back")?;
    window.click("contribution-leave-out")?;
    window.text_when("whatif-banner", |shown| {
        shown.contains("WHAT IF") && shown.contains("nothing is written")
    })?;
    window.text_when(r#"whatif-change[data-path="balance"]"#, |shown| {
        shown.contains("1247.83") && shown.contains("747.83")
    })?;
    window.click("whatif-clear")?;
    window.text_when("whatif-panel", |shown| {
        shown.contains("Nothing is tried yet")
    })?;
    assert!(
        before == std::fs::read(&sample.store)?,
        "the log is as it was, byte for byte"
    );
    Ok(())
}

#[test]
fn one_cursor_moves_two_pinned_streams() -> Outcome {
    let sample = open_sample()?;
    let window = &sample.window;
    window.click("pin-open")?;
    window.fill("pin-name", "user-123")?;
    window.get(r#"pin-option[data-stream="user-123"]"#)?;
    window.session.press(&key::ENTER.to_string())?;
    window.text_when("pinned-asof", |shown| shown.contains("Version 3"))?;

    let (x, y) = window.middle("timebar-cursor")?;
    let (left, _) = window.left_of("timebar", "[role=presentation]")?;
    let points: Vec<(f64, f64)> = (0..=16)
        .map(|step| (x - (x - left - 3.0) * f64::from(step) / 16.0, y))
        .collect();
    window.session.drag(&points)?;
    let at = window.as_of()?;
    let store = sample.store.to_str().ok_or("the path is UTF-8")?;
    for (stream, test_id) in [("account-12345", "state-asof"), ("user-123", "pinned-asof")] {
        let state = annals(&["state", store, stream, "--at", &at, "--json"])?;
        let wanted = format!("Version {} ", state["version"]);
        window.text_when(test_id, |shown| {
            shown.replace('\n', " ").starts_with(&wanted)
        })?;
    }
    Ok(())
}

#[test]
fn model_is_tried_while_it_is_typed_and_kept_when_it_is_saved() -> Outcome {
    let sample = open_sample()?;
    let window = &sample.window;
    window.click("rail-models")?;
    window.click(r#"model-row[data-name="account"]"#)?;
    window.get(r#"model-editor[data-ready="true"]"#)?;
    window.text_when(r#"preview-value[data-path="balance"]"#, |shown| {
        shown.contains("1247.83")
    })?;
    // The editor brings its styles in spite of the policy that allows none inline.
    let style = window.session.run(
        "const root = document.querySelector('[data-testid=model-editor]').shadowRoot; \
         return [getComputedStyle(root.querySelector('.cm-gutters')).display, getComputedStyle(root.querySelector('.cm-content')).whiteSpace]",
        &[],
    )?;
    assert_eq!(style[0], "flex", "{style}");

    // A line more is folded at once; nonsense is said with its place, and the last state stays.
    to_the_end(window)?;
    type_line(window, "seen = \"'yes'\"")?;
    window.text_when(r#"preview-value[data-path="seen"]"#, |shown| {
        shown.contains("yes")
    })?;
    type_line(window, BROKEN)?;
    window.text_when("model-fault", |shown| shown.contains("Line "))?;
    window.get(r#"preview-asof[data-stale="true"]"#)?;
    for _ in 0..=BROKEN.len() {
        window.session.press(BACKSPACE)?;
    }
    window.get(r#"preview-asof[data-stale="false"]"#)?;

    window.click("model-run-check")?;
    window.text_when("model-check", |shown| shown.contains("5 events"))?;
    window.click("model-save")?;
    window.text_when("model-says", |shown| shown.contains("Saved"))?;
    let store = sample.store.to_str().ok_or("the path is UTF-8")?;
    let state = annals(&["state", store, "account-12345", "--json"])?;
    assert_eq!(state["state"]["seen"], "yes", "{state}");
    Ok(())
}

/// A line that is no model.
const BROKEN: &str = "broken = \"data.\"";
const BACKSPACE: &str = "\u{E003}";

/// Puts the keyboard behind the last character of the editor.
fn to_the_end(window: &Window) -> Outcome {
    window.session.run(
        "document.querySelector('[data-testid=model-editor]').shadowRoot.querySelector('.cm-content').focus()",
        &[],
    )?;
    for _ in 0..10 {
        window.session.press(PAGE_DOWN)?;
    }
    window.session.press(END)
}

const PAGE_DOWN: &str = "\u{E00F}";
const END: &str = "\u{E010}";

/// Types a line on one of its own, wherever the keyboard is.
fn type_line(window: &Window, text: &str) -> Outcome {
    window.session.press(&key::ENTER.to_string())?;
    window.session.press(text)
}
