//! Known answers on real logs, through the command line: each `facts.json` was computed by other tools.
//!
//! The logs lie beside the project (`../shared/datasets`, or where `ANNALS_DATASETS` points) and not in it;
//! where they are absent these tests say that they were skipped.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use support::Sandbox;
use support::known::{Known, count_by, dataset, first, rows, text, time, top};

fn xes(name: &str, file: &str) {
    let Some(known) = Known::import(name, &[file]) else {
        return;
    };
    let facts = &known.facts;
    for (key, want) in [
        ("read", &facts["events"]),
        ("stored", &facts["events"]),
        ("streams", &facts["cases"]),
        ("types", &facts["activities"]),
        ("rejected", &Value::from(0)),
    ] {
        assert_eq!(&known.report[key], want, "{name}: report, {key}");
    }

    let info = known.info();
    assert_eq!(info["events"], facts["events"], "{name}");
    assert_eq!(info["streams"], facts["cases"], "{name}");
    assert_eq!(info["actors"], facts["distinct_actors"], "{name}");
    assert_eq!(
        time(&info["first_time"]),
        time(&facts["first_event"]),
        "{name}"
    );
    assert_eq!(
        time(&info["last_time"]),
        time(&facts["last_event"]),
        "{name}"
    );
    let types = info["types"].as_array().unwrap().len();
    assert_eq!(facts["activities"], types, "{name}");
    assert_eq!(
        first(&rows(&info["types"]), 10),
        facts["events_per_activity_top10"],
        "{name}"
    );

    let events = known.events(&[]);
    assert_eq!(facts["events"], events.len(), "{name}");
    let actors = count_by(events.iter().map(|e| text(&e["actor"])));
    assert_eq!(top(actors, 5), facts["busiest_actors_top5"], "{name}");
    let busiest = text(&facts["busiest_actors_top5"][0][0]);
    assert_eq!(
        known.count(&["--actor", busiest]),
        facts["busiest_actors_top5"][0][1],
        "{name}"
    );
    if let Some(lifecycle) = facts.get("events_per_lifecycle") {
        let found = count_by(
            events
                .iter()
                .map(|e| text(&e["data"]["lifecycle:transition"])),
        );
        assert_eq!(&top(found, 100), lifecycle, "{name}");
    }

    as_of(name, &known, &events);
    longest_case(name, &known);
}

/// Counts of events and cases as of the facts' instant.
fn as_of(name: &str, known: &Known, events: &[Value]) {
    let facts = &known.facts["as_of"];
    let t = text(&facts["T"]);
    let instant = time(&facts["T"]);
    assert_eq!(known.count(&["--to", t]), facts["events_so_far"], "{name}");

    let started = known.streams(&["--at", t]);
    assert_eq!(facts["cases_started"], started.len(), "{name}");
    let (open, ended): (Vec<&Value>, Vec<&Value>) = started
        .iter()
        .partition(|row| time(&row["last_time"]) > instant);
    assert_eq!(facts["cases_open"], open.len(), "{name}");
    assert_eq!(facts["cases_ended"], ended.len(), "{name}");

    // Events come in position order, so the last one that had happened is the latest of its stream.
    let latest: BTreeMap<&str, &str> = events
        .iter()
        .filter(|e| time(&e["time"]) <= instant)
        .map(|e| (text(&e["stream"]), text(&e["type"])))
        .collect();
    let activities = count_by(open.iter().map(|row| latest[text(&row["stream"])]));
    assert_eq!(
        top(activities, 5),
        facts["open_cases_by_latest_activity_top5"],
        "{name}"
    );
}

/// The longest case: its length, and its state as of the facts' instant.
fn longest_case(name: &str, known: &Known) {
    let longest = &known.facts["longest_case"];
    let streams = known.streams(&[]);
    let found = streams
        .iter()
        .map(|row| row["events"].as_u64().unwrap())
        .max();
    assert_eq!(longest["events"], found.unwrap(), "{name}");
    let row = streams
        .iter()
        .find(|row| row["stream"] == longest["case"])
        .unwrap();
    assert_eq!(row["events"], longest["events"], "{name}");

    let facts = &known.facts["longest_case_as_of"];
    assert_eq!(row["stream"], facts["case"], "{name}");
    assert_eq!(time(&row["first_time"]), time(&facts["first"]), "{name}");
    assert_eq!(time(&row["last_time"]), time(&facts["last"]), "{name}");
    let case = text(&facts["case"]);
    let state = known
        .sandbox
        .json(&["state", "log.annals", case, "--at", text(&facts["T"])]);
    assert_eq!(state["events_folded"], facts["events_so_far"], "{name}");
    assert_eq!(
        state["last_event"]["type"], facts["latest_activity"],
        "{name}"
    );
    assert_eq!(
        known.count(&["--stream", case, "--to", text(&facts["T"])]),
        facts["events_so_far"],
        "{name}"
    );
}

#[test]
fn xes_running_example() {
    xes("xes-running-example", "running-example.xes");
}

#[test]
fn xes_receipt() {
    xes("xes-receipt", "receipt.xes.gz");
}

#[test]
fn xes_reviewing() {
    xes("xes-reviewing", "reviewing.xes");
}

#[test]
fn xes_bpic2013_incidents() {
    xes("xes-bpic2013-incidents", "bpic2013_incidents.xes.gz");
}

/// Stream, place in it, type, time and actor of every event.
fn told(known: &Known) -> BTreeSet<(String, u64, String, DateTime<Utc>, String)> {
    let events = known.events(&[]);
    let told = events.iter().map(|e| {
        (
            text(&e["stream"]).to_owned(),
            e["version"].as_u64().unwrap(),
            text(&e["type"]).to_owned(),
            time(&e["time"]),
            e["actor"].as_str().unwrap_or_default().to_owned(),
        )
    });
    told.collect()
}

/// The table of a log says what its XES says.
fn twins(name: &str, table: &str, log: &str) {
    xes(name, table);
    let (Some(table), Some(log)) = (Known::import(name, &[table]), Known::import(name, &[log]))
    else {
        return;
    };
    assert_eq!(told(&table), told(&log), "{name}");
    assert_eq!(
        table.info()["categories"],
        log.info()["categories"],
        "{name}"
    );
}

#[test]
fn csv_running_example() {
    twins(
        "xes-running-example",
        "running-example.csv",
        "running-example.xes",
    );
}

#[test]
fn csv_receipt() {
    twins("xes-receipt", "receipt.csv", "receipt.xes.gz");
}

#[test]
fn csv_reviewing() {
    twins("xes-reviewing", "reviewing.csv", "reviewing.xes");
}

/// What a table and its facts agree on, whose streams have names of their own.
fn table(name: &str, file: &str) -> Option<(Known, Vec<Value>)> {
    let known = Known::import(name, &[file])?;
    let facts = &known.facts;
    for (key, want) in [
        ("read", &facts["events"]),
        ("stored", &facts["events"]),
        ("streams", &facts["cases"]),
        ("types", &facts["activities"]),
        ("rejected", &Value::from(0)),
    ] {
        assert_eq!(&known.report[key], want, "{name}: report, {key}");
    }
    let info = known.info();
    assert_eq!(
        time(&info["first_time"]),
        time(&facts["first_event"]),
        "{name}"
    );
    assert_eq!(
        time(&info["last_time"]),
        time(&facts["last_event"]),
        "{name}"
    );
    assert_eq!(
        first(&rows(&info["types"]), 10),
        facts["events_per_activity_top10"],
        "{name}"
    );
    let backwards = known.report["findings"].as_array().unwrap().iter();
    let backwards = backwards
        .filter(|f| f["kind"] == "time_runs_backwards")
        .map(|f| &f["count"]);
    assert_eq!(
        backwards.collect::<Vec<_>>(),
        [&facts["consecutive_events_going_back_in_time_in_case"]],
        "{name}"
    );
    let at = &facts["as_of"];
    let t = text(&at["T"]);
    assert_eq!(known.count(&["--to", t]), at["events_so_far"], "{name}");
    assert_eq!(
        at["cases_started"],
        known.streams(&["--at", t]).len(),
        "{name}"
    );
    let events = known.events(&[]);
    Some((known, events))
}

#[test]
fn csv_patients() {
    let Some((known, events)) = table("csv-patients", "patients.csv") else {
        return;
    };
    let facts = &known.facts;
    let actors = count_by(events.iter().map(|e| text(&e["actor"])));
    assert_eq!(
        actors.len(),
        facts["distinct_actors"].as_u64().unwrap() as usize
    );
    assert_eq!(top(actors, 5), facts["busiest_actors_top5"]);
    let kinds = count_by(events.iter().map(|e| text(&e["data"]["registration_type"])));
    assert_eq!(top(kinds, 5), facts["events_per_lifecycle"]);
    let row = known.sandbox.json(&[
        "streams",
        "log.annals",
        "--match",
        "patient-1",
        "--limit",
        "1",
    ]);
    assert_eq!(row["streams"][0]["stream"], "patient-1");
    assert_eq!(row["streams"][0]["events"], facts["longest_case"]["events"]);

    // What is there already is known again, and the list of imports tells of both.
    let file = dataset("csv-patients").unwrap().join("patients.csv");
    let again = known
        .sandbox
        .json(&["import", file.to_str().unwrap(), "--into", "log.annals"]);
    assert_eq!(
        (&again["duplicates"], &again["stored"]),
        (&facts["events"], &Value::from(0))
    );
    let imports = known.sandbox.json(&["imports", "log.annals"]);
    let imports = imports["imports"].as_array().unwrap();
    assert_eq!(imports.len(), 2);
    assert_eq!(imports[0]["last"], facts["events"]);
    assert_eq!(imports[1]["first"], Value::Null);
    assert_eq!(imports[0]["files"], imports[1]["files"]);
    let kept = &imports[0]["files"][0];
    let want = "35bac52db2bb100a7f4c83d7c1c390d7f5c2dec4952ee1f40e3a0d4a24d7bd40";
    assert_eq!(
        (text(&kept["name"]), text(&kept["sha256"])),
        ("patients.csv", want)
    );
    assert_eq!(
        kept["mapping_sha256"],
        known.report["files"][0]["mapping_sha256"]
    );
}

#[test]
fn csv_interval() {
    let Some((known, events)) = table("csv-interval", "interval_event_log.csv") else {
        return;
    };
    longest_case("csv-interval", &known);
    let mut starts = events.iter().map(|e| text(&e["data"]["start_timestamp"]));
    assert!(starts.all(|start| start.starts_with("2015-")));
    let Some(log) = Known::import("csv-interval", &["interval_event_log.xes"]) else {
        return;
    };
    let steps = |known: &Known| {
        let told = told(known).into_iter();
        let mut steps: Vec<_> = told.map(|(s, _, t, at, _)| (s, t, at)).collect();
        steps.sort();
        steps
    };
    assert_eq!(steps(&known), steps(&log));
}

#[test]
fn documents_of_the_json_suite_come_through_the_store_unchanged() {
    let Some(folder) = dataset("json-suites") else {
        return;
    };
    let folder = folder.join("JSONTestSuite/test_parsing");
    let sandbox = Sandbox::new();
    let into = sandbox.path().join("documents");
    std::fs::create_dir(&into).unwrap();
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("y_") {
            let document = std::fs::read_to_string(entry.path()).unwrap();
            let record = format!("{{\"streamId\":\"s\",\"type\":\"t\",\"data\":{document}}}");
            std::fs::write(into.join(name), record).unwrap();
            documents.push(document);
        }
    }
    let report = sandbox.json(&["import", "documents", "--into", "log.annals"]);
    assert_eq!(report["stored"], documents.len());
    let shown = sandbox
        .run(&["events", "log.annals", "--json", "--limit", "1000"])
        .stdout;
    for document in documents {
        let data = format!("\"data\":{}", document.trim());
        assert!(shown.contains(&data), "{document:?}");
    }
}

#[test]
fn importing_an_xes_log_again_adds_nothing() {
    let Some(known) = Known::import("xes-running-example", &["running-example.xes"]) else {
        return;
    };
    let file = dataset("xes-running-example")
        .unwrap()
        .join("running-example.xes");
    let root = known.info()["root"].clone();
    let again = known
        .sandbox
        .json(&["import", file.to_str().unwrap(), "--into", "log.annals"]);
    assert_eq!(again["duplicates"], known.facts["events"]);
    assert_eq!(again["stored"], 0);
    assert_eq!(known.info()["root"], root);
}

#[test]
fn eventstoredb_carts() {
    let Some(folder) = dataset("eventstoredb") else {
        return;
    };
    let mut files: Vec<String> = std::fs::read_dir(folder.join("http-api/data"))
        .unwrap()
        .map(|entry| format!("http-api/data/{}", entry.unwrap().file_name().display()))
        .collect();
    files.sort();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let Some(known) = Known::import("eventstoredb", &files) else {
        return;
    };
    let carts = &known.facts["carts"];
    assert_eq!(known.report["stored"], carts["events"]);
    let info = known.info();
    assert_eq!(info["events"], carts["events"]);
    assert_eq!(info["streams"], carts["streams"]);
    for file in &files {
        let stem = file.rsplit('/').next().unwrap();
        let facts = &known.facts[stem];
        let stream = stem.strip_suffix(".json").unwrap();
        let events = known.events(&["--stream", stream]);
        assert_eq!(facts["events"], events.len(), "{stem}");
        let types = top(count_by(events.iter().map(|e| text(&e["type"]))), 10);
        assert_eq!(types, facts["types"], "{stem}");
        let ids: BTreeSet<&str> = events.iter().map(|e| text(&e["id"])).collect();
        assert_eq!(facts["distinct_eventId"], ids.len(), "{stem}");
        assert_eq!(events[0]["time_text"], facts["first_timestamp"], "{stem}");
        assert_eq!(
            time(&events[0]["time"]),
            time(&facts["first_timestamp"]),
            "{stem}"
        );
    }
    let all = known.events(&[]);
    let xbox = all
        .iter()
        .filter(|e| text(&e["data"]["Description"]).contains("Xbox One S"))
        .count();
    assert_eq!(carts["items_whose_Description_has_Xbox_One_S"], xbox);
}

#[test]
fn eventstoredb_events_without_times() {
    for file in ["multiple-events.json", "paging-events.json"] {
        let Some(known) = Known::import("eventstoredb", &[&format!("http-api/{file}")]) else {
            return;
        };
        let facts = &known.facts[file];
        assert_eq!(known.report["stored"], facts["events"], "{file}");
        assert_eq!(rows(&known.info()["types"]), facts["types"], "{file}");
        let findings = known.report["findings"].as_array().unwrap();
        let missing = findings
            .iter()
            .find(|f| f["kind"] == "missing_time")
            .unwrap();
        assert_eq!(missing["count"], facts["events"], "{file}");
    }
}

#[test]
fn git_maxwell() {
    let Some(known) = Known::import("git-maxwell", &["events.jsonl"]) else {
        return;
    };
    let facts = &known.facts;
    assert_eq!(known.report["stored"], facts["events"]);
    assert_eq!(known.report["rejected"], 0);
    let info = known.info();
    assert_eq!(info["events"], facts["events"]);
    // The facts count paths. Commits that touch none are in a stream of their own, `$commits`.
    let streams = known.streams(&[]);
    let paths = streams.iter().filter(|row| row["stream"] != "$commits");
    assert_eq!(facts["streams"], paths.count());
    assert_eq!(info["streams"], streams.len());
    assert_eq!(rows(&info["types"]), facts["events_per_type"]);
    assert_eq!(
        time(&info["first_time"]),
        time(&facts["first_committed_utc"])
    );
    assert_eq!(time(&info["last_time"]), time(&facts["last_committed_utc"]));

    let events = known.events(&[]);
    let commits: BTreeMap<&str, &str> = events
        .iter()
        .map(|e| (text(&e["data"]["commit"]), text(&e["data"]["author"])))
        .collect();
    assert_eq!(facts["commits_first_parent"], commits.len());
    let authors: BTreeSet<&&str> = commits.values().collect();
    assert_eq!(facts["authors"], authors.len());
    assert_eq!(
        top(count_by(commits.values().copied()), 3),
        facts["top_authors_by_commits"]
    );

    let facts = &facts["state_after_seq"];
    let seq = facts["seq"].as_u64().unwrap();
    assert_eq!(events[seq as usize - 1]["data"]["commit"], facts["commit"]);
    assert_eq!(
        events[seq as usize - 1]["data"]["seq"],
        facts["seq"],
        "positions are the file's own order"
    );
    let mut alive: BTreeMap<&str, u64> = BTreeMap::new();
    let mut so_far: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events[..seq as usize] {
        let stream = text(&event["stream"]);
        let n = so_far.entry(stream).or_insert(0);
        *n += 1;
        match text(&event["type"]) {
            "FileDeleted" => alive.remove(stream),
            "FileAdded" | "FileModified" => alive.insert(stream, *n),
            _ => None,
        };
    }
    assert_eq!(facts["files_alive"], alive.len());
    let busiest = alive
        .iter()
        .max_by_key(|(name, n)| (**n, std::cmp::Reverse(**name)))
        .unwrap();
    assert_eq!(facts["busiest_alive_file"], *busiest.0);
    let state = known.sandbox.json(&[
        "state",
        "log.annals",
        busiest.0,
        "--known",
        &seq.to_string(),
    ]);
    assert_eq!(state["events_folded"], facts["its_events_so_far"]);
    assert_eq!(state["state"]["blob"], facts["its_blob"]);
}

const MAXWELL: &str = r#"
category = "repo"

[who]
actor  = "data.author"
reason = "data.subject"

[on.FileAdded]
"alive.add" = "1"
"files.put" = "[data.stream, #{blob: data.blob, commit: data.commit}]"

[on.FileModified]
"files.put" = "[data.stream, #{blob: data.blob, commit: data.commit}]"

[on.FileDeleted]
"alive.sub"    = "1"
"files.remove" = "data.stream"

[on.CommitEmpty]
commits.add = "1"
"#;

/// Files of a repository as one stream: those alive after event 3161 are 252, by a model and by why.
#[test]
fn git_maxwell_files_alive_by_a_model_and_by_why() {
    let Some(folder) = dataset("git-maxwell") else {
        return;
    };
    let sandbox = Sandbox::new();
    let mut batch = String::new();
    for line in std::fs::read_to_string(folder.join("events.jsonl"))
        .unwrap()
        .lines()
    {
        let event: Value = serde_json::from_str(line).unwrap();
        let event = serde_json::json!({
            "stream": "repo-maxwell",
            "type": event["type"],
            "data": event,
            "time": "2024-01-01T00:00:00Z",
            "id": event["seq"].to_string(),
        });
        batch += &format!("{event}\n");
    }
    sandbox.write("batch.jsonl", batch);
    sandbox.json(&["init", "log.annals"]);
    sandbox.json(&["append", "log.annals", "--batch", "batch.jsonl"]);
    sandbox.write("repo.toml", MAXWELL);
    sandbox.json(&["model", "add", "log.annals", "repo.toml"]);
    let args = [
        "why",
        "log.annals",
        "repo-maxwell",
        "alive",
        "--version",
        "3161",
        "--limit",
        "10",
    ];
    let why = sandbox.json(&args);
    assert_eq!(why["value"], 252);
    assert_eq!(why["sum"], 252);
    assert_eq!(why["findings"], serde_json::json!([]));
    let files = [
        "why",
        "log.annals",
        "repo-maxwell",
        "files",
        "--version",
        "3161",
    ];
    let files = sandbox.json(&files);
    assert_eq!(files["contributions_count"], 252);
    let past = [
        "history",
        "log.annals",
        "repo-maxwell",
        "alive",
        "--version",
        "3161",
        "--limit",
        "1",
    ];
    assert_eq!(sandbox.json(&past)["values"][0]["value"], 252);
}

/// What a question over time says, by the index and by replay.
fn asked(known: &Known, question: &str) -> Value {
    let ask = |more: &[&str]| {
        let args = [&["ask", "log.annals", question, "--limit", "0"], more].concat();
        known.sandbox.json(&args)
    };
    let (first, replayed) = (ask(&[]), ask(&["--replay"]));
    assert_eq!(first["readings"], replayed["readings"], "{question}");
    assert_eq!(first["groups"], replayed["groups"], "{question}");
    first
}

#[test]
fn questions_tell_the_cases_that_were_open_and_ended() {
    let Some(known) = Known::import("xes-receipt", &["receipt.xes.gz"]) else {
        return;
    };
    let facts = &known.facts["as_of"];
    let t = text(&facts["T"]);
    let value = |question: &str| asked(&known, question)["value"].as_u64().unwrap();
    let started = value(&format!("count case at {t}"));
    assert_eq!(started, facts["cases_started"].as_u64().unwrap());
    // Open are those with an event to come that had begun.
    let answer = asked(&known, &format!("count case active during {t}..2013"));
    let of = |name: &str| {
        let readings = answer["readings"].as_array().unwrap();
        let reading = readings.iter().find(|reading| reading["name"] == name);
        reading.unwrap()["value"].as_u64().unwrap()
    };
    let open = of("had an event in it") - of("began in it");
    assert_eq!(open, facts["cases_open"].as_u64().unwrap());
    assert_eq!(started - open, facts["cases_ended"].as_u64().unwrap());
}

#[test]
fn questions_tell_the_lifecycle_that_every_case_was_in() {
    let files = ["bpic2013_incidents.xes.gz"];
    let Some(known) = Known::import("xes-bpic2013-incidents", &files) else {
        return;
    };
    let t = "2012-05-01T00:00:00Z";
    let fact = format!("latest_lifecycle_of_every_started_case_at_{t}");
    let wanted = known.facts[fact.as_str()].as_array().unwrap();
    let answer = asked(
        &known,
        &format!(r#"count case group by ["lifecycle:transition"] at {t}"#),
    );
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), wanted.len());
    for pair in wanted {
        let group = groups.iter().find(|group| group["group"] == pair[0]);
        assert_eq!(group.unwrap()["value"], pair[1], "{}", pair[0]);
        if pair[0] != "Wait - User" {
            continue;
        }
        let question = format!(
            r#"count case where ["lifecycle:transition"] = {} at {t}"#,
            pair[0]
        );
        assert_eq!(asked(&known, &question)["value"], pair[1], "{question}");
    }
}
