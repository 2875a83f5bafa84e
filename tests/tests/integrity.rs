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

const TSA: &str = "
[ tsa ]
default_tsa = t
[ t ]
serial = serial
crypto_device = builtin
default_policy = 1.2.3.4.1
signer_digest = sha256
digests = sha256
ess_cert_id_alg = sha256
[ req ]
distinguished_name = dn
[ dn ]
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[ stamps ]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
";

/// Has OpenSSL play an authority in a folder: `clock-ca.pem` is its root, another's is `other-ca.pem`. False where there
/// is no OpenSSL.
fn authority(folder: &Path) -> Outcome<bool> {
    std::fs::write(folder.join("tsa.cnf"), TSA)?;
    std::fs::write(folder.join("serial"), "01\n")?;
    if std::process::Command::new("openssl")
        .arg("version")
        .output()
        .is_err()
    {
        return Ok(false);
    }
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for name in ["clock", "other"] {
        openssl(
            folder,
            &format!(
                "req -x509 -config tsa.cnf -extensions ca {key} -keyout {name}-ca.key -out {name}-ca.pem -subj /CN={name}-root -days 9"
            ),
        )?;
    }
    openssl(
        folder,
        &format!(
            "req -config tsa.cnf {key} -keyout clock.key -out clock.csr -subj /CN=clock-stamps"
        ),
    )?;
    openssl(
        folder,
        "x509 -req -in clock.csr -CA clock-ca.pem -CAkey clock-ca.key -set_serial 7 -days 8 -extfile tsa.cnf -extensions stamps -out clock.pem",
    )?;
    Ok(true)
}

fn openssl(folder: &Path, args: &str) -> Outcome {
    let mut command = std::process::Command::new("openssl");
    let run = command.args(args.split(' ')).current_dir(folder).output()?;
    match run.status.success() {
        true => Ok(()),
        false => Err(format!("openssl {args}: {}", String::from_utf8_lossy(&run.stderr)).into()),
    }
}

#[test]
fn a_time_stamp_is_asked_for_and_kept_in_the_window() -> Outcome {
    let sample = Sample::open()?;
    let (window, home) = (&sample.window, sample.home.path());
    if !authority(home)? {
        return Ok(());
    }
    let file = |name: &str| home.join(name);
    window.click("rail-integrity")?;
    window.click("checkpoint-open")?;
    window.fill("checkpoint-passphrase", "correct horse")?;
    window.click("checkpoint-sign")?;
    window.text_when("checkpoint-note", |shown| shown.starts_with("annals/"))?;
    let escape = annals_tests::webdriver::key::ESCAPE.to_string();
    window.session.press(&escape)?;

    window.click("stamp-open")?;
    window.fill("stamp-request-file", text(&file("c.tsq")))?;
    window.click("stamp-request")?;
    window.text_when("stamp-requested", |shown| shown.contains("c.tsq"))?;
    openssl(
        home,
        "ts -reply -config tsa.cnf -queryfile c.tsq -signer clock.pem -inkey clock.key -out c.tsr",
    )?;
    window.fill("stamp-response", text(&file("c.tsr")))?;
    // By another authority it is not kept.
    window.fill("stamp-authority", text(&file("other-ca.pem")))?;
    window.click("stamp-attach")?;
    window.text_when("error", |shown| shown.contains("the time stamp is not by"))?;
    window.fill("stamp-authority", text(&file("clock-ca.pem")))?;
    window.click("stamp-attach")?;
    window.text_when("stamp-kept", |shown| {
        shown.contains("Checkpoint 1 was there at") && shown.contains("CN=clock-stamps")
    })?;
    window.session.press(&escape)?;
    window.text_when("checkpoint-row", |shown| {
        shown.contains("by CN=clock-stamps")
    })?;
    let list = annals(&["checkpoint", text(&sample.store), "--list", "--json"])?;
    assert_eq!(list["checkpoints"][0]["timestamps"], 1);
    Ok(())
}
