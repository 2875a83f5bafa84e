//! A store that somebody changed is found out: each way on a copy of its own, through the command line.
//!
//! The file is opened as any SQLite program would, the triggers that stand in the way are dropped and made again,
//! so that only what was changed can tell.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use support::{Run, Sandbox};

/// A sandbox with a shop of a few hundred events, more than two tiles of them.
fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    let args = ["sample", "shop", "--events", "700", "--out", "shop.annals"];
    let run = sandbox.run(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    sandbox
}

/// Does something to a file that its triggers would refuse, and leaves them as they were.
fn tamper(file: &Path, statements: &str) {
    let conn = Connection::open(file).unwrap();
    let triggers: Vec<(String, String)> = conn
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (name, _) in &triggers {
        conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    conn.execute_batch(statements)
        .unwrap_or_else(|error| panic!("{error}: {statements}"));
    for (_, sql) in &triggers {
        conn.execute_batch(sql).unwrap();
    }
}

fn verify(sandbox: &Sandbox, store: &str) -> (Run, Value) {
    let run = sandbox.run(&["verify", store, "--json"]);
    let view = run.json();
    (run, view)
}

/// Kinds and places that were found.
fn found(view: &Value) -> Vec<(String, Option<u64>)> {
    let findings = view["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|f| f["grade"] != "notice");
    findings
        .map(|f| {
            let kind = f["kind"].as_str().unwrap().to_owned();
            (kind, f["position"].as_u64())
        })
        .collect()
}

#[test]
fn an_untouched_store_is_intact_and_says_what_was_checked() {
    let sandbox = shop();
    let before = std::fs::read(sandbox.path().join("shop.annals")).unwrap();
    let (run, view) = verify(&sandbox, "shop.annals");
    assert_eq!(
        (run.code, &view["outcome"]),
        (0, &"intact".into()),
        "{view}"
    );
    let events = view["tree_size"].as_u64().unwrap();
    assert!(events >= 700, "{events}");
    assert_eq!(view["events_checked"].as_u64(), Some(events));
    let info = sandbox.json(&["info", "shop.annals"]);
    assert_eq!(
        view["root"], info["root"],
        "the root is made from the events"
    );
    assert_eq!(found(&view), []);
    let checked = view["checked"].as_array().unwrap();
    assert!(
        checked.iter().any(|c| c["count"] == 2),
        "two full tiles: {checked:?}"
    );
    assert!(
        before == std::fs::read(sandbox.path().join("shop.annals")).unwrap(),
        "verifying changes nothing"
    );
}

/// What is done to the file, and the finding that must be among those told: kind and place.
type Attack = (&'static str, &'static str, &'static str, Option<u64>);

const ATTACKS: [Attack; 37] = [
    (
        "a byte of the payload",
        "UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '{', '{ ') AS BLOB) WHERE position = 300",
        "content_changed",
        Some(300),
    ),
    (
        "the payload of the last event",
        "UPDATE events SET data = CAST('{}' AS BLOB) WHERE position = (SELECT size FROM head)",
        "content_changed",
        None,
    ),
    (
        "a byte of the metadata",
        "UPDATE events SET metadata = CAST(CAST(metadata AS TEXT) || ' ' AS BLOB) WHERE position = 7",
        "content_changed",
        Some(7),
    ),
    (
        "the type",
        "UPDATE events SET type = 1 + (type = 1) WHERE position = 8",
        "content_changed",
        Some(8),
    ),
    (
        "the name of a type",
        "UPDATE types SET name = name || '2' WHERE id = (SELECT type FROM events WHERE position = 9)",
        "content_changed",
        None,
    ),
    (
        "the time",
        "UPDATE events SET time_us = time_us + 1 WHERE position = 10",
        "content_changed",
        Some(10),
    ),
    (
        "the nanoseconds",
        "UPDATE events SET time_sub_ns = 1 WHERE position = 10",
        "content_changed",
        Some(10),
    ),
    (
        "the time as written",
        "UPDATE events SET time_text = 'x' WHERE position = 11",
        "content_changed",
        Some(11),
    ),
    (
        "what was assumed of the time",
        "UPDATE events SET time_flags = 7 WHERE position = 11",
        "content_changed",
        Some(11),
    ),
    (
        "when it was recorded",
        "UPDATE events SET recorded_us = recorded_us - 1 WHERE position = 12",
        "content_changed",
        Some(12),
    ),
    (
        "the id",
        "UPDATE events SET id = id || 'x' WHERE position = 13",
        "content_changed",
        Some(13),
    ),
    (
        "the schema version",
        "UPDATE events SET schema_version = '9' WHERE position = 13",
        "content_changed",
        Some(13),
    ),
    (
        "the stream",
        "UPDATE events SET stream = 1 + (stream = 1) WHERE position = 14",
        "content_changed",
        Some(14),
    ),
    (
        "the stream's name",
        "UPDATE streams SET name = name || 'x' WHERE id = (SELECT stream FROM events WHERE position = 14)",
        "content_changed",
        None,
    ),
    (
        "the category",
        "UPDATE streams SET category = 1 + (category = 1) WHERE id = (SELECT stream FROM events WHERE position = 14)",
        "content_changed",
        None,
    ),
    (
        "a salt",
        "UPDATE events SET salts = zeroblob(16) WHERE position = 15",
        "content_changed",
        Some(15),
    ),
    (
        "the content type",
        "INSERT INTO content_types(id, name) VALUES (99, 'text/plain'); UPDATE events SET data_type = 99 WHERE position = 15",
        "content_changed",
        Some(15),
    ),
    (
        "the actor beside the event",
        "UPDATE events SET actor = 1 + (actor IS 1) WHERE position = (SELECT min(position) FROM events WHERE actor IS NOT NULL)",
        "column_differs",
        None,
    ),
    (
        "the correlation beside the event",
        "UPDATE events SET correlation = 'x' WHERE position = 20",
        "column_differs",
        Some(20),
    ),
    (
        "the actor's name",
        "UPDATE actors SET name = name || 'x' WHERE id = 1",
        "column_differs",
        None,
    ),
    (
        "an event deleted",
        "DELETE FROM events WHERE position = 100",
        "event_missing",
        Some(100),
    ),
    (
        "an event deleted with its traces",
        "DELETE FROM links WHERE position = 100; DELETE FROM by_time WHERE position = 100; DELETE FROM by_type WHERE position = 100; DELETE FROM by_actor WHERE position = 100; DELETE FROM by_correlation WHERE position = 100; DELETE FROM events WHERE position = 100",
        "event_missing",
        Some(100),
    ),
    (
        "the tail cut off",
        "DELETE FROM events WHERE position > 690",
        "event_missing",
        Some(691),
    ),
    (
        "an event inserted after the end",
        "INSERT INTO events SELECT position + 1, stream, version + 1, type, time_us, time_sub_ns, time_flags, time_text, recorded_us, id || 'x', source, source_id, source_version, source_position, source_recorded_us, source_recorded_sub_ns, actor, correlation, causation, schema_version, salts, data_type, metadata_type, leaf, metadata, data FROM events WHERE position = (SELECT size FROM head)",
        "event_added",
        None,
    ),
    (
        "neighbours swapped",
        "UPDATE events SET position = -50 WHERE position = 50; UPDATE events SET position = 50 WHERE position = 51; UPDATE events SET position = 51 WHERE position = -50",
        "leaf_replaced",
        Some(50),
    ),
    (
        "neighbours swapped after the last full tile",
        "UPDATE events SET position = -50 WHERE position = 600; UPDATE events SET position = 600 WHERE position = 601; UPDATE events SET position = 601 WHERE position = -50",
        "head_differs",
        None,
    ),
    (
        "versions renumbered",
        "UPDATE events SET version = version + 100 WHERE stream = 3; UPDATE links SET version = version + 100 WHERE stream = 3",
        "version_order",
        None,
    ),
    (
        "two versions exchanged in the stream only",
        "UPDATE links SET version = -1 WHERE stream = 3 AND version = 1; UPDATE links SET version = 1 WHERE stream = 3 AND version = 2; UPDATE links SET version = 2 WHERE stream = 3 AND version = -1",
        "link_differs",
        None,
    ),
    (
        "an event taken out of its stream",
        "DELETE FROM links WHERE position = 60",
        "link_differs",
        Some(60),
    ),
    (
        "a tile changed",
        "UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 0 AND idx = 1",
        "leaf_replaced",
        Some(257),
    ),
    (
        "a tile missing",
        "DELETE FROM tiles WHERE level = 0 AND idx = 1",
        "tile_differs",
        Some(257),
    ),
    (
        "a tile too many",
        "INSERT INTO tiles VALUES (3, 0, zeroblob(8192))",
        "tile_differs",
        None,
    ),
    (
        "the root in the head",
        "UPDATE head SET root = zeroblob(32)",
        "head_differs",
        None,
    ),
    (
        "the number in the head",
        "UPDATE head SET size = size + 1",
        "event_missing",
        None,
    ),
    (
        "an entry by type gone",
        "DELETE FROM by_type WHERE position = 70",
        "index_differs",
        Some(70),
    ),
    (
        "an entry by time moved",
        "UPDATE by_time SET time_us = 0 WHERE position = 71",
        "index_differs",
        Some(71),
    ),
    (
        "a number of events",
        "UPDATE types SET events = events + 1 WHERE id = 2",
        "counter_differs",
        None,
    ),
];

#[test]
fn every_change_of_the_file_is_found_at_its_place() {
    let sandbox = shop();
    let mut missed = Vec::new();
    for (n, (name, statements, kind, position)) in ATTACKS.into_iter().enumerate() {
        let copy = format!("{n}.annals");
        std::fs::copy(
            sandbox.path().join("shop.annals"),
            sandbox.path().join(&copy),
        )
        .unwrap();
        tamper(&sandbox.path().join(&copy), statements);
        let (run, view) = verify(&sandbox, &copy);
        let all = found(&view);
        let hit =
            |(k, p): &(String, Option<u64>)| k == kind && (position.is_none() || *p == position);
        if run.code != 3 || !all.iter().any(hit) {
            missed.push(format!("{name}: exit {}, {all:?}", run.code));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn an_erasure_that_no_event_tells_of_is_found() {
    let sandbox = shop();
    let erase = [
        "privacy",
        "erase",
        "shop.annals",
        "cust-2",
        "--mentions",
        "--yes",
    ];
    let run = sandbox.run(&erase);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (run, view) = verify(&sandbox, "shop.annals");
    assert_eq!(run.code, 0, "{view}");
    // Said to be erased by an event that is there and tells of something else.
    let file = sandbox.path().join("shop.annals");
    tamper(
        &file,
        "UPDATE erasures SET event_position = 1 WHERE position = (SELECT MIN(position) FROM erasures)",
    );
    let (run, view) = verify(&sandbox, "shop.annals");
    let kinds: Vec<String> = found(&view).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(run.code, 3, "{view}");
    assert!(kinds.contains(&"erasure_differs".to_owned()), "{kinds:?}");
}

#[test]
fn a_leaf_made_again_to_hide_a_change_is_found() {
    let sandbox = shop();
    let file = sandbox.path().join("shop.annals");
    for (position, kind) in [(300, "leaf_replaced"), (650, "head_differs")] {
        tamper(
            &file,
            &format!("UPDATE events SET data = CAST('{{}}' AS BLOB) WHERE position = {position}"),
        );
        let (_, view) = verify(&sandbox, "shop.annals");
        let mut changed = view["findings"].as_array().unwrap().iter();
        let changed = changed.rfind(|f| f["kind"] == "content_changed").unwrap();
        let detail = changed["detail"].as_str().unwrap();
        let leaf = detail
            .split("leaf hash ")
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap();
        tamper(
            &file,
            &format!("UPDATE events SET leaf = x'{leaf}' WHERE position = {position}"),
        );
        let (run, view) = verify(&sandbox, "shop.annals");
        assert_eq!(run.code, 3);
        assert!(
            !found(&view).iter().any(|(k, _)| k == "content_changed"),
            "hidden from the first look"
        );
        assert!(found(&view).iter().any(|(k, _)| k == kind), "{view}");
    }
}

#[test]
fn missing_rules_of_the_file_are_found() {
    let sandbox = shop();
    let conn = Connection::open(sandbox.path().join("shop.annals")).unwrap();
    conn.execute_batch("DROP TRIGGER events_update; DROP INDEX links_by_position")
        .unwrap();
    drop(conn);
    let (run, view) = verify(&sandbox, "shop.annals");
    assert_eq!(run.code, 3, "{view}");
    let details: Vec<&str> = view["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["detail"].as_str().unwrap())
        .collect();
    assert!(
        details.contains(&"the trigger events_update is missing"),
        "{details:?}"
    );
    assert!(
        details.contains(&"the index links_by_position is missing"),
        "{details:?}"
    );
}

#[test]
fn what_is_no_store_is_unreadable_and_what_is_not_there_is_an_error() {
    let sandbox = shop();
    let whole = std::fs::read(sandbox.path().join("shop.annals")).unwrap();
    sandbox.write("text.annals", "not a database");
    sandbox.write("cut.annals", &whole[..whole.len() / 2]);
    sandbox.write("head.annals", &whole[..50]);
    sandbox.write("empty.annals", "");
    for store in ["text.annals", "cut.annals", "head.annals", "empty.annals"] {
        let (run, view) = verify(&sandbox, store);
        assert_eq!(
            (run.code, &view["outcome"]),
            (4, &"unreadable".into()),
            "{store}: {view}"
        );
        assert_eq!(view["findings"][0]["kind"], "unreadable");
    }
    let run = sandbox.run(&["verify", "none.annals"]);
    assert_eq!(run.code, 1, "{run:?}");
}

/// Every page once, so that whatever lies on it is damaged in turn.
#[test]
fn a_page_of_garbage_is_told_wherever_it_lies() {
    let sandbox = shop();
    let good = std::fs::read(sandbox.path().join("shop.annals")).unwrap();
    let pages = good.len() / 4096;
    let mut told = [0; 2];
    for page in (1..pages).step_by(7) {
        let mut bytes = good.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        sandbox.write("bad.annals", &bytes);
        let run = sandbox.run(&["verify", "bad.annals", "--json"]);
        assert!([3, 4].contains(&run.code), "page {page}: {run:?}");
        assert!(
            !run.json()["findings"].as_array().unwrap().is_empty(),
            "page {page}"
        );
        told[usize::from(run.code == 4)] += 1;
    }
    assert!(
        told[0] > told[1],
        "most damage leaves the rest to be verified: {told:?}"
    );
}

/// The shop with two checkpoints, kept as files too: one of 700 or so events, one of three more.
fn signed() -> Sandbox {
    let sandbox = shop();
    let sign = |out: &str| {
        let run = sandbox.run(&["checkpoint", "shop.annals", "--unprotected", "--out", out]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    sign("first.note");
    for n in 1..=3 {
        let data = format!("{{\"n\":{n}}}");
        let args = [
            "append",
            "shop.annals",
            "extra-1",
            "--type",
            "Added",
            "--data",
            &data,
        ];
        let run = sandbox.run(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    sign("second.note");
    sandbox
}

fn details(view: &Value) -> String {
    let findings = view["findings"].as_array().unwrap().iter();
    findings
        .map(|f| f["detail"].as_str().unwrap().to_owned() + "\n")
        .collect()
}

#[test]
fn a_log_agrees_with_what_was_signed_over_it() {
    let sandbox = signed();
    let run = sandbox.run(&["prove", "shop.annals", "300", "--out", "300.tlog-proof"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = sandbox.run(&["key", "export", "shop.annals"]);
    sandbox.write("log.key", &run.stdout);
    let args = [
        "verify",
        "shop.annals",
        "--json",
        "--against",
        "first.note",
        "--against",
        "second.note",
        "--against",
        "300.tlog-proof",
        "--key",
        "log.key",
    ];
    let run = sandbox.run(&args);
    let view = run.json();
    assert_eq!((run.code, details(&view).as_str()), (0, ""), "{view}");
    assert_eq!(view["signed_size"], view["tree_size"]);
}

/// A forger who has the whole file at hand, and makes everything in it agree again.
fn rewritten(sandbox: &Sandbox, without_last: u64, into: &str) {
    let size = sandbox.json(&["info", "shop.annals"])["events"]
        .as_u64()
        .unwrap();
    let to = (size - without_last).to_string();
    let run = sandbox.run(&["restore", "shop.annals", "--to", &to, "--out", into]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_tail_cut_off_with_everything_made_to_agree_is_found_against_a_checkpoint() {
    let sandbox = signed();
    rewritten(&sandbox, 2, "cut.annals");
    let (run, view) = verify(&sandbox, "cut.annals");
    assert_eq!(run.code, 0, "by itself it is whole: {view}");
    let run = sandbox.run(&["verify", "cut.annals", "--json", "--against", "second.note"]);
    let view = run.json();
    assert_eq!((run.code, found(&view).len()), (3, 1), "{view}");
    assert_eq!(view["findings"][0]["kind"], "tail_cut_off");
    let run = sandbox.run(&["verify", "cut.annals", "--against", "first.note"]);
    assert_eq!(
        run.code, 0,
        "the first checkpoint still holds: {}",
        run.stdout
    );
}

#[test]
fn a_copy_that_was_appended_to_elsewhere_is_a_split_view_when_both_checkpoints_meet() {
    let sandbox = signed();
    rewritten(&sandbox, 3, "fork.annals");
    for n in 0..3 {
        let data = format!("{{\"other\":{n}}}");
        let args = [
            "append",
            "fork.annals",
            "extra-1",
            "--type",
            "Added",
            "--data",
            &data,
        ];
        assert_eq!(sandbox.run(&args).code, 0);
    }
    let run = sandbox.run(&["checkpoint", "fork.annals", "--out", "fork.note"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for (store, note) in [("shop.annals", "fork.note"), ("fork.annals", "second.note")] {
        let run = sandbox.run(&["verify", store, "--json", "--against", note]);
        let view = run.json();
        assert_eq!(run.code, 3, "{view}");
        assert!(details(&view).contains("split view"), "{view}");
    }
}

#[test]
fn a_checkpoint_that_the_log_no_longer_keeps_is_missed() {
    let sandbox = signed();
    tamper(
        &sandbox.path().join("shop.annals"),
        "DELETE FROM checkpoints WHERE number = 2",
    );
    let (run, _) = verify(&sandbox, "shop.annals");
    assert_eq!(run.code, 0, "nothing comes after the last one");
    let run = sandbox.run(&[
        "verify",
        "shop.annals",
        "--json",
        "--against",
        "second.note",
    ]);
    let view = run.json();
    assert_eq!(view["findings"][0]["kind"], "checkpoint_missing", "{view}");
}

#[test]
fn a_replaced_key_and_another_logs_checkpoint_are_found() {
    let sandbox = signed();
    let key = sandbox.run(&["key", "export", "shop.annals"]).stdout;
    sandbox.write("log.key", &key);
    // Everything that was signed is thrown away, and signed anew by another key.
    tamper(
        &sandbox.path().join("shop.annals"),
        "DELETE FROM checkpoints; DELETE FROM keys",
    );
    std::fs::remove_dir_all(sandbox.data()).unwrap();
    let run = sandbox.run(&[
        "checkpoint",
        "shop.annals",
        "--unprotected",
        "--out",
        "new.note",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (run, view) = verify(&sandbox, "shop.annals");
    assert_eq!(run.code, 0, "by itself it agrees: {view}");
    assert!(
        view["not_checked"]
            .to_string()
            .contains("replaced together"),
        "and it says so: {view}"
    );
    for with in [["--against", "second.note"], ["--key", "log.key"]] {
        let run = sandbox.run(&[&["verify", "shop.annals", "--json"][..], &with].concat());
        let view = run.json();
        let kinds = found(&view);
        assert!(
            kinds
                .iter()
                .any(|(kind, _)| kind == "key_unknown" || kind == "key_replaced"),
            "{with:?}: {kinds:?}"
        );
    }
    assert_eq!(
        sandbox
            .run(&["sample", "guide", "--out", "guide.annals"])
            .code,
        0
    );
    let run = sandbox.run(&[
        "verify",
        "guide.annals",
        "--json",
        "--against",
        "first.note",
    ]);
    // Nothing of this log is wrong: what it was to be compared with is not its own.
    assert_eq!(run.json()["findings"][0]["kind"], "other_log");
    assert_eq!(run.json()["findings"][0]["grade"], "gap");
    assert_eq!(
        (run.code, &run.json()["outcome"]),
        (4, &"unreadable".into())
    );
}

#[test]
fn what_is_no_checkpoint_is_unusable_input_and_no_evidence_against_the_log() {
    let sandbox = signed();
    let good = std::fs::read_to_string(sandbox.path().join("second.note")).unwrap();
    sandbox.write("empty.note", "");
    sandbox.write("binary.note", [0xFFu8, 0xFE, 0, 1]);
    sandbox.write("cut.note", &good[..good.len() / 2]);
    sandbox.write("text.note", "dear auditor\n");
    for file in [
        "empty.note",
        "binary.note",
        "cut.note",
        "text.note",
        "shop.annals",
    ] {
        let run = sandbox.run(&["verify", "shop.annals", "--json", "--against", file]);
        let view = run.json();
        assert_eq!(run.code, 4, "{file}: {view}");
        assert_eq!(view["outcome"], "unreadable", "{file}");
        assert_eq!(view["findings"][0]["kind"], "unreadable", "{file}: {view}");
        assert!(details(&view).contains(file), "{file}: {view}");
    }
    // Beside something that is evidence, it does not hide it.
    tamper(
        &sandbox.path().join("shop.annals"),
        "UPDATE events SET data = CAST('{}' AS BLOB) WHERE position = 7",
    );
    let run = sandbox.run(&["verify", "shop.annals", "--json", "--against", "empty.note"]);
    assert_eq!((run.code, &run.json()["outcome"]), (3, &"problems".into()));
}

#[test]
fn a_proof_of_another_event_or_another_log_is_found() {
    let sandbox = signed();
    for position in ["300", "301"] {
        let out = format!("{position}.tlog-proof");
        assert_eq!(
            sandbox
                .run(&["prove", "shop.annals", position, "--out", &out])
                .code,
            0
        );
    }
    let read = |name: &str| std::fs::read_to_string(sandbox.path().join(name)).unwrap();
    let (good, other) = (read("300.tlog-proof"), read("301.tlog-proof"));
    let extra = |text: &str| text.lines().nth(1).unwrap().to_owned();
    sandbox.write("swapped", good.replace(&extra(&good), &extra(&other)));
    sandbox.write("moved", good.replace("index 299", "index 298"));
    sandbox.write("broken", good.replace("index 299", "index x"));
    for (file, kind, code) in [
        ("swapped", "proof_differs", 3),
        ("moved", "proof_differs", 3),
        ("broken", "unreadable", 4),
    ] {
        let run = sandbox.run(&["verify", "shop.annals", "--json", "--against", file]);
        assert_eq!(
            (run.code, &run.json()["findings"][0]["kind"]),
            (code, &kind.into()),
            "{file}"
        );
    }
    let shop = [
        "sample",
        "shop",
        "--events",
        "700",
        "--seed",
        "9",
        "--out",
        "other.annals",
    ];
    assert_eq!(sandbox.run(&shop).code, 0);
    let run = sandbox.run(&[
        "verify",
        "other.annals",
        "--json",
        "--against",
        "300.tlog-proof",
    ]);
    assert_eq!(run.json()["findings"][0]["kind"], "other_log");
}

#[test]
fn a_passphrase_protects_the_key_and_a_wrong_one_signs_nothing() {
    let sandbox = shop();
    sandbox.write("right", "correct horse\n");
    sandbox.write("wrong", "battery\n");
    let sign = |args: &[&str]| sandbox.run(&[&["checkpoint", "shop.annals"], args].concat());
    let run = sign(&[]);
    assert_eq!(run.code, 1, "nobody said how it is protected");
    assert!(run.stderr.contains("--unprotected"), "{}", run.stderr);
    assert_eq!(sign(&["--passphrase-file", "right"]).code, 0);
    for args in [&["--passphrase-file", "wrong"][..], &[]] {
        let run = sign(args);
        assert_eq!(run.code, 1, "{args:?}");
        assert!(run.stderr.contains("passphrase"), "{}", run.stderr);
    }
    let run = sandbox.run(&["key", "show", "shop.annals"]);
    assert!(
        run.stdout.contains("protected by a passphrase"),
        "{}",
        run.stdout
    );
    let run = sandbox.run(&["key", "rotate", "shop.annals", "--passphrase-file", "right"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(sign(&["--passphrase-file", "right"]).code, 0);
    let (run, view) = verify(&sandbox, "shop.annals");
    assert_eq!(run.code, 0, "{view}");
    // The private key is gone: nobody can go on for it.
    std::fs::remove_dir_all(sandbox.data()).unwrap();
    let run = sign(&["--passphrase-file", "right"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("no private key"), "{}", run.stderr);
}

#[test]
fn a_snapshot_that_was_changed_is_found_by_a_replay() {
    let sandbox = shop();
    let streams = sandbox.json(&["streams", "shop.annals", "--limit", "1"]);
    let stream = streams["streams"][0]["stream"].as_str().unwrap();
    let run = sandbox.run(&["snapshot", "take", "shop.annals", stream]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let replay = ["verify", "shop.annals", "--replay", "--json"];
    let run = sandbox.run(&replay);
    let checked = run.json()["checked"].to_string();
    assert_eq!(run.code, 0, "{}", run.json());
    assert!(
        checked.contains("{\"what\":\"snapshots that are kept, against a replay\",\"count\":1}"),
        "{checked}"
    );
    let cache = sandbox.path().join("shop.annals.d/cache.sqlite");
    let conn = Connection::open(cache).unwrap();
    conn.execute_batch("UPDATE snapshots SET state = CAST('{}' AS BLOB)")
        .unwrap();
    drop(conn);
    let run = sandbox.run(&replay);
    assert_eq!(run.code, 3, "{}", run.json());
    assert_eq!(run.json()["findings"][0]["kind"], "snapshot_differs");
    // It was dropped, since it can be taken again.
    assert_eq!(sandbox.run(&replay).code, 0);
}
