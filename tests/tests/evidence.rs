//! End to end in the real window: a package that the command line made is verified in the window; with one letter
//! changed the window says where, and the command line agrees.

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
