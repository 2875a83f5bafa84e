//! End to end in the real window: packages are made and verified in the window; with one letter changed the window
//! says where, and the command line and the page in a browser agree. A subject is erased there, and is gone.

use std::path::Path;
use std::process::Command;

use annals_core::evidence::zip::{Archive, Writer};
use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, text};

/// The package with one letter of one event changed.
fn tampered(package: &[u8]) -> Outcome<Vec<u8>> {
    let archive = Archive::read(package)?;
    let mut writer = Writer::new(Vec::new());
    let names: Vec<String> = archive.names().map(str::to_owned).collect();
    for name in names {
        let mut bytes = archive.file(&name).ok_or("it is listed")??;
        if name == "proof/range.bin" {
            let at = bytes.windows(8).position(|w| w == b"cust-456");
            bytes[at.ok_or("the order names its customer")?] = b'C';
        }
        writer.add(&name, &bytes)?;
    }
    Ok(writer.finish()?)
}

#[test]
fn a_package_is_verified_in_the_window_and_tampering_is_shown_where_it_is() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, text(&sample.store));
    let file = |name: &str| sample.home.path().join(name);
    let (seed, package, changed) = (file("seed"), file("order.zip"), file("changed.zip"));
    std::fs::write(&seed, "07".repeat(32))?;
    let (of, to) = (
        ["--stream", "order-789", "--seed", text(&seed)],
        ["--out", text(&package)],
    );
    let made = [&["evidence", "make", store][..], &of, &to, &["--json"]].concat();
    annals(&made)?;
    std::fs::write(&changed, tampered(&std::fs::read(&package)?)?)?;

    window.go("#/integrity")?;
    window.click("evidence-open-dialog")?;
    window.fill("evidence-file", text(&package))?;
    window.click("evidence-run")?;
    window.text_when(r#"evidence-result[data-outcome="intact"]"#, |said| {
        said.contains("as far as it was checked") && said.contains("whose key this is")
    })?;
    window.fill("evidence-file", text(&changed))?;
    window.click("evidence-run")?;
    window.text_when(r#"evidence-result[data-outcome="problems"]"#, |said| {
        said.contains("its data is not what the log recorded") && said.contains("position 12")
    })?;
    for (file, outcome) in [(&package, "intact"), (&changed, "problems")] {
        let said = annals(&["evidence", "verify", text(file), "--json"])?;
        assert_eq!(said["outcome"], outcome);
    }
    Ok(())
}

/// What the page says of packages in a headless browser; `None` where there is no node or no Chromium.
fn in_browser(page: &Path, key: &str, packages: &[&Path]) -> Outcome<Option<serde_json::Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/support/chromium.mjs");
    let mut command = Command::new("node");
    let run = command.arg(script).arg(page).arg(key).args(packages);
    let Some(run) = run.output().ok().filter(|run| run.status.code() != Some(9)) else {
        return Ok(None);
    };
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into());
    }
    Ok(Some(serde_json::from_slice(&run.stdout)?))
}

#[test]
fn a_package_made_in_the_window_is_verified_everywhere_and_found_out_when_tampered_with() -> Outcome
{
    let sample = Sample::open()?;
    let window = &sample.window;
    let file = |name: &str| sample.home.path().join(name);
    let (package, changed, page) = (file("made.zip"), file("changed.zip"), file("verifier.html"));

    window.go("#/reports?template=audit-trail&stream=order-789")?;
    window.click("package-open")?;
    window.text_when("package-scope", |said| said.contains("order-789"))?;
    window.fill("package-file", text(&package))?;
    window.fill("package-to", "an auditor")?;
    window.click("package-unprotected")?;
    window.click("package-run")?;
    let made = window.text_when("package-made", |said| said.contains("SHA-256"))?;
    assert!(made.contains(text(&package)), "{made}");
    window.text_when(r#"evidence-result[data-outcome="intact"]"#, |said| {
        said.contains("as far as it was checked") && said.contains("order-789")
    })?;

    let bytes = std::fs::read(&package)?;
    let archive = Archive::read(&bytes)?;
    let names: Vec<&str> = archive.names().collect();
    assert!(names.contains(&"report/audit-trail.pdf"), "{names:?}");
    std::fs::write(&changed, tampered(&bytes)?)?;
    let said = annals(&["evidence", "verify", text(&package), "--json"])?;
    assert_eq!(said["outcome"], "intact", "{said}");
    let key = said["facts"]["key"].as_str().ok_or("it names its key")?;
    let said = annals(&["evidence", "verify", text(&changed), "--json"])?;
    assert_eq!(said["outcome"], "problems", "{said}");
    assert!(
        said["findings"].to_string().contains("\"position\":12"),
        "{said}"
    );

    annals(&["evidence", "verifier", "--out", text(&page), "--json"])?;
    if let Some(said) = in_browser(&page, key, &[&package, &changed])? {
        assert_eq!(said[text(&package)]["outcome"], "intact", "{said}");
        let changed = &said[text(&changed)];
        assert_eq!(changed["outcome"], "problems", "{said}");
        assert!(changed["text"].to_string().contains("12"), "{changed}");
    }
    Ok(())
}

#[test]
fn a_subject_is_erased_in_the_window_only_when_their_name_was_typed_again() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, text(&sample.store));
    let named = |subject: &str| -> Outcome<usize> {
        let view = annals(&["privacy", "subject", store, subject, "--json"])?;
        let events = view["events"].as_array().ok_or("a list of events")?;
        let payload =
            |event: &&serde_json::Value| event["mentions"].to_string().contains("\"data\"");
        Ok(events.iter().filter(payload).count())
    };
    let before = named("cust-456")?;
    assert!(before > 0, "the sample names the customer");

    window.go("#/settings")?;
    window.fill("erasure-subject", "cust-456")?;
    window.click("erasure-mentions")?;
    window.click("erasure-plan")?;
    window.text_when("erasure-verdict", |said| {
        said.contains("would lose payloads")
    })?;
    window.click("erase-open")?;
    window.fill("erase-confirm", "cust-45")?;
    let disabled = |wanted: bool| {
        window.wait_for("the button that erases", |session| {
            let script = "return document.querySelector('[data-testid=erase-run]').disabled";
            Ok((session.run(script, &[])? == wanted).then_some(()))
        })
    };
    disabled(true)?;
    assert_eq!(named("cust-456")?, before, "nothing was erased yet");
    window.fill("erase-reason", "request 17")?;
    window.fill("erase-confirm", "cust-456")?;
    disabled(false)?;
    window.click("erase-run")?;
    window.text_when(r#"erase-done[data-finished="true"]"#, |said| {
        said.contains("The log says so at position 53")
    })?;

    assert_eq!(named("cust-456")?, 0, "no payload names them");
    let bytes = std::fs::read(&sample.store)?;
    let word = b"cust-456";
    assert!(
        !bytes.windows(word.len()).any(|w| w == word),
        "no byte of it is in the file"
    );
    let view = annals(&["verify", store, "--json"])?;
    assert_eq!(view["outcome"], "intact", "{view}");
    // What was on screen is read again.
    window.go("#/events?e=12&order=oldest")?;
    window.text_when("event-detail", |said| {
        said.to_lowercase().contains("erased")
    })?;
    Ok(())
}
