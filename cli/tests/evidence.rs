//! Packages through the command line and through the page in a browser: intact ones, and each way of tampering that
//! must be found, named after what was done.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use annals_core::evidence::zip::{Archive, Writer};
use support::Sandbox;

const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const OTHER_SEED: &str = "0808080808080808080808080808080808080808080808080808080808080808";

/// The guide's store, and a package of one of its streams, `o.zip`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("seed", SEED);
    sandbox.write("letter.txt", "dear auditor");
    ok(&sandbox, &["sample", "guide", "--out", "guide.annals"]);
    make(&sandbox, "seed", "o.zip");
    sandbox
}

fn ok(sandbox: &Sandbox, args: &[&str]) {
    let run = sandbox.run(args);
    assert_eq!(run.code, 0, "annals {args:?}: {}", run.stderr);
}

fn make(sandbox: &Sandbox, seed: &str, out: &str) {
    ok(
        sandbox,
        &[
            "evidence",
            "make",
            "guide.annals",
            "--stream",
            "order-789",
            "--seed",
            seed,
            "--out",
            out,
            "--attach",
            "letter.txt",
            "--made-at",
            "2024-02-01",
            "--operator",
            "Ada",
            "--no-access-log",
        ],
    );
}

/// The key that packages made with [`SEED`] name.
fn key(sandbox: &Sandbox) -> String {
    let answer = sandbox.json(&["evidence", "verify", "o.zip"]);
    answer["facts"]["key"].as_str().unwrap().to_owned()
}

type Files = Vec<(String, Vec<u8>)>;

fn apart(package: &[u8]) -> Files {
    let archive = Archive::read(package).unwrap();
    let names: Vec<String> = archive.names().map(str::to_owned).collect();
    let file = |name: String| {
        let bytes = archive.file(&name).unwrap().unwrap();
        (name, bytes)
    };
    names.into_iter().map(file).collect()
}

fn together(files: &Files) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (name, bytes) in files {
        writer.add(name, bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn replace(files: &mut Files, name: &str, from: &str, to: &str) {
    let (_, bytes) = files.iter_mut().find(|(n, _)| n == name).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{from:?} is not in {name}");
    *bytes = text.replacen(from, to, 1).into_bytes();
}

/// Every occurrence of a name in the archive's own headers becomes another of the same length.
fn rename(package: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = package.to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|w| w == from.as_bytes()) {
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// Each way of tampering: its name, the package, exit code, and a kind of finding that must be there.
fn tampered(sandbox: &Sandbox) -> Vec<(&'static str, Vec<u8>, i32, &'static str)> {
    let package = std::fs::read(sandbox.path().join("o.zip")).unwrap();
    sandbox.write("other-seed", OTHER_SEED);
    make(sandbox, "other-seed", "key_replaced.zip");
    let key_replaced = std::fs::read(sandbox.path().join("key_replaced.zip")).unwrap();
    ok(
        sandbox,
        &["sample", "shop", "--out", "shop.annals", "--events", "52"],
    );
    ok(
        sandbox,
        &[
            "evidence",
            "make",
            "shop.annals",
            "--seed",
            "seed",
            "--out",
            "shop.zip",
        ],
    );
    let shop = apart(&std::fs::read(sandbox.path().join("shop.zip")).unwrap());
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = apart(&package);
        change(&mut files);
        together(&files)
    };
    let with = |name: &'static str, from: &'static str, to: &'static str| {
        changed(&|files| replace(files, name, from, to))
    };
    let line = |files: &Files| {
        let (_, rows) = files.iter().find(|(n, _)| n == "rows.jsonl").unwrap();
        let end = rows.iter().position(|b| *b == b'\n').unwrap();
        String::from_utf8(rows[..=end].to_vec()).unwrap()
    };
    let first = line(&apart(&package));
    let claim = |size: u32| {
        let mut bytes = package.clone();
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[central + 24..central + 28].copy_from_slice(&size.to_le_bytes());
        bytes
    };
    vec![
        (
            "row_left_out",
            changed(&|f| replace(f, "rows.jsonl", &first, "")),
            3,
            "rows_differ",
        ),
        (
            "row_doubled",
            changed(&|f| replace(f, "rows.jsonl", &first, &first.repeat(2))),
            3,
            "rows_differ",
        ),
        (
            "row_changed",
            with("rows.csv", "order-789", "order-780"),
            3,
            "rows_differ",
        ),
        (
            "total_changed",
            with("manifest.json", "\"109.97\"", "\"109.98\""),
            3,
            "manifest_changed",
        ),
        (
            "filter_text_changed",
            with("manifest.json", "of the stream", "of the Stream"),
            3,
            "reading_differs",
        ),
        (
            "query_changed",
            with("query.json", "order-789", "order-780"),
            3,
            "file_changed",
        ),
        (
            "attachment_swapped",
            with("attachments/letter.txt", "dear", "fear"),
            3,
            "file_changed",
        ),
        (
            "bytes_after_the_end",
            [&package[..], b"more"].concat(),
            3,
            "archive",
        ),
        (
            "manifest_reserialised",
            changed(&|files| {
                let (_, bytes) = files
                    .iter_mut()
                    .find(|(n, _)| n == "manifest.json")
                    .unwrap();
                let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                *bytes = serde_json::to_vec_pretty(&value).unwrap();
            }),
            3,
            "manifest_changed",
        ),
        (
            "unknown_member",
            with("manifest.json", "{\n", "{\n\"approved\":true,\n"),
            3,
            "manifest_malformed",
        ),
        (
            "other_algorithm",
            with("manifest.json", "Ed25519", "HMAC-SHA256"),
            3,
            "other_algorithm",
        ),
        (
            "proof_of_another_log",
            changed(&|files| {
                for name in ["proof/range.bin", "proof/checkpoint.note"] {
                    let (_, theirs) = shop.iter().find(|(n, _)| n == name).unwrap();
                    let (_, ours) = files.iter_mut().find(|(n, _)| n == name).unwrap();
                    ours.clone_from(theirs);
                }
            }),
            3,
            "other_log",
        ),
        ("key_replaced", key_replaced, 3, "other_key"),
        (
            "signature_left_out",
            changed(&|f| f.retain(|(n, _)| n != "manifest.note")),
            3,
            "bad_signature",
        ),
        (
            "file_added",
            changed(&|f| f.push(("more.txt".into(), vec![]))),
            3,
            "file_not_listed",
        ),
        (
            "traversal",
            rename(&package, "attachments/letter.txt", "../../../../letter.txt"),
            3,
            "archive",
        ),
        (
            "name_twice",
            rename(&package, "README.txt", "rows.jsonl"),
            3,
            "archive",
        ),
        (
            "truncated",
            package[..package.len() - 40].to_vec(),
            4,
            "unreadable",
        ),
        ("zip_bomb", claim(u32::MAX), 4, "unreadable"),
        ("bomb_within_its_claim", claim(3), 3, "file_changed"),
        ("no_package", b"hello".to_vec(), 4, "unreadable"),
    ]
}

#[test]
fn tampering_is_found_on_the_command_line() {
    let sandbox = sandbox();
    let key = key(&sandbox);
    let verify = ["evidence", "verify", "o.zip", "--key", &key];
    let answer = sandbox.json(&verify);
    assert_eq!(answer["outcome"], "intact", "{answer}");
    assert_eq!(answer["findings"], serde_json::json!([]));
    assert_eq!(answer["events_checked"], 52);
    for (name, bytes, code, kind) in tampered(&sandbox) {
        sandbox.write("changed.zip", bytes);
        let run = sandbox.run(&["evidence", "verify", "changed.zip", "--key", &key, "--json"]);
        assert_eq!(run.code, code, "{name}: {}{}", run.stdout, run.stderr);
        let answer = run.json();
        let kinds: Vec<&str> = answer["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["kind"].as_str().unwrap())
            .collect();
        assert!(kinds.contains(&kind), "{name}: {answer}");
    }
}

#[test]
fn the_page_in_a_browser_finds_the_same() {
    let sandbox = sandbox();
    let key = key(&sandbox);
    let page = "verifier.html";
    ok(&sandbox, &["evidence", "verifier", "--out", page]);
    let mut names = vec!["o.zip".to_owned()];
    let tampered = tampered(&sandbox);
    for (name, bytes, ..) in &tampered {
        names.push(format!("{name}.zip"));
        sandbox.write(&format!("{name}.zip"), bytes);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/chromium.mjs");
    let run = Command::new("node")
        .current_dir(sandbox.path())
        .arg(script)
        .args([page, &key])
        .args(&names)
        .output();
    let Some(run) = run.ok().filter(|run| run.status.code() != Some(9)) else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: there is no node, or no chromium"
        );
        return;
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(said["o.zip"]["outcome"], "intact", "{said}");
    let text = said["o.zip"]["text"].as_str().unwrap();
    assert!(text.contains("(the one that you gave)"), "{text}");
    for (name, _, code, kind) in tampered {
        let answer = &said[format!("{name}.zip")];
        let outcome = if code == 4 { "unreadable" } else { "problems" };
        assert_eq!(answer["outcome"], outcome, "{name}: {answer}");
        let kinds = answer["kinds"].as_array().unwrap();
        assert!(kinds.contains(&kind.into()), "{name}: {answer}");
    }
}

#[test]
fn the_same_package_twice_is_the_same_bytes_and_a_store_is_never_replaced() {
    let sandbox = sandbox();
    make(&sandbox, "seed", "again.zip");
    let read = |name: &str| std::fs::read(sandbox.path().join(name)).unwrap();
    assert_eq!(read("o.zip"), read("again.zip"));
    let before = read("guide.annals");
    for out in [
        "guide.annals",
        "guide.annals-wal",
        "no/such/folder.zip",
        "/dev/null",
    ] {
        let run = sandbox.run(&[
            "evidence",
            "make",
            "guide.annals",
            "--seed",
            "seed",
            "--out",
            out,
        ]);
        assert_eq!(run.code, 1, "{out}: {}", run.stderr);
    }
    assert_eq!(before, read("guide.annals"));
}

#[test]
fn what_is_withheld_is_not_in_the_package_and_is_said_to_be() {
    let sandbox = sandbox();
    for (withhold, gone) in [
        (&["data"][..], "cust-456"),
        (&["metadata"], "corr-abc123"),
        (&["data.customerId"], "cust-456"),
        (&["identity"], "evt-12345"),
    ] {
        let mut args = vec![
            "evidence",
            "make",
            "guide.annals",
            "--type",
            "OrderPlaced",
            "--seed",
            "seed",
            "--out",
            "w.zip",
        ];
        for what in withhold {
            args.extend(["--withhold", what]);
        }
        ok(&sandbox, &args);
        let answer = sandbox.json(&["evidence", "verify", "w.zip"]);
        assert_eq!(answer["outcome"], "intact", "{withhold:?}: {answer}");
        for (name, bytes) in apart(&std::fs::read(sandbox.path().join("w.zip")).unwrap()) {
            assert!(
                !String::from_utf8_lossy(&bytes).contains(gone),
                "{withhold:?}: {gone} is in {name}"
            );
        }
    }
}

#[test]
fn a_template_adds_its_report_and_the_logs_own_key_signs() {
    let sandbox = Sandbox::new();
    ok(&sandbox, &["sample", "guide", "--out", "guide.annals"]);
    let make = [
        "evidence",
        "make",
        "guide.annals",
        "audit-trail",
        "--stream",
        "order-789",
        "--out",
        "r.zip",
    ];
    let unsaid = sandbox.run(&make);
    assert_eq!(unsaid.code, 1, "no key is made unasked: {}", unsaid.stderr);
    ok(&sandbox, &[&make[..], &["--unprotected"]].concat());
    let key = sandbox
        .run(&["key", "show", "guide.annals", "--json"])
        .json();
    let key = key["held"]["verifier_key"].as_str().unwrap().to_owned();
    let answer = sandbox.json(&["evidence", "verify", "r.zip", "--key", &key]);
    assert_eq!(answer["outcome"], "intact", "{answer}");
    assert_eq!(answer["facts"]["key_known"], true);
    let files = apart(&std::fs::read(sandbox.path().join("r.zip")).unwrap());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "report/audit-trail.pdf",
        "report/audit-trail.html",
        "report/audit-trail.jsonl",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    // A report would show what is withheld.
    let refused = sandbox.run(&[&make[..], &["--withhold", "data"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let unknown = sandbox.run(&[
        "evidence",
        "make",
        "guide.annals",
        "no-such",
        "--out",
        "n.zip",
        "--unprotected",
    ]);
    assert_eq!(unknown.code, 1, "{}", unknown.stderr);
}

/// What the page in a browser says of packages; `None` where there is no node or no Chromium.
fn in_browser(sandbox: &Sandbox, key: &str, packages: &[&str]) -> Option<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/chromium.mjs");
    let run = Command::new("node")
        .current_dir(sandbox.path())
        .arg(script)
        .args(["verifier.html", key])
        .args(packages)
        .output();
    let Some(run) = run.ok().filter(|run| run.status.code() != Some(9)) else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: there is no node, or no chromium"
        );
        return None;
    };
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    Some(serde_json::from_slice(&run.stdout).unwrap())
}

/// A package signed by the log's third key, with a checkpoint of the first one in it.
#[test]
fn a_key_that_was_replaced_since_still_verifies() {
    let sandbox = Sandbox::new();
    ok(&sandbox, &["sample", "guide", "--out", "guide.annals"]);
    let checkpoint = ["checkpoint", "guide.annals", "--unprotected"];
    ok(
        &sandbox,
        &[&checkpoint[..], &["--out", "first.note"]].concat(),
    );
    let first = sandbox.run(&["key", "export", "guide.annals"]).stdout;
    for _ in 0..2 {
        ok(
            &sandbox,
            &["key", "rotate", "guide.annals", "--unprotected"],
        );
    }
    ok(
        &sandbox,
        &[
            "evidence",
            "make",
            "guide.annals",
            "--unprotected",
            "--since",
            "first.note",
            "--out",
            "r.zip",
        ],
    );
    ok(
        &sandbox,
        &["evidence", "verifier", "--out", "verifier.html"],
    );
    let answer = sandbox.json(&["evidence", "verify", "r.zip", "--key", first.trim()]);
    assert_eq!(answer["outcome"], "intact", "{answer}");
    assert_eq!(answer["facts"]["key_known"], true, "{answer}");

    // Each way to claim a key that never came into force; the signer signs the changed manifest anew.
    let key_file = std::fs::read_dir(sandbox.data().join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let signer = annals_core::signing::keyfile::KeyFile::read(&key_file).unwrap();
    let signer = signer.open(None).unwrap();
    let package = apart(&std::fs::read(sandbox.path().join("r.zip")).unwrap());
    let changed = |change: &dyn Fn(&mut Vec<serde_json::Value>)| {
        let mut files = package.clone();
        let (_, keys) = files
            .iter_mut()
            .find(|(n, _)| n == "proof/keys.json")
            .unwrap();
        let mut list: Vec<serde_json::Value> = serde_json::from_slice(keys).unwrap();
        change(&mut list);
        *keys = serde_json::to_vec(&list).unwrap();
        sign_anew(&mut files, &signer);
        together(&files)
    };
    type Mutation<'m> = &'m dyn Fn(&mut Vec<serde_json::Value>);
    let mutations: [(&str, Mutation<'_>); 5] = [
        ("key_left_out", &|list| drop(list.remove(1))),
        ("note_left_out", &|list| {
            list[1]["note"] = serde_json::Value::Null
        }),
        ("since_changed", &|list| list[2]["since"] = 7.into()),
        ("last_key_left_out", &|list| drop(list.pop())),
        ("member_unknown", &|list| list[0]["x"] = 1.into()),
    ];
    let mut names = vec!["r.zip".to_owned()];
    for (name, change) in mutations {
        let file = format!("{name}.zip");
        sandbox.write(&file, changed(change));
        let run = sandbox.run(&["evidence", "verify", &file, "--json", "--key", first.trim()]);
        assert_eq!(run.code, 3, "{name}");
        let told = run.json()["findings"].to_string();
        assert!(told.contains("other_key"), "{name}: {told}");
        names.push(file);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(said) = in_browser(&sandbox, first.trim(), &names) else {
        return;
    };
    assert_eq!(said["r.zip"]["outcome"], "intact", "{said}");
    for name in &names[1..] {
        assert_eq!(said[name]["outcome"], "problems", "{name}: {said}");
        let kinds = said[name]["kinds"].as_array().unwrap();
        assert!(kinds.contains(&"other_key".into()), "{name}: {said}");
    }
}

/// Makes a manifest agree with its files again, and signs it, as a dishonest maker would.
fn sign_anew(files: &mut Files, signer: &annals_core::integrity::note::SigningKey) {
    use annals_core::evidence::verify::{sha256, signed_text};
    let at = |name: &str, files: &Files| files.iter().position(|(n, _)| n == name).unwrap();
    let manifest_at = at("manifest.json", files);
    let mut manifest: serde_json::Value = serde_json::from_slice(&files[manifest_at].1).unwrap();
    for claim in manifest["files"].as_array_mut().unwrap() {
        let name = claim["name"].as_str().unwrap().to_owned();
        let bytes = &files[at(&name, files)].1;
        claim["size"] = bytes.len().into();
        claim["sha256"] = sha256(bytes).to_string().into();
    }
    files[manifest_at].1 = serde_json::to_vec(&manifest).unwrap();
    let log = manifest["log"].as_str().unwrap();
    let text = signed_text(log, &files[manifest_at].1);
    let mut note = annals_core::integrity::note::Note::new(&text).unwrap();
    note.sign(signer);
    let note_at = at("manifest.note", files);
    files[note_at].1 = note.to_text().into_bytes();
}
