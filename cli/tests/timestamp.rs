//! Time stamps through the command line, from an authority that OpenSSL plays. Where there is no OpenSSL, it is said.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::Command;

use support::Sandbox;

const CONFIG: &str = "
[ tsa ]
default_tsa = t
[ t ]
serial = serial
crypto_device = builtin
default_policy = 1.2.3.4.1
signer_digest = sha256
digests = sha256
ordering = no
tsa_name = no
ess_cert_id_chain = no
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

/// A time-stamping authority of OpenSSL's.
struct Tsa<'s> {
    folder: &'s Path,
    name: &'static str,
}

impl<'s> Tsa<'s> {
    /// `None` where there is no OpenSSL.
    fn new(sandbox: &'s Sandbox, name: &'static str) -> Option<Tsa<'s>> {
        if Command::new("openssl").arg("version").output().is_err() {
            let mut out = std::io::stderr();
            let _ = std::io::Write::write_all(&mut out, b"skipped: there is no openssl\n");
            return None;
        }
        let tsa = Tsa {
            folder: sandbox.path(),
            name,
        };
        sandbox.write("tsa.cnf", CONFIG);
        tsa.openssl(&format!(
            "req -x509 -config tsa.cnf -extensions ca -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}-ca.key -out {name}-ca.pem -subj /CN={name}-root -days 9"
        ));
        tsa.openssl(&format!(
            "req -config tsa.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}-stamps"
        ));
        tsa.openssl(&format!(
            "x509 -req -in {name}.csr -CA {name}-ca.pem -CAkey {name}-ca.key -set_serial 7 -days 8 -extfile tsa.cnf -extensions stamps -out {name}.pem"
        ));
        Some(tsa)
    }

    fn openssl(&self, args: &str) {
        let mut command = Command::new("openssl");
        let run = command.args(args.split(' ')).current_dir(self.folder);
        let run = run.output().unwrap();
        let told = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "openssl {args}: {told}");
    }

    /// Stamps a request.
    fn stamp(&self, request: &str, response: &str) {
        std::fs::write(self.folder.join("serial"), "01\n").unwrap();
        let name = self.name;
        self.openssl(&format!(
            "ts -reply -config tsa.cnf -queryfile {request} -signer {name}.pem -inkey {name}.key -out {response}"
        ));
    }
}

/// A shop with one checkpoint, `c.note`, and the request over it, `c.tsq`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for args in [
        &["sample", "shop", "--events", "300", "--out", "shop.annals"][..],
        &[
            "checkpoint",
            "shop.annals",
            "--unprotected",
            "--out",
            "c.note",
        ],
        &["timestamp", "request", "shop.annals", "--out", "c.tsq"],
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
    }
    sandbox
}

fn attach(sandbox: &Sandbox, response: &str, authority: &str) -> support::Run {
    let args = ["timestamp", "attach", "shop.annals", response];
    sandbox.run(&[&args[..], &["--authority", authority, "--json"]].concat())
}

#[test]
fn a_stamp_is_taken_kept_shown_and_verified_against_its_authority() {
    let sandbox = sandbox();
    let Some(tsa) = Tsa::new(&sandbox, "clock") else {
        return;
    };
    tsa.stamp("c.tsq", "c.tsr");
    // OpenSSL itself agrees that the stamp is of the file that was handed out.
    tsa.openssl("ts -verify -data c.note -in c.tsr -CAfile clock-ca.pem");
    let run = attach(&sandbox, "c.tsr", "clock-ca.pem");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()["timestamps"], 1);
    let again = attach(&sandbox, "c.tsr", "clock-ca.pem");
    assert_eq!(again.json()["timestamps"], 1, "the same stamp is kept once");

    let list = sandbox.json(&["checkpoint", "shop.annals", "--list"]);
    let stamp = &list["checkpoints"][0]["stamps"][0];
    assert_eq!(stamp["signer"], "CN=clock-stamps", "{list}");

    let view = sandbox.json(&["verify", "shop.annals"]);
    let not_checked = view["not_checked"].to_string();
    assert!(not_checked.contains("1 time stamps beyond"), "{view}");
    let view = sandbox.json(&["verify", "shop.annals", "--authority", "clock-ca.pem"]);
    assert!(
        view["checked"].to_string().contains("time stamps by"),
        "{view}"
    );
    assert!(
        !view["not_checked"].to_string().contains("time stamps"),
        "{view}"
    );
}

#[test]
fn a_stamp_that_is_not_good_is_refused_and_nothing_is_kept() {
    let sandbox = sandbox();
    let (Some(tsa), Some(_)) = (Tsa::new(&sandbox, "clock"), Tsa::new(&sandbox, "other")) else {
        return;
    };
    tsa.stamp("c.tsq", "c.tsr");
    let good = std::fs::read(sandbox.path().join("c.tsr")).unwrap();
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    sandbox.write("signature_changed.tsr", &changed);
    sandbox.write("cut_off.tsr", &good[..good.len() - 1]);
    sandbox.write("followed_by_a_byte.tsr", [&good[..], b"x"].concat());
    sandbox.write("no_stamp.tsr", "no stamp");
    sandbox.write("something", "something else");
    tsa.openssl("ts -query -data something -sha256 -cert -no_nonce -out something.tsq");
    tsa.stamp("something.tsq", "of_something_else.tsr");
    sandbox.write("no_authority.pem", "no certificate");
    for (stamp, authority, code, why) in [
        (
            "signature_changed.tsr",
            "clock-ca.pem",
            "bad_input",
            "did not sign it",
        ),
        ("cut_off.tsr", "clock-ca.pem", "bad_input", "in DER"),
        (
            "followed_by_a_byte.tsr",
            "clock-ca.pem",
            "bad_input",
            "in DER",
        ),
        ("no_stamp.tsr", "clock-ca.pem", "bad_input", "in DER"),
        (
            "of_something_else.tsr",
            "clock-ca.pem",
            "not_found",
            "has no checkpoint with the SHA-256",
        ),
        (
            "c.tsr",
            "other-ca.pem",
            "bad_input",
            "is not by other-ca.pem",
        ),
        (
            "c.tsr",
            "no_authority.pem",
            "bad_input",
            "no certificate in PEM",
        ),
        ("c.tsr", "c.note", "bad_input", "no certificate in PEM"),
        ("missing.tsr", "clock-ca.pem", "not_found", "missing.tsr"),
    ] {
        let run = attach(&sandbox, stamp, authority);
        assert_eq!(run.code, 1, "{stamp} by {authority}");
        let told: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
        let message = told["error"]["message"].as_str().unwrap();
        assert_eq!(told["error"]["code"], code, "{stamp}: {message}");
        assert!(message.contains(why), "{stamp}: {message}");
    }
    let list = sandbox.json(&["checkpoint", "shop.annals", "--list"]);
    assert_eq!(list["checkpoints"][0]["timestamps"], 0, "{list}");
}

#[test]
fn a_stamp_by_another_authority_in_the_file_is_found() {
    let sandbox = sandbox();
    let (Some(_), Some(other)) = (Tsa::new(&sandbox, "clock"), Tsa::new(&sandbox, "other")) else {
        return;
    };
    other.stamp("c.tsq", "other.tsr");
    assert_eq!(attach(&sandbox, "other.tsr", "other-ca.pem").code, 0);
    let verify = |authorities: &[&str]| {
        let mut args = vec!["verify", "shop.annals", "--json"];
        for authority in authorities {
            args.extend(["--authority", authority]);
        }
        let run = sandbox.run(&args);
        (run.code, run.json())
    };
    let (code, view) = verify(&["clock-ca.pem"]);
    assert_eq!(code, 3, "{view}");
    assert_eq!(view["findings"][0]["kind"], "timestamp_differs", "{view}");
    let (code, view) = verify(&["clock-ca.pem", "other-ca.pem"]);
    assert_eq!(code, 0, "one of those named made it: {view}");
}

#[test]
fn stamps_go_into_packages_and_are_verified_there() {
    let sandbox = sandbox();
    let (Some(tsa), Some(other)) = (Tsa::new(&sandbox, "clock"), Tsa::new(&sandbox, "other"))
    else {
        return;
    };
    tsa.stamp("c.tsq", "c.tsr");
    assert_eq!(attach(&sandbox, "c.tsr", "clock-ca.pem").code, 0);
    other.stamp("c.tsq", "other.tsr");
    assert_eq!(attach(&sandbox, "other.tsr", "other-ca.pem").code, 0);
    let make = |out: &str| {
        let args = [
            "evidence",
            "make",
            "shop.annals",
            "--unprotected",
            "--out",
            out,
        ];
        let run = sandbox.run(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    let verify = |package: &str, authorities: &[&str]| {
        let mut args = vec!["evidence", "verify", package, "--json"];
        for authority in authorities {
            args.extend(["--authority", authority]);
        }
        let run = sandbox.run(&args);
        (run.code, run.json())
    };
    // The package's own checkpoint is the one that was stamped.
    make("same.zip");
    let (code, view) = verify("same.zip", &[]);
    assert_eq!(code, 0, "{view}");
    let stamps = view["facts"]["stamps"].as_array().unwrap();
    assert_eq!(stamps.len(), 2, "{view}");
    assert!(
        view["not_checked"]
            .to_string()
            .contains("authority was not named"),
        "{view}"
    );
    let (code, view) = verify("same.zip", &["clock-ca.pem", "other-ca.pem"]);
    assert_eq!(code, 0, "{view}");
    assert!(
        view["checked"].to_string().contains("CN=clock-stamps"),
        "{view}"
    );
    let (code, view) = verify("same.zip", &["clock-ca.pem"]);
    assert_eq!(
        (code, &view["findings"][0]["kind"]),
        (3, &"timestamp_differs".into()),
        "{view}"
    );

    // The log grew since: the stamped checkpoint goes in as the earlier one.
    let append = [
        "append",
        "shop.annals",
        "extra-1",
        "--type",
        "Added",
        "--data",
        "{}",
    ];
    assert_eq!(sandbox.run(&append).code, 0);
    make("grown.zip");
    let (code, view) = verify("grown.zip", &["clock-ca.pem", "other-ca.pem"]);
    assert_eq!(code, 0, "{view}");
    let size = view["tree_size"].as_u64().unwrap();
    assert_eq!(
        view["facts"]["stamps"][0]["tree_size"].as_u64(),
        Some(size - 1),
        "{view}"
    );
    assert_eq!(view["facts"]["stamps"][0]["by_named"], true, "{view}");
}

/// What the page in a browser says of packages; `None` where there is no node or no Chromium.
fn in_browser(sandbox: &Sandbox, packages: &[&str]) -> Option<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/chromium.mjs");
    let mut command = Command::new("node");
    let command = command.current_dir(sandbox.path()).arg(script);
    let run = command.args(["verifier.html", ""]).args(packages).output();
    let Some(run) = run.ok().filter(|run| run.status.code() != Some(9)) else {
        let mut out = std::io::stderr();
        let _ = std::io::Write::write_all(&mut out, b"skipped: there is no node, or no chromium\n");
        return None;
    };
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    Some(serde_json::from_slice(&run.stdout).unwrap())
}

#[test]
fn the_page_in_a_package_reads_its_time_stamps() {
    let sandbox = sandbox();
    let Some(tsa) = Tsa::new(&sandbox, "clock") else {
        return;
    };
    tsa.stamp("c.tsq", "c.tsr");
    assert_eq!(attach(&sandbox, "c.tsr", "clock-ca.pem").code, 0);
    let ok = |args: &[&str]| {
        let run = sandbox.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
    };
    let make = ["evidence", "make", "shop.annals", "--unprotected", "--type"];
    let make = [&make[..], &["OrderPlaced", "--out"]].concat();
    ok(&[&make[..], &["good.zip"]].concat());
    // One bit of the signature, at the end of the response, is another.
    let file = sandbox.path().join("shop.annals");
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute_batch("DROP TRIGGER attestations_update")
        .unwrap();
    let mut stamp = std::fs::read(sandbox.path().join("c.tsr")).unwrap();
    *stamp.last_mut().unwrap() ^= 1;
    conn.execute("UPDATE attestations SET content = ?1", [&stamp])
        .unwrap();
    drop(conn);
    ok(&[&make[..], &["forged.zip"]].concat());
    let verify = ["evidence", "verify", "forged.zip", "--authority"];
    let run = sandbox.run(&[&verify[..], &["clock-ca.pem"]].concat());
    assert_eq!(run.code, 3, "{}", run.stdout);

    ok(&["evidence", "verifier", "--out", "verifier.html"]);
    let Some(said) = in_browser(&sandbox, &["good.zip", "forged.zip"]) else {
        return;
    };
    let text = said["good.zip"]["text"].as_str().unwrap();
    assert_eq!(said["good.zip"]["outcome"], "intact", "{text}");
    for told in [
        "by CN=clock-stamps",
        "its signature is by the certificate that came along",
        "whether that certificate is an authority's that you trust",
    ] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    let forged = &said["forged.zip"];
    assert_eq!(forged["outcome"], "problems", "{forged}");
    assert_eq!(forged["kinds"], serde_json::json!(["timestamp_differs"]));
}
