//! What goldens cannot show: pipes that break, stores that must not change.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Read;
use std::process::Stdio;

use support::Sandbox;

#[test]
fn no_output_replaces_the_store_or_what_is_read() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox
            .run(&["sample", "guide", "--out", "guide.annals"])
            .code,
        0
    );
    sandbox.write(
        "events.jsonl",
        "{\"orderId\":1,\"eventType\":\"A\"}\nnot json\n",
    );
    let before = std::fs::read(sandbox.path().join("guide.annals")).unwrap();
    for out in [
        "guide.annals",
        "./guide.annals",
        "guide.annals-wal",
        "guide.annals.d",
        "/dev/null",
    ] {
        let run = sandbox.run(&["export", "guide.annals", "--format", "jsonl", "--out", out]);
        assert_eq!(run.code, 1, "{out}: {}", run.stderr);
    }
    for rejects in ["guide.annals", "events.jsonl"] {
        let run = sandbox.run(&[
            "import",
            "events.jsonl",
            "--into",
            "guide.annals",
            "--rejects",
            rejects,
        ]);
        assert_eq!(run.code, 1, "{rejects}: {}", run.stderr);
    }
    assert!(
        std::fs::read(sandbox.path().join("guide.annals")).unwrap() == before,
        "the store is as it was"
    );
}

/// A sample is made under the same name in the making each time: after a kill it could not be made again.
#[test]
fn what_a_killed_run_left_is_told_and_hinders_nobody() {
    let sandbox = Sandbox::new();
    let made = sandbox.json(&["sample", "shop", "--out", "first.annals", "--events", "50"]);
    let id = made["id"].as_str().unwrap().replace('-', "");
    let left = format!("shop.annals.{id}.new");
    sandbox.write(&left, b"half a store");
    let again = ["sample", "shop", "--out", "shop.annals", "--events", "50"];
    let run = sandbox.run(&again);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = format!("{left} is left of a run that was stopped");
    assert!(run.stdout.contains(&told), "{}", run.stdout);
    let names = std::fs::read_dir(sandbox.path()).unwrap();
    let news = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".new")
    });
    assert_eq!(news.count(), 1, "its own is gone");
}

/// A slip of the tab key here cost a whole store: it became a mapping of a few lines.
#[test]
fn nobody_appends_erasures_or_holds_by_hand() {
    let sandbox = Sandbox::new();
    let made = sandbox.run(&["sample", "guide", "--out", "guide.annals"]);
    assert_eq!(made.code, 0);
    for stream in ["annals-holds", "annals-erasures"] {
        let event = ["--type", "HoldReleased", "--data", "{\"matter\":\"m\"}"];
        let run = sandbox.run(&[&["append", "guide.annals", stream], &event[..]].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("Annals' own stream"), "{}", run.stderr);
    }
}

#[test]
fn a_saved_mapping_replaces_no_store_and_nothing_that_is_read() {
    let sandbox = Sandbox::new();
    for store in ["guide.annals", "other.annals"] {
        assert_eq!(sandbox.run(&["sample", "guide", "--out", store]).code, 0);
    }
    std::fs::create_dir(sandbox.path().join("data")).unwrap();
    let table = "order_id,activity,timestamp\n7,placed,2024-01-15T10:30:00Z\n";
    sandbox.write("data/orders.csv", table);
    sandbox.write("other.annals-wal", [0x37, 0x7f, 0x06, 0x82, 0, 0, 0, 0]);
    sandbox.write("old.toml", "# an old one\n");
    let kept = || {
        [
            "guide.annals",
            "other.annals",
            "other.annals-wal",
            "data/orders.csv",
        ]
        .map(|file| std::fs::read(sandbox.path().join(file)).unwrap())
    };
    let before = kept();
    for map in [
        "guide.annals",
        "other.annals",
        "other.annals-wal",
        "data/orders.csv",
        "data",
        "/dev/null",
    ] {
        for way in [&["--into", "guide.annals"][..], &["--explain"]] {
            let run = sandbox.run(&[&["import", "data", "--save-map", map], way].concat());
            assert_eq!(run.code, 1, "{map} {way:?}: {}", run.stderr);
        }
        assert!(kept() == before, "{map}: everything is as it was");
    }
    let rejects = ["import", "data", "--into", "guide.annals", "--rejects"];
    let run = sandbox.run(&[&rejects[..], &["data/orders.csv"]].concat());
    assert_eq!(
        run.code, 1,
        "a file in a folder that is read: {}",
        run.stderr
    );
    assert!(kept() == before, "everything is as it was");
    // Where nothing can be lost it is written, and only when the import is done.
    let into = ["import", "data", "--into", "new.annals", "--save-map"];
    let run = sandbox.run(&[&into[..], &["new.annals"]].concat());
    assert_eq!(run.code, 1, "the store to be: {}", run.stderr);
    let run = sandbox.run(&[&into[..], &["old.toml"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let written = std::fs::read_to_string(sandbox.path().join("old.toml")).unwrap();
    assert!(written.contains("[event]"), "a mapping: {written}");
}

/// Positions come from scripts and hand-made links, too.
#[test]
fn pages_after_the_last_possible_position_are_empty() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["sample", "guide", "--out", "guide.annals"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for after in [u64::MAX, u64::MAX - 1, i64::MAX as u64, i64::MAX as u64 + 1] {
        let after = after.to_string();
        for text in [&[][..], &["--text", "a*"]] {
            let events = ["events", "guide.annals", "--after", &after];
            let view = sandbox.json(&[&events[..], text].concat());
            let empty = serde_json::json!([]);
            assert_eq!(
                view.get("events").or(view.get("hits")),
                Some(&empty),
                "{view}"
            );
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let sandbox = Sandbox::new();
    let line = r#"{"stream": "s-1", "type": "T", "data": {"text": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}"#;
    sandbox.write("many.jsonl", format!("{line}\n").repeat(5000));
    assert_eq!(sandbox.run(&["init", "x.annals"]).code, 0);
    let run = sandbox.run(&["append", "x.annals", "--batch", "many.jsonl", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut child = sandbox
        .command()
        .args(["events", "x.annals", "--limit", "100000", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// Losing or repeating an event here would let an alarm be missed, or rung twice.
#[cfg(unix)]
#[test]
fn a_tail_prints_each_event_of_other_processes_once() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "x.annals"]).code, 0);
    let append = |stream: &str, from: u32, to: u32| {
        let lines: String = (from..to)
            .map(|n| format!("{{\"stream\":\"{stream}\",\"type\":\"T\",\"data\":{{\"n\":{n},\"w\":\"tick {n}\"}}}}\n"))
            .collect();
        let file = format!("{stream}-{from}.jsonl");
        sandbox.write(&file, lines);
        let run = sandbox.run(&["append", "x.annals", "--batch", &file]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    append("a-1", 0, 5);
    let tail = |args: &[&str]| {
        let mut command = sandbox.command();
        command.args(["tail", "x.annals", "--json"]).args(args);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut all = tail(&["--lines", "2"]);
    let mut from_start = tail(&["--after", "0"]);
    let mut some = tail(&[
        "--after",
        "0",
        "--stream",
        "b-1",
        "--text",
        "n* OR tick -205",
    ]);
    let positions = |child: &mut std::process::Child, count: usize| -> Vec<u64> {
        let out = child.stdout.as_mut().unwrap();
        std::io::BufRead::lines(std::io::BufReader::with_capacity(1, out))
            .take(count)
            .map(|line| {
                let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                event["position"].as_u64().unwrap()
            })
            .collect()
    };
    // Told before anything comes: the last two.
    assert_eq!(positions(&mut all, 2), [4, 5]);
    std::thread::scope(|scope| {
        scope.spawn(|| append("a-1", 100, 160));
        scope.spawn(|| append("b-1", 200, 210));
    });
    append("a-1", 160, 170);
    assert_eq!(positions(&mut all, 80), (6..=85).collect::<Vec<u64>>());
    assert_eq!(
        positions(&mut from_start, 85),
        (1..=85).collect::<Vec<u64>>()
    );
    assert_eq!(positions(&mut some, 9).len(), 9);
    for mut child in [all, from_start, some] {
        let pid = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let mut rest = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(rest, "", "nothing comes twice");
        assert_eq!(
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stderr).as_ref()
            ),
            (Some(0), "")
        );
    }
}

#[test]
fn a_search_leaves_the_log_as_it_was_and_needs_no_cache_of_before() {
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "guide", "--out", "g.annals"]);
    let before = std::fs::read(sandbox.path().join("g.annals")).unwrap();
    let search = ["events", "g.annals", "--text", "shipped", "--count"];
    let first = sandbox.json(&search);
    assert_eq!(
        (&first["count"], &first["complete"]),
        (&3.into(), &true.into())
    );
    let cache = sandbox.path().join("g.annals.d/cache.sqlite");
    std::fs::write(&cache, "no database").unwrap();
    let run = sandbox.run(&search);
    assert_eq!((run.code, run.stdout.as_str()), (0, "3 events\n"));
    assert!(run.stderr.starts_with("note: "), "{}", run.stderr);
    std::fs::remove_file(&cache).unwrap();
    let (in_place, folder) = (
        sandbox.path().join("g.annals.d"),
        sandbox.path().join("models"),
    );
    std::fs::rename(&in_place, folder).unwrap();
    std::fs::write(&in_place, "a file, where no folder can be made").unwrap();
    let run = sandbox.run(&search);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "3 events\n"),
        "{}",
        run.stderr
    );
    let caches = sandbox.path().join(".cache/app.annals.desktop");
    assert!(caches.is_dir(), "the user's own folder for caches takes it");
    assert!(std::fs::read(sandbox.path().join("g.annals")).unwrap() == before);
}

#[test]
fn exploring_leaves_the_file_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "guide", "--out", "g.annals"]);
    let file = sandbox.path().join("g.annals");
    let before = std::fs::read(&file).unwrap();
    for args in [
        "info g.annals",
        "streams g.annals",
        "events g.annals",
        "show g.annals 1",
        "state g.annals account-12345",
        "diff g.annals account-12345 --from v1 --to v2",
        "export g.annals --format jsonl --out g.jsonl",
    ] {
        let words: Vec<&str> = args.split(' ').collect();
        let run = sandbox.run(&words);
        assert_eq!(run.code, 0, "{args}: {}", run.stderr);
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn pages_put_together_are_the_whole_log_in_either_direction() {
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "guide", "--out", "g.annals"]);
    for reverse in [false, true] {
        let mut seen = Vec::new();
        let mut after = None::<String>;
        loop {
            let mut args = vec!["events", "g.annals", "--limit", "7"];
            args.extend(reverse.then_some("--reverse"));
            if let Some(after) = &after {
                args.extend(["--after", after]);
            }
            let page = sandbox.json(&args);
            let events = page["events"].as_array().unwrap();
            seen.extend(events.iter().map(|e| e["position"].as_u64().unwrap()));
            match page["next"].as_u64() {
                Some(next) => after = Some(next.to_string()),
                None => break,
            }
        }
        let mut want: Vec<u64> = (1..=52).collect();
        if reverse {
            want.reverse();
        }
        assert_eq!(seen, want);
    }
}

#[test]
fn an_export_imports_back_to_the_same_events() {
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "guide", "--out", "g.annals"]);
    let run = sandbox.run(&[
        "export", "g.annals", "--format", "jsonl", "--out", "g.jsonl",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = sandbox.json(&["import", "g.jsonl", "--into", "copy.annals"]);
    assert_eq!(report["read"], 52);
    assert_eq!(report["stored"], 52);
    let strip = |store: &str| {
        let mut page = sandbox.json(&["events", store, "--stream", "order-789"]);
        let events = page["events"].as_array_mut().unwrap();
        events
            .iter_mut()
            .map(|event| {
                [
                    "stream",
                    "category",
                    "version",
                    "type",
                    "time",
                    "time_text",
                    "id",
                    "actor",
                    "data",
                    "metadata",
                ]
                .map(|key| event[key].take())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(strip("copy.annals"), strip("g.annals"));
    let again = sandbox.json(&["import", "g.jsonl", "--into", "copy.annals"]);
    assert_eq!(
        (again["stored"].clone(), again["duplicates"].clone()),
        (0.into(), 52.into())
    );
}

#[test]
#[cfg(unix)]
fn open_starts_the_app_beside_it_with_the_whole_path() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.run(&["init", "x.annals"]);
    std::fs::create_dir(sandbox.path().join("bin")).unwrap();
    // Programs are copied by a process of their own: a test beside this one that starts a process would
    // inherit a file that this one holds open to write, and the system runs no such file.
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let copied = std::process::Command::new("cp").args([from, to]).status();
        assert!(copied.unwrap().success());
    };
    let annals = sandbox.path().join("bin/annals");
    copy(env!("CARGO_BIN_EXE_annals").as_ref(), &annals);
    let app = sandbox.path().join("bin/annals-desktop");
    let script = sandbox.path().join("script");
    std::fs::write(&script, "#!/bin/sh\necho \"$1\" > \"$HOME/opened.tmp\" && mv \"$HOME/opened.tmp\" \"$HOME/opened\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    copy(&script, &app);
    let status = std::process::Command::new(&annals)
        .args(["open", "x.annals"])
        .current_dir(sandbox.path())
        .env_clear()
        .env("HOME", sandbox.path())
        .env("PATH", "/usr/bin:/bin")
        .env("DISPLAY", ":0")
        .status()
        .unwrap();
    assert!(status.success());
    let opened = sandbox.path().join("opened");
    // The app runs on its own; there is nothing to wait for but its doing.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !opened.exists() && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let text = std::fs::read_to_string(opened).unwrap();
    assert_eq!(
        text.trim_end(),
        std::fs::canonicalize(sandbox.path())
            .unwrap()
            .join("x.annals")
            .to_str()
            .unwrap()
    );
}

/// Whoever came second at a store that was just being made heard that it was no store.
#[test]
fn the_first_imports_at_once_into_a_new_store_all_work() {
    let sandbox = Sandbox::new();
    let record = |n: usize| {
        format!(
            r#"{{"orderId": {n}, "eventType": "OrderPlaced", "timestamp": "2024-01-15T10:30:00Z"}}"#
        )
    };
    for n in 0..6 {
        sandbox.write(&format!("{n}.jsonl"), record(n));
    }
    sandbox.write("broken.xes", "<log><trace>");
    let start = |file: &str| {
        let mut command = sandbox.command();
        command.args(["import", file, "--into", "new.annals"]);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let mut running = vec![start("broken.xes")];
    running.extend((0..6).map(|n| start(&format!("{n}.jsonl"))));
    for (n, child) in running.into_iter().enumerate() {
        let ended = child.wait_with_output().unwrap();
        let want = if n == 0 { 1 } else { 0 };
        assert_eq!(
            ended.status.code(),
            Some(want),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    assert_eq!(sandbox.json(&["info", "new.annals"])["events"], 6);
    let beside = std::fs::read_dir(sandbox.path()).unwrap();
    let stores = beside.filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("annals")
    });
    assert_eq!(stores.count(), 1, "nothing lies beside the store");
}

/// The access log of the only log in the sandbox.
fn access_file(sandbox: &Sandbox) -> std::path::PathBuf {
    let logs = sandbox.data().join("logs");
    let folder = std::fs::read_dir(logs).unwrap().next().unwrap().unwrap();
    folder.path().join("access.jsonl")
}

#[test]
fn a_look_is_written_down_before_the_answer_and_its_loss_is_found() {
    let sandbox = Sandbox::new();
    sandbox.json(&["init", "x.annals"]);
    for purpose in ["one", "two", "three"] {
        let run = sandbox.run(&["info", "x.annals", "--purpose", purpose]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let run = sandbox.run(&["access-log", "x.annals"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("two") && run.stdout.contains("checked 4 looks"),
        "{}",
        run.stdout
    );
    let head = sandbox.json(&["access-log", "x.annals"])["head"]
        .as_str()
        .unwrap()
        .to_owned();

    let file = access_file(&sandbox);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"two\"", "\"tow\"")).unwrap();
    let run = sandbox.run(&["access-log", "x.annals", "--no-access-log"]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout
            .contains("line 3: entry 2 is not what it was when entry 3 was written"),
        "{}",
        run.stdout
    );

    let cut: String = text
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, cut).unwrap();
    let run = sandbox.run(&["access-log", "x.annals", "--no-access-log"]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout
            .contains("there were 5 entries; the last one here is 2"),
        "{}",
        run.stdout
    );

    // Without the file beside, only somebody who noted an entry can tell.
    std::fs::remove_file(file.with_file_name("access.head")).unwrap();
    let against = format!("5:{head}");
    let run = sandbox.run(&[
        "access-log",
        "x.annals",
        "--no-access-log",
        "--against",
        &against,
    ]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout
            .contains("the entry that was noted elsewhere says that there were 5"),
        "{}",
        run.stdout
    );
}

#[test]
fn nothing_is_answered_where_the_look_cannot_be_written_down() {
    let sandbox = Sandbox::new();
    sandbox.json(&["sample", "guide", "--out", "x.annals"]);
    std::fs::write(sandbox.data().join("logs"), "in the way").unwrap();
    let run = sandbox.run(&["state", "x.annals", "order-789"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.contains("the access log") && run.stderr.contains("--no-access-log"),
        "{}",
        run.stderr
    );
    assert_eq!(
        sandbox
            .run(&["state", "x.annals", "order-789", "--no-access-log"])
            .code,
        0
    );

    let run = sandbox
        .command()
        .env_remove("ANNALS_DATA_DIR")
        .env_remove("HOME")
        .args(["info", "x.annals"])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("names no home"));
}

#[test]
fn commands_at_once_make_one_chain() {
    let sandbox = Sandbox::new();
    sandbox.json(&["init", "x.annals"]);
    let children: Vec<_> = (0..8)
        .map(|_| {
            sandbox
                .command()
                .args(["info", "x.annals"])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let view = sandbox.json(&["access-log", "x.annals"]);
    assert_eq!(
        (view["lines"].as_u64(), view["intact"].as_bool()),
        (Some(9), Some(true)),
        "{view}"
    );
}

#[test]
fn a_line_of_100_mb_is_rejected_with_the_limit_and_the_lines_beside_it_are_stored() {
    let sandbox = Sandbox::new();
    let giant = format!(
        "{{\"streamId\":\"a-2\",\"eventType\":\"T\",\"data\":{{\"x\":\"{}\"}}}}",
        "x".repeat(100_000_000)
    );
    sandbox.write(
        "giant.jsonl",
        format!(
            "{{\"streamId\":\"a-1\",\"eventType\":\"T\",\"data\":{{}}}}\n{giant}\n\
             {{\"streamId\":\"a-3\",\"eventType\":\"T\",\"data\":{{}}}}\n"
        ),
    );
    let run = sandbox.run(&[
        "import",
        "giant.jsonl",
        "--into",
        "s.annals",
        "--rejects",
        "rejects.jsonl",
        "--json",
    ]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let report = run.json();
    let counts = ["read", "stored", "duplicates", "rejected"].map(|of| report[of].as_u64());
    assert_eq!(counts, [Some(3), Some(2), Some(0), Some(1)]);
    let rejects = std::fs::read_to_string(sandbox.path().join("rejects.jsonl")).unwrap();
    assert!(
        rejects.len() < 70_000_000 && rejects.lines().count() == 1,
        "one reject, cut"
    );
    assert!(rejects.contains("longer than 64 MiB"), "it says why");
    let events = sandbox.json(&["events", "s.annals"]);
    let streams = events["events"].as_array().unwrap().iter();
    let streams: Vec<_> = streams.map(|event| event["stream"].as_str()).collect();
    assert_eq!(streams, [Some("a-1"), Some("a-3")]);
}
